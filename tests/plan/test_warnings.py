"""What is probably misspelt in a plan, or will be refused."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.warnings import find_plan_warnings
from tests.trees import ARCHIVE, BASE, STORESCP, connection, site

ARCHIVE_DN = DN.parse(ARCHIVE)
ROOT = f"cn=DICOM Configuration,{BASE}"


def warnings_of(*changes: Change) -> list[str]:
    return list(find_plan_warnings(make_plan(site(), [DesiredChange(change) for change in changes])))


def setting(name: str, value: str, dn: str = ARCHIVE) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, name, (value.encode(),)),))


def test_a_misspelt_attribute_is_reported_with_similar_names() -> None:
    (warning,) = warnings_of(setting("dcmExternalRetriveAEDestination", "DCM4CHEE"))
    assert warning == (
        f"{ARCHIVE}: unknown attribute dcmExternalRetriveAEDestination; did you mean "
        "dcmExternalRetrieveAEDestination, dcmExternalRetrieveAET?"
    )


def test_a_misspelt_object_class_is_reported() -> None:
    entry = Entry.from_values(f"cn=x,{ARCHIVE}", {"objectClass": "dicomNetworkConection", "cn": "x"})
    (warning,) = warnings_of(Add(entry))
    assert warning.startswith(f"cn=x,{ARCHIVE}: unknown object class dicomNetworkConection; did you mean dicomNetworkC")


def test_a_missing_mandatory_attribute_is_named() -> None:
    entry = Entry.from_values(f"cn=x,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "cn": "x"})
    assert warnings_of(Add(entry)) == [f"cn=x,{ARCHIVE}: dicomNetworkConnection requires dicomHostname"]


def test_an_attribute_that_no_class_allows_is_named() -> None:
    assert warnings_of(setting("dcmExternalRetrieveAEDestination", "DCM4CHEE", STORESCP)) == [
        f"{STORESCP}: the entry's object classes do not allow dcmExternalRetrieveAEDestination"
    ]


def test_a_device_that_is_there_does_not_become_an_archive_unnoticed() -> None:
    device = DN.parse(STORESCP)
    classes = Modification(Operation.ADD, "objectClass", (b"dcmDevice", b"dcmArchiveDevice"))
    fuzzy = Modification(Operation.ADD, "dcmFuzzyAlgorithmClass", (b"org.dcm4che3.soundex.ESoundex",))
    assert warnings_of(Modify(device, (classes, fuzzy))) == [
        f"{device}: the object class dcmArchiveDevice makes this device an archive; add the class only if an "
        "archive runs with this device name"
    ]
    new = Entry.from_values(
        f"dicomDeviceName=arc2,{device.parent}", {"objectClass": "dicomDevice", "dicomDeviceName": "arc2"}
    )
    new = new.with_values("dicomInstalled", (b"TRUE",))
    assert warnings_of(Add(new), Modify(new.dn, (classes, fuzzy))) == []


def test_a_valid_change_gives_no_warning() -> None:
    assert warnings_of(setting("dicomDescription", "x"), Add(connection(ARCHIVE, "104", name="more"))) == []
    assert warnings_of(Delete(DN.parse(f"cn=dicom,{ARCHIVE}"))) == []


def test_existing_problems_that_a_plan_does_not_touch_give_no_warning() -> None:
    odd = Entry.from_values(
        f"cn=odd,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "cn": "odd", "dcmFoo": "1", "dicomHostname": "h"}
    )
    tree = site().with_changes([Add(odd)])
    plan = make_plan(tree, [DesiredChange(setting("dicomPort", "1", str(odd.dn)))])
    assert list(find_plan_warnings(plan)) == []


@pytest.mark.parametrize(
    ("name", "value", "dn", "message"),
    [
        ("dicomInstalled", b"true", ARCHIVE, "'true': not a boolean: must be TRUE or FALSE, in capital letters"),
        ("dicomDescription", b"Universit\xe4t", ARCHIVE, "11 octets: the value is not UTF-8"),
    ],
)
def test_a_value_that_check_rejects_is_reported(name: str, value: bytes, dn: str, message: str) -> None:
    assert warnings_of(Modify(DN.parse(dn), (Modification(Operation.REPLACE, name, (value,)),))) == [
        f"{dn}: {name} {message}"
    ]


def test_an_unloadable_device_is_a_risk_and_not_a_warning() -> None:
    assert warnings_of(setting("dcmSendPendingCMoveInterval", "5s")) == []
    assert warnings_of(setting("dicomPort", "99999", f"cn=dicom,{ARCHIVE}")) == []


def test_a_warning_about_a_secret_shows_the_rule_but_not_the_value() -> None:
    change = Modify(ARCHIVE_DN, (Modification(Operation.REPLACE, "dcmProperty", (b"password=\xe4",)),))
    assert warnings_of(change)[-1] == f"{ARCHIVE}: dcmProperty (secret): the value is not UTF-8"


def test_the_values_of_a_new_entry_and_of_a_rename_are_held_to_the_rules() -> None:
    odd = f"cn=more,{ARCHIVE}"
    (warning,) = warnings_of(Add(connection(ARCHIVE, "0x", name="more")))
    assert warning.startswith(f"{odd}: dicomPort '0x': not a whole number")
    registered = Entry.from_values(
        f"dicomAETitle=A,{ROOT}", {"objectClass": "dicomUniqueAETitle", "dicomAETitle": "A"}
    )  # outside all devices, where the archive loads nothing
    ae = Rename(registered.dn, RDN.of("dicomAETitle", "A" * 17))
    (warning,) = warnings_of(Add(registered), ae)
    assert warning.startswith(f"dicomAETitle={'A' * 17},{ROOT}: dicomAETitle '{'A' * 17}': ")


def test_existing_wrong_values_give_no_warning_next_to_an_added_value() -> None:
    tree = site(dcmSendPendingCMoveInterval="5s")
    change = Modify(ARCHIVE_DN, (Modification(Operation.REPLACE, "dicomDescription", (b"x",)),))
    assert list(find_plan_warnings(make_plan(tree, [DesiredChange(change)]))) == []


def test_the_first_of_many_warnings_are_shown_with_their_number() -> None:
    odd = [
        Entry.from_values(f"cn=odd{number},{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "cn": f"odd{number}"})
        for number in range(50)
    ]
    warnings = warnings_of(*map(Add, odd))
    assert len(warnings) == 41
    assert warnings[39] == f"cn=odd39,{ARCHIVE}: dicomNetworkConnection requires dicomHostname"
    assert warnings[40] == "and 10 more of this kind"
