"""Findings at the lines of the values that they are about.

The line on which a value of a record stands, found again for whoever has to mend it.

Findings about entries at the lines of the LDIF files that hold them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from dcmcfg.dn import DN, NormalDN
from dcmcfg.files.ldif import STDIN
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Location


class ValueLineIndex:
    """The physical lines of a file, without their ends; each record is read once, for any number of values."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._records: dict[int, dict[tuple[str, bytes | None], int]] = {}

    def find_line(self, first_line: int, names: Collection[str], value: bytes | None) -> int:
        """Return the number of the line where the record that begins on line *first_line* gives *value*.

        Lines are numbered from 1; *names* are those of the attribute, in small letters. The last line that gives the
        value is the one, since a value given twice is wrong the second time; without *value* it is the attribute's last
        line. Where there is none it is *first_line*.
        """
        if first_line not in self._records:
            fields = _parse_fields(self._lines, first_line)
            self._records[first_line] = {
                (name, each): number for number, name, octets in fields for each in (octets, None)
            }
        places = self._records[first_line]
        return max((places.get((name, value), first_line) for name in names), default=first_line)


def _parse_fields(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, str, bytes]]:
    """Yield line number, attribute type in small letters without options, and value of each line of the record."""
    for number, text in _unfold(lines, first):
        before, colon, after = text.partition(b":")
        if colon and not text.startswith(b"#"):
            name = before.partition(b";")[0].decode("utf-8", "replace").lower()
            yield number, name, _decode_value(after)


def _decode_value(after: bytes) -> bytes:
    if not after.startswith(b":"):
        return after.lstrip(b" ")
    try:
        return base64.b64decode(after[1:].strip())
    except binascii.Error:
        return after


def _unfold(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, bytes]]:
    """Yield the unfolded lines from *first* to the end of the record, each with the number of its first line."""
    number, parts = first, list[bytes]()
    for at in range(first, len(lines) + 1):
        text = lines[at - 1].removesuffix(b"\r")
        if parts and text.startswith(b" "):
            parts.append(text[1:])
            continue
        if parts:
            yield number, b"".join(parts)
        if not text:
            return
        number, parts = at, [text]
    if parts:
        yield number, b"".join(parts)


def locate_values(findings: Iterable[Finding], schema: Schema, files: Iterable[Path]) -> Iterator[Finding]:
    """Yield *findings*, those in one of *files* with the line of their value in place of that of the entry.

    A file is read again for its first finding only. One that cannot be (standard input) leaves the entry's line.
    """
    known = {str(path) for path in files}
    lines = cache(lambda path: ValueLineIndex(_lines(path)))
    for finding in findings:
        place = finding.location
        if place is not None and place.file in known and finding.attribute:
            line = lines(place.file).find_line(place.line, _names(schema, finding.attribute), finding.value)
            yield replace(finding, location=Location(place.file, line))
        else:
            yield finding


def locate_all_values(findings: Iterable[Finding], schema: Schema) -> Iterator[Finding]:
    """Yield *findings*, each that is placed at a record with the line of its value in that record.

    The record's line stays where the record does not give the value, or the file cannot be read again.
    """
    given = tuple(findings)
    return locate_values(given, schema, {Path(each.location.file) for each in given if each.location is not None})


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


def locate_findings(findings: Sequence[Finding], path: Path, schema: Schema) -> tuple[Finding, ...]:
    """Return *findings*, in their order, each at the line of its value in *path*, a file or a folder's ``*.ldif``.

    Those of standard input, or of a file that went meanwhile, have no place.
    """
    try:
        places = find_entry_locations(path, schema, (each.dn for each in findings)) if str(path) != STDIN else {}
    except OSError:
        places = {}
    at_entries = [replace(each, location=places.get(schema.normalise_dn(each.dn))) for each in findings]
    return tuple(locate_values(at_entries, schema, {Path(place.file) for place in places.values()}))


def find_entry_locations(path: Path, schema: Schema, dns: Iterable[DN]) -> Mapping[NormalDN, Location]:
    """Return the places of the entries *dns* in *path* by the normal form of the DN.

    The files are read again for that. Raises :class:`OSError` when one is gone.
    """
    wanted = {schema.normalise_dn(dn) for dn in dns}
    found: dict[NormalDN, Location] = {}
    for file in sorted(path.glob("*.ldif")) if path.is_dir() else [path]:
        with file.open("rb") as source:
            for record in iter_records(source, str(file)) if wanted else ():
                if isinstance(record, ContentRecord) and (key := schema.normalise_dn(record.entry.dn)) in wanted:
                    found.setdefault(key, Location(str(file), record.line))
    return found
