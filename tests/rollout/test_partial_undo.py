"""The part of an undo that still fits; without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, InapplicableChange, make_plan
from dcmcfg.rollout.partial_undo import plan_partial_undo
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, write_record
from tests.trees import ARCHIVE, DEVICES, STORESCP, connection, site, tree

NEW = DN.parse(f"cn=new,{STORESCP}")
MANY = [DN.parse(f"cn=c{number},{ARCHIVE}") for number in range(6)]


def replacement(dn: DN, name: str, value: bytes) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, (value,)),))


def recorded(
    state: Path, changes: list[Change], *, before: Tree | None = None, done: int | None = None
) -> RolloutRecord:
    """A change of *changes* of which *done* were made, or that was cut off with all of them under way (None)."""
    plan = make_plan(before or site(), [DesiredChange(change) for change in changes])
    record = write_record(RolloutContext(state, "a test"), "ldap://pacs", plan, "step by step")
    with record.journal.open_for_writing() as pen:
        if done is None:
            pen.write_started(1, len(changes))
        else:
            pen.write_ended(done)
    return record


def reasons(misfits: tuple[InapplicableChange, ...]) -> list[tuple[str, str]]:
    return [(str(misfit.desired.change.dn), misfit.problem.message) for misfit in misfits]


@given(st.data())
def test_each_step_is_reverted_unless_somebody_has_changed_its_entry(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    before = tree(*site().sorted_entries(), *(connection(ARCHIVE, "104", name=dn.rdn.parts[0][1]) for dn in MANY))
    steps = data.draw(st.lists(st.sampled_from(MANY), min_size=1, unique=True))
    changed = data.draw(st.sets(st.sampled_from(MANY)))
    changes: list[Change] = [replacement(dn, "dicomPort", b"105") for dn in steps]
    record = recorded(tmp_path_factory.mktemp("state"), changes, before=before, done=len(steps))
    now = before.with_changes(changes).with_changes(replacement(dn, "dicomPort", b"106") for dn in changed)
    plan, misfits = plan_partial_undo(record, now)
    for dn in MANY:
        entry = plan.after.get(dn)
        assert entry is not None
        assert entry.text("dicomPort") == ("106" if dn in changed else "104")
    assert [misfit.desired.change.dn for misfit in misfits] == [dn for dn in reversed(steps) if dn in changed]


def test_what_nobody_has_changed_is_the_whole_undo(tmp_path: Path) -> None:
    changes: list[Change] = [Add(connection(STORESCP, name="new")), replacement(NEW, "dicomPort", b"105")]
    plan, misfits = plan_partial_undo(recorded(tmp_path, changes, done=2), site().with_changes(changes))
    assert misfits == ()
    assert plan.after.entries == site().entries


def test_an_entry_that_somebody_has_changed_stays_with_what_it_stands_on(tmp_path: Path) -> None:
    device = DN.parse(f"dicomDeviceName=ws,{DEVICES}")
    below = device.child("cn", "dicom")
    changes: list[Change] = [
        Add(connection(STORESCP, name="new")),
        Add(site().entries[site().key(DN.parse(STORESCP))].with_dn(device).with_values("dicomDeviceName", (b"ws",))),
        Add(connection(str(device))),
    ]
    now = site().with_changes(changes).with_changes([replacement(below, "dicomPort", b"4711")])
    plan, misfits = plan_partial_undo(recorded(tmp_path, changes, done=3), now)
    assert plan.changes == (Delete(NEW, plan.changes[0].controls),)
    assert [str(misfit.desired.change.dn) for misfit in misfits] == [str(below), str(device)]
    assert "somebody has changed dicomPort (expected '11112', found '4711')" in misfits[0].problem.message
    assert misfits[1].problem.message == "the entry has 1 child: cn=dicom"


def test_a_value_that_is_not_asserted_is_not_lost(tmp_path: Path) -> None:
    archive = DN.parse(ARCHIVE)
    data, new = (replacement(archive, "dicomVendorData", value) for value in (b"1", b"2"))
    before = site().with_changes([data])
    changes: list[Change] = [new, Add(connection(STORESCP, name="new"))]
    record = recorded(tmp_path, changes, before=before, done=2)
    now = before.with_changes(changes).with_changes([replacement(archive, "dicomVendorData", b"3")])
    plan, misfits = plan_partial_undo(record, now)
    entry = plan.after.get(archive)
    assert entry is not None
    assert entry.values("dicomVendorData") == (b"3",)
    assert [change.dn for change in plan.changes] == [NEW]
    assert [str(misfit.desired.change.dn) for misfit in misfits] == [ARCHIVE]


def test_of_the_steps_under_way_the_unmade_ones_are_neither_reverted_nor_listed(tmp_path: Path) -> None:
    changes: list[Change] = [
        Add(connection(STORESCP, name="new")),
        replacement(DN.parse(ARCHIVE), "dicomDescription", b"x"),
        Add(connection(ARCHIVE, name="never")),
    ]
    now = (
        site()
        .with_changes(changes[:2])
        .with_changes([replacement(DN.parse(ARCHIVE), "dicomDescription", b"somebody else's")])
    )
    plan, misfits = plan_partial_undo(recorded(tmp_path, changes), now)
    assert [change.dn for change in plan.changes] == [NEW]
    assert [dn for dn, _ in reasons(misfits)] == [ARCHIVE]
