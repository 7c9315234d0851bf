"""What LDIF files want: a strict file fits exactly or is refused, any other counts what is so as done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.changes import Add, Change
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.plan import assertion
from dcmcfg.plan.plan import Wanted


def wanted_of(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[Wanted]:
    """Yield what the records of *files* (name, records) want, in order; a content record wants its entry added.

    A file is strict when one of its records carries an assertion control.
    """
    for name, records in files:
        strict = any(assertion.asserts(_change(record)) for record in records)
        for record in records:
            yield Wanted(_change(record), strict=strict, place=f"{name}:{record.line}")


def _change(record: Record) -> Change:
    match record:
        case ContentRecord(entry):
            return Add(entry)
        case ChangeRecord(change):
            return change
