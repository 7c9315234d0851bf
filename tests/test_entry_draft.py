"""Many modifications of one entry: what they come to, and that each costs the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Add, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.entry_draft import EntryDraft
from dcmcfg.errors import DoesNotApply
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.definitions import load_bundled_schema
from tests.growth import growth
from tests.trees import STORESCP, site

VALUES = st.lists(st.sampled_from([b"a", b"A", b"b", b"c  c", b"c c"]), max_size=3, unique=True).map(tuple)
NAMES = st.sampled_from(["dicomDescription", "dicomdescription", "dicomDeviceSerialNumber", "x-unknown"])
MODIFICATIONS = st.lists(
    st.builds(Modification, st.sampled_from([Operation.ADD, Operation.DELETE, Operation.REPLACE]), NAMES, VALUES),
    max_size=8,
)


def one_by_one(entry: Entry, modification: Modification) -> Entry | None:
    """Return the entry after *modification* by the words of RFC 4511 §4.6, or None where it is refused."""
    schema, name, values = load_bundled_schema(), modification.name, modification.values
    current = entry.values(name)
    equal = {schema.normalise_value(name, value) for value in current}
    deleted = {schema.normalise_value(name, value) for value in values}
    match modification.operation:
        case Operation.ADD:
            return None if equal & deleted else entry.with_values(name, current + values)
        case Operation.DELETE if values:
            remaining = tuple(value for value in current if schema.normalise_value(name, value) not in deleted)
            return entry.with_values(name, remaining) if deleted <= equal else None
        case Operation.DELETE:
            return entry.with_values(name, ()) if current else None
        case _:
            return entry.with_values(name, values)


@given(MODIFICATIONS)
def test_a_draft_comes_to_what_the_modifications_come_to_one_by_one(modifications: list[Modification]) -> None:
    before = Entry.from_values("cn=x", {"dicomDescription": "a", "cn": "x", "dicomDeviceSerialNumber": ["b", "c c"]})
    expected, draft = before, EntryDraft(load_bundled_schema(), before)
    for modification in modifications:
        after = one_by_one(expected, modification)
        if after is None:
            with pytest.raises(DoesNotApply):
                draft.apply(modification)
        else:
            draft.apply(modification)
            expected = after
        assert draft.build_entry() == expected
        assert draft.values(modification.name) == expected.values(modification.name)
        assert draft.count(modification.name) == len(expected.values(modification.name))
        assert (modification.name in draft) == (modification.name in expected)


def test_a_draft_without_modifications_is_the_entry_itself() -> None:
    before = Entry.from_values("cn=x", {"cn": "x"})
    assert EntryDraft(load_bundled_schema(), before).build_entry() is before


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("operation", [Operation.ADD, Operation.DELETE])
def test_many_modifications_in_one_record_are_planned_in_linear_time(operation: Operation, strict: bool) -> None:
    def planning(count: int) -> Callable[[], object]:
        values = [f"value {number}".encode() for number in range(count)]
        name = "dicomInstitutionName"
        current = values if operation is Operation.DELETE else [b"one"]
        tree = site().with_changes(
            [Modify(DN.parse(STORESCP), (Modification(Operation.REPLACE, name, tuple(current)),))]
        )
        each = tuple(Modification(operation, name, (value,)) for value in values)
        return lambda: make_plan(tree, [DesiredChange(Modify(DN.parse(STORESCP), each), strict=strict)])

    assert growth(planning, 50) < 4.5


def test_many_attributes_in_one_record_are_planned_in_linear_time() -> None:
    def planning(count: int) -> Callable[[], object]:
        each = tuple(Modification(Operation.ADD, f"x-attribute-{number}", (b"v",)) for number in range(count))
        return lambda: make_plan(site(), [DesiredChange(Modify(DN.parse(STORESCP), each))])

    assert growth(planning, 50) < 4.5


def test_many_values_that_are_not_there_are_deleted_in_linear_time() -> None:
    def planning(count: int) -> Callable[[], object]:
        each = tuple(Modification(Operation.DELETE, f"x-gone-{number}") for number in range(count))
        return lambda: make_plan(site(), [DesiredChange(Modify(DN.parse(STORESCP), each))])

    assert growth(planning, 100) < 4.5


def test_an_attribute_of_many_values_is_planned_and_undone_without_comparing_each_with_each() -> None:
    count = 20_000
    old, new = ([f"{side} {number}" for number in range(count)] for side in ("old", "new"))
    name = "dicomInstitutionName"
    entry = site().get(DN.parse(STORESCP))
    assert entry is not None
    before = entry.with_values(name, [value.encode() for value in old])
    after = entry.with_values(name, [value.encode() for value in new])
    tree = site().with_changes(
        [Modify(DN.parse(STORESCP), (Modification(Operation.REPLACE, name, before.values(name)),))]
    )
    plan = make_plan(tree, [DesiredChange(Add(after), is_content_record=True)])
    assert [len(step.values) for change in plan.changes if isinstance(change, Modify) for step in change.modifications]
    undone = plan.after.with_changes(plan.undo().changes).get(DN.parse(STORESCP))
    assert undone is not None
    assert set(undone.values(name)) == set(before.values(name))
    make_plan(tree, [DesiredChange(plan.changes[0], strict=True)])  # its assertion is compared value by value
