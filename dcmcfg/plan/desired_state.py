"""What LDIF files want: change records as they follow each other, entries parents first.

The entries of a subtree that no file names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN, is_at_or_below, sort_children_first
from dcmcfg.errors import Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.content_records import without_operational
from dcmcfg.plan.plan import DesiredChange


def collect_desired_changes(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[DesiredChange]:
    """Yield what the records of *files* (name, records) want, in order.

    A file is strict when one of its records carries an assertion control; an entry in it is one to add. In any other
    file an entry is wanted as it stands there, and of entries that follow each other parents come first.
    """
    entries: list[DesiredChange] = []
    for wanted in _in_file_order(files):
        if wanted.is_content_record:
            entries.append(wanted)
            continue
        yield from _parents_first(entries)
        entries.clear()
        yield wanted
    yield from _parents_first(entries)


def _in_file_order(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[DesiredChange]:
    for name, records in files:
        strict = any(isinstance(record, ChangeRecord) and assertions.has_assertion(record.change) for record in records)
        for record in records:
            content = isinstance(record, ContentRecord) and not strict
            yield DesiredChange(
                _change(record), strict=strict, is_content_record=content, location=f"{name}:{record.line}"
            )


def _parents_first(entries: Sequence[DesiredChange]) -> list[DesiredChange]:
    return sorted(entries, key=lambda wanted: len(wanted.change.dn.rdns))


def _change(record: Record) -> Change:
    match record:
        case ContentRecord(entry):
            return Add(without_operational(entry))
        case ChangeRecord(change):
            return change


def make_surplus_deletes(tree: Tree, subtree: DN, desired: Sequence[DesiredChange]) -> tuple[DesiredChange, ...]:
    """Return the deletes, leaf first, of the entries at and below *subtree* that none of *desired* names.

    What a named entry stands below is needed and stays. Raises :class:`Refused` when *subtree* is not in the part of
    the directory that was read, when one of *desired* is not an entry as it is wanted, and when none of them is at or
    below *subtree*: an empty file must not look like an order to delete everything.
    """
    base = tree.key(subtree)
    top = min(tree.entries, key=len, default=())
    if not is_at_or_below(base, top):
        raise Refused("it is not below the base DN", subject=str(subtree), next_step="--base-dn names what to read")
    for each in desired:
        if not each.is_content_record:
            raise Refused(
                "a change record, and --prune takes entries only", subject=f"{each.location}: {each.change.dn}"
            )
    named = [tree.key(each.change.dn) for each in desired]
    if not any(is_at_or_below(key, base) for key in named):
        raise Refused(
            "the files hold no entry at or below it: all of it would be deleted",
            subject=str(subtree),
            next_step="is --under the DN that is meant, and are these the files?",
        )
    needed = {key[depth:] for key in named for depth in range(len(key) + 1)}
    gone = [key for key in tree.entries if is_at_or_below(key, base) and key not in needed]
    return tuple(DesiredChange(Delete(tree.entries[key].dn)) for key in sort_children_first(gone))
