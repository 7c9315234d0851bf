"""Upgrades of customised trees of real releases: the result is the same customisation of the newer release."""

from __future__ import annotations

from collections import Counter

import pytest

from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.options import UpgradeOptions
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


#: Tree and source → changed entries and gap changes, and what is not made: measured with a prototype, by other code.
FIGURES = {
    ("pristine", "5.31.0"): (353, 4, 0),
    ("pristine", "5.29.0"): (409, 24, 0),
    ("pristine", "5.23.0"): (528, 105, 0),
    ("renamed", "5.31.0"): (353, 4, 0),
    ("renamed", "5.29.0"): (409, 24, 0),
    ("renamed", "5.23.0"): (528, 105, 0),
    ("trimmed", "5.31.0"): (254, 3, 99),
    ("trimmed", "5.29.0"): (297, 16, 112),
    ("trimmed", "5.23.0"): (346, 97, 181),
    ("hospital", "5.31.0"): (341, 4, 12),
    ("hospital", "5.29.0"): (395, 24, 15),
    ("hospital", "5.23.0"): (514, 105, 15),
}


@pytest.mark.parametrize(("tree", "source"), sample(sorted(FIGURES), 3 / len(FIGURES)))
def test_the_number_of_changes_is_the_measured_one(releases: Releases, tree: str, source: str) -> None:
    upgrade = releases.upgrade(releases.build(tree, source), source, UpgradeOptions())

    # An entry whose structural class changes is deleted and added: two changes.
    figures = len(upgrade.plan.changes), len(upgrade.gap_changes), len(upgrade.dropped)
    assert figures == FIGURES[tree, source]


def test_records_that_miss_their_target_are_corrections(releases: Releases) -> None:
    def list_places(source: str) -> Counter[str]:
        upgrade = releases.upgrade(releases.build("renamed", source), source, UpgradeOptions())
        corrections = [each for each in upgrade.gap_changes if each.kind == "corrections"]
        return Counter(place.rpartition(":")[0] for each in corrections for place in each.places)

    wrong_ae = Counter(
        {f"5.29.1/update-{name}-5.29.1.ldif": 3 for name in ("AS_RECEIVED", "IOCM_REGULAR_USE", "storescp")}
    )
    assert list_places("5.29.0") == wrong_ae
    assert list_places("5.23.0") == wrong_ae + Counter(
        {
            # Without "dn:", so LDAP tools skip the record.
            "5.26.0/update-IOCM_REGULAR_USE-5.26.0.ldif": 1,
            # For entries that the default of 5.23.0 does not have.
            "5.24.0/update-dev-5.24.0.ldif": 1,
            "5.29.1/update-dev-5.29.1.ldif": 1,
        }
    )


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
