"""Reconstruct what a site once was: follow the official files on the default, and keep what has evidently run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Change, Delete, Modify, Operation
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.capability_names import CapabilityNames, align_capabilities
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.own_parts import NO_OWN_PARTS, OwnParts, find_own_parts
from dcmcfg.upgrade.release import OfficialRecord, UpdateFile, Version
from dcmcfg.upgrade.trees import NormalValues, UpgradeTree

#: The limits of the evidence, tuned on half-upgraded trees.
_MIN_TELLING, _MIN_BEHIND, _MIN_BEYOND, _SHORT_REST = 3, 3, 2, 2


@dataclass(frozen=True, kw_only=True)
class ReconstructedBase:
    """What the site once was (``base``), and what the release makes of the default (``theirs``), with the site's names.

    ``places`` are the records that write an entry: key → places in update files. ``failing`` are the places of records
    that do not apply to the default itself. ``behind`` are the components that the updates have not reached. ``own``
    are the site's own AEs and web applications with the names of parts that the release brings; the base lacks them.
    """

    base: UpgradeTree
    theirs: UpgradeTree
    places: Mapping[NormalDN, tuple[str, ...]]
    failing: tuple[str, ...]
    behind: tuple[str, ...]
    own: OwnParts = NO_OWN_PARTS


@dataclass(frozen=True, kw_only=True)
class _FollowedRecord:
    """A record with the site's names, and the state of its entry before and after it."""

    record: OfficialRecord
    change: Change
    key: NormalDN
    before: Entry | None
    after: Entry | None

    @property
    def is_effective(self) -> bool:
        """Whether the record changes the default."""
        return self.before is not self.after and self.before != self.after


@dataclass(frozen=True)
class KnownDefault:
    """The default of a release of ``version`` with the names of the site, which the site may have taken values from."""

    version: Version | None
    tree: UpgradeTree


def reconstruct_base(
    default: UpgradeTree,
    files: Sequence[UpdateFile],
    mapping: NameMapping,
    site: UpgradeTree,
    *,
    tree_version: Version,
    known: Sequence[KnownDefault] = (),
    declared: Collection[str] = (),
) -> ReconstructedBase:
    """Return the base of *site*: *default* (with the names of the site) after those of *files* that have evidently run.

    *default* has the names that the release gives to transfer capabilities. *tree_version* is the release that the tree
    is at. *known* are the defaults of other releases, the target first: if the site has a value of one of them, only
    the files after that release change it. The AE titles *declared* are those of parts that the release brings.
    """
    names = CapabilityNames(site)
    theirs = align_capabilities(default, site)
    path = _Path(theirs, [theirs.copy()])
    followed: list[tuple[UpdateFile, list[_FollowedRecord]]] = []
    places: dict[NormalDN, list[str]] = defaultdict(list)
    failing: list[str] = []
    # The names of the release: its records address transfer capabilities by them.
    official = default.copy()
    others = [_Path(each.tree.copy(), [each.tree]) for each in known]
    for file in files:
        records = []
        for record in file.records:
            change = _align_change(mapping.map_change(record.change), official, names)
            key = theirs.key(change.dn)
            before = theirs.entries.get(key)
            if not theirs.apply(change):
                failing.append(record.place)
            for each, other in zip(known, others, strict=True):
                if each.version is not None and file.version > each.version:
                    other.theirs.apply(change)
            places[key].append(record.place)
            records.append(
                _FollowedRecord(record=record, change=change, key=key, before=before, after=theirs.entries.get(key))
            )
        followed.append((file, records))
        path.states.append(theirs.copy())
    states = [state for each in (path, *others) for state in each.states]
    own = find_own_parts(site, path.states[0], states, declared)
    followed = [(file, [each for each in records if not _is_about(each, own)]) for file, records in followed]
    behind = _find_behind(followed, site, tree_version)
    actual = path.states[0].copy()
    for file, records in followed:
        count = _count_run(file, records, site, tree_version=tree_version, is_behind=_name_component(file) in behind)
        for run in records[:count]:
            actual.apply(run.change)
    # A value of the target is as new as can be, so it comes first; that of another default is the last to be tried.
    base, theirs = _build_base(own.leave_out(site), actual, path, [*others[:1], path, *others[1:]])
    return ReconstructedBase(
        base=base,
        theirs=theirs,
        places={key: tuple(each) for key, each in places.items()},
        failing=tuple(failing),
        behind=tuple(sorted(behind)),
        own=own,
    )


def _is_about(followed: _FollowedRecord, own: OwnParts) -> bool:
    """Return whether the record is about an official part whose name the site has given to a part of its own."""
    entry = followed.after or followed.before
    return own.contains(followed.key) or (entry is not None and own.registers(entry))


@dataclass(frozen=True)
class _Path:
    """The states of a default on its way to the target, the oldest first, and what it becomes there (``theirs``)."""

    theirs: UpgradeTree
    states: list[UpgradeTree]


def _align_change(change: Change, official: UpgradeTree, names: CapabilityNames) -> Change:
    """Apply *change* to *official*, and return it with the names that the site gives to transfer capabilities."""
    key = official.key(change.dn)
    entry = change.entry if isinstance(change, Add) else official.entries.get(key)
    official.apply(change)
    if entry is None:
        return change
    aligned = names.align(key, entry)
    match change:
        case _ if aligned is entry:
            return change
        case Add():
            return Add(aligned)
        case Modify() | Delete():
            return replace(change, dn=aligned.dn)
    return change


def _name_component(file: UpdateFile) -> str:
    return file.component


def has_evidence(followed: _FollowedRecord, site: UpgradeTree) -> bool:
    """Return whether *site* shows that the record has run: a value or entry that it adds and that was not there before.

    Removals count only for records that add nothing: a value that the administrator changed looks removed.
    """
    entry = site.entries.get(followed.key)
    match followed.change:
        case Add(added):
            return entry is not None and followed.before is None and _holds_half(entry, added, site)
        case Delete():
            return entry is None and followed.before is not None and followed.key[1:] in site.entries
        case Modify(_, modifications):
            if entry is None:
                return False
            adds = [each for each in modifications if each.operation is not Operation.DELETE and each.values]
            if adds:
                return any(
                    bool(
                        (site.normalise(each.name, each.values) - _get_values(followed.before, each.name, site))
                        & site.normalise(each.name, entry.values(each.name))
                    )
                    for each in adds
                )
            return all(
                not (
                    (site.normalise(each.name, each.values) or _get_values(followed.before, each.name, site))
                    & site.normalise(each.name, entry.values(each.name))
                )
                for each in modifications
            )
    return False


def _get_values(entry: Entry | None, name: str, tree: UpgradeTree) -> frozenset[bytes]:
    return tree.normalise(name, entry.values(name)) if entry is not None else frozenset()


def _holds_half(entry: Entry, added: Entry, tree: UpgradeTree) -> bool:
    naming = {kind.lower() for kind, _ in added.dn.rdn.parts} | {OBJECT_CLASS.lower()} | IGNORED
    values = [
        (each.name, value)
        for each in added.attributes
        if each.name.lower() not in naming
        for value in tree.normalise(each.name, each.values)
    ]
    held = sum(value in tree.normalise(name, entry.values(name)) for name, value in values)
    return not values or held * 2 >= len(values)


def _can_tell(followed: _FollowedRecord, site: UpgradeTree) -> bool:
    """Return whether the site could show that the record has run."""
    if not followed.is_effective:
        return False
    if isinstance(followed.change, Add):
        return followed.key[1:] in site.entries
    return followed.key in site.entries or isinstance(followed.change, Delete)


def _find_behind(
    followed: Sequence[tuple[UpdateFile, list[_FollowedRecord]]], site: UpgradeTree, tree_version: Version
) -> frozenset[str]:
    """Return the components of which fewer than half of the records up to *tree_version* have evidence."""
    telling: dict[str, list[bool]] = defaultdict(list)
    for file, records in followed:
        if file.version <= tree_version:
            telling[_name_component(file)] += [has_evidence(each, site) for each in records if _can_tell(each, site)]
    return frozenset(
        name for name, found in telling.items() if len(found) >= _MIN_BEHIND and sum(found) * 2 < len(found)
    )


def _count_run(
    file: UpdateFile,
    records: Sequence[_FollowedRecord],
    site: UpgradeTree,
    *,
    tree_version: Version,
    is_behind: bool,
) -> int:
    """Return how many of the first *records* of *file* have evidently run at the site."""
    evidence = [has_evidence(each, site) for each in records]
    telling = sum(_can_tell(each, site) for each in records)
    if file.version > tree_version:
        # Half of all records that have an effect: the records below an entry that failed cannot show anything.
        found, effective = sum(evidence), sum(each.is_effective for each in records)
        if found < _MIN_BEYOND or found * 2 < effective:
            return 0
        return len(evidence) - evidence[::-1].index(True)
    if any(evidence):
        last = len(evidence) - evidence[::-1].index(True)
        rest = len(records) - last
        is_short = rest <= _SHORT_REST or rest * 4 <= len(records)
        could_run = rest == 0 or _could_run(records[last], site)
        return len(records) if is_short and could_run else last
    if telling >= _MIN_TELLING or is_behind:
        return 0
    if telling and not any(_can_tell(each, site) and not _has_failed(each, site) for each in records):
        # The file as shipped names parts that the site has under other names, so its records have failed.
        return 0
    return len(records)


def _could_run(followed: _FollowedRecord, site: UpgradeTree) -> bool:
    """Return whether the record itself, with the names of the default, could be applied at the site."""
    key = site.key(followed.record.change.dn)
    return key[1:] in site.entries if isinstance(followed.record.change, Add) else key in site.entries


def _has_failed(followed: _FollowedRecord, site: UpgradeTree) -> bool:
    """Return whether the record cannot have run as shipped, because its part has another name at the site."""
    return followed.key != site.key(followed.record.change.dn) and not _could_run(followed, site)


def _build_base(
    site: UpgradeTree, actual: UpgradeTree, path: _Path, paths: Sequence[_Path]
) -> tuple[UpgradeTree, UpgradeTree]:
    """Return base and theirs: unchanged means equal to a state of any path, and then that path leads on."""
    base, theirs = UpgradeTree(site.schema), path.theirs.copy()
    for key, entry in actual.entries.items():
        own = site.entries.get(key)
        if own is None:
            base.entries[key] = entry
        else:
            found = _find_paths(key, own, entry, paths)
            base.entries[key] = _copy_values(entry, own, found)
            for name, each in found.items():
                if key in theirs.entries and key in each.theirs.entries:
                    values = each.theirs.entries[key].values(name)
                    theirs.entries[key] = theirs.entries[key].with_values(name, values)
    for key, own in site.entries.items():
        if key in base.entries:
            continue
        for each in paths:
            if any(key in state.entries and _are_equal(state.entries[key], own, site) for state in each.states):
                base.entries[key] = own
                if each is not path and key in each.theirs.entries:
                    theirs.entries[key] = each.theirs.entries[key]
                break
    return base, theirs


def _find_paths(key: NormalDN, own: Entry, actual: Entry, paths: Sequence[_Path]) -> dict[str, _Path]:
    """Return the path that has the site's values, for each attribute of *own* whose values *actual* does not have."""
    found: dict[str, _Path] = {}
    official = (state.entries[key] for each in paths for state in each.states if key in state.entries)
    names = {each.name.lower(): each.name for entry in (own, actual, *official) for each in entry.attributes}
    tree = paths[0].theirs
    for name in names.values():
        mine = tree.normalise(name, own.values(name))
        if mine != tree.normalise(name, actual.values(name)):
            path = next((each for each in paths if _has_values(each, key, name, mine)), None)
            if path is not None:
                found[name] = path
    return found


def _copy_values(entry: Entry, source: Entry, names: Iterable[str]) -> Entry:
    for name in names:
        entry = entry.with_values(name, source.values(name))
    return entry


def _has_values(path: _Path, key: NormalDN, name: str, values: NormalValues) -> bool:
    return any(
        key in state.entries and state.normalise(name, state.entries[key].values(name)) == values
        for state in path.states
    )


def _are_equal(one: Entry, other: Entry, tree: UpgradeTree) -> bool:
    names = {each.name.lower(): each.name for entry in (one, other) for each in entry.attributes}
    return all(
        lower in IGNORED or tree.normalise(name, one.values(name)) == tree.normalise(name, other.values(name))
        for lower, name in names.items()
    )
