"""The intent to change values of one entry, on a tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.edits.attribute_values import AttributeValues, AutoAddedClasses, set_values, unset_attributes
from dcmcfg.edits.edit import Edit
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, resolve_target
from dcmcfg.schema.definitions import ObjectClass, Schema, load_bundled_schema
from tests.trees import ARCHIVE, STORESCP, network_ae, site_entries, tree

EXTERNAL = "dcmExternalRetrieveAEDestination"


def target(text: str, *more: Entry, **device: str) -> Target:
    return resolve_target(Configuration(tree(*site_entries(**device), *more)), text)


def values(name: str, *texts: str) -> AttributeValues:
    return AttributeValues(name, tuple(text.encode() for text in texts))


def added(each: AttributeValues) -> AttributeValues:
    return replace(each, operation=Operation.ADD)


def removed(each: AttributeValues) -> AttributeValues:
    return replace(each, operation=Operation.DELETE)


def add_values(schema: Schema, found: Target, additions: Iterable[AttributeValues]) -> Edit:
    return set_values(schema, found, [added(each) for each in additions])


def remove_values(
    schema: Schema, found: Target, removals: Iterable[AttributeValues], own_classes: AutoAddedClasses = frozenset
) -> Edit:
    return set_values(schema, found, [removed(each) for each in removals], own_classes)


def setting(text: str, *attributes: AttributeValues, more: tuple[Entry, ...] = (), **device: str) -> Edit:
    return set_values(load_bundled_schema(), target(text, *more, **device), attributes)


def modifications(edit: Edit) -> tuple[Modification, ...]:
    (change,) = edit.changes
    assert isinstance(change, Modify)
    return change.modifications


def refusal(text: str, *attributes: AttributeValues, more: tuple[Entry, ...] = ()) -> str:
    with pytest.raises(Refused) as refused:
        setting(text, *attributes, more=more)
    return str(refused.value)


def test_names_are_taken_in_any_case_and_written_as_the_schema_has_them() -> None:
    edit = setting("dcm4chee-arc", values("DCMexternalretrieveaedestination", "X"), values("dcmRetrieveAET", "A", "B"))
    assert modifications(edit) == (
        Modification(Operation.REPLACE, EXTERNAL, (b"X",)),
        Modification(Operation.REPLACE, "dcmRetrieveAET", (b"A", b"B")),
    )


def test_values_given_by_several_names_of_an_attribute_belong_together() -> None:
    of_attribute = (values("dcmOtherAETitle", "A"), values("1.2.40.0.13.1.15.0.3.63", "B"))
    both = (b"A", b"B")
    assert modifications(setting("AE:DCM4CHEE", *of_attribute)) == (
        Modification(Operation.REPLACE, "dcmOtherAETitle", both),
    )
    assert modifications(add_values(load_bundled_schema(), target("AE:DCM4CHEE"), of_attribute)) == (
        Modification(Operation.ADD, "dcmOtherAETitle", both),
    )
    twice = refusal("storescp", values("dicomDescription", "x"), values("1.2.840.10008.15.0.3.2", "y"))
    assert "dicomDescription is single-valued, but 2 values were given" in twice


def test_an_unknown_name_is_told_with_near_misses() -> None:
    with pytest.raises(NotFound, match="unknown attribute dicomHostnam — did you mean dicomHostname"):
        setting(f"cn=dicom,{STORESCP}", values("dicomHostnam", "x"))


def test_the_class_that_allows_it_comes_first_with_the_one_that_the_archive_looks_for() -> None:
    plain = Entry.from_values(
        f"dicomAETitle=PLAIN,{ARCHIVE}",
        {
            "objectClass": "dicomNetworkAE",
            "dicomAETitle": "PLAIN",
            "dicomNetworkConnectionReference": f"cn=dicom,{ARCHIVE}",
            "dicomAssociationInitiator": "TRUE",
            "dicomAssociationAcceptor": "TRUE",
        },
    )
    classes, _ = modifications(setting("dcm4chee-arc/PLAIN", values(EXTERNAL, "X"), more=(plain,)))
    assert classes == Modification(Operation.ADD, "objectClass", (b"dcmNetworkAE", b"dcmArchiveNetworkAE"))
    (classes, _) = modifications(setting(f"cn=dicom,{STORESCP}", values("dcmTCPNoDelay", "TRUE")))
    assert classes.values == (b"dcmNetworkConnection",)
    assert (
        len(modifications(unset_attributes(load_bundled_schema(), target("dcm4chee-arc/PLAIN", plain), [EXTERNAL])))
        == 1
    )


def test_a_class_that_was_added_for_a_value_goes_with_the_last_one_and_no_other_class_does() -> None:
    ae = network_ae(STORESCP, "VIEWER").with_values(EXTERNAL, [b"X"]).with_values("dcmOtherAETitle", [b"Y"])
    both = {"dcmnetworkae", "dcmarchivenetworkae"}

    def classes(*names: str, own: set[str], entry: Entry = ae) -> tuple[bytes, ...]:
        found = modifications(
            unset_attributes(load_bundled_schema(), target("storescp/VIEWER", entry), names, lambda: own)
        )
        return found[-1].values if found[-1].name == "objectClass" else ()

    assert classes(EXTERNAL, own=both) == (b"dcmArchiveNetworkAE",)
    assert classes(EXTERNAL, "dcmOtherAETitle", own=both) == (b"dcmArchiveNetworkAE", b"dcmNetworkAE")
    assert classes("dcmOtherAETitle", own=both) == (), "the archive looks for it before dcmArchiveNetworkAE"
    assert classes(EXTERNAL, "dcmOtherAETitle", own={"dcmnetworkae"}) == ()
    assert classes("dicomDescription", own=both, entry=ae.with_values("dicomDescription", [b"x"])) == ()
    assert classes(EXTERNAL, own=both, entry=ae.with_values("dcmObjectStorageID", [b"fs1"])) == ()
    last = remove_values(load_bundled_schema(), target("storescp/VIEWER", ae), [values(EXTERNAL, "X")], lambda: both)
    assert modifications(last)[-1] == Modification(Operation.DELETE, "objectClass", (b"dcmArchiveNetworkAE",))
    some = remove_values(
        load_bundled_schema(), target("storescp/VIEWER", ae), [values(EXTERNAL, "other")], lambda: both
    )
    assert len(modifications(some)) == 1


def test_who_added_a_class_is_asked_only_where_one_is_left_without_a_use() -> None:
    unset_attributes(load_bundled_schema(), target("AE:STORESCP"), ["dicomDescription"], lambda: pytest.fail("asked"))


def test_no_device_becomes_an_archive_by_itself() -> None:
    assert refusal("storescp", values(EXTERNAL, "X")) == (
        f"{STORESCP}: {EXTERNAL} requires the object class dcmArchiveDevice. dcmcfg does not add this class "
        "automatically, because this class would make the device an archive — to add the object class: dcmcfg set "
        "TARGET objectClass+=dcmArchiveDevice; add the required attributes in the same command: dcmFuzzyAlgorithmClass"
    )
    requested = (
        values("objectClass", "dcmArchiveDevice"),
        values("dcmFuzzyAlgorithmClass", "org.dcm4che3.soundex.ESoundex"),
    )
    with pytest.raises(Refused, match="dcmArchiveDevice requires dcmFuzzyAlgorithmClass"):
        add_values(load_bundled_schema(), target("storescp"), requested[:1])
    found = modifications(add_values(load_bundled_schema(), target("storescp"), requested))
    assert [each.values for each in found] == [
        (b"dcmDevice",),
        (b"dcmArchiveDevice",),
        (b"org.dcm4che3.soundex.ESoundex",),
    ]


def test_what_cannot_stand_there_is_told_with_where_it_can() -> None:
    assert refusal("dcm4chee-arc", values("dicomPort", "104")) == (
        f"{ARCHIVE}: dicomPort is not allowed on an entry with the object classes dicomDevice, dcmDevice, "
        "dcmArchiveDevice — object classes that allow dicomPort: dicomNetworkConnection"
    )


@pytest.mark.parametrize(
    ("text", "name", "value", "problem"),
    [
        (
            "dcm4chee-arc",
            "dicomInstalled",
            "true",
            "dicomInstalled 'true': not a boolean: must be TRUE or FALSE, in capital letters",
        ),
        ("dcm4chee-arc", EXTERNAL, "Ä", "only ASCII characters are allowed"),
    ],
)
def test_what_check_would_call_an_error_is_refused(text: str, name: str, value: str, problem: str) -> None:
    assert problem in refusal(text, values(name, value))


def test_what_the_archive_cannot_load_is_left_to_the_risk_of_the_plan() -> None:
    assert setting("dcm4chee-arc", values("dcmSendPendingCMoveInterval", "5 s")).changes
    assert setting(f"cn=dicom,{STORESCP}", values("dicomPort", "70000")).changes


def test_all_problems_are_told_at_once() -> None:
    problems = refusal("dcm4chee-arc", values("dicomInstalled", "no"), values("dcmSendPendingCMoveInterval", "5", "x"))
    assert problems.splitlines() == [
        f"{ARCHIVE}: 2 problems:",
        "  dicomInstalled 'no': not a boolean: must be TRUE or FALSE",
        "  dcmSendPendingCMoveInterval is single-valued, but 2 values were given",
    ]


def test_what_was_wrong_before_is_no_reason_to_refuse() -> None:
    assert setting("dcm4chee-arc", values("dicomDescription", "x"), dcmUnheardOf="1", dicomPort="x").changes


def test_the_name_stays_and_what_is_required_too() -> None:
    rename = "to rename the entry and update all references to the entry: dcmcfg device rename"
    assert refusal("storescp", values("dicomDeviceName", "pacs")) == (
        f"{STORESCP}: dicomDeviceName is part of the DN of the entry and must keep the value 'storescp' — {rename}"
    )
    with pytest.raises(Refused, match="cn is part of the DN of the entry"):
        unset_attributes(load_bundled_schema(), target(f"cn=dicom,{STORESCP}"), ["cn"])
    with pytest.raises(Refused, match="cn is part of the DN of the entry"):
        remove_values(load_bundled_schema(), target(f"cn=dicom,{STORESCP}"), [values("cn", "DICOM")])
    with pytest.raises(Refused, match="dicomDevice requires dicomInstalled"):
        unset_attributes(load_bundled_schema(), target("storescp"), ["dicomInstalled"])
    with pytest.raises(Refused, match="dicomNetworkAE requires dicomNetworkConnectionReference"):
        remove_values(
            load_bundled_schema(),
            target("AE:STORESCP"),
            [values("dicomNetworkConnectionReference", f"CN=dicom, {STORESCP}")],
        )


def test_classes_are_added_and_removed_one_by_one() -> None:
    with pytest.raises(Refused, match="cannot replace all object classes"):
        setting("storescp", values("objectclass", "dicomDevice"))
    with pytest.raises(Refused, match="unknown object class dcmDevic; did you mean dcmDevice"):
        add_values(load_bundled_schema(), target("storescp"), [values("objectClass", "dcmDevic")])
    with pytest.raises(Refused, match="the entry's object classes do not allow dcmObjectStorageID"):
        remove_values(load_bundled_schema(), target("AE:DCM4CHEE"), [values("objectClass", "dcmArchiveNetworkAE")])


def test_what_the_server_keeps_is_not_set() -> None:
    with pytest.raises((Refused, NotFound)):
        setting("storescp", values("entryCSN", "1"))


def test_a_second_value_where_one_is_allowed_is_refused_and_set_is_named() -> None:
    message = (
        "dicomInstalled is single-valued and already has the value 'TRUE'; "
        "to replace the value, use dicomInstalled=VALUE"
    )
    with pytest.raises(Refused, match=message):
        add_values(load_bundled_schema(), target("storescp"), [values("dicomInstalled", "FALSE")])
    (modification,) = modifications(
        add_values(load_bundled_schema(), target("storescp"), [values("dicomInstalled", "TRUE")])
    )
    assert modification.operation is Operation.ADD, "the plan will say that it is so already"


def test_an_attribute_without_equality_rule_is_replaced_whole() -> None:
    entry_before = Entry.from_values(
        STORESCP, {"objectClass": "dicomDevice", "dicomDeviceName": "storescp", "dicomInstalled": "TRUE"}
    )
    entry = entry_before.with_values("dicomVendorData", (b"1", b"2"))
    found = Target(entry)
    more, less = values("dicomVendorData", "2", "3"), values("dicomVendorData", "1")
    for edit, octets in (
        (add_values(load_bundled_schema(), found, [more]), (b"1", b"2", b"3")),
        (remove_values(load_bundled_schema(), found, [less]), (b"2",)),
        (set_values(load_bundled_schema(), found, [added(more), removed(less)]), (b"2", b"3")),
    ):
        assert modifications(edit) == (Modification(Operation.REPLACE, "dicomVendorData", octets),)


def test_one_value_replaces_another_in_one_change_the_old_one_first() -> None:
    edit = set_values(
        load_bundled_schema(),
        target("AE:DCM4CHEE"),
        [
            added(values("dcmOtherAETitle", "NEW")),
            values(EXTERNAL, "X"),
            removed(values("DCMOTHERAETITLE", "OLD")),
        ],
    )
    assert modifications(edit) == (
        Modification(Operation.DELETE, "dcmOtherAETitle", (b"OLD",)),
        Modification(Operation.ADD, "dcmOtherAETitle", (b"NEW",)),
        Modification(Operation.REPLACE, EXTERNAL, (b"X",)),
    )
    single = [removed(values("dicomInstalled", "TRUE")), added(values("dicomInstalled", "FALSE"))]
    assert len(modifications(set_values(load_bundled_schema(), target("storescp"), single))) == 2


@pytest.mark.parametrize(
    ("operations", "problem"),
    [
        (
            (values(EXTERNAL, "A"), added(values(EXTERNAL.upper(), "B"))),
            f"{EXTERNAL}= replaces all values and cannot be combined with {EXTERNAL}+= or {EXTERNAL}-= — use only "
            f"{EXTERNAL}=, or only {EXTERNAL}+= and {EXTERNAL}-=",
        ),
        (
            (added(values("dicomInstalled", "TRUE")), removed(values("dicominstalled", "TRUE"))),
            "dicomInstalled: the value 'TRUE' is both added and removed",
        ),
        (
            (values("objectClass", "dcmDevice"),),
            "dcmcfg cannot replace all object classes of an entry — to add an object class: dcmcfg set TARGET "
            "objectClass+=CLASS; to remove an object class: dcmcfg set TARGET objectClass-=CLASS",
        ),
    ],
)
def test_operations_that_contradict_each_other_are_refused(
    operations: tuple[AttributeValues, ...], problem: str
) -> None:
    assert refusal("storescp", *operations) == f"{STORESCP}: {problem}"


def test_a_certificate_is_der_and_binary() -> None:
    users = ObjectClass("pkiUser", "2.5.6.21", "auxiliary", may=("userCertificate",))
    schema = replace(load_bundled_schema(), object_classes=(*load_bundled_schema().object_classes, users))
    classes, certificate = modifications(add_values(schema, target("storescp"), [values("userCertificate", "0...")]))
    assert (classes.values, certificate.name) == ((b"pkiUser",), "userCertificate;binary")
    with pytest.raises(Refused, match="openssl x509 -outform DER"):
        set_values(schema, target("storescp"), [values("userCertificate", "-----BEGIN CERTIFICATE-----")])
    assert "no known object class allows userCertificate" in refusal("storescp", values("userCertificate", "0"))


def test_which_level_wins_is_told() -> None:
    own = network_ae(ARCHIVE, "OWN", **{EXTERNAL: "OWN"})
    assert setting("dcm4chee-arc", values(EXTERNAL, "DCM4CHEE"), more=(own,)).warnings == (
        "the AE OWN has its own value OWN, which overrides the value of the device.",
    )
    assert setting("AE:OWN", values(EXTERNAL, "DCM4CHEE"), more=(own,), **{EXTERNAL: "X"}).warnings == (
        "the AE's own value overrides the value X of the device dcm4chee-arc.",
    )
    assert unset_attributes(load_bundled_schema(), target("AE:OWN", own, **{EXTERNAL: "X"}), [EXTERNAL]).warnings == (
        "OWN will use the value of the device dcm4chee-arc: X.",
    )
    assert setting("AE:OWN", values(EXTERNAL, "DCM4CHEE"), more=(own,)).warnings == ()


def test_the_class_of_an_archives_ae_elsewhere_is_doubted() -> None:
    other = Entry.from_values(
        f"dicomAETitle=OTHER,{STORESCP}",
        {
            "objectClass": ("dicomNetworkAE", "dcmNetworkAE"),
            "dicomAETitle": "OTHER",
            "dicomNetworkConnectionReference": f"cn=dicom,{STORESCP}",
            "dicomAssociationInitiator": "TRUE",
            "dicomAssociationAcceptor": "TRUE",
        },
    )
    assert setting("AE:OTHER", values("dcmObjectStorageID", "fs1"), more=(other,)).warnings == (
        "the object class dcmArchiveNetworkAE is only for AEs of an archive, but the device storescp is not an "
        "archive.",
    )
