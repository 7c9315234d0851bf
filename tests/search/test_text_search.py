"""Where a text stands in a tree, and what it means there."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.search.text_search import TextHit, find_text
from tests.trees import ARCHIVE, STORESCP, network_ae, site_entries, tree


def hits_of(text: str, *more: Entry, **device: str) -> list[tuple[str, str, bytes | None, str]]:
    return [_summarize(hit) for hit in find_text(tree(*site_entries(**device), *more), text)]


def _summarize(hit: TextHit) -> tuple[str, str, bytes | None, str]:
    return str(hit.dn.rdn), hit.attribute, hit.value, hit.refers_to


def test_values_are_found_in_any_case_and_what_means_the_name_is_said() -> None:
    assert hits_of("storescp", dcmDestinationAE="STORESCP", dicomDescription="not StoreScp2") == [
        ("dicomDeviceName=dcm4chee-arc", "dcmDestinationAE", b"STORESCP", ""),
        ("dicomDeviceName=dcm4chee-arc", "dicomDescription", b"not StoreScp2", ""),
        ("dicomDeviceName=storescp", "dicomDeviceName", b"storescp", ""),
        ("dicomAETitle=STORESCP", "dicomAETitle", b"STORESCP", ""),
    ], "an AE title is another in another case"
    (reference, *_) = hits_of("STORESCP", dcmDestinationAE="STORESCP")
    assert reference == ("dicomDeviceName=dcm4chee-arc", "dcmDestinationAE", b"STORESCP", "AE storescp/STORESCP")


def test_a_local_name_means_the_ae_of_its_own_device_only() -> None:
    hits = hits_of("STORESCP", dcmExternalRetrieveAEDestination="STORESCP")
    assert hits[0] == ("dicomDeviceName=dcm4chee-arc", "dcmExternalRetrieveAEDestination", b"STORESCP", "")


def test_a_name_that_is_written_otherwise_in_a_reference_is_found_by_its_meaning() -> None:
    odd = network_ae(ARCHIVE, "A.B")
    rule = Entry.from_values(
        f"cn=rule,{ARCHIVE}",
        {
            "objectClass": "dcmExportRule",
            "cn": "rule",
            "dcmEntity": "Series",
            "dcmExporterID": "x",
            "dcmProperty": r"SendingApplicationEntityTitle=A\.B",
        },
    )
    hits = hits_of("A.B", odd, rule)
    assert ("cn=rule", "dcmProperty", rb"SendingApplicationEntityTitle=A\.B", "AE dcm4chee-arc/A.B") in hits


def test_the_name_of_an_attribute_is_found_with_all_its_values() -> None:
    assert hits_of("dcmexternalretrieveaedest", dcmExternalRetrieveAEDestination="X") == [
        ("dicomDeviceName=dcm4chee-arc", "dcmExternalRetrieveAEDestination", b"X", "")
    ]


def test_a_piece_of_a_dn_is_found_at_the_entry_that_completes_it() -> None:
    elsewhere = network_ae(ARCHIVE, "ODD", dcmDestination=f"cn=dicom,{STORESCP}")
    assert hits_of("cn=dicom,dicomdevicename=STORE", elsewhere) == [
        ("dicomAETitle=ODD", "dcmDestination", f"cn=dicom,{STORESCP}".encode(), ""),
        ("cn=dicom", "", None, ""),
    ]
    assert hits_of("cn=dicom,cn=") == []


def test_secrets_are_not_looked_into() -> None:
    assert hits_of("geheim", dcmKeyStorePin="geheim", dicomDescription="http://joe:geheim@host/") == []


def test_what_stands_nowhere_is_not_found() -> None:
    assert hits_of("nowhere") == []
