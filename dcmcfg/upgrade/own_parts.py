"""Find AEs and web applications of a site that only have the name of a part that a release brings.

A site may have copied an AE under a title that a later release uses for a new AE. Then the official changes are about
another AE than that of the site.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.dn import NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
    UNIQUE_WEB_APP_NAME_OBJECT_CLASS,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
    WEB_SERVICE_CLASS,
)
from dcmcfg.upgrade.capability_names import get_capability_id
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.trees import UpgradeTree

#: The part of an AE's capabilities that must be official, and the part of a web application's service classes.
_MIN_CAPABILITIES, _MIN_SERVICES = 0.9, 0.5
#: Attributes that show nothing about what an AE is for.
_COMMON = frozenset({DICOM_AE_TITLE.lower(), DICOM_NETWORK_CONNECTION_REFERENCE.lower()}) | IGNORED

_Values = frozenset[tuple[str, bytes]]


@dataclass(frozen=True)
class OwnParts:
    """The entries ``keys`` of AEs and web applications that are the site's own, with the names that they have."""

    keys: frozenset[NormalDN] = frozenset()
    titles: frozenset[str] = frozenset()
    web_apps: frozenset[str] = frozenset()

    def contains(self, key: NormalDN) -> bool:
        """Return whether *key* is one of these entries, or below one."""
        return any(is_at_or_below(key, each) for each in self.keys)

    def registers(self, entry: Entry) -> bool:
        """Return whether *entry* registers the name of one of these parts."""
        if entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS):
            return entry.text(DICOM_AE_TITLE) in self.titles
        return entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS) and entry.text(WEB_APP_NAME) in self.web_apps

    def without_aes(self, titles: Collection[str]) -> OwnParts:
        """Return these parts without the AEs *titles*."""
        keys = frozenset(
            key
            for key in self.keys
            if not any(kind == DICOM_AE_TITLE.lower() and value in titles for kind, value in key[0])
        )
        return replace(self, keys=keys)

    def leave_out(self, tree: UpgradeTree) -> UpgradeTree:
        """Return *tree* without these entries and those below them."""
        if not self.keys:
            return tree
        return UpgradeTree(tree.schema, {key: each for key, each in tree.entries.items() if not self.contains(key)})


NO_OWN_PARTS = OwnParts()


def find_own_parts(
    site: UpgradeTree, default: UpgradeTree, states: Sequence[UpgradeTree], declared: Collection[str] = ()
) -> OwnParts:
    """Return the parts of *site* that have the name of a part of *states* that *default* does not have.

    *default* is what the site was installed with, *states* what the release makes of it; all have the site's names.
    The AE titles *declared* are official because the user says so.
    """
    known = set().union(*(state.entries.keys() for state in states))
    candidates = sorted((known & site.entries.keys()) - default.entries.keys())
    aes = [key for key in candidates if _is_named_part(key, states, DICOM_NETWORK_AE_OBJECT_CLASS)]
    web_apps = [key for key in candidates if _is_named_part(key, states, WEB_APP_OBJECT_CLASS)]
    if not (aes or web_apps):
        return NO_OWN_PARTS
    comparison = _Comparison(site, default, states, [key for key in known | site.entries.keys() if key[1:] in aes])
    own_aes = {
        key
        for key in aes
        if not set(site.entries[key].texts(DICOM_AE_TITLE)) & set(declared) and not comparison.is_official_ae(key)
    }
    titles = frozenset(title for key in own_aes for title in site.entries[key].texts(DICOM_AE_TITLE))
    own_web_apps = {
        key
        for key in web_apps
        if (titles & set(site.entries[key].texts(DICOM_AE_TITLE)) or not comparison.is_official_web_app(key))
        and not set(site.entries[key].texts(DICOM_AE_TITLE)) & set(declared)
    }
    return OwnParts(
        frozenset(own_aes | own_web_apps),
        titles,
        frozenset(name for key in own_web_apps for name in site.entries[key].texts(WEB_APP_NAME)),
    )


def _is_named_part(key: NormalDN, states: Sequence[UpgradeTree], object_class: str) -> bool:
    return any(key in state.entries and state.entries[key].is_a(object_class) for state in states)


class _Comparison:
    """Compares parts of the site with those of the same name in official states; *below* are the entries below AEs."""

    def __init__(
        self, site: UpgradeTree, default: UpgradeTree, states: Sequence[UpgradeTree], below: Collection[NormalDN]
    ) -> None:
        self._site, self._default, self._states = site, default, states
        self._site_capabilities = _group_capabilities([site], below)
        self._official_capabilities = _group_capabilities(states, below)

    def is_official_ae(self, key: NormalDN) -> bool:
        """Return whether the AE *key* of the site can be the official one, as the site has changed it.

        It has the values of an official state, or half of them and more than of any other AE of the default; and its
        capabilities are official ones.
        """
        own, official = (group.get(key, set()) for group in (self._site_capabilities, self._official_capabilities))
        if own and official and len(own & official) < len(own) * _MIN_CAPABILITIES:
            return False
        entry = self._site.entries[key]
        if self._is_part_of_state(key, entry):
            return True
        values = self._list_values(entry)
        likeness = max((_compare(values, self._list_values(each)) for each in self._iterate_states(key)), default=0.0)
        others = (
            _compare(values, self._list_values(each))
            for other, each in self._default.entries.items()
            if other != key and other[1:] == key[1:] and each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
        )
        return self._holds_half(key, values) and likeness >= max(others, default=0.0)

    def is_official_web_app(self, key: NormalDN) -> bool:
        """Return whether the web application *key* of the site can be the official one, as the site has changed it."""
        entry = self._site.entries[key]
        if self._is_part_of_state(key, entry):
            return True
        services = set(entry.texts(WEB_SERVICE_CLASS))
        official = {each for state in self._iterate_states(key) for each in state.texts(WEB_SERVICE_CLASS)}
        return (not services or len(services & official) >= len(services) * _MIN_SERVICES) and self._holds_half(
            key, self._list_values(entry)
        )

    def _iterate_states(self, key: NormalDN) -> Iterator[Entry]:
        seen: set[int] = set()
        for state in self._states:
            entry = state.entries.get(key)
            if entry is not None and id(entry) not in seen:
                seen.add(id(entry))
                yield entry

    def _is_part_of_state(self, key: NormalDN, entry: Entry) -> bool:
        values = self._list_values(entry, with_common=True)
        return any(values <= self._list_values(each, with_common=True) for each in self._iterate_states(key))

    def _holds_half(self, key: NormalDN, values: _Values) -> bool:
        return any(
            len(values & official) * 2 >= len(official)
            for each in self._iterate_states(key)
            if (official := self._list_values(each))
        )

    def _list_values(self, entry: Entry, *, with_common: bool = False) -> _Values:
        left_out = IGNORED if with_common else _COMMON
        return frozenset(
            (each.name.lower(), value)
            for each in entry.attributes
            if each.name.lower() not in left_out
            for value in self._site.normalise(each.name, each.values)
        )


def _group_capabilities(
    trees: Iterable[UpgradeTree], keys: Collection[NormalDN]
) -> dict[NormalDN, set[tuple[str, str]]]:
    """Return the capabilities (SOP class, role) by AE among the entries *keys* of *trees*."""
    found: dict[NormalDN, set[tuple[str, str]]] = {}
    for tree in trees:
        for key in keys:
            entry = tree.entries.get(key)
            if entry is not None and entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                ae, sop_class, role = get_capability_id(key, entry)
                found.setdefault(ae, set()).add((sop_class, role))
    return found


def _compare(one: _Values, other: _Values) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
