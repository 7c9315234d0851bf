"""Find the change that wrote each attribute of an entry last, and compare it with the directory.

The changes are those of this account and the shared ones of other accounts, in the same form. The entry is followed
through renames, and a value that an undo restored is followed to the change that set it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import UTC, datetime, timedelta

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, StepOperation
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.schema.definitions import Schema
from dcmcfg.timestamps import format_timestamp, parse_timestamp

MODIFIERS_NAME, MODIFY_TIMESTAMP = "modifiersName", "modifyTimestamp"
#: The clocks of the server and of this machine may differ by this time, and the server rounds to seconds.
_CLOCK_TOLERANCE = timedelta(seconds=5)


@dataclass(frozen=True)
class NamedChange:
    """A change, and its name for commands."""

    reference: str
    record: SharedRecord


@dataclass(frozen=True)
class AttributeBlame:
    """The change that wrote the attribute ``name`` last; None if the history has none.

    ``origin`` is the change that set the value, if ``change`` is an undo that restored it. ``is_contradicted`` is true
    if the present values are not those that ``change`` left. With ``is_removed``, ``change`` was to leave no values.
    """

    name: str
    change: NamedChange | None = None
    origin: NamedChange | None = None
    is_contradicted: bool = False
    _: KW_ONLY
    is_removed: bool = False


@dataclass(frozen=True, kw_only=True)
class EntryBlame:
    """The attributes of the entry ``dn``, and the last write according to the directory.

    ``modifier`` is the modifiersName and ``modified_at`` the modifyTimestamp; both may be empty. ``last_change`` is the
    newest change of the entry in the history. ``contradictions`` are sentences about writes without dcmcfg.
    """

    dn: DN
    attributes: tuple[AttributeBlame, ...]
    modifier: str
    modified_at: str
    last_change: NamedChange | None
    contradictions: tuple[str, ...] = ()


class _Search:
    """The search for the writer of one attribute, from the newest change to the oldest."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.writer: NamedChange | None = None
        self.written: RecordedAttribute | None = None
        self.origin: NamedChange | None = None
        self.is_done = False
        self._skipped_until: tuple[tuple[str, str], str, int] | None = None

    @property
    def is_skipping(self) -> bool:
        """Whether the change that an undo has reverted is not reached yet."""
        return self._skipped_until is not None

    def note_write(self, change: NamedChange, written: RecordedAttribute | None) -> None:
        """Note that *change* wrote the attribute; an undo has only restored an older value."""
        record = change.record
        if self.writer is None:
            self.writer, self.written = change, written
        elif record.undo_of is None:
            self.origin = change
        if record.undo_of is None:
            self.is_done = True
        else:
            self._skipped_until = (record.owner, record.ldap_url, record.undo_of)

    def pass_record(self, record: SharedRecord) -> None:
        """Note that all steps of *record* were handled."""
        if self._skipped_until == (record.owner, record.ldap_url, record.number):
            self._skipped_until = None


def blame_entry(
    changes: Iterable[NamedChange],
    entry: Entry,
    names: Sequence[str],
    *,
    operational: Entry | None,
    schema: Schema,
) -> EntryBlame:
    """Return the last writer of each of the attributes *names* of *entry*, without contradictions.

    *changes* of the directory of *entry* are in order, the newest first; they are read only as far as needed.
    *operational* has the modifiersName and the modifyTimestamp of the entry, if the server shows them.
    """
    searches = {_canonicalise(schema, name): _Search(name) for name in names}
    key, last_change = schema.normalise_dn(entry.dn), None
    for change in changes:
        if last_change is not None and all(search.is_done for search in searches.values()):
            break
        for step in reversed(change.record.applied_steps):
            # A rename writes the entry that gets the new name, but no entry below it.
            if last_change is None and _key(schema, step.new_dn or step.dn) == key:
                last_change = change
            key = _handle_step(change, step, key, searches=searches, schema=schema)
        for search in searches.values():
            search.pass_record(change.record)
    return EntryBlame(
        dn=entry.dn,
        attributes=tuple(_finish(search, entry, schema) for search in searches.values()),
        modifier=(operational.text(MODIFIERS_NAME) or "") if operational is not None else "",
        modified_at=(operational.text(MODIFY_TIMESTAMP) or "") if operational is not None else "",
        last_change=last_change,
    )


def _handle_step(
    change: NamedChange, step: RecordedStep, key: NormalDN, *, searches: dict[str, _Search], schema: Schema
) -> NormalDN:
    """Note the attributes that *step* wrote in the entry *key*; return the key of the entry before the step."""
    active = {name: search for name, search in searches.items() if not search.is_done and not search.is_skipping}
    old_key = _key(schema, step.dn)
    match step.operation:
        case StepOperation.RENAME:
            new_key = _key(schema, step.new_dn)
            if new_key == key:
                _note_attributes(change, step, active, schema=schema)
            if is_at_or_below(key, new_key):
                return key[: len(key) - len(new_key)] + old_key
            if is_at_or_below(key, old_key):
                _end(active.values())  # an older entry had the name
        case StepOperation.CHANGE if old_key == key:
            _note_attributes(change, step, active, schema=schema)
        case StepOperation.ADD if old_key == key:
            _note_attributes(change, step, active, schema=schema)
            _end(search for search in active.values() if not search.is_skipping)
        case StepOperation.DELETE if old_key == key:
            _end(active.values())  # an older entry had the name
    return key


def _note_attributes(change: NamedChange, step: RecordedStep, active: dict[str, _Search], *, schema: Schema) -> None:
    for attribute in step.attributes:
        search = active.get(_canonicalise(schema, attribute.name))
        # A later step of the same change may have written the attribute already.
        if search is not None and not search.is_done and not search.is_skipping:
            search.note_write(change, attribute if step.operation is not StepOperation.RENAME else None)


def _end(searches: Iterable[_Search]) -> None:
    for search in searches:
        search.is_done = True


def _finish(search: _Search, entry: Entry, schema: Schema) -> AttributeBlame:
    written = search.written
    is_contradicted = written is not None and not _has_values(entry, search.name, written, schema)
    is_removed = written is not None and written.removes_all
    return AttributeBlame(search.name, search.writer, search.origin, is_contradicted, is_removed=is_removed)


def _has_values(entry: Entry, name: str, written: RecordedAttribute, schema: Schema) -> bool:
    """Return whether *entry* has the values that a step added, and none of those that it removed, as far as known."""

    def normalise(values: Iterable[str | int]) -> frozenset[bytes]:
        return frozenset(schema.normalise_value(name, each.encode()) for each in values if isinstance(each, str))

    present = frozenset(schema.normalise_value(name, value) for value in entry.values(name))
    if written.removes_all:
        return not present
    added = normalise(written.added)
    return added <= present and not (normalise(written.removed) - added) & present


def compare_with_directory(
    blame: EntryBlame, schema: Schema, describe_modifier: Callable[[str], str] = lambda name: name
) -> EntryBlame:
    """Return *blame* with the contradictions between the history and the directory.

    *describe_modifier* returns the text for a modifiersName, for example for the archive's own DN.
    """
    return replace(blame, contradictions=tuple(_find_contradictions(blame, schema, describe_modifier)))


def _find_contradictions(blame: EntryBlame, schema: Schema, describe_modifier: Callable[[str], str]) -> Iterator[str]:
    for attribute in blame.attributes:
        if not attribute.is_contradicted or attribute.change is None:
            continue
        if attribute.is_removed:
            # The step removes only the planned values, so a value that was added just before the step remains.
            yield (
                f"{attribute.name}: change {attribute.change.reference} has removed all values that the attribute had "
                "when the change was planned, but now the attribute has values. Somebody has written the attribute "
                "after this change was planned"
            )
        else:
            yield (
                f"{attribute.name}: the present values differ from the values of change "
                f"{attribute.change.reference}. Somebody has written the attribute after this change, without dcmcfg "
                "or with a dcmcfg that uses another history"
            )
    written_at, change = parse_generalized_time(blame.modified_at), blame.last_change
    if change is None or not blame.modifier or written_at is None:
        return
    modifier, time = describe_modifier(blame.modifier), format_timestamp(written_at)
    started, ended = parse_timestamp(change.record.started_at), parse_timestamp(change.record.ended_at)
    is_other = _is_other_identity(schema, change.record.identity, blame.modifier)
    if is_other or (ended is not None and written_at > ended + _CLOCK_TOLERANCE):
        yield (
            f"{modifier} has written the entry after change {change.reference}, at {time}, without dcmcfg or with a "
            "dcmcfg that uses another history"
        )
    elif started is not None and written_at < started - _CLOCK_TOLERANCE:
        yield (
            f"according to the directory, the last write of the entry was at {time}, before change "
            f"{change.reference}. Perhaps somebody has restored an older state of the directory"
        )


def _is_other_identity(schema: Schema, identity: str, modifier: str) -> bool:
    """Return whether *modifier* is certainly not the bind DN *identity*, which may be a text such as SASL EXTERNAL."""
    try:
        return _key(schema, identity) != _key(schema, modifier)
    except DcmcfgError:
        return False


def parse_generalized_time(text: str) -> datetime | None:
    """Return the time of a GeneralizedTime (RFC 4517 §3.3.13) in UTC; None if it has a rare form."""
    try:
        return datetime.strptime(text.partition(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def find_removal(changes: Iterable[NamedChange], keys: Collection[NormalDN], schema: Schema) -> NamedChange | None:
    """Return the newest of *changes* that has deleted or renamed an entry of *keys*, or None."""
    for change in changes:
        for step in reversed(change.record.applied_steps):
            is_removal = step.operation in (StepOperation.DELETE, StepOperation.RENAME)
            if is_removal and _key(schema, step.dn) in keys:
                return change
    return None


def _key(schema: Schema, dn: str) -> NormalDN:
    return schema.normalise_dn(DN.parse(dn))


def _canonicalise(schema: Schema, name: str) -> str:
    known = schema.attribute(name)
    base, semicolon, options = name.partition(";")
    return ((known.name if known is not None else base) + semicolon + options).lower()
