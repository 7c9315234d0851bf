"""Findings at the lines of the values that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from dcmcfg.ldif.value_lines import ValueLines
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Place


def located(findings: Iterable[Finding], schema: Schema, files: Iterable[Path]) -> Iterator[Finding]:
    """Yield *findings*, those in one of *files* with the line of their value in place of that of the entry.

    A file is read again for its first finding only. One that cannot be (standard input) leaves the entry's line.
    """
    known = {str(path) for path in files}
    lines = cache(lambda path: ValueLines(_lines(path)))
    for finding in findings:
        place = finding.place
        if place is not None and place.file in known and finding.attribute:
            line = lines(place.file).line(place.line, _names(schema, finding.attribute), finding.value)
            yield replace(finding, place=Place(place.file, line))
        else:
            yield finding


def at_values(findings: Iterable[Finding], schema: Schema) -> Iterator[Finding]:
    """Yield *findings*, each that is placed at a record with the line of its value in that record.

    The record's line stays where the record does not give the value, or the file cannot be read again.
    """
    given = tuple(findings)
    return located(given, schema, {Path(each.place.file) for each in given if each.place is not None})


def _lines(path: str) -> list[bytes]:
    try:
        return Path(path).read_bytes().split(b"\n")
    except OSError:
        return []


def _names(schema: Schema, name: str) -> frozenset[str]:
    plain = name.partition(";")[0]
    known = schema.attribute(plain)
    names = (known.oid, known.name, *known.aliases) if known else (plain,)
    return frozenset(each.lower() for each in names)
