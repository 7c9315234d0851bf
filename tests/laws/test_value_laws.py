"""Laws of values: what a command sets, its undo takes back; what is added and removed leaves no trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Operation
from dcmcfg.edits.attribute_values import AttributeValues, set_values, unset_attributes
from dcmcfg.edits.edit import Edit
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, classify_entry
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.schema.archive_values import list_constants
from dcmcfg.schema.definitions import AttributeType, load_bundled_schema
from tests.trees import ARCHIVE, STORESCP, site

TARGETS = (ARCHIVE, STORESCP, f"dicomAETitle=DCM4CHEE,{ARCHIVE}", f"cn=dicom,{ARCHIVE}")
ATTRIBUTES = sorted(
    (each for each in load_bundled_schema().attributes if each.name != "objectClass"),
    key=lambda attribute: attribute.name,
)
#: One of these is a value of any attribute that is not of a kind that has few.
TEXTS = ("PT5M", "P1D", "hour=18-6", "0020000D", '(1,DCM,"x")', "DCM4CHEE", "https://host/x", "100GB", "x y")
OF_SYNTAX = {
    "Boolean": ("TRUE", "FALSE"),
    "Integer": ("1", "7", "104", "443"),
    "OID": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"),
    "DN": (f"cn=dicom,{ARCHIVE}", STORESCP),
}


def possible(attribute: AttributeType) -> tuple[str, ...]:
    return list_constants(attribute.name) or OF_SYNTAX.get(attribute.syntax) or TEXTS


def same(one: Tree, other: Tree) -> bool:
    return {key: held(entry) for key, entry in one.entries.items()} == {
        key: held(entry) for key, entry in other.entries.items()
    }


def held(entry: Entry) -> dict[str, frozenset[bytes]]:
    return {attribute.name.lower(): frozenset(attribute.values) for attribute in entry.attributes}


def on(tree: Tree, dn: str) -> Target:
    entry = next(entry for entry in tree.entries.values() if str(entry.dn) == dn)
    return classify_entry(Configuration(tree), entry)


def planned(tree: Tree, edit: Edit) -> Plan:
    return make_plan(tree, [DesiredChange(change) for change in edit.changes])


def changed(tree: Tree, dn: str, operation: Operation, values: AttributeValues) -> Edit:
    return set_values(load_bundled_schema(), on(tree, dn), [replace(values, operation=operation)])


targets = st.sampled_from(TARGETS)
attributes = st.sampled_from(ATTRIBUTES)


@st.composite
def assignments(draw: st.DrawFn) -> AttributeValues:
    attribute = draw(attributes)
    count = 1 if attribute.single_valued else draw(st.integers(1, 3))
    texts = draw(st.lists(st.sampled_from(possible(attribute)), min_size=1, max_size=count, unique=True))
    return AttributeValues(attribute.name, tuple(text.encode() for text in texts))


@given(targets, assignments(), assignments())
def test_set_then_undo_is_the_identical_tree(dn: str, first: AttributeValues, second: AttributeValues) -> None:
    before = site()
    try:
        plan = planned(before, set_values(load_bundled_schema(), on(before, dn), [first]))
        again = planned(plan.after, set_values(load_bundled_schema(), on(plan.after, dn), [second]))
    except Refused:
        return
    assert on(plan.after, dn).entry.values(first.name) == first.values
    assert same(again.undo().after, plan.after)
    assert same(plan.undo().after, before)
    assert not planned(plan.after, set_values(load_bundled_schema(), on(plan.after, dn), [first])).steps, (
        "set twice is set once"
    )


@given(targets, assignments(), assignments())
def test_add_then_remove_is_the_identical_tree_but_for_a_class_that_was_missing(
    dn: str, there: AttributeValues, more: AttributeValues
) -> None:
    before = site()
    try:
        before = planned(before, set_values(load_bundled_schema(), on(before, dn), [there])).after
        added = planned(before, changed(before, dn, Operation.ADD, more))
    except Refused:
        return
    new = tuple(value for value in more.values if value not in on(before, dn).entry.values(more.name))
    removed = (
        planned(added.after, changed(added.after, dn, Operation.DELETE, AttributeValues(more.name, new)))
        if new
        else added
    )
    classes = on(added.after, dn).entry.values("objectClass")
    expected = on(before, dn).entry.with_values("objectClass", classes)
    assert held(on(removed.after, dn).entry) == held(expected)
    assert same(removed.undo().after, added.after) or not new
    assert same(added.undo().after, before)


@given(targets, attributes)
def test_unset_then_undo_is_the_identical_tree(dn: str, attribute: AttributeType) -> None:
    before = site()
    try:
        plan = planned(before, unset_attributes(load_bundled_schema(), on(before, dn), [attribute.name]))
    except Refused:
        return
    assert attribute.name not in on(plan.after, dn).entry
    assert same(plan.undo().after, before)


@pytest.mark.parametrize("dn", TARGETS)
def test_the_laws_are_about_many_attributes(dn: str) -> None:
    """A law whose examples are all refused would hold of anything."""
    tree = site()

    def settable(attribute: AttributeType) -> bool:
        for text in possible(attribute):
            try:
                set_values(load_bundled_schema(), on(tree, dn), [AttributeValues(attribute.name, (text.encode(),))])
            except Refused:
                continue
            return True
        return False

    allowed = {ARCHIVE: 350, TARGETS[2]: 140}.get(dn, 25)
    assert sum(map(settable, ATTRIBUTES)) >= allowed
