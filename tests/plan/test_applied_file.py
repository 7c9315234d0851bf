"""A plan or an undo file that is applied a second time is recognised."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.errors import DoesNotApply, Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.applied_file import is_applied, report_applied_file
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, connection, site

NAME = "dicomDescription"


def describe(text: str) -> Modify:
    return Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, NAME, (text.encode(),)),))


def read(changes: Sequence[Change]) -> list[DesiredChange]:
    """Return *changes* as those of a plan in a file."""
    return [DesiredChange(each, strict=True, location=SourceLocation("plan.ldif", 1)) for each in changes]


@pytest.fixture
def before() -> Tree:
    return site().with_changes([describe("old")])


@pytest.mark.parametrize(
    "change", [describe("new"), Add(connection(ARCHIVE, name="extra")), Delete(DN.parse(f"cn=dicom,{ARCHIVE}"))]
)
def test_a_plan_and_its_undo_are_applied_after_the_change_only(before: Tree, change: Change) -> None:
    plan = make_plan(before, [DesiredChange(change)])
    undo = plan.undo()
    assert (is_applied(plan.after, read(plan.changes)), is_applied(plan.after, read(undo.changes))) == (True, False)
    assert (is_applied(before, read(plan.changes)), is_applied(before, read(undo.changes))) == (False, True)


def test_a_plan_is_not_applied_if_somebody_has_changed_a_value_again(before: Tree) -> None:
    plan = make_plan(before, [DesiredChange(describe("new")), DesiredChange(Add(connection(ARCHIVE, name="extra")))])
    moved = plan.after.with_changes([describe("newer")])
    assert not is_applied(moved, read(plan.changes))
    with pytest.raises(DoesNotApply, match="somebody"), report_applied_file(moved, read(plan.changes)):
        make_plan(moved, read(plan.changes))


def test_an_undo_that_removes_a_value_is_not_applied_if_somebody_has_set_another_value() -> None:
    undo = make_plan(site(), [DesiredChange(describe("new"))]).undo()
    assert is_applied(site(), read(undo.changes))
    assert not is_applied(site().with_changes([describe("newer")]), read(undo.changes))


def test_a_second_run_of_a_file_is_reported_in_place_of_a_conflict(before: Tree) -> None:
    plan = make_plan(before, [DesiredChange(describe("new"))])
    changes = read(plan.changes)
    with (
        pytest.raises(Refused, match=r"^plan.ldif: this file is already applied") as refused,
        report_applied_file(plan.after, changes),
    ):
        make_plan(plan.after, changes)
    assert not isinstance(refused.value, DoesNotApply)
