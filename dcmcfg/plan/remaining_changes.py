"""What of a change is still to be done, where the tree may hold part of it already."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.entry_draft import EntryDraft, comparable
from dcmcfg.errors import DoesNotFit
from dcmcfg.model.tree import Draft, canonical_name, with_naming_values
from dcmcfg.plan import entry_diff
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import allowed_attributes
from dcmcfg.secret_values import is_secret, told
from dcmcfg.suggestions import near_misses

#: Of many values held, so many are told.
_TOLD = 3
#: Spellings are compared with at most so many values, and of a long value the first octets.
_COMPARED = 100
_LONGEST = 80
#: A comparison takes some 10 µs; after so many in one record no more spellings are compared.
_COMPARED_IN_A_RECORD = 20_000


@dataclass(frozen=True)
class Outstanding:
    """What of a change is left, and what it says of things that are not there.

    ``change`` is the part to be done, None when nothing is. ``absent`` says, a phrase each, which attributes and values
    a modify takes away that the entry does not have. ``doubts`` are sentences on what may be misspelt for that.
    """

    change: Change | None
    absent: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def outstanding(draft: Draft, change: Change) -> Outstanding:
    """Return the part of *change* that *draft* does not hold yet.

    Already so are: the add of a value that is there, the delete of a value, attribute or entry that is gone, the
    add of an equal entry, and a rename that has been made. Raises :class:`DoesNotFit` for the add of an entry that
    exists and differs.
    """
    match change:
        case Add(entry):
            return Outstanding(_outstanding_add(draft, change, entry))
        case Delete(dn):
            if draft.get(dn) is not None:
                return Outstanding(change)
            return Outstanding(None, doubts=_doubts_of_name(draft, dn, "not there, so there is nothing to delete"))
        case Rename():
            return _outstanding_rename(draft, change)
        case Modify():
            return _outstanding_modify(draft, change)


def _outstanding_rename(draft: Draft, change: Rename) -> Outstanding:
    if not _is_made(draft, change):
        return Outstanding(change)
    if draft.get(change.dn) is not None:
        return Outstanding(None)
    taken = f"not there, and taken for renamed to {change.new_rdn} already"
    return Outstanding(None, doubts=_doubts_of_name(draft, change.dn, taken, but=change.new_rdn))


def _doubts_of_name(draft: Draft, dn: DN, what: str, *, but: RDN | None = None) -> tuple[str, ...]:
    """Return the doubt that *dn*, or one above it, is misspelt, if names beside it other than *but* look like it."""
    missing = draft.missing(dn)
    near = ", ".join(str(rdn) for rdn in draft.near_misses(missing) if rdn != but)
    return (f"{missing}: {what}; near misses: {near}",) if near else ()


def _is_made(draft: Draft, change: Rename) -> bool:
    """A rename is made when the entry is found under the new name only, in the new spelling.

    An entry that cannot have had the old name is another one: its classes do not allow the attribute that named it, or
    it lacks the old name's value, which was to stay.
    """
    renamed = draft.get(change.new_dn)
    if renamed is None or renamed.dn.rdn != change.new_rdn:
        return False
    return draft.get(change.dn) in (None, renamed) and _can_be_that_of(draft.schema, renamed, change)


def _can_be_that_of(schema: Schema, renamed: Entry, change: Rename) -> bool:
    if not change.delete_old_rdn and with_naming_values(schema, renamed.at(change.dn)).attributes != renamed.attributes:
        return False
    allowed = allowed_attributes(schema, renamed)
    return allowed is None or all(canonical_name(schema, kind).lower() in allowed for kind, _ in change.dn.rdn.parts)


def _outstanding_add(draft: Draft, change: Add, entry: Entry) -> Add | None:
    held = draft.get(entry.dn)
    if held is None:
        return change
    if names := entry_diff.differing(with_naming_values(draft.schema, entry), held, draft.schema):
        raise DoesNotFit(
            f"the entry already exists and differs in {', '.join(names)}", on=str(entry.dn), result_code=68
        )
    return None


def _outstanding_modify(draft: Draft, change: Modify) -> Outstanding:
    entry = draft.get(change.dn)
    if entry is None:
        return Outstanding(change)  # the draft will say that it does not exist
    left: list[Modification] = []
    absent: list[str] = []
    doubts: list[str] = []
    making = EntryDraft(draft.schema, entry)
    spellings = _Spellings(draft.schema, change.dn)
    for modification in change.modifications:
        rest = _outstanding_modification(draft.schema, making, modification)
        if rest is not modification and modification.operation is not Operation.ADD:
            found = list(spellings.doubts(making, modification, rest))
            gone = len(modification.values) - (len(rest.values) if rest is not None else 0)
            absent.append(_absent(making, modification.name, in_doubts=len(found) == gone))
            doubts += found
        if rest is not None:
            making.apply(rest)
            left.append(rest)
    rest_of_all = replace(change, modifications=tuple(left)) if left else None
    return Outstanding(rest_of_all, tuple(absent), tuple(doubts))


def _absent(entry: EntryDraft, name: str, *, in_doubts: bool) -> str:
    """Return what is not there of attribute *name*, without what the doubts tell of each value."""
    if name not in entry:
        return f"{name} is not set"
    if in_doubts:
        return f"{name} has no such value"
    shown = ["a secret" if is_secret(name, value) else told(name, value) for value in entry.first(name, _TOLD)]
    more = entry.count(name) - len(shown)
    return f"{name} has no such value; it holds {', '.join(shown)}" + (f" and {more} more" if more else "")


class _Spellings:
    """What may be misspelt in modifications of the entry *dn*; after many comparisons it no longer looks."""

    def __init__(self, schema: Schema, dn: DN) -> None:
        self._schema = schema
        self._dn = dn
        self._left = _COMPARED_IN_A_RECORD

    def doubts(self, entry: EntryDraft, asked: Modification, rest: Modification | None) -> Iterator[str]:
        """Yield a warning for each value that *asked* deletes, *entry* does not hold, and that looks like one it holds.

        Where the schema does not know the attribute, its name may be misspelt. Of secrets nothing is said.
        """
        name = asked.name
        if name not in entry:
            if self._schema.attribute(name) is None and (near := self._near(name, entry.names)):
                yield f"{self._dn}: {name} is not set, so there is nothing to delete; near misses: {', '.join(near)}"
            return
        if entry.count(name) > _COMPARED or self._left <= 0:
            return
        held = {_text(value): told(name, value) for value in entry.values(name) if not is_secret(name, value)}
        still = frozenset(rest.values if rest is not None else ())
        for value in asked.values:
            if value in still or is_secret(name, value):
                continue
            if near := self._near(_text(value), held):
                alike = ", ".join(held[each] for each in near)
                yield f"{self._dn}: {name} has no value {told(name, value)} to delete; near misses: {alike}"

    def _near(self, text: str, known: Collection[str]) -> tuple[str, ...]:
        if self._left <= 0:
            return ()
        self._left -= len(known)
        return near_misses(text, known)


def _text(value: bytes) -> str:
    return value[:_LONGEST].decode("utf-8", "backslashreplace")


def _outstanding_modification(schema: Schema, entry: EntryDraft, modification: Modification) -> Modification | None:
    name, values = modification.name, modification.values
    if modification.operation is Operation.REPLACE and not values:
        return modification if name in entry else None
    if modification.operation not in (Operation.ADD, Operation.DELETE):
        return modification
    if not values:
        return modification if name in entry else None
    if not comparable(schema, name):
        return None if modification.operation is Operation.ADD and entry.values(name) == values else modification
    adding = modification.operation is Operation.ADD
    rest = tuple(value for value in values if entry.holds(name, value) != adding)
    return replace(modification, values=rest) if rest else None
