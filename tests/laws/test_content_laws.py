"""Laws of content records, for arbitrary trees of a few devices."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.dn import DN
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.model.tree import Tree
from dcmcfg.plan.desired_state import collect_desired_changes, make_surplus_deletes
from dcmcfg.plan.plan import Plan, make_plan
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.plan.versions import assert_versions
from dcmcfg.secret_values import remove_secrets_from_entry
from tests.laws.test_diff_laws import few, octets, trees
from tests.trees import BASE


def applied(before: Tree, after: Tree, order: Iterable[int] = (), *, prune: bool = True, secrets: bool = True) -> Plan:
    """The plan of the entries of *after* as a file, in any order."""
    entries = (
        after.sorted_entries()
        if secrets
        else tuple(remove_secrets_from_entry(entry)[0] for entry in after.sorted_entries())
    )
    places = list(order) or range(len(entries))
    wanted = tuple(collect_desired_changes([("file", [ContentRecord(entries[at], at + 1) for at in places])]))
    return make_plan(before, (*wanted, *(make_surplus_deletes(before, DN.parse(BASE), wanted) if prune else ())))


@given(trees(), trees(), st.data())
@few
def test_the_entries_of_a_tree_pruned_make_it_so(before: Tree, after: Tree, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(after.entries))))
    reached = applied(before, after, order).after
    assert reached.entries.keys() == after.entries.keys()
    assert diff_trees(reached, after).plan.steps == ()


@given(trees(), trees())
@few
def test_twice_is_nothing_to_do(before: Tree, after: Tree) -> None:
    for prune in (True, False):
        for secrets in (True, False):
            reached = applied(before, after, prune=prune, secrets=secrets).after
            assert applied(reached, after, prune=prune, secrets=secrets).steps == ()


@given(trees(), trees())
@few
def test_without_prune_no_entry_goes(before: Tree, after: Tree) -> None:
    assert before.entries.keys() <= applied(before, after, prune=False).after.entries.keys()


@given(trees(), trees())
@few
def test_a_file_without_secrets_takes_none_away(before: Tree, after: Tree) -> None:
    reached = applied(before, after, prune=False, secrets=False).after
    for key, entry in before.entries.items():
        _, lost = remove_secrets_from_entry(entry)
        _, kept = remove_secrets_from_entry(reached.entries[key])
        single = {name for name in lost if name.lower() == "dcmuri"}  # a value in its place takes it away
        assert set(lost) - single <= set(kept)
        if not any("dicomVendorData" in each for each in after.entries.values()):
            assert reached.entries[key].values("dicomVendorData") == entry.values("dicomVendorData")


@given(trees(), trees())
@few
def test_the_plan_is_undone(before: Tree, after: Tree) -> None:
    plan = applied(before, after)
    assert octets(plan.after.with_changes(plan.undo().changes)) == octets(before)


@given(trees(), trees())
@few
def test_versions_change_nothing_but_what_is_asserted(before: Tree, after: Tree) -> None:
    versions = {key: f"version-{number}" for number, key in enumerate(before.entries)}
    plan = applied(Tree(before.schema, before.entries, versions), after)
    strict = assert_versions(plan)
    assert [step.after for step in strict.steps] == [step.after for step in plan.steps]
    assert octets(before.with_changes(strict.changes)) == octets(plan.after)
