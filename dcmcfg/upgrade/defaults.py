"""The default of a release with the names of a site, without the parts that the site does not want."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.dn import is_at_or_below
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_NAME,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
)
from dcmcfg.upgrade.capability_names import align_capabilities
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.trees import UpgradeTree


def map_default(release: Release, mapping: NameMapping, site: UpgradeTree, without: Sequence[str]) -> UpgradeTree:
    """Return the default of *release* with the names of the *site*, also for transfer capabilities."""
    return align_capabilities(leave_out_devices(map_names(release, mapping, site), without, mapping), site)


def map_names(release: Release, mapping: NameMapping, site: UpgradeTree) -> UpgradeTree:
    """Return the default of *release* with the names of the *site*, but its own for transfer capabilities."""
    return UpgradeTree.from_entries(site.schema, map(mapping.map_entry, release.entries))


def leave_out_web_apps(tree: UpgradeTree, names: Sequence[str]) -> UpgradeTree:
    """Return *tree* without the web applications *names*; their registrations depend on them."""
    kept = {
        key: each
        for key, each in tree.entries.items()
        if not (each.is_a(WEB_APP_OBJECT_CLASS) and each.text(WEB_APP_NAME) in names)
    }
    return UpgradeTree(tree.schema, kept)


def leave_out_devices(tree: UpgradeTree, devices: Sequence[str], mapping: NameMapping) -> UpgradeTree:
    """Return *tree* without *devices*, by their names in the default; registrations of their AEs depend on them."""
    names = {(mapping.devices.get(each) or each).lower() for each in devices}
    if not names:
        return tree
    keys = {key for key, each in tree.entries.items() if (each.text(DICOM_DEVICE_NAME) or "").lower() in names}
    kept = {key: each for key, each in tree.entries.items() if not any(is_at_or_below(key, top) for top in keys)}
    return UpgradeTree(tree.schema, kept)


def leave_out_aes(tree: UpgradeTree, titles: Sequence[str]) -> UpgradeTree:
    """Return *tree* without the AEs *titles*; their web applications and registrations depend on them."""
    tops = [
        key
        for key, each in tree.entries.items()
        if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and each.text(DICOM_AE_TITLE) in titles
    ]
    kept = {key: each for key, each in tree.entries.items() if not any(is_at_or_below(key, top) for top in tops)}
    return UpgradeTree(tree.schema, kept)
