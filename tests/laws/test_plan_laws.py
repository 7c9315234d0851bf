"""Laws of plans, for arbitrary changes of a small tree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan import entry_diff
from dcmcfg.plan.batches import split_plan
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from tests.trees import ARCHIVE, STORESCP, site

NAMES = st.sampled_from(["dicom", "Dicom", "a", "b", "DCM4CHEE", "STORESCP"])
PARENTS = st.sampled_from([ARCHIVE, STORESCP, f"dicomAETitle=DCM4CHEE,{ARCHIVE}", f"cn=a,{ARCHIVE}"])
RDNS = st.builds(RDN.of, st.sampled_from(["cn", "dicomAETitle"]), NAMES)
DNS = st.builds(lambda rdn, parent: DN((rdn, *DN.parse(parent).rdns)), RDNS, PARENTS) | PARENTS.map(DN.parse)
VALUES = st.lists(st.sampled_from([b"a", b"A", b"b", b"TRUE", b"11112"]), max_size=3, unique=True).map(tuple)
PLAIN = st.sampled_from(["cn", "dicomDescription", "dcmOtherAETitle", "dicomInstalled", "dicomVendorData"])
TAGGED = st.sampled_from(["dicomDescription;lang-de", "dcmOtherAETitle;lang-de", "dcmOtherAETitle;lang-de;lang-en"])
ATTRIBUTES = PLAIN | TAGGED
MODIFICATIONS = st.builds(
    Modification, st.sampled_from([Operation.ADD, Operation.DELETE, Operation.REPLACE]), ATTRIBUTES, VALUES
).filter(lambda each: bool(each.values) or each.operation is not Operation.ADD)
ENTRIES = st.builds(
    lambda dn, values: Entry.from_values(dn, {"objectClass": "dicomNetworkConnection", "dicomDescription": values[:1]}),
    DNS,
    VALUES,
).map(lambda entry: entry.with_values("dicomDescription", entry.values("dicomDescription")))
CHANGES: st.SearchStrategy[Change] = (
    st.builds(Modify, DNS, st.lists(MODIFICATIONS, min_size=1, max_size=3).map(tuple))
    | st.builds(Add, ENTRIES)
    | st.builds(Delete, DNS)
    | st.builds(Rename, DNS, RDNS, delete_old_rdn=st.booleans())
)
BEFORE = site()


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of changes that fit, whatever is drawn: those that do not are left out."""
    fitting: list[DesiredChange] = []
    tree = BEFORE
    for change in draw(st.lists(CHANGES, max_size=8)):
        try:
            tree = make_plan(tree, [DesiredChange(change)]).after
        except DoesNotApply:
            continue
        fitting.append(DesiredChange(change))
    return make_plan(BEFORE, fitting)


def octets(tree: Tree) -> dict[object, dict[str, frozenset[bytes]]]:
    """The tree by DN as spelt and attribute, values as sets of octets."""
    return {
        str(entry.dn): {each.name.lower(): frozenset(each.values) for each in entry.attributes}
        for entry in tree.entries.values()
    }


@given(plans())
@settings(max_examples=150)
def test_a_plan_reaches_the_wanted_tree(plan: Plan) -> None:
    assert octets(BEFORE.with_changes(plan.changes)) == octets(plan.after)


@given(plans())
@settings(max_examples=150)
def test_the_undo_returns_to_the_tree_before(plan: Plan) -> None:
    undo = plan.undo()
    assert octets(plan.after.with_changes(undo.changes)) == octets(BEFORE)


@given(plans(), st.data())
@settings(max_examples=100)
def test_the_undo_of_any_applied_prefix_returns_to_the_tree_before(plan: Plan, data: st.DataObject) -> None:
    applied = data.draw(st.integers(0, len(plan.steps)))
    reached = BEFORE.with_changes(plan.changes[:applied])
    assert octets(reached.with_changes(plan.undo(applied).changes)) == octets(BEFORE)


@given(plans())
@settings(max_examples=100)
def test_the_plan_and_its_undo_fit_exactly_as_written(plan: Plan) -> None:
    make_plan(BEFORE, [DesiredChange(change, strict=True) for change in plan.changes])
    make_plan(plan.after, [DesiredChange(change, strict=True) for change in plan.undo().changes])


@given(plans())
@settings(max_examples=100)
def test_every_prefix_of_a_plan_leaves_a_tree_with_parents(plan: Plan) -> None:
    for count in range(len(plan.steps) + 1):
        keys = set(BEFORE.with_changes(plan.changes[:count]).entries)
        top = min(len(key) for key in keys)
        assert all(key[1:] in keys for key in keys if len(key) > top)


@given(plans())
@settings(max_examples=100)
def test_both_parts_together_reach_the_wanted_tree(plan: Plan) -> None:
    split = split_plan(plan)
    changes = [step.change for step in (*split.transaction_steps, *split.single_steps)]
    assert octets(BEFORE.with_changes(changes)) == octets(plan.after)


@given(plans())
@settings(max_examples=100)
def test_what_has_been_planned_and_made_is_already_so(plan: Plan) -> None:
    """Planning the difference of two equal trees finds nothing."""
    for entry in plan.after.entries.values():
        assert entry_diff.compute_modifications(entry, entry, BEFORE.schema) == ()
