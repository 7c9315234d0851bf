"""Renaming devices: what is below, what leads below by DN, what names the device, and what is refused."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.edits.rename.part import rename_device
from dcmcfg.errors import NotFound, Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import References
from dcmcfg.model.tree import Tree
from tests.lint.breaking import (
    DEVICES,
    LONGTERM,
    LONGTERM_DEVICE,
    NOW,
    REFERENCE,
    RULE,
    STORESCP,
    more,
    put,
    valid_tree,
)
from tests.trees import octets


def renamed(tree: Tree, old: str, new: str) -> Tree:
    return tree.with_changes(rename_device(References(tree), old, new).edit.changes)


def test_all_below_comes_along_and_what_led_there_leads_there() -> None:
    after = renamed(valid_tree(), "LongTerm", "tape-library")
    ae = after.get(DN.parse(f"dicomAETitle=LONGTERM,dicomDeviceName=tape-library,{DEVICES}"))
    assert ae is not None
    assert ae.texts(REFERENCE) == (f"cn=dicom,dicomDeviceName=tape-library,{DEVICES}",)
    assert DN.parse(LONGTERM) not in after
    assert lint(after, NOW) == ()


def test_a_dn_keeps_its_spelling_but_for_the_name() -> None:
    spelt = f"CN=dicom , dicomdevicename=LONGTERM , {DEVICES.replace('cn=', 'CN=')}"
    after = renamed(valid_tree().with_changes([put(LONGTERM, **{REFERENCE: spelt})]), "longterm", "tape")
    (reference,) = after.subtree(DN.parse(f"dicomAETitle=LONGTERM,dicomDeviceName=tape,{DEVICES}"))[0].texts(REFERENCE)
    assert reference == f"CN=dicom , dicomDeviceName=tape , {DEVICES.replace('cn=', 'CN=')}"


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [
        (
            f"cn=dicom,{LONGTERM_DEVICE}".replace("dc=dcm4che", "domainComponent=dcm4che"),
            f"cn=dicom,dicomDeviceName=tape,{DEVICES}".replace("dc=dcm4che", "domainComponent=dcm4che"),
        ),
        (
            f"cn=dicom,1.2.840.10008.15.0.3.1=longterm,{DEVICES}",
            f"cn=dicom,dicomDeviceName=tape,{DEVICES}",
        ),
    ],
)
def test_a_dn_whose_types_have_other_names_leads_there_too(spelt: str, expected: str) -> None:
    after = renamed(valid_tree().with_changes([put(LONGTERM, **{REFERENCE: spelt})]), "longterm", "tape")
    (reference,) = after.subtree(DN.parse(f"dicomAETitle=LONGTERM,dicomDeviceName=tape,{DEVICES}"))[0].texts(REFERENCE)
    assert reference == expected


def test_a_name_in_any_case_means_the_device() -> None:
    after = renamed(valid_tree().with_changes([more(RULE, "dicomDeviceName", "LONGTERM")]), "longterm", "tape")
    rule = after.get(DN.parse(RULE))
    assert rule is not None
    assert rule.texts("dicomDeviceName") == ("tape",)


def test_another_case_is_a_change_that_leads_back() -> None:
    after = renamed(valid_tree(), "longterm", "LongTerm")
    names = [str(each.dn) for each in after.sorted_entries() if "ong" in str(each.dn)]
    assert f"dicomAETitle=LONGTERM,dicomDeviceName=LongTerm,{DEVICES}" in names
    assert not any("dicomDeviceName=longterm" in name for name in names)
    assert octets(renamed(after, "longterm", "longterm")) == octets(valid_tree())
    assert rename_device(References(valid_tree()), "LONGTERM", "longterm").edit.changes == ()


def test_who_looks_the_device_up_by_its_name_is_told_for_an_archive_only() -> None:
    running, waiting = rename_device(References(valid_tree()), "dcm4chee-arc", "arc").edit.warnings
    assert "a running archive with the device name dcm4chee-arc keeps the loaded settings and cannot reload" in running
    assert waiting == (
        "waiting tasks in the archive's database belong to the device dcm4chee-arc. First wait until the queues "
        "are empty, or reschedule the tasks for arc."
    )
    assert rename_device(References(valid_tree()), "dcm4chee-arc", "DCM4CHEE-ARC").edit.warnings == ()
    assert rename_device(References(valid_tree()), "longterm", "tape").edit.warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("longterm", "StoreSCP", "the name StoreSCP is already used by another device"),
        ("longterm", "a+b", "the device name a+b contains one of"),
        ("longterm", "a=b", "the device name a=b contains =. A directory server may escape"),
        ("longterm", "", "'' is not a valid device name"),
        ("longterm", "a\nb", "is not a valid device name"),
        ("longterm", "*", "* represents any name"),
    ],
)
def test_what_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        rename_device(References(valid_tree()), old, new)
    assert message in str(refused.value)


def test_an_unknown_device_is_told_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="the device longtrm does not exist"):
        rename_device(References(valid_tree()), "longtrm", "tape")


def test_names_may_be_long_and_other_than_ascii() -> None:
    name = "Gerät " + "x" * 294
    assert f"cn=dicom,dicomDeviceName={name},{DEVICES}" in [
        str(e.dn) for e in renamed(valid_tree(), "storescp", name).sorted_entries()
    ]
    assert DN.parse(STORESCP) not in renamed(valid_tree(), "storescp", name)
    assert DN.parse(LONGTERM_DEVICE) in renamed(valid_tree(), "storescp", name)
