"""The gap: the differences between the tree after the official changes and the default of the release."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.dn import DN, RDN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_DEVICE_NAME
from dcmcfg.upgrade.merge_result import MergeResult
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.options import GAP_KINDS, UpgradeOptions
from dcmcfg.upgrade.release import PART_COMPONENTS, OfficialRecord, UpdateFile
from dcmcfg.upgrade.trees import UpgradeTree

_PART_NAMES = (DICOM_AE_TITLE.lower(), DICOM_DEVICE_NAME.lower())
_Names = frozenset[str]


@dataclass(frozen=True)
class GapChange:
    """A difference between the tree after the official changes and the default of the release.

    ``kind`` is one of :data:`~dcmcfg.upgrade.options.GAP_KINDS`; ``is_made`` is true if the plan makes the change.
    ``places`` are the official records that a correction makes up for.
    """

    kind: str
    dn: DN
    attributes: tuple[str, ...]
    _: KW_ONLY
    is_made: bool
    places: tuple[str, ...] = ()


class Misses:
    """Official records that miss their target, by the entry that they should have written.

    These are records that OpenLDAP's tools skip, records whose target is not in the default (*failing* places), and
    records that address another AE than that of their file. Entries are looked up by their DN at the site.
    """

    def __init__(self, files: Iterable[UpdateFile], failing: Sequence[str], mapping: NameMapping) -> None:
        self._mapping = mapping.inverse()
        #: First RDN and component, or the whole DN → the attributes that the records write, by place.
        self._by_component: dict[tuple[str, str], dict[str, _Names | None]] = defaultdict(dict)
        self._by_dn: dict[str, dict[str, _Names | None]] = defaultdict(dict)
        known_failing = frozenset(failing)
        for file in files:
            for record in file.skipped:
                self._by_dn[str(record.change.dn).lower()][record.place] = _list_names(record.change)
            for record in file.records:
                if record.place in known_failing:
                    # The whole entry is missing, so the gap adds it.
                    self._by_dn[str(record.change.dn).lower()][record.place] = None
                elif _is_for_other_part(record, file.component):
                    rdn = str(record.change.dn.rdn).lower()
                    self._by_component[rdn, file.component.lower()][record.place] = _list_names(record.change)

    def find_places(self, dn: DN, attributes: Sequence[str]) -> tuple[str, ...]:
        """Return the records that should have made the change of *attributes* at *dn*, or have added the entry."""
        official = self._mapping.map_dn(dn)
        found = dict(self._by_dn.get(str(official).lower(), {}))
        for part in _list_parts(official):
            found.update(self._by_component.get((str(official.rdn).lower(), part), {}))
        names = {each.lower() for each in attributes}
        return tuple(place for place, written in found.items() if written is None or names <= written)


def _list_names(change: Change) -> _Names | None:
    """Return the attributes that *change* writes, in lower case; None for a whole entry."""
    match change:
        case Modify(_, modifications):
            return frozenset(each.name.lower() for each in modifications)
        case Add():
            return None
    return frozenset()


def _list_parts(dn: DN) -> tuple[str, ...]:
    """Return the names of the AE and of the device in *dn*, in lower case."""
    return tuple(value.lower() for rdn in dn.rdns for kind, value in rdn.parts if kind.lower() in _PART_NAMES)


def _is_for_other_part(record: OfficialRecord, component: str) -> bool:
    """Return whether *record* writes into an AE, and the file is for another AE or device."""
    rdns: tuple[RDN, ...] = record.change.dn.rdns
    ae = next((value for rdn in rdns[1:] for kind, value in rdn.parts if kind.lower() == DICOM_AE_TITLE.lower()), None)
    return ae is not None and component in PART_COMPONENTS and component.lower() not in _list_parts(record.change.dn)


def apply_gap(
    official: UpgradeTree, gap: MergeResult, misses: Misses, options: UpgradeOptions
) -> tuple[UpgradeTree, tuple[GapChange, ...]]:
    """Return the tree with the gap changes that *options* request, and all gap changes by kind, parents first."""
    result, changes = official.copy(), []
    for key in sorted(list_differing_keys(official, gap.tree), key=lambda each: (len(each), each)):
        old, new = official.entries.get(key), gap.tree.entries.get(key)
        if new is None:
            continue
        names = () if old is None else tuple(_list_differing_names(old, new, official))
        places = misses.find_places(new.dn, names)
        kind = "corrections" if places else "additions" if old is None else "values"
        is_made = options.wants_gap(kind) and key[1:] in result.entries
        changes.append(GapChange(kind, new.dn, names, is_made=is_made, places=places))
        if is_made:
            result.entries[key] = new
    child_counts = Counter(key[1:] for key in result.entries)
    # Children first.
    for dn in sorted(gap.offered_deletes, key=lambda each: (-len(each.rdns), str(each).lower())):
        key = official.key(dn)
        is_made = options.wants_gap("removals") and not child_counts[key]
        changes.append(GapChange("removals", dn, (), is_made=is_made))
        if is_made:
            result.entries.pop(key, None)
            child_counts[key[1:]] -= 1
    return result, tuple(sorted(changes, key=lambda each: GAP_KINDS.index(each.kind)))


def list_differing_keys(one: UpgradeTree, other: UpgradeTree) -> Iterator[NormalDN]:
    """Yield the keys of the entries that *one* and *other* do not have with the same values."""
    for key in one.entries.keys() | other.entries.keys():
        if one.entries.get(key) is not other.entries.get(key) and one.entries.get(key) != other.entries.get(key):
            yield key


def _list_differing_names(one: Entry, other: Entry, tree: UpgradeTree) -> Iterator[str]:
    names = {each.name.lower(): each.name for entry in (one, other) for each in entry.attributes}
    for name in sorted(names.values()):
        if tree.normalise(name, one.values(name)) != tree.normalise(name, other.values(name)):
            yield name
