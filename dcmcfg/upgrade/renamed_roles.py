"""Find the holders of roles in the history: an AE that was renamed with dcmcfg is still the same AE."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dcmcfg.changes import Rename
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_DEVICE_NAME
from dcmcfg.upgrade.ae_roles import REMOVED
from dcmcfg.upgrade.configuration_view import ConfigurationView


def add_renamed_roles(
    answers: Mapping[str, str], renames: Sequence[Rename], default: ConfigurationView, site: ConfigurationView
) -> dict[str, str]:
    """Return *answers* with the AEs of *default* that *renames* (the oldest first) gave the title of an AE of *site*.

    The user's own answers come first, and no two roles get the same AE.
    """
    steps = list(_iterate_titles(renames, {default.device_name.lower(), site.device_name.lower()}))
    found = dict(answers)
    for role in default.profiles:
        title = role
        for old, new in steps:
            title = new if title == old else title
        if title != role and role not in answers and title in site.profiles and title not in found.values():
            found[role] = title
    return found


def add_earlier_roles(
    answers: Mapping[str, str], earlier: Mapping[str, str], site: ConfigurationView, known: Collection[str]
) -> dict[str, str]:
    """Return *answers* with the roles *earlier*, those of an upgrade that was applied before.

    The user's own answers come first. A role counts if it is one of *known*, the AEs of the default configurations, and
    if the site has no AE, or has one with this title that no other answer names.
    """
    found = dict(answers)
    for role, title in earlier.items():
        is_possible = title == REMOVED or (title in site.profiles and title not in found.values())
        if role in known and role not in found and is_possible:
            found[role] = title
    return found


def _iterate_titles(renames: Sequence[Rename], devices: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new title of each renamed AE of *devices*."""
    for each in renames:
        if len(each.dn.rdns) < 2:
            continue
        parts = (each.dn.rdn.parts, each.new_rdn.parts, each.dn.parent.rdn.parts)
        if any(len(part) != 1 for part in parts):
            continue
        (old_kind, old), (new_kind, new), (parent_kind, device) = (part[0] for part in parts)
        kinds = (old_kind.lower(), new_kind.lower(), parent_kind.lower())
        expected = (DICOM_AE_TITLE.lower(), DICOM_AE_TITLE.lower(), DICOM_DEVICE_NAME.lower())
        if kinds == expected and device.lower() in devices:
            yield old, new
