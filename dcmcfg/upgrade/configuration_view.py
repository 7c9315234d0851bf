"""The parts of a configuration that play roles: devices, AEs and web applications, and what an AE is known by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from dcmcfg.dn import NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_CONFIGURATION_ROOT_OBJECT_CLASS,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
    WEB_SERVICE_PATH,
)
from dcmcfg.upgrade.trees import UpgradeTree


@dataclass(frozen=True)
class AEProfile:
    """What an AE is known by: its capabilities, values, referrers, and the paths of its web applications."""

    title: str
    _: KW_ONLY
    capabilities: frozenset[tuple[str, str]]
    values: frozenset[tuple[str, bytes]]
    referrers: frozenset[tuple[str, str]]
    paths: frozenset[str]


class ConfigurationView:
    """The parts of the configuration in *tree* that roles are found by; *device_name* selects the archive's device.

    Raises :class:`Refused` without a configuration root, without an archive device, and for several of them.
    """

    def __init__(self, tree: UpgradeTree, device_name: str = "") -> None:
        self.tree = tree
        roots = [each for each in tree.entries.values() if each.is_a(DICOM_CONFIGURATION_ROOT_OBJECT_CLASS)]
        if len(roots) != 1:
            raise Refused(
                "the tree has no DICOM configuration root"
                if not roots
                else f"the tree has {len(roots)} DICOM configuration roots: {', '.join(str(each.dn) for each in roots)}"
            )
        self.base_dn = roots[0].dn.parent
        self.device = self._select_device(device_name)
        self._device_key = tree.key(self.device.dn)

    def _select_device(self, name: str) -> Entry:
        found = [each for each in self.tree.entries.values() if each.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)]
        named = [each for each in found if (each.text(DICOM_DEVICE_NAME) or "").lower() == name.lower()]
        if len(found) == 1 and (not name or named):
            return found[0]
        if len(named) == 1:
            return named[0]
        names = ", ".join(each.text(DICOM_DEVICE_NAME) or "" for each in found)
        if not found:
            raise Refused("the tree has no device of an archive", next_step="specify the whole configuration")
        if name:
            raise Refused(
                f"--archive {name}: this is not the device of an archive",
                next_step=f"specify one of these devices: {names}",
            )
        raise Refused(
            f"the configuration has several devices of archives: {names}",
            next_step="specify the device with --archive NAME",
        )

    @property
    def device_name(self) -> str:
        return self.device.text(DICOM_DEVICE_NAME) or ""

    @cached_property
    def children(self) -> tuple[tuple[NormalDN, Entry], ...]:
        """The entries directly below the archive's device."""
        return tuple((key, each) for key, each in self.tree.entries.items() if key[1:] == self._device_key)

    @cached_property
    def devices(self) -> dict[str, Entry]:
        """The other devices, by name."""
        return {
            each.text(DICOM_DEVICE_NAME) or "": each
            for key, each in self.tree.entries.items()
            if each.is_a(DICOM_DEVICE_OBJECT_CLASS) and key != self._device_key
        }

    @cached_property
    def web_apps(self) -> dict[str, Entry]:
        """The web applications of the archive's device, by name."""
        return {each.text(WEB_APP_NAME) or "": each for _, each in self.children if each.is_a(WEB_APP_OBJECT_CLASS)}

    @cached_property
    def profiles(self) -> dict[str, AEProfile]:
        """The profiles of the AEs of the archive's device, by title."""
        return {
            each.text(DICOM_AE_TITLE) or "": self._make_profile(key, each)
            for key, each in self.children
            if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
        }

    def list_titles(self, device: Entry) -> tuple[str, ...]:
        """Return the AE titles of *device*."""
        return tuple(
            title
            for each in self.children_of.get(self.tree.key(device.dn), ())
            if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in each.texts(DICOM_AE_TITLE)
        )

    def list_below(self, entry: Entry) -> Iterator[Entry]:
        """Yield the entries below *entry*."""
        for each in self.children_of.get(self.tree.key(entry.dn), ()):
            yield each
            yield from self.list_below(each)

    def _make_profile(self, key: NormalDN, ae: Entry) -> AEProfile:
        title = ae.text(DICOM_AE_TITLE) or ""
        return AEProfile(
            title,
            capabilities=frozenset(self._iterate_capabilities(key)),
            values=frozenset(
                (each.name.lower(), self.tree.schema.normalise_value(each.name, value))
                for each in ae.attributes
                if each.name.lower() not in (DICOM_AE_TITLE.lower(), DICOM_NETWORK_CONNECTION_REFERENCE.lower())
                for value in each.values
            ),
            referrers=self._referrers.get(title, frozenset()),
            paths=frozenset(
                path.replace(f"/{title}/", "/*/")
                for each in self.web_apps.values()
                if title in each.texts(DICOM_AE_TITLE)
                for path in each.texts(WEB_SERVICE_PATH)
            ),
        )

    def _iterate_capabilities(self, key: NormalDN) -> Iterator[tuple[str, str]]:
        for each in self.children_of.get(key, ()):
            if each.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                yield each.text(DICOM_SOP_CLASS) or "", each.text(DICOM_TRANSFER_ROLE) or ""

    @cached_property
    def children_of(self) -> dict[NormalDN, list[Entry]]:
        """The entries directly below each entry."""
        found: dict[NormalDN, list[Entry]] = {}
        for key, entry in self.tree.entries.items():
            found.setdefault(key[1:], []).append(entry)
        return found

    @cached_property
    def _referrers(self) -> dict[str, frozenset[tuple[str, str]]]:
        """The referrers of each title: (name of the referring part, attribute), for the device and its parts."""
        found: dict[str, set[tuple[str, str]]] = {}
        for key, entry in self.tree.entries.items():
            if not is_at_or_below(key, self._device_key) or entry.is_a(WEB_APP_OBJECT_CLASS):
                continue
            # Names of AEs and of the device may differ at the site.
            is_named = entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) or key == self._device_key
            name = "" if is_named else str(entry.dn.rdn)
            for attribute in entry.attributes:
                for value in attribute.values:
                    for each in find_names(attribute.name, value):
                        is_own = attribute.name.lower() == DICOM_AE_TITLE.lower() and is_named
                        if each.kind is EntityKind.AE and not is_own:
                            found.setdefault(each.text, set()).add((name, attribute.name.lower()))
        return {title: frozenset(each) for title, each in found.items()}
