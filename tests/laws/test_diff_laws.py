"""Laws of diffs, for arbitrary trees of a few devices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Delete
from dcmcfg.dn import DN, RDN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.model.export import export_ldif
from dcmcfg.model.tree import Tree, add_naming_values
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.render.diff import render_unified_diff
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import DEVICES, site_entries, tree

SCHEMA = load_bundled_schema()
#: By attribute: one without case, also with options, one with a DN, one that counts case, integer, secret ones, no
#: rule, unknown.
VALUES: dict[str, list[bytes]] = {
    "dicomInstitutionDepartmentName": [b"a", b"A", b" a  b", b"\xc3\x84"],
    "dicomInstitutionDepartmentName;lang-de": [b"a", b"A", b"b"],
    "dicomInstitutionDepartmentName;lang-de;lang-en": [b"a", b"b"],
    "dicomNetworkConnectionReference": [b"cn=a,dc=b", b"CN=A, DC=b", b"cn=c+ou=d", b"OU=d+CN=C"],
    "dcmOtherAETitle": [b"x", b"X", b"y"],
    "dicomPort": [b"104", b"0104", b"11112"],
    "dicomInstalled": [b"TRUE", b"FALSE"],
    "dcmKeyStorePin": [b"secret", b"changeit"],
    "dcmProperty": [b"a=1", b"a=2", b"x.password=p", b"x.password=q"],
    "dcmURI": [b"http://a", b"http://u:p@a", b"http://u:q@a"],
    "dicomVendorData": [b"\0\1", b"\0\2"],
    "site-specific": [b"a", b"A"],
}
#: Names that are spelt in several ways, the multi-valued one in both orders.
RDNS = [
    RDN.of("cn", "a"),
    RDN.of("CN", "A"),
    RDN.of("cn", "b"),
    RDN((("cn", "a"), ("dicomAETitle", "X"))),
    RDN((("dicomAETitle", "X"), ("cn", "a"))),
]
ROOTS = site_entries()[:3]


@st.composite
def contents(draw: st.DrawFn) -> dict[str, list[bytes]]:
    held: dict[str, list[bytes]] = {"objectClass": [draw(st.sampled_from([b"dicomDevice", b"DICOMDEVICE"]))]}
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True)):
        definition = SCHEMA.attribute(name)
        most = 1 if definition is not None and definition.single_valued else 3
        spelt = draw(st.sampled_from([name, name.lower()]))
        held[spelt] = draw(
            st.lists(
                st.sampled_from(VALUES[name]),
                min_size=1,
                max_size=most,
                unique_by=partial(SCHEMA.normalise_value, name),
            )
        )
    return held


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """The roots, with up to eight entries somewhere below, each under one that is there."""
    entries: dict[NormalDN, Entry] = {SCHEMA.normalise_dn(entry.dn): entry for entry in ROOTS}
    places = [DN.parse(DEVICES)]
    for _ in range(draw(st.integers(0, 8))):
        dn = DN((draw(st.sampled_from(RDNS)), *draw(st.sampled_from(places)).rdns))
        if SCHEMA.normalise_dn(dn) not in entries:
            entries[SCHEMA.normalise_dn(dn)] = add_naming_values(SCHEMA, Entry.from_values(dn, draw(contents())))
            places.append(dn)
    return tree(*draw(st.permutations(list(entries.values()))))


def meaning(of: Tree) -> dict[NormalDN, dict[str, frozenset[bytes]]]:
    """What *of* holds by the schema, however it is spelt."""
    return {
        key: {
            each.name.lower(): frozenset(SCHEMA.normalise_value(each.name, value) for value in each.values)
            for each in entry.attributes
        }
        for key, entry in of.entries.items()
    }


def octets(of: Tree) -> dict[str, dict[str, frozenset[bytes]]]:
    return {
        str(entry.dn): {each.name.lower(): frozenset(each.values) for each in entry.attributes}
        for entry in of.entries.values()
    }


few = settings(max_examples=60, deadline=None)


@given(trees(), trees())
@few
def test_the_changes_turn_the_first_tree_into_the_second(before: Tree, after: Tree) -> None:
    found = diff_trees(before, after, with_secrets=True)
    assert meaning(before.with_changes(found.plan.changes)) == meaning(after)
    assert octets(found.plan.after) == octets(before.with_changes(found.plan.changes))


@given(trees(), trees())
@few
def test_nothing_is_left_to_do_afterwards(before: Tree, after: Tree) -> None:
    for with_secrets in (True, False):
        reached = before.with_changes(diff_trees(before, after, with_secrets=with_secrets).plan.changes)
        assert diff_trees(reached, after, with_secrets=with_secrets).plan.steps == ()


@given(trees())
@few
def test_equal_trees_have_no_differences_in_whatever_order_they_are_told(one: Tree) -> None:
    shuffled = tree(*(Entry(e.dn, tuple(reversed(e.attributes))) for e in reversed(list(one.entries.values()))))
    assert diff_trees(one, one).plan.steps == ()
    assert diff_trees(one, shuffled, with_secrets=True).plan.steps == ()


@given(trees(), trees())
@few
def test_no_difference_one_way_is_no_difference_the_other_way(one: Tree, other: Tree) -> None:
    for with_secrets in (True, False):
        there, back = (diff_trees(*sides, with_secrets=with_secrets).plan for sides in ((one, other), (other, one)))
        assert len(there.steps) == len(back.steps)


@given(trees(), trees())
@few
def test_the_undo_of_a_diff_returns_to_the_first_tree(before: Tree, after: Tree) -> None:
    plan = diff_trees(before, after).plan
    assert octets(plan.after.with_changes(plan.undo().changes)) == octets(before)


@given(trees(), trees())
@few
def test_the_changes_are_a_plan_as_they_stand(before: Tree, after: Tree) -> None:
    found = diff_trees(before, after).plan
    planned = make_plan(before, [DesiredChange(change) for change in found.changes])
    assert not planned.unchanged
    assert octets(planned.after) == octets(found.after)


@given(trees(), trees(), st.sets(st.sampled_from(sorted(VALUES)), max_size=4))
@few
def test_an_ignored_attribute_is_never_touched(before: Tree, after: Tree, ignore: set[str]) -> None:
    found = diff_trees(before, after, ignore=ignore).plan
    for key in before.entries.keys() & after.entries.keys():
        for name in ignore:
            assert found.after.entries[key].values(name) == before.entries[key].values(name)


@given(trees(), trees())
@few
def test_a_side_without_secrets_shows_no_difference_in_them(before: Tree, after: Tree) -> None:
    """As between a tree and its own export; vendor data alike."""
    bare = tree(*(without(entry, ("dcmKeyStorePin", "dicomVendorData")) for entry in after.entries.values()))
    for step in diff_trees(before, bare).plan.steps:
        if step.before is not None and step.after is not None:
            assert step.after.values("dcmKeyStorePin") == step.before.values("dcmKeyStorePin")
            assert step.after.values("dicomVendorData") == step.before.values("dicomVendorData")


def without(entry: Entry, names: Iterable[str]) -> Entry:
    for name in names:
        entry = entry.with_values(name, ())
    return entry


@given(trees(), trees())
@few
def test_every_prefix_leaves_a_tree_with_parents_and_deletes_come_last(before: Tree, after: Tree) -> None:
    changes = diff_trees(before, after).plan.changes
    kinds = [isinstance(change, Delete) for change in changes]
    assert kinds == sorted(kinds)
    top = min(map(len, before.entries))
    for count in range(len(changes) + 1):
        keys = before.with_changes(changes[:count]).entries
        assert all(key[1:] in keys for key in keys if len(key) > top)


@given(trees(), trees())
@few
def test_the_unified_text_is_a_patch_from_one_export_to_the_other(before: Tree, after: Tree) -> None:
    found = diff_trees(before, after)
    old, new = ("".join(export_ldif(each.sorted_entries(), with_secrets=True)) for each in (before, found.plan.after))
    assert patched(old, render_unified_diff(found, ("a", "b"), with_secrets=True)) == new


def patched(text: str, diff_lines: Iterable[str]) -> str:
    """*text* after a unified diff, each hunk at exactly the lines that it names."""
    old, new, taken = text.splitlines(keepends=True), list[str](), 0
    for line in list(diff_lines)[2:]:
        if hunk := re.match(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@ ", line):
            start, length, new_start, new_length = map(int, hunk.groups())
            upto = start - (1 if length else 0)
            new += old[taken:upto]
            taken = upto
            assert len(new) == new_start - (1 if new_length else 0)
            continue
        if line[0] in " -":
            assert line[1:] == old[taken]
            taken += 1
        if line[0] in " +":
            new.append(line[1:])
    return "".join(new + old[taken:])
