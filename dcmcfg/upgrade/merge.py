"""The three-way merge of a site's tree with the changes of a release.

Base is what the site once was, theirs what the release makes of it, and the site what it is now. A change of the
release is made where the site has not changed the same thing; otherwise the site's state stays, as a decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from functools import cached_property

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import NameUse
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_PROPERTY,
    DICOM_AE_TITLE,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_SOFTWARE_VERSION,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
    DICOM_VENDOR_DATA,
    OBJECT_CLASS,
    OTHER_AE_TITLE,
    UNIQUE_WEB_APP_NAME_OBJECT_CLASS,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
)
from dcmcfg.upgrade.trees import UpgradeTree

#: Attributes that are never merged or compared.
IGNORED = frozenset({DICOM_VENDOR_DATA.lower(), DICOM_SOFTWARE_VERSION.lower()})
#: Attributes with values ``key=value`` whose keys are unique.
_KEYED = frozenset({DCM_PROPERTY.lower(), "dcmcoercionparam", "dcmimagereadparam", "dcmimagewriteparam"})


class Stage(Enum):
    """The two stages: the official changes, and the rest of the way to the default of the release (the gap)."""

    OFFICIAL = "official"
    GAP = "gap"


@dataclass(frozen=True)
class Decision:
    """A place that the site and the release have changed differently; the site's state stays.

    ``attribute`` is empty for an entry. ``site`` and ``release`` are the values of both.
    """

    dn: DN
    attribute: str
    reason: str
    _: KW_ONLY
    site: tuple[bytes, ...] = ()
    release: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class _Versions:
    """The values of an attribute in base, theirs and at the site."""

    base: tuple[bytes, ...]
    theirs: tuple[bytes, ...]
    site: tuple[bytes, ...]


@dataclass(frozen=True)
class Dropped:
    """A change of the release that is not made, because it is about something that the site does not have."""

    dn: DN
    reason: str


@dataclass
class MergeResult:
    """The tree after the merge, and what was not merged."""

    tree: UpgradeTree
    decisions: list[Decision] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    #: Entries that the release no longer has; deleted only on request.
    offered_deletes: list[DN] = field(default_factory=list)


def is_keyed(name: str) -> bool:
    """Return whether the attribute *name* has values ``key=value`` with unique keys."""
    lower = name.lower()
    return lower in _KEYED or lower.endswith("templateparam")


def _group_by_key(values: Iterable[bytes]) -> dict[bytes, tuple[bytes, ...]]:
    """Return *values* by their keys: as a rule one for each."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for value in values:
        key = value.partition(b"=")[0]
        found[key] = (*found.get(key, ()), value)
    return found


class Merge:
    """Merges the changes from *base* to *theirs* into *site*; all trees have the site's names."""

    def __init__(
        self, base: UpgradeTree, theirs: UpgradeTree, site: UpgradeTree, stage: Stage, *, archive_key: NormalDN
    ) -> None:
        self._base, self._theirs, self._site = base, theirs, site
        self._schema: Schema = site.schema
        self._stage = stage
        self._archive_key = archive_key
        self._result = MergeResult(site.copy())
        self._blocked: set[NormalDN] = set()

    def run(self) -> MergeResult:
        """Return the result."""
        added = []
        for key, theirs in self._theirs.iterate_parents_first():
            base, site = self._base.entries.get(key), self._site.entries.get(key)
            if base is None and site is None:
                added.append((key, theirs))
            elif base is None and site is not None:
                self._meet_own_entry(key, theirs, site)
            elif base is not None and site is not None:
                self._result.tree.entries[key] = self._merge_entry(base, theirs, site)
            elif base is not None and not self._are_equal(base, theirs):
                self._result.dropped.append(Dropped(theirs.dn, "the site has removed the entry"))
        for key, theirs in sorted(added, key=lambda item: (_get_rank(item[1]), len(item[0]))):
            self._add(key, theirs)
        self._delete_removed()
        return self._result

    def _merge_entry(self, base: Entry, theirs: Entry, site: Entry) -> Entry:
        merged = site
        names = {each.name.lower(): each.name for entry in (base, theirs, site) for each in entry.attributes}
        for lower, name in names.items():
            if lower in IGNORED:
                continue
            kept = tuple(each for each in theirs.values(name) if not self._refers_to_removed(name, each))
            values = self._merge_values(site.dn, name, _Versions(base.values(name), kept, site.values(name)))
            if values is not None:
                merged = merged.with_values(name, values)
        return merged

    def _merge_values(self, dn: DN, name: str, values: _Versions) -> tuple[bytes, ...] | None:
        """Return the new values of the attribute *name*, or None if the site's stay."""
        a, b, s = (self._normalise(name, each) for each in (values.base, values.theirs, values.site))
        if b in (a, s):
            return None
        if s == a:
            return values.theirs
        definition = self._schema.attribute(name)
        if name.lower() == OBJECT_CLASS.lower():
            return self._combine(name, values)
        if definition is not None and definition.single_valued:
            self._decide(dn, name, "both have changed the value", values)
            return None
        if is_keyed(name):
            return self._merge_keyed(dn, name, values)
        if not s and a:
            self._decide(dn, name, "the site has removed the attribute", values)
            return None
        if a and not (a & s) and b - a:
            self._decide(dn, name, "the site has other values throughout", values)
            return None
        return self._combine(name, values)

    def _combine(self, name: str, values: _Versions) -> tuple[bytes, ...] | None:
        """Return the site's values without those that the release removes, and with those that it adds."""
        a, b, s = (self._normalise(name, each) for each in (values.base, values.theirs, values.site))
        kept = [each for each in values.site if self._normal(name, each) not in a - b]
        new = [each for each in values.theirs if self._normal(name, each) in b - a - s]
        merged = (*kept, *new)
        return None if merged == values.site else merged

    def _merge_keyed(self, dn: DN, name: str, values: _Versions) -> tuple[bytes, ...] | None:
        a, b, s = (_group_by_key(version) for version in (values.base, values.theirs, values.site))
        merged = dict(s)
        for key in dict.fromkeys((*a, *b)):
            old, new, own = (each.get(key, ()) for each in (a, b, s))
            if set(new) in (set(old), set(own)):
                continue
            if set(own) != set(old):
                versions = _Versions(old, new, own)
                self._decide(dn, name, f"both have changed {key.decode(errors='replace')}", versions)
            else:
                merged[key] = new
        result = tuple(value for each in merged.values() for value in each)
        return None if set(result) == set(values.site) else result

    def _decide(self, dn: DN, name: str, reason: str, values: _Versions | None = None) -> None:
        site, release = (values.site, values.theirs) if values is not None else ((), ())
        self._result.decisions.append(Decision(dn, name, reason, site=site, release=release))

    def _meet_own_entry(self, key: NormalDN, theirs: Entry, site: Entry) -> None:
        """Handle a new entry of the release whose name the site uses already."""
        if self._is_part_of(site, theirs):
            for attribute in theirs.attributes:
                if attribute.name.lower() not in IGNORED and attribute.name not in site:
                    site = site.with_values(attribute.name, attribute.values)
                elif attribute.name.lower() not in IGNORED:
                    site = site.with_values(
                        attribute.name,
                        self._combine(attribute.name, _Versions((), attribute.values, site.values(attribute.name)))
                        or site.values(attribute.name),
                    )
            self._result.tree.entries[key] = site
        elif not self._are_equal(site, theirs):
            self._decide(site.dn, "", "the site has an entry of its own with this name")
            self._blocked.add(key)

    def _add(self, key: NormalDN, theirs: Entry) -> None:
        tree = self._result.tree
        if any(is_at_or_below(key, each) for each in self._blocked):
            self._result.dropped.append(Dropped(theirs.dn, "the site has an entry of its own above"))
        elif key[1:] not in tree.entries:
            self._result.dropped.append(Dropped(theirs.dn, "the site does not have the parent entry"))
        elif reason := self._find_reason_against(theirs):
            self._result.dropped.append(Dropped(theirs.dn, reason))
        else:
            entry = theirs
            for attribute in theirs.attributes:
                kept = tuple(each for each in attribute.values if not self._refers_to_removed(attribute.name, each))
                entry = entry.with_values(attribute.name, () if attribute.name.lower() in IGNORED else kept)
            tree.entries[key] = entry

    def _find_reason_against(self, entry: Entry) -> str:
        """Return why the new *entry* of the release is not for this site; empty if it is."""
        tree = self._result.tree
        archive_titles = {
            title
            for key, each in tree.entries.items()
            if key[1:] == self._archive_key and each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in each.texts(DICOM_AE_TITLE)
        }
        if entry.is_a(WEB_APP_OBJECT_CLASS) and not set(entry.texts(DICOM_AE_TITLE)) <= archive_titles:
            return "the site does not have the AE of this web application"
        if entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS) and not self._has_named(
            DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_AE_TITLE, entry.text(DICOM_AE_TITLE)
        ):
            return "the site does not have this AE"
        if entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS) and not self._has_named(
            WEB_APP_OBJECT_CLASS, WEB_APP_NAME, entry.text(WEB_APP_NAME)
        ):
            return "the site does not have this web application"
        title = entry.text(DICOM_AE_TITLE)
        if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and (
            self._has_named(DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_AE_TITLE, title)
            or self._has_named(DICOM_NETWORK_AE_OBJECT_CLASS, OTHER_AE_TITLE, title)
        ):
            self._decide(entry.dn, "", f"the site uses the AE title {title} already")
            self._blocked.add(tree.key(entry.dn))
            return "the site uses its AE title already"
        return ""

    def _has_named(self, object_class: str, attribute: str, name: str | None) -> bool:
        return any(
            each.is_a(object_class) and name in each.texts(attribute) for each in self._result.tree.entries.values()
        )

    def _delete_removed(self) -> None:
        tree = self._result.tree
        removed = [key for key in self._base.entries if key not in self._theirs.entries and key in self._site.entries]
        unchanged = set()
        for key in removed:
            site = self._site.entries[key]
            if not self._are_equal(self._base.entries[key], site):
                self._decide(site.dn, "", "the release removes the entry, and the site has changed it")
            elif self._is_lost_move(key, site):
                self._result.dropped.append(Dropped(site.dn, "the site does not have the AE that gets the capability"))
            else:
                unchanged.add(key)
        self._keep_needed(unchanged)
        for key in sorted(unchanged, key=len, reverse=True):
            if self._stage is Stage.GAP:
                self._result.offered_deletes.append(tree.entries[key].dn)
            else:
                del tree.entries[key]

    def _keep_needed(self, keys: set[NormalDN]) -> None:
        """Take from *keys* the entries that something refers to, or lies below, that stays at the site."""
        while keys:
            needed = {**self._find_referrers(keys), **self._find_parents(keys)}
            for key, reason in needed.items():
                self._result.dropped.append(Dropped(self._site.entries[key].dn, reason))
            keys.difference_update(needed)
            if not needed:
                return

    def _find_parents(self, keys: set[NormalDN]) -> dict[NormalDN, str]:
        above = {each[start:] for each in self._result.tree.entries.keys() - keys for start in range(1, len(each))}
        return dict.fromkeys(keys & above, "the site has entries of its own below it")

    def _find_referrers(self, keys: set[NormalDN]) -> dict[NormalDN, str]:
        references = References(Tree(self._schema, self._result.tree.entries))
        found: dict[NormalDN, str] = {}
        for each in references.all:
            referrer = self._result.tree.key(each.dn)
            if each.use is NameUse.COMPARED or referrer in keys or self._has_value(referrer, each):
                continue
            entry = references.resolve(each)
            key = self._result.tree.key(entry.dn) if entry is not None else None
            if key is not None and key in keys:
                found.setdefault(key, f"{each.dn.rdn} refers to it with {each.attribute}")
        return found

    def _has_value(self, key: NormalDN, reference: Reference) -> bool:
        """Return whether the release itself makes the reference, so that it may be one to nothing."""
        entry = self._theirs.entries.get(key)
        name, value = reference.attribute, reference.value
        return entry is not None and self._normal(name, value) in self._normalise(name, entry.values(name))

    def _is_lost_move(self, key: NormalDN, entry: Entry) -> bool:
        """Return whether the release moves the capability *entry* to an AE that is not in the result."""
        if not entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
            return False
        _, sop_class, role = _get_capability_id(key, entry)
        targets = self._moved_capabilities.get((sop_class, role, key[2:]), set()) - {key[1:]}
        return bool(targets) and not any(each in self._result.tree.entries for each in targets)

    @cached_property
    def _moved_capabilities(self) -> dict[tuple[str, str, NormalDN], set[NormalDN]]:
        """The AEs to which the release adds a capability: SOP class, role and device → AEs."""
        found: dict[tuple[str, str, NormalDN], set[NormalDN]] = defaultdict(set)
        for key, entry in self._theirs.entries.items():
            if key not in self._base.entries and entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                parent, sop_class, role = _get_capability_id(key, entry)
                found[sop_class, role, parent[1:]].add(parent)
        return found

    def _refers_to_removed(self, name: str, value: bytes) -> bool:
        """Return whether *value* is the DN of an entry that the site has removed."""
        definition = self._schema.attribute(name)
        if definition is None or definition.syntax != "DN":
            return False
        try:
            key = self._schema.normalise_dn(DN.parse(value.decode("utf-8", "surrogateescape")))
        except MalformedInput:
            return False
        return key in self._base.entries and key not in self._site.entries

    def _are_equal(self, one: Entry, other: Entry) -> bool:
        return not list(self._list_differing(one, other))

    def _list_differing(self, one: Entry, other: Entry) -> Iterator[str]:
        names = {each.name.lower(): each.name for entry in (one, other) for each in entry.attributes}
        for lower, name in names.items():
            if lower not in IGNORED and self._normalise(name, one.values(name)) != self._normalise(
                name, other.values(name)
            ):
                yield name

    def _is_part_of(self, site: Entry, theirs: Entry) -> bool:
        """Return whether all values of *site* are among those of *theirs*."""
        return all(
            self._normalise(each.name, each.values) <= self._normalise(each.name, theirs.values(each.name))
            for each in site.attributes
            if each.name.lower() not in IGNORED
        )

    def _normalise(self, name: str, values: tuple[bytes, ...]) -> frozenset[bytes]:
        return frozenset(self._normal(name, each) for each in values)

    def _normal(self, name: str, value: bytes) -> bytes:
        return self._schema.normalise_value(name, value)


def _get_rank(entry: Entry) -> int:
    """Return the place in the order of additions: web applications depend on AEs, and registrations on both."""
    return 2 if _is_registration(entry) else int(entry.is_a(WEB_APP_OBJECT_CLASS))


def _is_registration(entry: Entry) -> bool:
    return entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS) or entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS)


class CapabilityNames:
    """The names that *site* gives to transfer capabilities, by AE, SOP class and role."""

    def __init__(self, site: UpgradeTree) -> None:
        self._names: dict[tuple[NormalDN, str, str], list[DN]] = defaultdict(list)
        for key, entry in site.entries.items():
            if entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                self._names[_get_capability_id(key, entry)].append(entry.dn)

    def align(self, key: NormalDN, entry: Entry) -> Entry:
        """Return *entry* with the name of the same capability at the site, unchanged if there is none or several."""
        if not entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
            return entry
        found = self._names.get(_get_capability_id(key, entry), ())
        if len(found) != 1 or found[0].rdn == entry.dn.rdn:
            return entry
        renamed = entry.with_dn(found[0])
        for kind, value in found[0].rdn.parts:
            renamed = renamed.with_values(kind, [value.encode("utf-8", "surrogateescape")])
        return renamed


def align_capabilities(tree: UpgradeTree, site: UpgradeTree) -> UpgradeTree:
    """Return *tree* with the names that *site* gives to the same transfer capabilities: SOP class and role of an AE."""
    names = CapabilityNames(site)
    result, others = UpgradeTree(tree.schema), []
    for key, entry in tree.entries.items():
        aligned = names.align(key, entry)
        if aligned is entry:
            others.append((key, entry))
        else:
            result.put(aligned)
    for key, entry in others:
        # The site has given the name of this capability to another one, and has no such capability any more.
        is_taken = key in result.entries
        result.put(_rename_capability(entry) if is_taken else entry)
    return result


def _rename_capability(entry: Entry) -> Entry:
    """Return the capability *entry* with a name that is unlikely to be in use: its SOP class and role."""
    name = f"{entry.text(DICOM_SOP_CLASS)} {entry.text(DICOM_TRANSFER_ROLE)}"
    return entry.with_dn(entry.dn.parent.child(COMMON_NAME, name)).with_values(COMMON_NAME, [name.encode()])


def _get_capability_id(key: NormalDN, entry: Entry) -> tuple[NormalDN, str, str]:
    return key[1:], entry.text(DICOM_SOP_CLASS) or "", entry.text(DICOM_TRANSFER_ROLE) or ""
