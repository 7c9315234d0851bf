"""Compare a site with the default of a release, without knowing what the site once was."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.completeness import has_secrets, leave_out_secrets
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.defaults import map_default
from dcmcfg.upgrade.gap import GapChange
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import require_answers
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.role_answers import sort_answers
from dcmcfg.upgrade.roles import find_roles
from dcmcfg.upgrade.trees import UpgradeTree


def compare_with_fresh(tree: Tree, release: Release, options: UpgradeOptions) -> tuple[GapChange, ...]:
    """Return the entries of the default of *release* that the site *tree* lacks, and those with other values.

    They are ``additions`` and ``values``, parents first, with the names of the site. The site's own changes are among
    them, because the release before the upgrade is unknown. Raises the errors of
    :func:`~dcmcfg.upgrade.preparation.prepare_upgrade` about roles.
    """
    site = UpgradeTree(tree.schema, tree.entries)
    default = ConfigurationView(UpgradeTree.from_entries(site.schema, release.entries))
    answers = sort_answers(options.roles, default, default)
    view = ConfigurationView(site, answers.archive or options.archive)
    roles = find_roles(default, view, answers.present)
    require_answers(roles)
    fresh = map_default(release, roles.make_mapping(site, default.base_dn), site, options.without)
    if not has_secrets(site.entries.values()):
        fresh = leave_out_secrets(fresh)
    return tuple(_compare(site, fresh))


def _compare(site: UpgradeTree, fresh: UpgradeTree) -> Iterator[GapChange]:
    root_depth = min(map(len, site.entries), default=0)
    for key, entry in fresh.iterate_parents_first():
        own = site.entries.get(key)
        if own is None:
            if len(key) > root_depth:
                yield GapChange("additions", entry.dn, (), is_made=False)
            continue
        names = {each.name.lower(): each.name for pair in (own, entry) for each in pair.attributes}
        found = tuple(
            name
            for lower, name in sorted(names.items())
            if lower not in IGNORED
            and site.normalise(name, own.values(name)) != site.normalise(name, entry.values(name))
        )
        if found:
            yield GapChange("values", own.dn, found, is_made=False)
