"""What LDIF files want: change records as they follow each other, entries parents first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.changes import Add, Change
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.plan import assertion
from dcmcfg.plan.content import without_operational
from dcmcfg.plan.plan import Wanted


def wanted_of(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[Wanted]:
    """Yield what the records of *files* (name, records) want, in order.

    A file is strict when one of its records carries an assertion control; an entry in it is one to add. In any other
    file an entry is wanted as it stands there, and of entries that follow each other parents come first.
    """
    entries: list[Wanted] = []
    for wanted in _as_written(files):
        if wanted.content:
            entries.append(wanted)
            continue
        yield from _parents_first(entries)
        entries.clear()
        yield wanted
    yield from _parents_first(entries)


def _as_written(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[Wanted]:
    for name, records in files:
        strict = any(isinstance(record, ChangeRecord) and assertion.asserts(record.change) for record in records)
        for record in records:
            content = isinstance(record, ContentRecord) and not strict
            yield Wanted(_change(record), strict=strict, content=content, place=f"{name}:{record.line}")


def _parents_first(entries: Sequence[Wanted]) -> list[Wanted]:
    return sorted(entries, key=lambda wanted: len(wanted.change.dn.rdns))


def _change(record: Record) -> Change:
    match record:
        case ContentRecord(entry):
            return Add(without_operational(entry))
        case ChangeRecord(change):
            return change
