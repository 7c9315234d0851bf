"""The later changes that prevent an undo, by the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutContext, write_record
from dcmcfg.rollout.recovery import plan_undo
from tests.rollout.records import URL
from tests.trees import DEVICES, STORESCP, connection, network_ae, site

REVERT = "revert the later changes first: "
PARTIAL = "; to revert the steps that can still be reverted: dcmcfg undo 1 --partial"
EDIT = f"; or edit the entry manually{PARTIAL}"


def device(name: str) -> list[Change]:
    dn = f"dicomDeviceName={name},{DEVICES}"
    values = {"objectClass": "dicomDevice", "dicomDeviceName": name, "dicomInstalled": "TRUE"}
    return [Add(each) for each in (Entry.from_values(dn, values), connection(dn), network_ae(dn, name.upper()))]


def in_device(rdn: str, name: str) -> DN:
    return DN.parse(f"{rdn},dicomDeviceName={name},{DEVICES}")


def removed(name: str) -> list[Change]:
    return [Delete(each.dn) for each in reversed(device(name))]


def renamed(dn: DN, rdn: str) -> Rename:
    return Rename(dn, DN.parse(rdn).rdn, delete_old_rdn=True)


def replaced(dn: DN, name: str, value: str) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, (value.encode(),)),))


def refused_undo(state: Path, rollouts: Sequence[Sequence[Change]], outside: Sequence[Change] = ()) -> DoesNotApply:
    """Record each of *rollouts*, and return the refusal to revert the first one after the changes *outside*."""
    tree: Tree = site()
    for changes in rollouts:
        plan = make_plan(tree, [DesiredChange(change) for change in changes])
        record = write_record(RolloutContext(state, "site"), URL, plan, "step by step")
        with record.journal.open_for_writing() as journal:
            journal.write_ended(len(plan.steps))
        tree = plan.after
    tree = tree.with_changes(outside)
    history = History(state)
    first = history.get_rollout(1)
    with pytest.raises(DoesNotApply) as refused:
        plan_undo(first, tree, history.find_in_effect_since(first))
    return refused.value


def test_changes_of_other_entries_need_not_be_reverted(tmp_path: Path) -> None:
    rename = renamed(in_device("dicomAETitle=VW1", "vw1"), "dicomAETitle=VW2")
    refusal = refused_undo(tmp_path, [device("vw1"), device("ctx"), removed("ctx"), [rename]])
    assert refusal.next_step == f"{REVERT}dcmcfg undo 4{EDIT}"
    assert refusal.message.endswith("Problem: 2 of 3 changes cannot be applied:")
    assert refusal.details == (
        f"dicomAETitle=VW1,dicomDeviceName=vw1,{DEVICES}: there is no such entry; change 4 renamed the entry",
        f"dicomDeviceName=vw1,{DEVICES}: the entry has 1 child: dicomAETitle=VW2",
    )


def test_an_entry_is_followed_through_the_renames_of_its_device(tmp_path: Path) -> None:
    rename = renamed(DN.parse(f"dicomDeviceName=vw1,{DEVICES}"), "dicomDeviceName=vw2")
    port = replaced(in_device("cn=dicom", "vw2"), "dicomPort", "105")
    refusal = refused_undo(tmp_path, [device("vw1"), [rename], device("ctx"), [port]])
    assert refusal.next_step == f"{REVERT}dcmcfg undo 4, then dcmcfg undo 2{EDIT}"
    assert f"cn=dicom,dicomDeviceName=vw1,{DEVICES}: there is no such entry; change 2 renamed the entry" in str(refusal)


def test_the_writer_of_an_attribute_is_named(tmp_path: Path) -> None:
    port = replaced(in_device("cn=dicom", "vw1"), "dicomPort", "105")
    refusal = refused_undo(tmp_path, [device("vw1"), [port], device("ctx")])
    assert refusal.next_step == f"{REVERT}dcmcfg undo 2{EDIT}"
    assert refusal.details[0] == (
        f"cn=dicom,dicomDeviceName=vw1,{DEVICES}: somebody has changed dicomPort (expected '11112', found '105'); "
        "change 2 changed dicomPort"
    )


def test_changes_of_other_attributes_and_below_need_not_be_reverted_for_a_modified_attribute(tmp_path: Path) -> None:
    storescp = DN.parse(STORESCP)
    rollouts = [
        [replaced(storescp, "dicomDescription", "a")],
        [replaced(storescp, "dicomInstalled", "FALSE")],
        [replaced(storescp, "dicomDescription", "b")],
        [replaced(storescp.child("cn", "dicom"), "dicomPort", "105")],
    ]
    refusal = refused_undo(tmp_path, rollouts)
    assert refusal.next_step == f"{REVERT}dcmcfg undo 3{EDIT}"
    assert refusal.message.endswith("(expected 'a', found 'b'); change 3 changed dicomDescription")


def test_a_deletion_without_dcmcfg_names_no_change(tmp_path: Path) -> None:
    refusal = refused_undo(tmp_path, [device("vw1"), device("ctx")], [Delete(in_device("dicomAETitle=VW1", "vw1"))])
    assert refusal.next_step == f"revert the later changes first, or edit the entry manually{PARTIAL}"
    assert "the directory does not show who deleted or renamed the entry" in refusal.message


def test_an_unreadable_later_change_does_not_hide_the_problem(tmp_path: Path) -> None:
    port = replaced(in_device("cn=dicom", "vw1"), "dicomPort", "105")
    refused_undo(tmp_path, [device("vw1"), [port]])
    (tmp_path / "rollouts" / "2" / "plan.ldif").write_text("damaged")
    history = History(tmp_path)
    first = history.get_rollout(1)
    tree = site().with_changes([*device("vw1"), port])
    with pytest.raises(DoesNotApply, match="changes cannot be applied"):
        plan_undo(first, tree, history.find_in_effect_since(first))
