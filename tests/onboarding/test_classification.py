"""Rows against the tree and against one another."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.onboarding.classification import ClassifiedRows, classify_rows
from dcmcfg.onboarding.row import SheetRow, make_row_values
from dcmcfg.schema.findings import SourceLocation
from tests.trees import DEVICES, STORESCP, connection, network_ae, site_entries, tree

CONFIGURATION = Configuration(tree(*site_entries()))


def sort(*rows: dict[str, str], configuration: Configuration = CONFIGURATION) -> ClassifiedRows:
    return classify_rows(
        configuration, [SheetRow(SourceLocation("x", number), row) for number, row in enumerate(rows, 2)]
    )


def rejected_rows(*rows: dict[str, str]) -> list[str]:
    found = sort(*rows)
    assert len(found.rejected) == len(rows)
    return [str(each) for each in found.rejected]


NEW = {"title": "CT1", "host": "ct1.example.org", "port": "104"}


def test_a_row_of_an_unknown_title_is_new() -> None:
    found = sort(NEW | {"tls": "Yes", "role": "Archive", "device": "ct", "description": "x"})
    (proposal,) = found.new
    assert (str(proposal), proposal.tls, proposal.role and proposal.role.value) == (
        "CT1@ct1.example.org:104",
        True,
        "archive",
    )
    assert (found.unchanged, found.rejected, found.warnings) == ((), (), ())


def test_a_row_as_an_ae_is_told_is_so_already_however_much_it_says() -> None:
    for ae in CONFIGURATION.network_aes():
        for row in (make_row_values(ae), {"title": ae.title}, {"title": ae.title, "host": "LOCALHOST"}):
            assert sort(row).unchanged == (ae,)


def test_an_ae_that_differs_is_told_with_what_differs_and_how_to_change_it() -> None:
    row = {
        "title": "STORESCP",
        "host": "new.example.org",
        "port": "104",
        "role": "modality",
        "device": "ws",
        "tls": "y",
    }
    assert rejected_rows(row | {"description": "new one"}) == [
        "x:2: STORESCP: storescp/STORESCP exists and differs: the AE belongs to the device storescp, not to ws; the "
        "address of the AE is localhost:11115, not new.example.org:104 with TLS (dcmcfg connection set storescp/dicom "
        "new.example.org:104 --tls); the description of the AE differs (dcmcfg set storescp/STORESCP "
        "'dicomDescription=new one'); the role of the AE is workstation, not modality"
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"host": "h", "port": "1"}, "x:2: the title is missing"),
        ({"title": "CT1"}, "x:2: CT1: missing: host, port (optional only for a modality)"),
        ({"title": "CT1", "host": "h"}, "x:2: CT1: missing: port (optional only for a modality)"),
        (
            {"title": "A" * 17, "host": "a b", "port": "0", "tls": "maybe", "role": "viewer"},
            f"x:2: {'A' * 17}: title '{'A' * 17}' is invalid (not an AE title: the title has 17 characters); "
            "host 'a b' is invalid (not a host name or IP address); port '0' is invalid (not a TCP port); "
            "tls 'maybe' is invalid (must be yes or no); role 'viewer' is invalid (unknown role; must be one of "
            "workstation, modality, archive)",
        ),
        (
            {"title": "CT1", "host": "h", "port": "1", "description": "a\nCT2,h,2"},
            "x:2: CT1: description contains a control character; check for a missing quotation mark",
        ),
        (
            {"title": "CT1", "host": "h", "port": "1", "tls": "yes\x07", "role": "archive\x07"},
            "x:2: CT1: tls contains a control character; check for a missing quotation mark; "
            "role contains a control character; check for a missing quotation mark",
        ),
        (
            {"title": "CT1", "host": "bob:topsecret@h", "port": "1"},
            "x:2: CT1: host (secret) is invalid (not a host name or IP address)",
        ),
    ],
)
def test_everything_that_is_wrong_with_a_row_is_told_at_once(row: dict[str, str], reason: str) -> None:
    assert rejected_rows(row) == [reason]


def test_a_modality_needs_no_port() -> None:
    (proposal,) = sort({"title": "CT1", "host": "h", "role": "modality"}).new
    assert (proposal.port, proposal.listens) == (None, False)


def test_rows_that_want_one_title_otherwise_are_both_left_out() -> None:
    assert rejected_rows(NEW, NEW | {"port": "105"}) == [
        "x:2: CT1: this row and x:3 have the same title, but different values",
        "x:3: CT1: this row and x:2 have the same title, but different values",
    ]


def test_a_row_that_is_repeated_counts_once() -> None:
    found = sort(NEW, NEW | {"host": "CT1.example.org", "tls": "no", "device": "ct1"})
    assert [str(each.row.location) for each in found.new] == ["x:2"]
    assert found.warnings == ("x:3: CT1 is a duplicate of x:2.",)


def test_an_address_of_several_titles_is_told_once() -> None:
    more = [NEW | {"title": f"CT{number}"} for number in range(2, 5)]
    found = sort(NEW, *more, {"title": "NEAR", "host": "localhost", "port": "11115"})
    assert found.warnings == (
        "x:2: several AEs share the address ct1.example.org:104: CT1, CT2, CT3 and 1 more.",
        "x:6: several AEs share the address localhost:11115: STORESCP, NEAR.",
    )


def test_of_two_aes_of_a_title_the_row_may_mean_either() -> None:
    other = f"dicomDeviceName=other,{DEVICES}"
    device = Entry.from_values(
        other, {"objectClass": "dicomDevice", "dicomDeviceName": "other", "dicomInstalled": "TRUE"}
    )
    twice = Configuration(tree(*site_entries(), device, connection(other, "1"), network_ae(other, "STORESCP")))
    for port, name in (("1", "other"), ("11115", "storescp")):
        (ae,) = sort({"title": "STORESCP", "port": port}, configuration=twice).unchanged
        assert ae.device.name == name


def test_what_no_new_ae_may_be_is_so_already_where_it_is_there() -> None:
    odd = network_ae(STORESCP, "TITLE_OF_TOO_MANY_LETTERS", references=())
    configuration = Configuration(tree(*site_entries(), odd))
    row = {"title": "TITLE_OF_TOO_MANY_LETTERS", "role": "workstation", "device": "storescp"}
    assert len(sort(row, configuration=configuration).unchanged) == 1
    assert len(sort(row | {"host": "h"}, configuration=configuration).rejected) == 1
