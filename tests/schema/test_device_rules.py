"""What several entries of a device say together: protocols of connections, TLS, hosts to listen on, key stores."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import KEY_STORE
from tests.trees import ARCHIVE, STORESCP, connection, network_ae, site_entries

CLASSES = (b"dicomNetworkConnection", b"dcmNetworkConnection")
OPENSSL = "ECDHE-RSA-AES128-GCM-SHA256"
SUITE = "TLS_AES_128_GCM_SHA256"


def found(*entries: Entry) -> list[tuple[str, str]]:
    """Return rule and attribute of each error."""
    findings = check_entries(map(LocatedEntry, (*site_entries(), *entries)), load_bundled_schema(), live=False)
    return [(each.rule.name, each.attribute) for each in findings if each.severity == "error"]


def more(device: str, **values: str) -> Entry:
    return connection(device, "4242", name="more", **values).with_values("objectClass", CLASSES)


def test_an_ae_does_not_use_a_connection_for_hl7() -> None:
    ae = network_ae(STORESCP, "X", references=("more",))
    assert found(ae, more(STORESCP, dcmProtocol="DICOM")) == []
    assert found(ae, more(STORESCP)) == []
    assert found(ae, more(STORESCP, dcmProtocol="HL7")) == [("protocol", "dicomNetworkConnectionReference")]


def test_an_ae_uses_no_connection_of_another_device() -> None:
    ae = network_ae(STORESCP, "X").with_values("dicomNetworkConnectionReference", (f"cn=dicom,{ARCHIVE}".encode(),))
    assert found(ae) == [("required-reference", "dicomNetworkConnectionReference")]


@pytest.mark.parametrize(
    ("values", "findings"),
    [
        ({"dicomTLSCipherSuite": SUITE}, []),
        ({"dicomTLSCipherSuite": "SSL_RSA_WITH_NULL_SHA"}, []),
        ({"dicomTLSCipherSuite": OPENSSL}, [("tls", "dicomTLSCipherSuite")]),
        ({"dicomTLSCipherSuite": SUITE, "dcmTLSProtocol": "TLSv1.3"}, []),
        ({"dicomTLSCipherSuite": SUITE, "dcmTLSProtocol": "TLS 1.3"}, [("tls", "dcmTLSProtocol")]),
        ({"dcmTLSProtocol": "TLS 1.3"}, []),
        ({"dicomTLSCipherSuite": OPENSSL, "dicomInstalled": "FALSE"}, []),
        ({"dcmBindAddress": "0.0.0.0"}, []),
        ({"dcmBindAddress": "::1"}, []),
        ({"dcmBindAddress": "FOO bar"}, [("bind-host", "dcmBindAddress")]),
        ({"dcmBindAddress": "http://h/x"}, [("bind-host", "dcmBindAddress")]),
        ({"dicomHostname": "FOO bar"}, [("bind-host", "dicomHostname")]),
        ({"dicomHostname": "FOO bar", "dcmBindAddress": "0.0.0.0"}, []),
    ],
)
def test_what_an_archive_cannot_listen_with(values: dict[str, str], findings: list[tuple[str, str]]) -> None:
    odd = more(ARCHIVE)
    for name, value in values.items():
        odd = odd.with_values(name, (value.encode(),))
    assert found(odd) == findings


def test_on_other_devices_no_archive_listens() -> None:
    odd = more(STORESCP).with_values("dicomTLSCipherSuite", (OPENSSL.encode(),))
    assert found(odd.with_values("dcmBindAddress", (b"FOO bar",))) == []


@pytest.mark.parametrize(
    ("values", "findings"),
    [
        ({}, 2),
        ({"dcmKeyStoreType": "PKCS12"}, 1),
        ({"dcmKeyStoreType": "PKCS12", "dcmKeyStorePin": "x"}, 0),
        ({"dcmKeyStoreType": "PKCS12", "dcmKeyStorePinProperty": "x"}, 0),
    ],
)
def test_a_key_store_has_a_type_and_a_pin(values: dict[str, str], findings: int) -> None:
    kinds = [
        each.impact
        for each in check_entries(map(LocatedEntry, with_key_store(values)), load_bundled_schema(), live=True)
    ]
    assert kinds == ["stops-next-start"] * findings


@pytest.mark.parametrize(
    ("values", "messages"),
    [
        ({}, ["dcmKeyStoreType is missing"]),
        ({"dcmKeyStoreType": "PKCS12"}, []),
        (
            {"dcmKeyStoreType": "PKCS12", "dcmTrustStorePin": "x"},
            ["dcmKeyStorePin or dcmKeyStorePinProperty is missing"],
        ),
    ],
)
def test_of_a_file_without_any_pin_none_is_missing(values: dict[str, str], messages: list[str]) -> None:
    found = check_entries(map(LocatedEntry, with_key_store(values)), load_bundled_schema(), live=False)
    assert [each.message for each in found if each.rule is KEY_STORE] == messages


def with_key_store(values: dict[str, str]) -> list[Entry]:
    entries = []
    for entry in site_entries():
        changed = entry
        if str(entry.dn) == ARCHIVE:
            for name, value in {"dcmKeyStoreURL": "file:/key", **values}.items():
                changed = changed.with_values(name, (value.encode(),))
        entries.append(changed)
    return entries
