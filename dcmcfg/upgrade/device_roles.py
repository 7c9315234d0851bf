"""Find which devices of a site are the other devices of the default: by name, else by their content."""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.schema_names import (
    DICOM_DEVICE_NAME,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
)
from dcmcfg.upgrade.ae_roles import REMOVED, compare_sets
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.trees import UpgradeTree

_MIN_DEVICE_SCORE, _MIN_DEVICE_LEAD = 0.60, 0.10


def match_devices(
    default: ConfigurationView,
    site: ConfigurationView,
    answers: Mapping[str, str],
    title_answers: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the other devices of *default*, and their AE titles, by their names at *site*.

    *answers* are the user's about devices, *title_answers* those about their AEs: role → name or ``-``. Raises
    :class:`Refused` for an answer that names no device of the site.
    """
    for role, name in answers.items():
        if name != REMOVED and name not in site.devices:
            raise Refused(
                f"--role {role}={name}: the site has no device {name}",
                next_step=f"devices of the site: {', '.join(sorted(site.devices))}",
            )
    devices: dict[str, str] = {}
    titles: dict[str, str] = {}
    for name, entry in default.devices.items():
        holder = answers.get(name) or _find_device(default, entry, site)
        if holder is not None and holder != REMOVED:
            devices[name] = holder
            titles.update(_match_titles(default.list_titles(entry), site.list_titles(site.devices[holder])))
    titles.update(title_answers)
    return devices, {role: title for role, title in titles.items() if title != REMOVED}


def _match_titles(old: tuple[str, ...], new: tuple[str, ...]) -> dict[str, str]:
    if len(old) == 1 and len(new) == 1:
        return {old[0]: new[0]}
    return {title: title for title in old if title in new}


def _find_device(default: ConfigurationView, entry: Entry, site: ConfigurationView) -> str | None:
    name = entry.text(DICOM_DEVICE_NAME) or ""
    same = next((each for each in site.devices if each.lower() == name.lower()), None)
    if same is not None:
        return same
    unnamed = {name: each for name, each in site.devices.items() if name not in default.devices}
    return _find_renamed_device(default, entry, site, unnamed)


def _find_renamed_device(
    default: ConfigurationView, entry: Entry, site: ConfigurationView, candidates: Mapping[str, Entry]
) -> str | None:
    ranked = sorted(
        ((_score_device(default, entry, site, each), name) for name, each in candidates.items()), reverse=True
    )
    if not ranked or ranked[0][0] < _MIN_DEVICE_SCORE:
        return None
    is_certain = len(ranked) == 1 or ranked[0][0] >= ranked[1][0] + _MIN_DEVICE_LEAD
    return ranked[0][1] if is_certain else None


def _score_device(default: ConfigurationView, one: Entry, site: ConfigurationView, other: Entry) -> float:
    values = [_list_device_values(view.tree, entry) for view, entry in ((default, one), (site, other))]
    children = [_list_child_names(view, entry) for view, entry in ((default, one), (site, other))]
    titles = [frozenset(view.list_titles(entry)) for view, entry in ((default, one), (site, other))]
    capabilities = [_list_all_capabilities(view, entry) for view, entry in ((default, one), (site, other))]
    return (
        0.3 * compare_sets(values[0], values[1])
        + 0.2 * compare_sets(children[0], children[1])
        + 0.2 * bool(titles[0] & titles[1])
        + 0.3 * compare_sets(capabilities[0], capabilities[1])
    )


def _list_device_values(tree: UpgradeTree, device: Entry) -> frozenset[object]:
    return frozenset(
        (each.name.lower(), tree.schema.normalise_value(each.name, value))
        for each in device.attributes
        if each.name.lower() != DICOM_DEVICE_NAME.lower()
        for value in each.values
    )


def _list_child_names(view: ConfigurationView, device: Entry) -> frozenset[object]:
    return frozenset(str(each.dn.rdn) for each in view.children_of.get(view.tree.key(device.dn), ()))


def _list_all_capabilities(view: ConfigurationView, device: Entry) -> frozenset[object]:
    return frozenset(
        (each.text(DICOM_SOP_CLASS), each.text(DICOM_TRANSFER_ROLE))
        for each in view.list_below(device)
        if each.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS)
    )
