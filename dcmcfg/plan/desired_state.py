"""Collect the desired changes from LDIF files: change records in file order, entries with parents first.

Also finds the entries that no file contains, for ``--prune`` and for a warning.
"""

from __future__ import annotations

import functools
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN, NormalDN, is_at_or_below, sort_children_first
from dcmcfg.errors import Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.content_records import drop_operational_attributes
from dcmcfg.plan.plan import DesiredChange
from dcmcfg.printable import format_count
from dcmcfg.schema.findings import SourceLocation
from dcmcfg.suggestions import join_limited

#: The maximum number of subtrees, and of entries of each, that a warning names.
_MAX_SHOWN = 3


def collect_desired_changes(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[DesiredChange]:
    """Yield the desired changes in the records of *files* (name, records), in order.

    A file is strict if one of its records has an assertion control; its entries must be new. In any other file, an
    entry is the desired state, and parents come first in a sequence of entries.
    """
    entries: list[DesiredChange] = []
    for desired in _iterate_in_file_order(files):
        if desired.is_content_record:
            entries.append(desired)
            continue
        yield from _sort_parents_first(entries)
        entries.clear()
        yield desired
    yield from _sort_parents_first(entries)


def _iterate_in_file_order(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[DesiredChange]:
    for name, records in files:
        # Plans and undo files have assertions. They are reviewed as a whole, so one assertion makes a file strict.
        strict = any(isinstance(record, ChangeRecord) and assertions.has_assertion(record.change) for record in records)
        for record in records:
            is_content_record = isinstance(record, ContentRecord) and not strict
            yield DesiredChange(
                _get_change(record),
                strict=strict,
                is_content_record=is_content_record,
                location=SourceLocation(name, record.line),
            )


def _sort_parents_first(entries: Sequence[DesiredChange]) -> list[DesiredChange]:
    # The sort is stable: several records of one entry keep the order of the file.
    return sorted(entries, key=lambda desired: len(desired.change.dn.rdns))


def _get_change(record: Record) -> Change:
    match record:
        case ContentRecord(entry):
            return Add(drop_operational_attributes(entry))
        case ChangeRecord(change):
            return change


def make_surplus_deletes(tree: Tree, subtree: DN, desired: Sequence[DesiredChange]) -> tuple[DesiredChange, ...]:
    """Return the deletes, leaf first, of the entries at and below *subtree* that are not in *desired*.

    Ancestors of desired entries are kept. Raises :class:`Refused` if *subtree* is outside the tree, if one of *desired*
    is not a content record, or if none of them is at or below *subtree*: an empty file must not delete everything.
    """
    base = tree.key(subtree)
    top = min(tree.entries, key=len, default=())
    if not is_at_or_below(base, top):
        raise Refused(
            "this DN is not below the base DN", subject=str(subtree), next_step="set another base DN with --base-dn"
        )
    for each in desired:
        if not each.is_content_record:
            raise Refused(
                "--prune accepts entries only, not change records", subject=f"{each.location}: {each.change.dn}"
            )
    named_keys = [tree.key(each.change.dn) for each in desired]
    if not any(is_at_or_below(key, base) for key in named_keys):
        raise Refused(
            "the files contain no entry of this subtree, so --prune would delete the whole subtree",
            subject=str(subtree),
            next_step="check the DN of --under, and the files",
        )
    surplus = [key for key in _iterate_surplus(tree, named_keys) if is_at_or_below(key, base)]
    return tuple(DesiredChange(Delete(tree.entries[key].dn)) for key in sort_children_first(surplus))


def _iterate_surplus(tree: Tree, named_keys: Iterable[NormalDN]) -> Iterator[NormalDN]:
    """Yield the entries of *tree* that are not in *named_keys*, and not ancestors of them."""
    # Entries cannot exist without their ancestors.
    needed = {key[depth:] for key in named_keys for depth in range(len(key) + 1)}
    return (key for key in tree.entries if key not in needed)


def describe_surplus(tree: Tree, desired: Sequence[DesiredChange]) -> Iterator[str]:
    """Yield a sentence about each subtree of which *desired* omit entries, with the options that delete these entries.

    A file may also have only the entries to add or change, and omit all others. So the entries must be content records,
    and more than two thirds of the subtree must be among them: then the file is an export without some entries.
    """
    if not all(each.is_content_record for each in desired):
        return
    named_keys = {tree.key(each.change.dn) for each in desired}
    listed_keys = {key for key in named_keys if key in tree.entries}
    find_top = functools.partial(_find_top, listed_keys)
    listed_counts = Counter(map(find_top, listed_keys))
    surplus: dict[NormalDN, list[NormalDN]] = {}
    for key in _iterate_surplus(tree, named_keys):
        if (top := find_top(key)) is not None:
            surplus.setdefault(top, []).append(key)
    partly_listed = [(top, keys) for top, keys in surplus.items() if listed_counts[top] > 2 * len(keys)]
    for top, keys in partly_listed[:_MAX_SHOWN]:
        dn, missing = str(tree.entries[top].dn), set(keys)
        names = [str(tree.entries[key].dn) for key in keys if key[1:] not in missing]
        descendants = " with the entries below" if len(names) < len(keys) else ""
        verb, pronoun = ("is", "it") if len(keys) == 1 else ("are", "them")
        yield (
            f"{format_count(len(keys), 'entry', 'entries')} below {dn} {verb} not in the file: "
            f"{join_limited(names, _MAX_SHOWN, '; ')}{descendants}. Without --prune, apply deletes no entries. "
            f"To delete {pronoun} too, add --prune --under {shlex.quote(dn)}"
        )
    if len(partly_listed) > _MAX_SHOWN:
        yield f"{len(partly_listed) - _MAX_SHOWN} more subtrees also have entries that are not in the file"


def _find_top(listed_keys: Set[NormalDN], key: NormalDN) -> NormalDN | None:
    """Return the highest of *listed_keys* that is *key* or an ancestor of it; None if there is none."""
    return next((key[depth:] for depth in range(len(key), -1, -1) if key[depth:] in listed_keys), None)
