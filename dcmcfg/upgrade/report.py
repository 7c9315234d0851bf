"""What an upgrade changes at a site, place by place, with the official records that each change comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from dcmcfg.changes import Add, Change, Delete, Modify, Operation
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_VENDOR_DATA, OBJECT_CLASS
from dcmcfg.secret_values import format_value
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.plan_source import PlanSource
from dcmcfg.upgrade.preparation import Upgrade
from dcmcfg.upgrade.trees import UpgradeTree

ChangeKind = Literal["add", "modify", "delete"]
#: The origin of a change: ``careful`` are official changes that an administrator checks first, ``clone`` are official
#: changes of an AE that are also made in a copy of the AE.
ChangeClass = Literal["careful", "official", "clone", "vendor_data", "gap"]
_KEY_STORE, _TRUST_STORE = "TLS connections use this key store", "TLS connections use this trust store"
#: Attribute → why an administrator checks a change of it before the upgrade.
_CHECKS = {
    "dcmURI": "check that the new URI is the same folder on the archive's host",
    "dcmQueryRetrieveViewID": "decides which rejected instances users see",
    "dcmAcceptedUserRole": "decides who can use this",
    "dcmObjectStorageID": "decides where new files are stored",
    "dicomPort": "the port must be free, and firewalls must allow it",
    "dcmKeyStoreURL": _KEY_STORE,
    "dcmKeyStoreType": _KEY_STORE,
    "dcmKeyStorePin": _KEY_STORE,
    "dcmKeyStorePinProperty": _KEY_STORE,
    "dcmKeyStoreKeyPin": _KEY_STORE,
    "dcmKeyStoreKeyPinProperty": _KEY_STORE,
    "dcmTrustStoreURL": _TRUST_STORE,
    "dcmTrustStoreType": _TRUST_STORE,
    "dcmTrustStorePin": _TRUST_STORE,
    "dcmTrustStorePinProperty": _TRUST_STORE,
}
_CHECKS_BY_LOWER_NAME = {name.lower(): reason for name, reason in _CHECKS.items()}
_STORAGE_URI, _STORAGE_CLASS = "dcmURI", "dcmStorage"
_STORAGE_CHECK = "the settings of a storage decide where files are stored, and when files are deleted"
_TAKEN_CHECK = "your decision replaces the site's value"
_DELETE_CHECK = "the entry is deleted"
_VENDOR_FILE = "vendor-data.zip"
_DESCRIPTION = "dicomdescription"
#: Attribute → what its removal by the release means.
_REMAINDER_EFFECTS = {"dcmaccepteduserrole": ", which gives access to all users"}


@dataclass(frozen=True, kw_only=True)
class PlannedChange:
    """The change of one place: of the attribute ``attribute``, or of a whole entry (then ``attribute`` is empty).

    ``before`` and ``after`` are the attributes with values at this place, none if it is empty. ``places`` are the
    official records that cause the change (``5.32.0/update-dev-5.32.0.ldif:14``). With ``is_gap``, it also or only
    removes a difference from a new installation. ``check`` is why to check the change, or empty.
    """

    dn: DN
    attribute: str
    kind: ChangeKind
    before: tuple[Attribute, ...]
    after: tuple[Attribute, ...]
    places: tuple[str, ...]
    change_class: ChangeClass
    is_gap: bool = False
    check: str = ""

    @property
    def added(self) -> tuple[bytes, ...]:
        """The new values of a changed attribute."""
        old = {value for each in self.before for value in each.values}
        return tuple(value for each in self.after for value in each.values if value not in old)

    @property
    def removed(self) -> tuple[bytes, ...]:
        """The values that a changed attribute loses."""
        new = {value for each in self.after for value in each.values}
        return tuple(value for each in self.before for value in each.values if value not in new)


@dataclass(frozen=True)
class ChangeGroup:
    """Equal changes of one or more places; ``name`` is the attribute, or the object class of added or deleted entries.

    Changes of an attribute are equal if they add and remove the same values, added entries if they have the same class.
    """

    name: str
    changes: tuple[PlannedChange, ...]

    @property
    def kind(self) -> ChangeKind:
        return self.changes[0].kind

    @property
    def places(self) -> tuple[str, ...]:
        """The official records of all changes, each once."""
        return tuple(dict.fromkeys(place for each in self.changes for place in each.places))


@dataclass(frozen=True, kw_only=True)
class UpgradeReport:
    """The report of an upgrade for all formats.

    ``subject`` is the site or the file that was read; ``plan_file`` is the file of the plan, or empty. ``changes`` are
    parents first. ``source`` are the user's folders and choices. With ``has_schema``, the server has the schema of the
    release already.
    """

    upgrade: Upgrade
    changes: tuple[PlannedChange, ...]
    subject: str
    created: datetime
    source: PlanSource
    plan_file: str = ""
    has_schema: bool = False

    @property
    def headline(self) -> str:
        """The report in one sentence."""
        count, decisions = len(self.changed_dns), self.open_count
        entries = "1 entry changes" if count == 1 else f"{count:,} entries change"
        left = {0: "nothing is left to decide", 1: "1 decision is open"}.get(
            decisions, f"{decisions} decisions are open"
        )
        return f"Upgrade from {self.upgrade.source.label} to {self.upgrade.target.label}: {entries}, {left}"

    @property
    def open_count(self) -> int:
        """The number of decisions without an answer, including files of the vendor data."""
        upgrade = self.upgrade
        return (
            len(upgrade.decisions)
            + len(upgrade.vendor.conflicts)
            + (len(upgrade.gap_decisions) if upgrade.options.gap else 0)
        )

    @property
    def changed_dns(self) -> Mapping[DN, ChangeKind]:
        """The entries that the plan changes."""
        return {each.dn: each.kind for each in self.changes}

    @property
    def replaced_count(self) -> int:
        """The number of changed entries that are deleted and added again, because their structural class changes."""
        changes = self.upgrade.plan.changes
        deleted, added = ({each.dn for each in changes if isinstance(each, kind)} for kind in (Delete, Add))
        return len(deleted & added)

    @property
    def files(self) -> frozenset[str]:
        """The official files that the changes come from."""
        return frozenset(place.rpartition(":")[0] for each in self.changes for place in each.places if ":" in place)

    @property
    def checked_first(self) -> tuple[PlannedChange, ...]:
        """The changes that an administrator checks before the upgrade."""
        return tuple(each for each in self.changes if each.check)

    @property
    def groups(self) -> tuple[ChangeGroup, ...]:
        """All changes in groups: added entries, deleted entries, then attributes; the largest groups first."""
        tree = self.upgrade.plan.before
        found: dict[tuple[object, ...], list[PlannedChange]] = {}
        for each in self.changes:
            if each.attribute:
                values = (frozenset(each.added), frozenset(each.removed), bool(each.before), bool(each.after))
                found.setdefault((each.attribute, *values, each.is_gap, each.check), []).append(each)
            else:
                name = _find_class_name(each.after or each.before, UpgradeTree(tree.schema))
                found.setdefault((name, each.kind, each.is_gap), []).append(each)
        groups = [ChangeGroup(str(key[0]), tuple(each)) for key, each in found.items()]
        order = ("add", "delete", "modify")
        return tuple(sorted(groups, key=lambda each: (order.index(each.kind), -len(each.changes), each.name)))


def _find_class_name(attributes: Iterable[Attribute], tree: UpgradeTree) -> str:
    """Return the last structural class, because upstream's files list the most specific class last."""
    names = [
        value.decode("utf-8", "replace")
        for each in attributes
        if each.name.lower() == OBJECT_CLASS.lower()
        for value in each.values
    ]
    structural = [
        name
        for name in names
        if (definition := tree.schema.object_class(name)) is not None and definition.kind == "structural"
    ]
    return (structural or names or [OBJECT_CLASS])[-1]


def list_planned_changes(upgrade: Upgrade) -> tuple[PlannedChange, ...]:
    """Return the changes of the plan of *upgrade*, parents first."""
    before, after = upgrade.plan.before, upgrade.plan.after
    tree = UpgradeTree(before.schema, before.entries)
    sources = _Sources(upgrade, tree)
    keys = {tree.key(each.dn) for each in upgrade.plan.changes}
    taken = {(tree.key(each.dn), each.attribute.lower()) for each in upgrade.taken}
    return tuple(
        _mark_taken(change) if {(key, change.attribute.lower()), (key, "")} & taken else change
        for key in sorted(keys, key=lambda each: (len(each), each))
        for change in _list_changes(key, before.entries.get(key), after.entries.get(key), sources)
    )


def _mark_taken(change: PlannedChange) -> PlannedChange:
    """Return *change*, which an answer of the user has caused, as one to check first."""
    change_class: ChangeClass = "careful" if change.change_class == "official" else change.change_class
    check = f"{change.check}; {_TAKEN_CHECK}" if change.check else _TAKEN_CHECK
    return replace(change, check=check, change_class=change_class)


class _Sources:
    """The origin of changes: the records of the update files by entry, and the differences from a new installation."""

    def __init__(self, upgrade: Upgrade, tree: UpgradeTree) -> None:
        self.tree = tree
        self._places = upgrade.reconstructed.places
        self._records: dict[str, Change] = {
            record.place: record.change for file in upgrade.target.updates for record in file.records
        }
        self.gap = {tree.key(each.dn): each for each in upgrade.gap_changes if each.is_made}
        self._theirs, self._fresh = upgrade.theirs, upgrade.fresh
        titles = {
            title: key
            for key, entry in upgrade.status.view.children
            if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in entry.texts(DICOM_AE_TITLE)
        }
        self._originals = {
            titles[clone]: titles[offer.original]
            for offer in upgrade.changed_clones
            for clone in offer.titles
            if clone in titles and offer.original in titles
        }

    def is_clone(self, key: NormalDN) -> bool:
        """Return whether *key* is a clone of an AE, or below it."""
        return any(key[start:] in self._originals for start in range(len(key)))

    def removes_attribute(self, key: NormalDN, name: str, *, is_gap: bool) -> bool:
        """Return whether the release has the entry *key*, but not the attribute *name* there."""
        entry = (self._fresh if is_gap else self._theirs).entries.get(key)
        return entry is not None and not entry.values(name)

    def list_records(self, key: NormalDN) -> list[tuple[str, Change]]:
        """Return the records that write the entry *key*; for an entry of a clone those of the original AE."""
        for start in range(len(key)):
            if key[start:] in self._originals:
                key = (*key[:start], *self._originals[key[start:]])
                break
        return [(place, self._records[place]) for place in self._places.get(key, ()) if place in self._records]

    def find_attribute_places(self, key: NormalDN, change: PlannedChange) -> tuple[str, ...]:
        """Return the records that cause *change* of an attribute.

        These are the records with the values that are added or removed. If no record has one of these values, because
        the site has other names, it is every record that writes the attribute.
        """
        name = change.attribute
        if name.lower() == DICOM_VENDOR_DATA.lower():
            return (_VENDOR_FILE,)
        changed = self.tree.normalise(name, (*change.added, *change.removed))
        written = [
            (place, values)
            for place, record in self.list_records(key)
            if (values := _list_written_values(record, name)) is not None
        ]
        exact = [place for place, values in written if not values or self.tree.normalise(name, values) & changed]
        if not exact and change.removed:
            # An entry that is deleted and added again loses what the new one does not have.
            exact = [place for place, record in self.list_records(key) if isinstance(record, Delete)]
        return tuple(exact or ([] if change.is_gap else [place for place, _ in written]))


def _list_written_values(change: Change, name: str) -> tuple[bytes, ...] | None:
    """Return the values of the attribute *name* in *change*, empty if it takes all; None if it is not in *change*."""
    match change:
        case Add(entry):
            return entry.values(name) or None
        case Modify(_, modifications):
            found = [each for each in modifications if each.name.lower() == name.lower()]
            if any(each.operation is Operation.REPLACE or not each.values for each in found):
                return ()
            return tuple(value for each in found for value in each.values) or None
        case _:
            return None


def _list_changes(key: NormalDN, old: Entry | None, new: Entry | None, sources: _Sources) -> Iterator[PlannedChange]:
    match old, new:
        case Entry(), Entry():
            yield from _list_attribute_changes(key, old, new, sources)
        case None, Entry():
            is_gap = key in sources.gap
            yield PlannedChange(
                dn=new.dn,
                attribute="",
                kind="add",
                before=(),
                after=new.attributes,
                places=() if is_gap else tuple(place for place, _ in sources.list_records(key)),
                change_class=_classify(key, sources, is_gap=is_gap),
                is_gap=is_gap,
            )
        case Entry(), None:
            is_gap = key in sources.gap
            records = sources.list_records(key)
            deletes = [place for place, change in records if isinstance(change, Delete)]
            yield PlannedChange(
                dn=old.dn,
                attribute="",
                kind="delete",
                before=old.attributes,
                after=(),
                places=() if is_gap else tuple(deletes or (place for place, _ in records)),
                change_class=_classify(key, sources, is_gap=is_gap, check=_DELETE_CHECK),
                is_gap=is_gap,
                check=_DELETE_CHECK,
            )


def _list_attribute_changes(key: NormalDN, old: Entry, new: Entry, sources: _Sources) -> Iterator[PlannedChange]:
    names = {each.name.lower(): each.name for entry in (old, new) for each in entry.attributes}
    gap = sources.gap.get(key)
    gap_names = {each.lower() for each in gap.attributes} if gap is not None else set()
    for lower, name in sorted(names.items()):
        if sources.tree.normalise(name, old.values(name)) == sources.tree.normalise(name, new.values(name)):
            continue
        is_gap = lower in gap_names
        check = _find_check(lower, new)
        if lower not in IGNORED and new.values(name) and sources.removes_attribute(key, name, is_gap=is_gap):
            check = _describe_remainder(name, old, new, check)
        change = PlannedChange(
            dn=new.dn,
            attribute=name,
            kind="modify",
            before=_make_attributes(name, old.values(name)),
            after=_make_attributes(name, new.values(name)),
            places=(),
            change_class=_classify(key, sources, is_gap=is_gap, check=check, attribute=name),
            is_gap=is_gap,
            check=check,
        )
        yield replace(change, places=sources.find_attribute_places(key, change))


def _find_check(lower_name: str, entry: Entry) -> str:
    """Return why to check a change of an attribute; the URI of something other than a storage is harmless."""
    if lower_name in IGNORED:
        return ""
    if entry.is_a(_STORAGE_CLASS):
        return _CHECKS_BY_LOWER_NAME.get(lower_name, "" if lower_name == _DESCRIPTION else _STORAGE_CHECK)
    return "" if lower_name == _STORAGE_URI.lower() else _CHECKS_BY_LOWER_NAME.get(lower_name, "")


def _describe_remainder(name: str, old: Entry, new: Entry, check: str) -> str:
    """Return why to check an attribute that the release removes, of which the site's own values stay.

    A list of allowed names with fewer names is stricter, whereas the release without the list allows all.
    """
    before, after = (
        ", ".join(format_value(name, value) for value in sorted(entry.values(name))) for entry in (old, new)
    )
    effect = _REMAINDER_EFFECTS.get(name.lower(), "")
    added = f"the release removes {name}{effect}, but the values that the site has added stay"
    return "; ".join(filter(None, (check, f"before: {before}; after: {after}; {added}")))


def _classify(key: NormalDN, sources: _Sources, *, is_gap: bool, check: str = "", attribute: str = "") -> ChangeClass:
    if attribute.lower() == DICOM_VENDOR_DATA.lower():
        return "vendor_data"
    if is_gap:
        return "gap"
    if check:
        return "careful"
    return "clone" if sources.is_clone(key) else "official"


def _make_attributes(name: str, values: Sequence[bytes]) -> tuple[Attribute, ...]:
    return (Attribute(name, tuple(values)),) if values else ()
