"""The risks of a plan that the user must accept by name, such as references to missing entries."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from dcmcfg.changes import Add, Delete, Modify, Rename
from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.plan.access_lists import find_unknown_accepted_titles
from dcmcfg.plan.entry_comparison import VENDOR_DATA
from dcmcfg.plan.entry_names import EntryNames
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies
from dcmcfg.plan.warnings import format_finding
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema_names import ARCHIVE_DEVICE_OBJECT_CLASS, DICOM_DEVICE_NAME, DICOM_DEVICE_OBJECT_CLASS
from dcmcfg.suggestions import join_limited

#: An attribute and the DN in its value.
AttributeReference = tuple[str, str]


def find_removed_names(plan: Plan) -> tuple[NormalDN, ...]:
    """Return the names that exist before *plan*, but not after it."""
    if _has_renames(plan):
        return tuple(key for key in plan.before.entries if key not in plan.after.entries)
    # Without renames, only deletes remove names; a pass over all entries takes longer.
    keys = (plan.before.key(step.change.dn) for step in plan.steps if isinstance(step.change, Delete))
    return tuple(key for key in keys if key in plan.before.entries and key not in plan.after.entries)


def find_new_dangling_references(plan: Plan) -> Iterator[tuple[DN, str, str]]:
    """Yield (entry, attribute, DN) of each reference that dangles after *plan*, but did not before it."""
    before, after = _DanglingReferencesBefore(plan), _DNReferences(plan.after)
    for key in _names_to_check(plan):
        entry = plan.after.entries[key]
        if dangling := after.find_dangling(entry):
            known = before.find_in(key)
            yield from ((entry.dn, name, text) for name, text in dangling if (name, text) not in known)


def _has_renames(plan: Plan) -> bool:
    return any(isinstance(step.change, Rename) for step in plan.steps)


def _names_to_check(plan: Plan) -> Iterable[NormalDN]:
    """Return the names of entries that may have new dangling references: all if a name was removed."""
    if _has_renames(plan) or find_removed_names(plan):
        return plan.after.entries
    written = (plan.after.key(step.after.dn) for step in plan.steps if step.after is not None)
    return [key for key in dict.fromkeys(written) if key in plan.after.entries]


class _DNReferences:
    """The references in a tree: values of DN syntax. A reference to a DN outside the tree is not dangling."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._top = min(tree.entries, key=len, default=())
        self._is_reference: dict[str, bool] = {}

    def find_dangling(self, entry: Entry) -> list[AttributeReference]:
        """Return the dangling references of *entry*."""
        attributes = (attribute for attribute in entry.attributes if self._holds_references(attribute))
        return [
            (attribute.name, text)
            for attribute in attributes
            for text in (value.decode("utf-8", "surrogateescape") for value in attribute.values)
            if self._is_dangling(text)
        ]

    def _holds_references(self, attribute: Attribute) -> bool:
        known = self._is_reference.get(attribute.name)
        if known is None:
            definition = self._tree.schema.attribute(attribute.name)
            known = self._is_reference[attribute.name] = definition is not None and definition.syntax == "DN"
        return known

    def _is_dangling(self, text: str) -> bool:
        try:
            key = self._tree.key(DN.parse(text))
        except MalformedInput:
            return False  # not a DN: the server reports this
        return key not in self._tree.entries and is_at_or_below(key, self._top)


class _DanglingReferencesBefore:
    """The dangling references before a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._references = _DNReferences(plan.before)

    def find_in(self, key: NormalDN) -> Collection[AttributeReference]:
        """Return the dangling references of the entry at *key*; of all entries, if it may have had another name."""
        entry = self._plan.before.entries.get(key)
        if entry is not None:
            return self._references.find_dangling(entry)
        return self._all_dangling if _has_renames(self._plan) else ()

    @cached_property
    def _all_dangling(self) -> frozenset[AttributeReference]:
        entries = self._plan.before.entries.values()
        return frozenset(each for entry in entries for each in self._references.find_dangling(entry))


MANY_CHANGES = "many-changes"
MANY_DELETES = "many-deletes"
ARCHIVE_DEVICE = "archive-device"
RECORDED_STUDIES = "recorded-studies"
STORED_OBJECTS = "stored-objects"
DANGLING_REFERENCE = "dangling-reference"
VENDOR_DATA_CHANGE = "vendor-data"
UNLOADABLE = "unloadable"
UNUSABLE_REFERENCE = "unusable-reference"

#: An entry, one of its attributes (in lower case), and the name or DN in the value.
ReferenceKey = tuple[DN, str, str]

#: A plan changes or deletes many entries above this share of the existing entries. In a configuration with fewer
#: entries than the minimum, a normal change easily exceeds the share.
_MASS_CHANGE_SHARE = 0.3
_MIN_ENTRIES = 10
_MAX_SHOWN = 3
_MAX_FINDINGS = 40
_MAX_VALUE_LENGTH = 300


@dataclass(frozen=True)
class NewFinding:
    """A finding that a plan causes, with the ``fix`` as text; its location is the record that causes it."""

    finding: EntryFinding
    fix: str

    def __str__(self) -> str:
        end = "" if self.description.endswith("?") else "."
        return f"{self.description}{end} Fix: {self.fix}"

    @property
    def description(self) -> str:
        """The location, entry, attribute, value (unless it is a secret) and message."""
        location = self.finding.location
        prefix = f"{location.file}:{location.line}: " if location is not None else ""
        return f"{prefix}{self.finding.dn}: {format_finding(self.finding, max_length=_MAX_VALUE_LENGTH)}"


@dataclass(frozen=True)
class Risk:
    """A risk of a plan: its ``name``, a description, and the affected entries.

    ``findings`` are the findings that cause the risk, if any; ``records`` are the records in the archive's database.
    ``alternative_name`` is the name of another risk that accepts this one too, if there is one. ``avoidance`` is advice
    to avoid the risk.
    """

    name: str
    description: str
    entries: tuple[str, ...]
    findings: tuple[NewFinding, ...] = ()
    _: KW_ONLY
    alternative_name: str = ""
    records: tuple[RecordedStudies, ...] = ()
    avoidance: str = ""

    def is_accepted(self, forced: Collection[str]) -> bool:
        """Return whether *forced*, the names of accepted risks, accepts this risk."""
        return self.name in forced or self.alternative_name in forced

    @property
    def has_recorded_studies(self) -> bool:
        """Whether the archive's database has recorded studies under the names; an undo does not revert them."""
        return any(each.purged or each.local for each in self.records)

    @property
    def has_unknown_records(self) -> bool:
        """Whether the records in the archive's database are unknown for a name with expected records."""
        return any(each.unknown_reason and each.name.expects_records for each in self.records)

    def __str__(self) -> str:
        return f"{self.name}: {self.description}: {join_limited(self.entries, _MAX_SHOWN, '; ')}"

    @property
    def details(self) -> tuple[str, ...]:
        """A line for each finding; the last of several findings with the same fix shows it. Of many, the first ones."""
        if not self.findings:
            return ()
        shown = self.findings[:_MAX_FINDINGS]
        fixes = (*(each.fix for each in shown[1:]), None)
        lines = [each.description if each.fix == fix else str(each) for each, fix in zip(shown, fixes, strict=True)]
        more = len(self.findings) - len(shown)
        return (*lines, f"… and {more} more") if more else tuple(lines)


def find_risks(
    plan: Plan, *, device: str, subtree: DN | None = None, ignored_references: Collection[ReferenceKey] = frozenset()
) -> tuple[Risk, ...]:
    """Return the risks of *plan* for the archive *device*.

    The number of entries that counts as many is relative to *subtree*, or to the configuration. Mass changes and
    deletes are judged by the steps, all other risks by the trees before and after. Dangling references in
    *ignored_references* are ignored.
    """
    found = (
        _find_mass_change(plan, MANY_CHANGES, word="changed", kinds=(Modify, Rename), subtree=subtree),
        _find_mass_change(plan, MANY_DELETES, word="deleted", kinds=(Delete,), subtree=subtree),
        _find_archive_device_risk(plan, device),
        _find_dangling_risk(plan, ignored_references),
        _find_vendor_data_risk(plan),
    )
    return tuple(risk for risk in found if risk is not None)


def find_record_risks(recorded: Sequence[RecordedStudies]) -> tuple[Risk, ...]:
    """Return the risks of removing the names of *recorded*: names with records, or with unknown records."""
    risky = [each for each in recorded if each.purged or each.local or each.unknown_reason]
    titles = tuple(each for each in risky if each.name.kind is EntityKind.AE)
    storages = tuple(each for each in risky if each.name.kind is not EntityKind.AE)
    risks = []
    if titles:
        description = (
            "after this change, the archive might be unable to fetch studies: "
            f"{'; '.join(map(_describe_recorded_studies, titles))}"
        )
        risks.append(
            Risk(
                RECORDED_STUDIES,
                description,
                _format_entries(titles),
                records=titles,
                avoidance=_suggest_keeping_ae(titles[0].name),
            )
        )
    if storages:
        description = (
            "after this change, the archive might be unable to find stored files: "
            f"{'; '.join(map(_describe_stored_studies, storages))}"
        )
        risks.append(Risk(STORED_OBJECTS, description, _format_entries(storages), records=storages))
    return tuple(risks)


def _suggest_keeping_ae(name: RecordedName) -> str:
    """Return the advice to keep an AE with the title *name*: as an alias of the renamed AE, or with another address."""
    if name.is_renamed:
        return (
            "keep the AE, or keep its old title as an alias "
            f"(dcmcfg ae rename {shlex.quote(name.name)} NEW --keep-alias)"
        )
    ae = shlex.quote(f"{name.entries[0].parent.rdn.parts[0][1]}/{name.name}")
    return (
        "keep the AE. If another system now has the studies, set the address of the AE to this system: "
        f"dcmcfg connection set {ae} HOST:PORT"
    )


def _format_entries(records: Iterable[RecordedStudies]) -> tuple[str, ...]:
    return tuple(str(dn) for each in records for dn in each.name.entries)


def _describe_recorded_studies(each: RecordedStudies) -> str:
    name = each.name.name
    counts = f"at least {each.purged} purged and {each.local} still local"
    if not each.unknown_reason:
        return f"the database has studies recorded under {name} ({counts})"
    if each.purged or each.local:
        return (
            f"the database has studies recorded under {name} ({counts}; the full number is unknown: "
            f"{each.unknown_reason})"
        )
    return f"it is unknown whether studies are recorded under {name} ({each.unknown_reason})"


def _describe_stored_studies(each: RecordedStudies) -> str:
    if each.unknown_reason:
        return f"it is unknown whether studies are stored on {each.name.name} ({each.unknown_reason})"
    return f"the database has studies stored on {each.name.name} (at least {each.local})"


def _find_mass_change(plan: Plan, name: str, *, word: str, kinds: tuple[type, ...], subtree: DN | None) -> Risk | None:
    base = _find_base_key(plan.before, subtree)
    # After a rename, steps have names that do not exist in the tree before the plan.
    names = EntryNames(plan).names_before
    keys = dict.fromkeys(name for step, name in zip(plan.steps, names, strict=True) if isinstance(step.change, kinds))
    touched = [plan.before.entries[key].dn for key in keys if key in plan.before.entries and is_at_or_below(key, base)]
    if not touched:
        return None
    existing = sum(is_at_or_below(key, base) for key in plan.before.entries)
    if existing < _MIN_ENTRIES or len(touched) <= _MASS_CHANGE_SHARE * existing:
        return None
    return Risk(name, f"{len(touched)} of {existing} entries would be {word}", tuple(map(str, touched)))


def _find_base_key(tree: Tree, subtree: DN | None) -> NormalDN:
    if subtree is not None:
        return tree.key(subtree)
    try:
        return tree.key(Configuration(tree).root)
    except NotFound:
        return ()


def _find_archive_device_risk(plan: Plan, device: str) -> Risk | None:
    """Return the risk that the plan removes the archive's device, without which the archive does not start."""
    entries = (plan.before.entries[key] for key in find_removed_names(plan))
    names = tuple(str(entry.dn) for entry in entries if _is_archive(entry, device))
    return Risk(ARCHIVE_DEVICE, "the archive's own device would be deleted or renamed", names) if names else None


def _is_archive(entry: Entry, device: str) -> bool:
    if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
        return True
    return (entry.text(DICOM_DEVICE_NAME) or "").lower() == device.lower() and entry.is_a(DICOM_DEVICE_OBJECT_CLASS)


def _find_dangling_risk(plan: Plan, ignored: Collection[ReferenceKey]) -> Risk | None:
    dangling = (*find_new_dangling_references(plan), *find_unknown_accepted_titles(plan))
    dangling = tuple(each for each in dangling if (each[0], each[1].lower(), each[2]) not in ignored)
    found = tuple(f"{dn} ({name}: {text})" for dn, name, text in dangling)
    return Risk(DANGLING_REFERENCE, "a reference would point to a missing entry", found) if found else None


def _find_vendor_data_risk(plan: Plan) -> Risk | None:
    """Return the risk that the plan changes vendor data; new entries may have their own."""
    names: dict[str, None] = {}
    for step in plan.steps:
        # A rename does not change vendor data.
        if step.before is None or isinstance(step.change, Add | Rename):
            continue
        if _list_vendor_values(step.before) != (_list_vendor_values(step.after) if step.after is not None else ()):
            names[str(step.before.dn)] = None
    return Risk(VENDOR_DATA_CHANGE, "dicomVendorData would change", tuple(names)) if names else None


def _list_vendor_values(entry: Entry) -> tuple[tuple[bytes, ...], ...]:
    return tuple(each.values for each in entry.attributes if each.name.partition(";")[0].lower() == VENDOR_DATA)
