"""Compute the part of a change that is not yet set in the tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.entry_draft import EntryDraft, has_equality_rule
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import TreeDraft, add_naming_values, canonicalise_name
from dcmcfg.plan import entry_diff
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import find_allowed_attributes
from dcmcfg.secret_values import format_value, is_secret
from dcmcfg.suggestions import suggest_names

#: The maximum number of current values that a message shows.
_MAX_SHOWN = 3
#: Typos are searched among at most this number of values, in the first octets of each value.
_MAX_COMPARED_VALUES = 100
_MAX_COMPARED_LENGTH = 80
#: A comparison takes about 10 µs. After this number in one record, the search for typos stops.
_MAX_COMPARISONS_PER_RECORD = 20_000


@dataclass(frozen=True)
class RemainingChange:
    """The part of a change that is not yet set, and the values that it removes, but that do not exist.

    ``change`` is that part, None if everything is set. ``missing_items`` are phrases for the attributes and values that
    a modify removes, but that the entry does not have. ``warnings`` are sentences about possible typos in them.
    ``is_in_warnings`` is true if they name all that does not exist.
    """

    change: Change | None
    missing_items: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_in_warnings: bool = False


def compute_remaining(draft: TreeDraft, change: Change) -> RemainingChange:
    """Return the part of *change* that is not yet set in *draft*.

    Already set are: the add of an existing value, the delete of a missing value, attribute or entry, the add of an
    equal entry, and a rename that was made before. Raises :class:`DoesNotApply` for the add of an entry that exists and
    differs.
    """
    match change:
        case Add(entry):
            return RemainingChange(_compute_remaining_add(draft, change, entry))
        case Delete(dn):
            if draft.get(dn) is not None:
                return RemainingChange(change)
            warnings = _warn_about_similar_names(draft, dn, "does not exist, so there is nothing to delete")
            return RemainingChange(None, warnings=warnings, is_in_warnings=bool(warnings))
        case Rename():
            return _compute_remaining_rename(draft, change)
        case Modify():
            return _compute_remaining_modify(draft, change)


def _compute_remaining_rename(draft: TreeDraft, change: Rename) -> RemainingChange:
    if not _is_already_renamed(draft, change):
        return RemainingChange(change)
    if draft.get(change.dn) is not None:
        return RemainingChange(None)
    # The new name may exist for another reason, so a similar old name is reported as a possible typo.
    assumption = f" dcmcfg assumes that {change.dn.rdn} was already renamed to {change.new_rdn}"
    warnings = _warn_about_similar_names(draft, change.dn, "does not exist", assumption, excluded=change.new_rdn)
    return RemainingChange(None, warnings=warnings, is_in_warnings=bool(warnings))


def _warn_about_similar_names(
    draft: TreeDraft, dn: DN, problem: str, assumption: str = "", *, excluded: RDN | None = None
) -> tuple[str, ...]:
    """Return a warning if *dn* or an ancestor may be misspelt, because similar names (except *excluded*) exist.

    *assumption* is the sentence at the end of the warning, with a space before it.
    """
    missing = draft.find_highest_missing(dn)
    similar = ", ".join(str(rdn) for rdn in draft.suggest_rdns(missing) if rdn != excluded)
    return (f"{missing}: {problem}; did you mean {similar}?{assumption}",) if similar else ()


def _is_already_renamed(draft: TreeDraft, change: Rename) -> bool:
    """Return whether a rename was made before: the entry exists only under the new name, in the new spelling.

    An entry that cannot have had the old name is another entry: its classes do not allow the old naming attribute, or
    it lacks the old naming value, which the rename keeps.
    """
    renamed = draft.get(change.new_dn)
    if renamed is None or renamed.dn.rdn != change.new_rdn:
        return False
    # If only the case of the name changes, the old name finds the renamed entry too.
    return draft.get(change.dn) in (None, renamed) and _may_result_from(draft.schema, renamed, change)


def _may_result_from(schema: Schema, renamed: Entry, change: Rename) -> bool:
    if (
        not change.delete_old_rdn
        and add_naming_values(schema, renamed.with_dn(change.dn)).attributes != renamed.attributes
    ):
        return False
    allowed = find_allowed_attributes(schema, renamed)
    return allowed is None or all(canonicalise_name(schema, kind).lower() in allowed for kind, _ in change.dn.rdn.parts)


def _compute_remaining_add(draft: TreeDraft, change: Add, entry: Entry) -> Add | None:
    current = draft.get(entry.dn)
    if current is None:
        return change
    if names := entry_diff.find_differing_attributes(add_naming_values(draft.schema, entry), current, draft.schema):
        raise DoesNotApply(
            f"the entry already exists and differs in {', '.join(names)}", subject=str(entry.dn), result_code=68
        )
    return None


def _compute_remaining_modify(draft: TreeDraft, change: Modify) -> RemainingChange:
    entry = draft.get(change.dn)
    if entry is None:
        return RemainingChange(change)  # the draft reports that the entry does not exist
    modifications: list[Modification] = []
    missing_items: list[str] = []
    warnings: list[str] = []
    are_all_in_warnings = True
    entry_draft = EntryDraft(draft.schema, entry)
    typo_finder = _TypoFinder(draft.schema, change.dn)
    for modification in change.modifications:
        remaining = _compute_remaining_modification(draft.schema, entry_draft, modification)
        if remaining is not modification and modification.operation is not Operation.ADD:
            found = list(typo_finder.find_typos(entry_draft, modification, remaining))
            missing_count = len(modification.values) - (len(remaining.values) if remaining is not None else 0)
            in_warnings = len(found) == missing_count
            are_all_in_warnings &= in_warnings
            missing_items.append(_describe_missing(entry_draft, modification.name, in_warnings=in_warnings))
            warnings += found
        # Each modification applies to the result of the ones before it (RFC 4511 §4.6).
        if remaining is not None:
            entry_draft.apply(remaining)
            modifications.append(remaining)
    remaining_change = replace(change, modifications=tuple(modifications)) if modifications else None
    return RemainingChange(
        remaining_change,
        tuple(missing_items),
        tuple(warnings),
        is_in_warnings=bool(warnings) and are_all_in_warnings,
    )


def _describe_missing(entry: EntryDraft, name: str, *, in_warnings: bool) -> str:
    """Return a phrase for missing values of the attribute *name*, without details that the warnings contain."""
    if name not in entry:
        return f"{name} is not set"
    if in_warnings:
        return f"{name} has no such value"
    shown = [format_value(name, value) for value in entry.first(name, _MAX_SHOWN)]
    more = entry.count(name) - len(shown)
    return f"{name} has no such value; current values: {', '.join(shown)}" + (f" and {more} more" if more else "")


class _TypoFinder:
    """Finds possible typos in modifications of the entry *dn*; stops after a number of comparisons."""

    def __init__(self, schema: Schema, dn: DN) -> None:
        self._schema = schema
        self._dn = dn
        self._remaining_comparisons = _MAX_COMPARISONS_PER_RECORD

    def find_typos(
        self, entry: EntryDraft, modification: Modification, remaining: Modification | None
    ) -> Iterator[str]:
        """Yield a warning for each value that *modification* deletes, but that is only similar to a value of *entry*.

        The name of an attribute that the schema does not define may be misspelt too. Secrets are not compared.
        """
        name = modification.name
        if name not in entry:
            if self._schema.attribute(name) is None and (similar := self._find_similar(name, entry.names)):
                yield (
                    f"{self._dn}: {name} is not set, so there is nothing to delete; did you mean {', '.join(similar)}?"
                )
            return
        if entry.count(name) > _MAX_COMPARED_VALUES or self._remaining_comparisons <= 0:
            return
        by_text = {
            _decode_prefix(value): format_value(name, value)
            for value in entry.values(name)
            if not is_secret(name, value)
        }
        remaining_values = frozenset(remaining.values if remaining is not None else ())
        for value in modification.values:
            if value in remaining_values or is_secret(name, value):
                continue
            if similar := self._find_similar(_decode_prefix(value), by_text):
                shown = ", ".join(by_text[each] for each in similar)
                yield f"{self._dn}: {name} has no value {format_value(name, value)} to delete; did you mean {shown}?"

    def _find_similar(self, text: str, known: Collection[str]) -> tuple[str, ...]:
        if self._remaining_comparisons <= 0:
            return ()
        self._remaining_comparisons -= len(known)
        return suggest_names(text, known)


def _decode_prefix(value: bytes) -> str:
    return value[:_MAX_COMPARED_LENGTH].decode("utf-8", "backslashreplace")


def _compute_remaining_modification(
    schema: Schema, entry: EntryDraft, modification: Modification
) -> Modification | None:
    name, values = modification.name, modification.values
    if modification.operation is Operation.REPLACE and not values:
        return modification if name in entry else None
    # The plan itself compares the values of a replace; an increment is never set already.
    if modification.operation not in (Operation.ADD, Operation.DELETE):
        return modification
    if not values:
        return modification if name in entry else None
    # Without an equality rule, a server refuses adds to existing values and deletes of single values (18).
    if not has_equality_rule(schema, name):
        return None if modification.operation is Operation.ADD and entry.values(name) == values else modification
    is_add = modification.operation is Operation.ADD
    remaining = tuple(value for value in values if entry.has_value(name, value) != is_add)
    return replace(modification, values=remaining) if remaining else None
