"""Upgrades of customised trees of real releases: the result is the same customisation of the newer release."""

from __future__ import annotations

import pytest

from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.preparation import UpgradeOptions
from dcmcfg.upgrade.trees import UpgradeTree
from tests.sampling import sample
from tests.upgrade.customised import NONE, SCHEMA, SOURCES, TARGET, TREES, Releases, compare

CASES = [(tree, source) for tree in TREES for source in SOURCES]


@pytest.mark.parametrize(("tree", "source"), sample(CASES, 3 / len(CASES)))
def test_the_result_with_the_gap_is_the_customisation_of_the_newer_release(
    releases: Releases, tree: str, source: str
) -> None:
    site = releases.build(tree, source)
    oracle = releases.build(tree, TARGET, clones_like=source)

    upgrade = releases.upgrade(site, source)

    # The steps are applied one after another: what counts is what a server would make of them.
    result = site.with_changes(upgrade.plan.changes)
    assert compare(result, oracle) == NONE
    assert upgrade.roles.questions == ()
    assert upgrade.decisions == ()
    again = releases.upgrade(result, source)
    assert again.official_entries == frozenset()
    assert again.plan.steps == ()


@pytest.mark.parametrize("source", sample(SOURCES, 1 / len(SOURCES)))
def test_the_official_changes_of_a_pristine_tree_are_the_official_files(releases: Releases, source: str) -> None:
    site = releases.build("pristine", source)
    official = UpgradeTree(SCHEMA, site.entries)
    target = releases.read(TARGET)
    for file in target.list_updates(releases.read(source).version, target.version):
        for record in file.records:
            official.apply(record.change)

    upgrade = releases.upgrade(site, source, UpgradeOptions())

    result = site.with_changes(upgrade.plan.changes)
    assert compare(result, Tree(SCHEMA, official.entries)) == NONE
    assert upgrade.decisions == ()
    assert upgrade.dropped == ()
    assert all(not each.is_made for each in upgrade.gap_changes)
