"""What mending by lint keeps: the rules that mend find nothing more to mend, and no other finds more."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.errors import DoesNotApply
from dcmcfg.lint.linter import collect_fixes, lint
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.laws.schema_trees import schema_trees
from tests.lint.breaking import BREAKS, DCM4CHEE, NOW, REFERENCE, STORESCP, STORESCP_DEVICE, delete, more, valid_tree

#: More to mend than one edit for each rule, and edits that get in each other's way.
EDITS: tuple[tuple[Change, ...], ...] = (
    *(tuple(each.changes) for each in BREAKS),
    (more(STORESCP, REFERENCE, f"cn=gone2,{STORESCP_DEVICE}"),),
    (more(STORESCP, REFERENCE, "nonsense"),),
    (more(DCM4CHEE, REFERENCE, f"cn=gone,{STORESCP_DEVICE}"),),
    (delete(f"cn=dicom,{STORESCP_DEVICE}"),),
    *(
        (delete(str(entry.dn)),)
        for entry in valid_tree().sorted_entries()
        if entry.is_a("dicomUniqueAETitle") or entry.is_a("dcmUniqueWebAppName")
    ),
)


def _broken(edits: list[tuple[Change, ...]]) -> Tree:
    draft = TreeDraft(valid_tree())
    for changes in edits:
        try:
            for change in changes:
                draft.apply(change)
        except DoesNotApply:
            continue  # another edit was there before
    return draft.build_tree()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(EDITS), min_size=1, max_size=6, unique_by=id))
def test_after_mending_there_is_nothing_to_mend_and_no_rule_finds_more(edits: list[tuple[Change, ...]]) -> None:
    tree = _broken(edits)
    before = lint(tree, NOW)
    after = lint(tree.with_changes(collect_fixes(before)), NOW)
    assert collect_fixes(after) == ()
    more_than_before = Counter(each.rule.name for each in after) - Counter(each.rule.name for each in before)
    assert not more_than_before


#: What rules read, on entries where they read it.
READ = sorted({*SHAPES, "dicomnetworkconnectionreference", "dicomport", "usercertificate;binary", "dcmretrievetimeout"})
PLACES = sorted({case.dn for case in BREAKS if DN.parse(case.dn) in valid_tree()})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(READ), st.binary(max_size=20)), max_size=8))
def test_no_value_makes_a_rule_fail(values: list[tuple[str, str, bytes]]) -> None:
    entries = dict(valid_tree().entries)
    for dn, name, value in values:
        key = valid_tree().key(DN.parse(dn))
        entries[key] = entries[key].with_values(name, (value,))
    lint(Tree(valid_tree().schema, entries), NOW)


@settings(max_examples=150, deadline=None)
@given(schema_trees())
def test_any_tree_can_be_judged_and_mended_and_what_was_mended_taken_back(tree: Tree) -> None:
    """No rule fails; nothing is left to mend and nothing new found; undone it is the tree before."""
    before = lint(tree, NOW)
    plan = make_plan(tree, [DesiredChange(change) for change in collect_fixes(before)])
    after = lint(plan.after, NOW)
    assert collect_fixes(after) == ()
    assert not Counter(each.rule.name for each in after) - Counter(each.rule.name for each in before)
    assert held(plan.undo().after) == held(tree)


def held(tree: Tree) -> dict[str, dict[str, list[bytes]]]:
    """What a server would hold: the values of an attribute have no order."""
    return {
        str(entry.dn): {each.name: sorted(each.values) for each in entry.attributes} for entry in tree.entries.values()
    }
