"""Laws of an upgrade, on randomly customised sites: it is idempotent, and the names of a site make no difference."""

from __future__ import annotations

from typing import Any

import pytest

from dcmcfg.dn import is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.options import UpgradeOptions
from tests.sampling import sample
from tests.upgrade.customised import ALL, NONE, SCHEMA, SOURCES, TREES, Releases, compare
from tests.upgrade.test_random_edits import edit

SEEDS = [(source, seed) for source in SOURCES for seed in range(100, 110)]
OPTIONS = pytest.mark.parametrize("options", [UpgradeOptions(), ALL], ids=["official", "with gap"])


def rename_parts(releases: Releases, tree: Tree, *, base: bool) -> Tree:
    """Return *tree* with other names, by the rules of the generator."""
    site = releases.generator.Site()
    for each in tree.entries.values():
        site.put(releases.generator.Entry(each.dn, {name.name: list(name.values) for name in each.attributes}))
    site.rename_ae("DCM4CHEE", "PACS")
    site.rename_ae("AS_RECEIVED", "ORIGINAL")
    site.rename_device("dcm4chee-arc", "pacs")
    site.rename_device("storescp", "viewer")
    if base:
        site.rebase("dc=hospital,dc=example")
    entries = (
        Entry(each.dn, tuple(Attribute(name, tuple(values)) for name, values in each.attributes.items() if values))
        for each in site.values()
    )
    return Tree.from_entries(SCHEMA, entries)


@pytest.mark.parametrize(("source", "seed"), sample(SEEDS, 1 / len(SEEDS)))
@OPTIONS
def test_renaming_the_parts_of_a_site_and_planning_commute(
    releases: Releases, *, source: str, seed: int, options: UpgradeOptions
) -> None:
    (site,) = edit([releases.build("pristine", source)], seed)
    renamed = rename_parts(releases, site, base=seed % 2 == 0)

    one = releases.upgrade(renamed, source, options)
    other = releases.upgrade(site, source, options)

    assert compare(one.plan.after, rename_parts(releases, other.plan.after, base=seed % 2 == 0)) == NONE
    assert len(one.dropped) == len(other.dropped)
    assert len(one.decisions) == len(other.decisions)


@pytest.mark.parametrize(("tree", "source"), sample([(tree, source) for tree in TREES for source in SOURCES], 0.17))
@OPTIONS
def test_a_plan_after_the_plan_is_empty(releases: Releases, *, tree: str, source: str, options: UpgradeOptions) -> None:
    upgrade = releases.upgrade(releases.build(tree, source), source, options)
    again = releases.upgrade(upgrade.plan.after, source, options)
    assert again.plan.steps == ()
    assert again.decisions == ()


@pytest.mark.parametrize("source", sample(SOURCES, 0.34))
def test_a_pristine_site_has_nothing_to_decide(releases: Releases, source: str) -> None:
    upgrade = releases.upgrade(releases.build("pristine", source), source)
    assert (upgrade.decisions, upgrade.gap_decisions, upgrade.dropped, upgrade.warnings) == ((), (), (), ())
    assert (upgrade.roles.removed, upgrade.roles.questions, upgrade.clones) == ((), (), ())


@pytest.mark.parametrize(("source", "seed"), sample(SEEDS, 2 / len(SEEDS)))
def test_every_change_is_in_the_configuration_and_has_a_provenance(releases: Releases, source: str, seed: int) -> None:
    (site,) = edit([releases.build("hospital", source)], seed)
    upgrade = releases.upgrade(site, source)
    root = site.key(upgrade.roles.base_dn.child("cn", "DICOM Configuration"))
    gap: set[Any] = {site.key(each.dn) for each in upgrade.gap_changes if each.is_made}
    for change in upgrade.plan.changes:
        key = site.key(change.dn)
        assert is_at_or_below(key, root)
        assert upgrade.reconstructed.places.get(key) or key in gap
    assert upgrade.new_problems == ()
