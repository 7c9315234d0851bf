"""What brings a tree back to another, octet for octet."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.plan.restoration import compute_restoration
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, Values, connection, site, site_entries, tree


def octets(source: Tree) -> dict[str, dict[str, frozenset[bytes]]]:
    return {
        str(entry.dn): {attribute.name: frozenset(attribute.values) for attribute in entry.attributes}
        for entry in source.entries.values()
    }


def test_equal_trees_need_nothing() -> None:
    assert compute_restoration(site(), site()) == ()


def test_octets_count_where_the_rules_see_no_difference() -> None:
    live, target = site(dicomDescription="Archive"), site(dicomDescription="archive")
    (change,) = compute_restoration(live, target)
    assert change == Modify(
        DN.parse(ARCHIVE),
        (
            Modification(Operation.DELETE, "dicomDescription", (b"Archive",)),
            Modification(Operation.ADD, "dicomDescription", (b"archive",)),
        ),
    )


def test_a_name_in_other_case_is_renamed_and_its_values_follow() -> None:
    live = site().with_changes([Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "StoreSCP"))])
    changes = compute_restoration(live, site())
    assert changes == (Rename(DN.parse(f"dicomDeviceName=StoreSCP,{DEVICES}"), RDN.of("dicomDeviceName", "storescp")),)
    assert octets(live.with_changes(changes)) == octets(site())


def test_adds_stand_before_modifies_before_deletes() -> None:
    live = site(dicomDescription="x").with_changes(
        [Delete(DN.parse(f"cn=dicom,{STORESCP}")), Add(connection(ARCHIVE, name="x"))]
    )
    changes = compute_restoration(live, site())
    assert [type(change) for change in changes] == [Add, Modify, Delete]
    assert octets(live.with_changes(changes)) == octets(site())


def test_a_structural_class_is_not_changed_but_the_entry_replaced_with_all_below_it() -> None:
    other = {"objectClass": "dicomConfigurationRoot", "cn": "x", "dicomDeviceName": "storescp"}
    remaining = [entry for entry in site_entries() if not entry.dn.is_below(DN.parse(STORESCP))]
    live = tree(*remaining, Entry.from_values(STORESCP, other), connection(STORESCP, name="below"))
    changes = compute_restoration(live, site())
    assert [type(change) for change in changes[:2]] == [Delete, Delete]
    assert octets(live.with_changes(changes)) == octets(site())


def test_what_is_above_the_root_or_beside_it_is_left_alone() -> None:
    described = Modify(DN.parse(BASE), (Modification(Operation.ADD, "description", (b"ours",)),))
    live = site().with_changes(
        [described, Add(Entry.from_values(f"o=else,{BASE}", {"objectClass": "organization", "o": "else"}))]
    )
    assert compute_restoration(live, site()) == ()


def test_an_empty_tree_gets_everything_from_the_top() -> None:
    changes = compute_restoration(tree(), site())
    assert str(changes[0].dn) == BASE
    assert octets(tree().with_changes(changes)) == octets(site())


#: The same entry as it was given, and as each server was seen to keep it.
GIVEN: Values = {
    "objectClass": ["DICOMdevice", "dcmDevice", "dcmKeycloakClient"],
    "dicomDeviceName": "odd,  name",
    "dicomInstalled": "TRUE",
    "dicomRelatedDeviceReference": ["DicomDeviceName=storescp , CN=devices,dc=dcm4che,DC=org", "cn=a\\2cb,dc=x"],
    "userPassword": "geheim",
}
HASHED = "{SSHA}2IbTSUlpImd0vFXa567tJWWp4zz8FRIGgQvGTw=="
KEPT: dict[str, tuple[str, Values]] = {
    "slapd": (
        f"dicomDeviceName=odd\\2C  name,{DEVICES}",
        {
            "objectClass": ["dicomDevice", "dcmDevice", "dcmKeycloakClient"],
            "dicomRelatedDeviceReference": [
                "dicomDeviceName=storescp,cn=devices,dc=dcm4che,dc=org",
                "cn=a\\2Cb,dc=x",
            ],
        },
    ),
    "389 Directory Server": (
        f"dicomDeviceName=odd\\2c name,{DEVICES}",
        {
            "objectClass": ["DICOMdevice", "dcmDevice", "dcmKeycloakClient", "top"],
            "dicomRelatedDeviceReference": [
                "DicomDeviceName=storescp,CN=devices,dc=dcm4che,DC=org",
                "cn=a\\2cb,dc=x",
            ],
            "userPassword": HASHED,
        },
    ),
    "ApacheDS": (
        f"dicomDeviceName=odd\\2c  name,{DEVICES}",
        {"objectClass": ["top", "DICOMdevice", "dcmDevice", "dcmKeycloakClient"], "userPassword": HASHED},
    ),
    "UnboundID": (
        f"dicomDeviceName=odd\\2c  name, {DEVICES}",
        {"objectClass": ["dcmKeycloakClient", "top", "dcmDevice", "DICOMdevice"]},
    ),
}


def tree_stored_by(server: str) -> Tree:
    dn, differing = KEPT[server]
    return tree(*site_entries(), Entry.from_values(dn, GIVEN | differing))


@pytest.mark.parametrize("live", KEPT)
@pytest.mark.parametrize("taken", ["as given", *KEPT])
def test_what_a_server_keeps_in_a_form_of_its_own_is_no_difference(live: str, taken: str) -> None:
    given = tree(*site_entries(), Entry.from_values(f"dicomDeviceName=odd\\,  name,{DEVICES}", GIVEN))
    assert compute_restoration(tree_stored_by(live), given if taken == "as given" else tree_stored_by(taken)) == ()


def test_missing_classes_are_added_and_classes_added_by_the_server_stay() -> None:
    live = site().with_changes([Modify(DN.parse(ARCHIVE), (classes(Operation.REPLACE, "top", "dicomDevice"),))])
    (change,) = compute_restoration(live, site())
    assert change == Modify(DN.parse(ARCHIVE), (classes(Operation.ADD, "dcmDevice", "dcmArchiveDevice"),))


def test_a_class_that_is_too_many_goes() -> None:
    live = site().with_changes([Modify(DN.parse(STORESCP), (classes(Operation.ADD, "top", "dcmDevice"),))])
    (change,) = compute_restoration(live, site())
    assert change == Modify(DN.parse(STORESCP), (classes(Operation.DELETE, "dcmDevice"),))


def test_the_case_of_a_dn_and_another_password_are_differences() -> None:
    lower, upper = (f"dicomAETitle={title},{STORESCP}" for title in ("storescp", "STORESCP"))
    live = site(dicomRelatedDeviceReference=lower, userPassword=HASHED)
    changes = compute_restoration(live, site(dicomRelatedDeviceReference=upper, userPassword="other"))
    assert octets(live.with_changes(changes))[ARCHIVE]["dicomRelatedDeviceReference"] == {upper.encode()}
    assert octets(live.with_changes(changes))[ARCHIVE]["userPassword"] == {b"other"}


def classes(operation: Operation, *names: str) -> Modification:
    return Modification(operation, "objectClass", tuple(map(str.encode, names)))
