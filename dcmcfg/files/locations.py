"""Locate findings in LDIF files: at the line of the value to fix, or else of the entry."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dcmcfg.dn import DN, NormalDN
from dcmcfg.files.ldif import STDIN
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import EntryFinding, SourceLocation


class ValueLineIndex:
    """Index of the lines of values; *lines* are the physical lines of a file without line ends, parsed once."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._records: dict[int, dict[tuple[str, bytes | None], int]] = {}

    def find_line(self, first_line: int, names: Collection[str], value: bytes | None) -> int:
        """Return the number of the line with *value* in the record that begins on line *first_line*.

        Lines are numbered from 1; *names* are the attribute's names in lower case. If the value occurs several times,
        the last line is returned, because the repetition is the error. Without *value*, the attribute's last line is
        returned. If there is no such line, *first_line* is returned.
        """
        if first_line not in self._records:
            fields = _parse_fields(self._lines, first_line)
            self._records[first_line] = {
                (name, each): number for number, name, octets in fields for each in (octets, None)
            }
        line_by_value = self._records[first_line]
        return max((line_by_value.get((name, value), first_line) for name in names), default=first_line)


def _parse_fields(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, str, bytes]]:
    """Yield line number, attribute type (lower case, without options) and value of each line of the record."""
    for number, text in _unfold_lines(lines, first):
        before, colon, after = text.partition(b":")
        if colon and not text.startswith(b"#"):
            # The names to find have no options.
            name = before.partition(b";")[0].decode("utf-8", "replace").lower()
            yield number, name, _decode_value(after)


def _decode_value(after: bytes) -> bytes:
    if not after.startswith(b":"):
        return after.lstrip(b" ")
    try:
        return base64.b64decode(after[1:].strip())
    # A value that is not base64 matches no finding, and the finding keeps the line of its entry.
    except binascii.Error:
        return after


def _unfold_lines(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, bytes]]:
    """Yield the unfolded lines from *first* to the end of the record, each with the number of its first line."""
    number, parts = first, list[bytes]()
    for current in range(first, len(lines) + 1):
        text = lines[current - 1].removesuffix(b"\r")
        if parts and text.startswith(b" "):
            parts.append(text[1:])
            continue
        if parts:
            yield number, b"".join(parts)
        if not text:
            return
        number, parts = current, [text]
    if parts:
        yield number, b"".join(parts)


class ValueLocator:
    """Finds the lines of values by their records' locations; each file is read again once, when it is needed first.

    *schema* has the other names of attributes.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._indexes: dict[str, ValueLineIndex] = {}

    def find(self, location: SourceLocation, name: str, value: bytes | None) -> SourceLocation:
        """Return the location of *value* of the attribute *name* in the record at *location* (:class:`ValueLineIndex`).

        If the file cannot be read (standard input), *location* is returned.
        """
        if location.file not in self._indexes:
            self._indexes[location.file] = ValueLineIndex(_read_lines(location.file))
        index = self._indexes[location.file]
        return SourceLocation(location.file, index.find_line(location.line, _list_names(self._schema, name), value))


def locate_values(findings: Iterable[EntryFinding], schema: Schema, files: Iterable[Path]) -> Iterator[EntryFinding]:
    """Yield *findings*; findings in one of *files* get the line of their value instead of the entry's line.

    A file is read again only once, at its first finding. If it cannot be read (standard input), the entry's line stays.
    """
    known = {str(path) for path in files}
    # The locator ends with this generator, because a file may change before the next call.
    locator = ValueLocator(schema)
    for finding in findings:
        location = finding.location
        if location is not None and location.file in known and finding.attribute:
            yield replace(finding, location=locator.find(location, finding.attribute, finding.value))
        else:
            yield finding


def locate_all_values(findings: Iterable[EntryFinding], schema: Schema) -> Iterator[EntryFinding]:
    """Yield *findings*; findings with the location of a record get the line of their value in that record.

    The record's line stays if the record does not contain the value, or if the file cannot be read again.
    """
    given = tuple(findings)
    return locate_values(given, schema, {Path(each.location.file) for each in given if each.location is not None})


def _read_lines(path: str) -> list[bytes]:
    file = Path(path)
    try:
        # A named pipe has no second content, and opening it would wait.
        return file.read_bytes().split(b"\n") if file.is_file() else []
    except OSError:
        return []


def _list_names(schema: Schema, name: str) -> frozenset[str]:
    base_name = name.partition(";")[0]
    attribute_type = schema.attribute(base_name)
    names = (attribute_type.oid, attribute_type.name, *attribute_type.aliases) if attribute_type else (base_name,)
    return frozenset(each.lower() for each in names)


def locate_findings(findings: Sequence[EntryFinding], path: Path, schema: Schema) -> tuple[EntryFinding, ...]:
    """Return *findings* in order, each with the line of its value in *path*, a file or a folder with ``*.ldif`` files.

    Findings in standard input, or in a file that was removed in the meantime, have no location.
    """
    try:
        locations = find_entry_locations(path, schema, (each.dn for each in findings)) if str(path) != STDIN else {}
    except OSError:
        locations = {}
    located = [replace(each, location=locations.get(schema.normalise_dn(each.dn))) for each in findings]
    return tuple(locate_values(located, schema, {Path(location.file) for location in locations.values()}))


def find_entry_locations(path: Path, schema: Schema, dns: Iterable[DN]) -> Mapping[NormalDN, SourceLocation]:
    """Return the locations of the entries *dns* in *path*, by the normal form of the DN.

    The files are read again. Raises :class:`OSError` if a file does not exist any more.
    """
    keys = {schema.normalise_dn(dn) for dn in dns}
    found: dict[NormalDN, SourceLocation] = {}
    for file in sorted(path.glob("*.ldif")) if path.is_dir() else [path]:
        with file.open("rb") as source:
            for record in iter_records(source, str(file)) if keys else ():
                if isinstance(record, ContentRecord) and (key := schema.normalise_dn(record.entry.dn)) in keys:
                    found.setdefault(key, SourceLocation(str(file), record.line))
    return found
