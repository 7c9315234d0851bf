"""Sites on which some records of earlier upgrades failed: the upgrade repairs them."""

from __future__ import annotations

import pytest

from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.release import UpdateFile, parse_version
from tests.sampling import sample
from tests.upgrade.customised import ALL, NONE, TARGET, Releases, compare

CASES = [
    (tree, installed, reached, stops)
    for tree in ("renamed", "trimmed", "hospital")
    for installed, reached in (("5.23.0", "5.29.0"), ("5.23.0", "5.31.0"), ("5.29.0", "5.31.0"))
    for stops in (False, True)
]


def apply_as_shipped(tree: Tree, files: tuple[UpdateFile, ...], *, stops: bool) -> tuple[Tree, int]:
    """Return *tree* after the records that apply, and the number of others; with *stops*, a file ends at the first."""
    draft, failed = TreeDraft(tree), 0
    for file in files:
        for record in file.records:
            try:
                draft.apply(record.change)
            except DoesNotApply:
                failed += 1
                if stops:
                    break
    return draft.build_tree(), failed


@pytest.mark.parametrize(("tree", "installed", "reached", "stops"), sample(CASES, 2 / len(CASES)))
def test_failed_records_of_earlier_upgrades_are_made_up_for(
    releases: Releases, tree: str, installed: str, reached: str, stops: bool
) -> None:
    target = releases.read(TARGET)
    files = target.list_updates(parse_version(installed), parse_version(reached))
    site, failed = apply_as_shipped(releases.build(tree, installed), files, stops=stops)
    assert failed

    upgrade = prepare_upgrade(site, releases.read(reached), target, releases.read(installed), options=ALL)

    oracle = releases.build(tree, TARGET, clones_like=installed)
    result = site.with_changes(upgrade.plan.changes)
    assert compare(result, oracle) == NONE
    assert upgrade.decisions == ()
    again = prepare_upgrade(result, releases.read(reached), target, releases.read(installed), options=ALL)
    assert again.plan.steps == ()
    assert again.official_entries == frozenset()
