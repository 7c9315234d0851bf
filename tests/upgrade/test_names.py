"""The names of a site in entries and changes of the default configuration."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.names import NameMapping
from tests.trees import ARCHIVE, BASE, DEVICES, site_entries

NEW_BASE = "dc=hospital,dc=org"
NEW_ARCHIVE = f"dicomDeviceName=pacs,cn=Devices,cn=DICOM Configuration,{NEW_BASE}"
MAPPING = NameMapping(
    load_bundled_schema(),
    DN.parse(BASE),
    DN.parse(NEW_BASE),
    devices={"dcm4chee-arc": "pacs"},
    titles={"DCM4CHEE": "PACS", "AS_RECEIVED": "DCM4CHEE"},
    web_apps={"DCM4CHEE-WADO": "PACS-WADO"},
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BASE, NEW_BASE),
        (ARCHIVE, NEW_ARCHIVE),
        (f"dicomDeviceName=DCM4CHEE-ARC,{DEVICES}", NEW_ARCHIVE),
        (f"dicomAETitle=DCM4CHEE,{ARCHIVE}", f"dicomAETitle=PACS,{NEW_ARCHIVE}"),
        # Each name is replaced once, also where a new name is another one's old name.
        (f"dicomAETitle=AS_RECEIVED,{ARCHIVE}", f"dicomAETitle=DCM4CHEE,{NEW_ARCHIVE}"),
        (f"dcmWebAppName=DCM4CHEE-WADO,{ARCHIVE}", f"dcmWebAppName=PACS-WADO,{NEW_ARCHIVE}"),
        (f"cn=DCM4CHEE,{ARCHIVE}", f"cn=DCM4CHEE,{NEW_ARCHIVE}"),
        ("dc=other,dc=org", "dc=other,dc=org"),
    ],
)
def test_names_in_dns(old: str, new: str) -> None:
    assert str(MAPPING.map_dn(DN.parse(old))) == new


@pytest.mark.parametrize(
    ("attribute", "old", "new"),
    [
        ("dicomNetworkConnectionReference", f"cn=dicom,{ARCHIVE}", f"cn=dicom,{NEW_ARCHIVE}"),
        ("dcmRetrieveAET", "DCM4CHEE", "PACS"),
        ("dcmWebServicePath", "/dcm4chee-arc/aets/DCM4CHEE/rs", "/dcm4chee-arc/aets/PACS/rs"),
        ("dicomDescription", "Store for DCM4CHEE", "Store for DCM4CHEE"),
        ("dicomNetworkConnectionReference", "no DN", "no DN"),
    ],
)
def test_names_in_values(attribute: str, old: str, new: str) -> None:
    assert MAPPING.map_values(attribute, [old.encode()]) == (new.encode(),)


def test_names_in_changes() -> None:
    dn, new = DN.parse(f"dicomAETitle=DCM4CHEE,{ARCHIVE}"), DN.parse(f"dicomAETitle=PACS,{NEW_ARCHIVE}")
    modification = Modification(Operation.ADD, "dcmRetrieveAET", (b"DCM4CHEE",))
    assert MAPPING.map_change(Delete(dn)) == Delete(new)
    assert MAPPING.map_change(Modify(dn, (modification,))) == Modify(
        new, (Modification(Operation.ADD, "dcmRetrieveAET", (b"PACS",)),)
    )
    assert MAPPING.map_change(Rename(dn, RDN.of("dicomAETitle", "AS_RECEIVED"))) == Rename(
        new, RDN.of("dicomAETitle", "DCM4CHEE")
    )
    entry = Entry.from_values(str(dn), {"objectClass": "dicomNetworkAE", "dicomAETitle": "DCM4CHEE"})
    mapped = Entry.from_values(str(new), {"objectClass": "dicomNetworkAE", "dicomAETitle": "PACS"})
    assert MAPPING.map_change(Add(entry)) == Add(mapped)


def test_the_base_entry_has_the_value_of_its_new_name() -> None:
    mapped = MAPPING.map_entry(site_entries()[0])
    assert str(mapped.dn) == NEW_BASE
    assert mapped.texts("dc") == ("hospital",)


def test_the_inverse_gives_the_old_names_back() -> None:
    for entry in site_entries():
        assert MAPPING.inverse().map_entry(MAPPING.map_entry(entry)) == entry


def test_without_other_names_nothing_changes() -> None:
    same = NameMapping(load_bundled_schema(), DN.parse(BASE), DN.parse(BASE))
    assert same.is_identity
    assert all(same.map_entry(each) is each for each in site_entries())
