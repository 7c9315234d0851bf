"""What of a change is still to be done, where the tree may hold part of it already."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotFit
from dcmcfg.plan import difference
from dcmcfg.schema.definitions import Schema
from dcmcfg.tree import Draft, comparable, modified, with_naming_values


def outstanding(draft: Draft, change: Change) -> Change | None:
    """Return the part of *change* that *draft* does not hold yet, or None when all of it is so already.

    Already so are: the add of a value that is there, the delete of a value, attribute or entry that is gone, the
    add of an equal entry, and a rename that has been made. Raises :class:`DoesNotFit` for the add of an entry that
    exists and differs.
    """
    match change:
        case Add(entry):
            return _outstanding_add(draft, change, entry)
        case Delete(dn):
            return change if draft.get(dn) is not None else None
        case Rename():
            return None if _is_made(draft, change) else change
        case Modify():
            return _outstanding_modify(draft, change)


def _is_made(draft: Draft, change: Rename) -> bool:
    """A rename is made when the entry is found under the new name only, in the new spelling."""
    renamed = draft.get(change.new_dn)
    if renamed is None or renamed.dn.rdn != change.new_rdn:
        return False
    return draft.get(change.dn) in (None, renamed)


def _outstanding_add(draft: Draft, change: Add, entry: Entry) -> Add | None:
    held = draft.get(entry.dn)
    if held is None:
        return change
    if names := difference.differing(with_naming_values(draft.schema, entry), held, draft.schema):
        raise DoesNotFit(
            f"the entry already exists and differs in {', '.join(names)}", on=str(entry.dn), result_code=68
        )
    return None


def _outstanding_modify(draft: Draft, change: Modify) -> Modify | None:
    entry = draft.get(change.dn)
    if entry is None:
        return change  # the draft will say that it does not exist
    left: list[Modification] = []
    for modification in change.modifications:
        rest = _outstanding_modification(draft.schema, entry, modification)
        if rest is not None:
            entry = modified(draft.schema, entry, rest)
            left.append(rest)
    return replace(change, modifications=tuple(left)) if left else None


def _outstanding_modification(schema: Schema, entry: Entry, modification: Modification) -> Modification | None:
    name, values = modification.name, modification.values
    if modification.operation not in (Operation.ADD, Operation.DELETE):
        return modification
    if not values:
        return modification if name in entry else None
    if not comparable(schema, name):
        return None if modification.operation is Operation.ADD and entry.values(name) == values else modification
    held = {schema.normal_value(name, value) for value in entry.values(name)}
    adding = modification.operation is Operation.ADD
    rest = tuple(value for value in values if (schema.normal_value(name, value) in held) != adding)
    return replace(modification, values=rest) if rest else None
