"""The release that a site's tree is at, as a whole and by its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_SOFTWARE_VERSION
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.defaults import map_names
from dcmcfg.upgrade.own_parts import OwnParts, find_own_parts
from dcmcfg.upgrade.release import Release, Version, parse_version
from dcmcfg.upgrade.roles import find_roles
from dcmcfg.upgrade.signs import ARCHIVE, UI, ReleaseMatch, Sign, SignIndex
from dcmcfg.upgrade.trees import UpgradeTree

_MIN_COMPONENT_SIGNS = 20
_UI_CLASS = "dcmuiConfig"


@dataclass(frozen=True)
class ComponentMatch:
    """The releases that a part of the tree matches best: an AE, the archive device, another device, the interface."""

    name: str
    match: ReleaseMatch


@dataclass(frozen=True, kw_only=True)
class TreeStatus:
    """The release of a site's tree, by its signs, and of its parts; ``software`` is what the archive wrote itself.

    With ``may_be_newer``, the newest known release matches best, so the tree may be at a later one. With
    ``may_be_older``, the oldest known release matches best, so the tree may be at an earlier one.
    """

    view: ConfigurationView
    match: ReleaseMatch | None
    components: tuple[ComponentMatch, ...]
    software: Version | None
    may_be_newer: bool = False
    may_be_older: bool = False


def find_status(site: UpgradeTree, target: Release, *, archive: str = "", others: Sequence[Release] = ()) -> TreeStatus:
    """Return the release of the tree *site* and of its parts, by the update files of *target*.

    *others* are further releases, whose versions are candidates too. Raises the errors of
    :class:`~dcmcfg.upgrade.roles.ConfigurationView`.
    """
    view = ConfigurationView(site, archive)
    default = ConfigurationView(UpgradeTree.from_entries(site.schema, target.entries))
    mapping = find_roles(default, view).make_mapping(site, default.base_dn)
    index = SignIndex(target.list_updates(), mapping, site, [each.version for each in (*others, target)])
    newest = map_names(target, mapping, site)
    contradicted = index.find_contradicted(newest, target.version or index.versions[-1])
    # The site's own AEs of official names show nothing about updates.
    brought = UpgradeTree(site.schema, {key: each for key, each in newest.entries.items() if not index.adds(key)})
    own = find_own_parts(site, brought, [newest])
    match = index.match(site, excluded=sorted(own.keys))
    return TreeStatus(
        view=view,
        match=match,
        components=tuple(_match_components(index, site, view, ignored=contradicted, own=own)),
        software=_find_software(view.device),
        may_be_newer=match is not None and match.last == max(index.versions),
        may_be_older=match is not None and match.first == min(index.versions),
    )


def _match_components(
    index: SignIndex, site: UpgradeTree, view: ConfigurationView, *, ignored: frozenset[Sign], own: OwnParts
) -> Iterator[ComponentMatch]:
    device_key = site.key(view.device.dn)
    aes = {
        each.text(DICOM_AE_TITLE) or "": key for key, each in view.children if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
    }
    interfaces = [key for key, each in view.children if each.is_a(_UI_CLASS)]
    devices = {name: site.key(each.dn) for name, each in view.devices.items()}
    groups: list[tuple[str, list[NormalDN], list[NormalDN]]] = [
        (ARCHIVE, [device_key], [*aes.values(), *interfaces]),
        *((f"AE {title}", [key], []) for title, key in aes.items() if key not in own.keys),
        *((f"device {name}", [key], []) for name, key in devices.items()),
        *([(UI, interfaces, [])] if interfaces else []),
    ]
    for name, below, excluded in groups:
        match = index.match(site, below, excluded, ignored=ignored)
        if match is not None and match.total >= _MIN_COMPONENT_SIGNS:
            yield ComponentMatch(name, match)


def _find_software(device: Entry) -> Version | None:
    found = (parse_version(each) for each in device.texts(DICOM_SOFTWARE_VERSION))
    return next((each for each in found if each is not None), None)
