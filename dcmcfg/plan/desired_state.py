"""Collect the desired changes from LDIF files: change records in file order, entries with parents first.

Also computes the deletes of entries that no file contains (``--prune``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN, is_at_or_below, sort_children_first
from dcmcfg.errors import Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.content_records import drop_operational_attributes
from dcmcfg.plan.plan import DesiredChange
from dcmcfg.schema.findings import SourceLocation


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
    # Entries cannot exist without their ancestors, so these are kept too.
    needed = {key[depth:] for key in named_keys for depth in range(len(key) + 1)}
    surplus = [key for key in tree.entries if is_at_or_below(key, base) and key not in needed]
    return tuple(DesiredChange(Delete(tree.entries[key].dn)) for key in sort_children_first(surplus))
