"""What is written for rows of each kind."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.onboarding.additions import CipherSuiteSource, add_proposals
from dcmcfg.onboarding.classification import classify_rows
from dcmcfg.onboarding.row import SheetRow, make_row_values
from dcmcfg.plan.plan import make_plan
from dcmcfg.schema.findings import SourceLocation
from tests.trees import site

SECURED = CipherSuiteSource("dcm4chee-arc", ("TLS_AES_128_GCM_SHA256",))
NEW = {"title": "CT1", "host": "ct1.example.org", "port": "104"}


def added(*rows: dict[str, str], secured: CipherSuiteSource = SECURED) -> tuple[Configuration, list[str]]:
    """The configuration after *rows*, and why some were left out."""
    before = site()
    proposals = classify_rows(
        Configuration(before), [SheetRow(SourceLocation("x", n), row) for n, row in enumerate(rows, 2)]
    ).new
    additions = add_proposals(Configuration(before), proposals, secured)
    assert len(additions.added) + len(additions.rejected) == len(rows)
    return Configuration(make_plan(before, additions.desired).after), [str(each) for each in additions.rejected]


def entry(configuration: Configuration, rdns: str) -> Entry:
    (found,) = (e for e in configuration.tree.entries.values() if str(e.dn).startswith(rdns))
    return found


@pytest.mark.parametrize(
    ("row", "acceptor", "device_type"),
    [
        (NEW, "TRUE", ()),
        (NEW | {"role": "workstation"}, "TRUE", ()),
        (NEW | {"role": "archive"}, "TRUE", ("ARCHIVE",)),
        ({"title": "CT1", "host": "ct1.example.org", "role": "modality"}, "FALSE", ()),
    ],
)
def test_a_role_decides_whether_it_accepts_associations_and_what_its_device_is(
    row: dict[str, str], acceptor: str, device_type: tuple[str, ...]
) -> None:
    configuration, left_out = added(row)
    assert left_out == []
    ae = configuration.find_network_ae("CT1")
    assert ae is not None
    assert ae.entry.text("dicomAssociationAcceptor") == acceptor
    assert ae.device.entry.texts("dicomPrimaryDeviceType") == device_type
    assert ae.capabilities == ()
    assert ("dicomPort" in entry(configuration, "cn=dicom,dicomDeviceName=ct1,")) == ("port" in row)


def test_what_a_row_says_is_what_the_ae_is_told_to_be_afterwards() -> None:
    row = NEW | {"tls": "yes", "description": "Ground floor", "role": "workstation", "device": "radiology"}
    configuration, _ = added(row)
    ae = configuration.find_network_ae("CT1")
    assert ae is not None
    assert make_row_values(ae) == row
    (connection,) = ae.connections
    suites = entry(configuration, str(connection.dn)).texts("dicomTLSCipherSuite")
    assert suites == ("TLS_AES_128_GCM_SHA256",)


def test_the_archives_own_cipher_suites_are_taken_where_it_has_some() -> None:
    _, left_out = added(NEW | {"tls": "yes"}, secured=CipherSuiteSource("dcm4chee-arc"))
    assert left_out == [
        "x:2: CT1: no AE of the archive dcm4chee-arc has a connection with TLS, so dcmcfg cannot choose cipher "
        "suites; specify the cipher suites with --cipher-suite"
    ]


def test_rows_may_share_a_device_and_a_connection() -> None:
    configuration, left_out = added(NEW | {"device": "ct"}, NEW | {"title": "CT2", "device": "CT"})
    assert left_out == []
    device = configuration.get_device("ct")
    assert [ae.title for ae in device.network_aes] == ["CT1", "CT2"]
    assert len(device.connections) == 1


def test_a_row_whose_device_belongs_to_another_ae_is_left_out_with_the_way_out() -> None:
    _, left_out = added(NEW, NEW | {"title": "ct1"}, NEW | {"title": "A*B"})
    assert left_out[0].startswith("x:3: ct1: the device ct1 exists and has the AE CT1; ")
    assert left_out[1].startswith("x:4: A*B: the title A*B contains one of the characters ")
