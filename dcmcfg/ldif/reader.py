"""Read LDIF record by record: RFC 2849, or the dialect that OpenLDAP's tools accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dcmcfg.errors import LdifError
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.ldif.fields import FieldReader, parse_keyword, quote_for_message
from dcmcfg.ldif.grammar import parse_record
from dcmcfg.ldif.lines import LogicalLine, split_blocks, unfold_lines
from dcmcfg.ldif.records import ContentRecord, Record
from dcmcfg.ldif.simple_entries import SimpleEntryReader

_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class LdifErrors(LdifError):
    """All problems of a source. Its message is the message of the first of ``problems``."""

    def __init__(self, problems: tuple[LdifError, ...]) -> None:
        first, *others = problems
        more = f" (the first of {len(problems)} problems)" if others else ""
        super().__init__(first.message + more, subject=first.subject, next_step=first.next_step)
        self.problems = problems


def refuse_url(url: str) -> bytes:
    """Raise :class:`LdifError` for *url*; the default resolver, used if reading of files is not allowed."""
    raise LdifError(f"the value is in another file, and dcmcfg does not read this file: {url}")


def iter_records(
    source: Iterable[bytes],
    name: str,
    *,
    strict: bool = False,
    resolve_url: Callable[[str], bytes] = refuse_url,
) -> Iterator[Record | LdifError]:
    """Yield the records of *source*. For a record that is not LDIF, yield its error instead.

    *source* are octets in chunks of any size, for example an open binary file. Errors have the location ``name:line``.
    After an error, reading continues with the next record. *resolve_url* returns the value for ``attr:< URL``, or
    raises :class:`LdifError`.

    By default this reads the dialect of OpenLDAP's tools: no version line or several, no ``changetype`` before a modify
    body, no ``-`` after the last modification, no final newline, unencoded non-ASCII text. Unlike these tools, it
    reports records that do not begin with ``dn:`` and modifies without modifications. *strict* requires RFC 2849, which
    also allows only one kind of record in a source.
    """
    fields = FieldReader(name, strict, resolve_url)
    rules = _Rfc2849Checker(fields) if strict else None
    parse_simple_entry = SimpleEntryReader().parse_entry
    for block in split_blocks(source):
        text, number, _ = block
        # The fast parser accepts the dialect, so strict mode requires the grammar.
        entry = None if strict else parse_simple_entry(text)
        if entry is not None:
            yield ContentRecord(entry, number)
            continue
        # Every line of UTF-16 text would be an error, so reading ends.
        if number == 1 and text.startswith(_UTF_16_MARKS):
            yield fields.build_error(1, "the text is UTF-16", "save the file as UTF-8")
            return
        for lines in _split_records(unfold_lines(block)):
            try:
                record = _parse_record(fields, rules, lines)
            except LdifError as problem:
                yield problem
            else:
                if record is not None:
                    yield record


def read_all(
    source: Iterable[bytes],
    name: str,
    *,
    strict: bool = False,
    resolve_url: Callable[[str], bytes] = refuse_url,
) -> tuple[Record, ...]:
    """Return the records of *source*, read as by :func:`iter_records`.

    Raises :class:`LdifErrors` with every problem.
    """
    records: list[Record] = []
    problems: list[LdifError] = []
    with pause_garbage_collection():
        for item in iter_records(source, name, strict=strict, resolve_url=resolve_url):
            if isinstance(item, LdifError):
                problems.append(item)
            else:
                records.append(item)
    if problems:
        raise LdifErrors(tuple(problems))
    return tuple(records)


def _parse_record(fields: FieldReader, rules: _Rfc2849Checker | None, lines: list[LogicalLine]) -> Record | None:
    """Return the record in *lines*, or None if they are only version lines; raises :class:`LdifError`."""
    if rules:
        rules.check_lines(lines)
    body = _skip_version_lines(fields, lines)
    if not body:
        return None
    record = parse_record(fields, body)
    if rules:
        rules.check_kind(record)
    return record


def _split_records(lines: Iterable[LogicalLine]) -> Iterator[list[LogicalLine]]:
    """Yield the groups of lines between empty lines, without comments."""
    block: list[LogicalLine] = []
    for line in lines:
        text = line.text
        if not text:
            if block:
                yield block
                block = []
        elif text[:1] != b"#":
            block.append(line)
    if block:
        yield block


def _skip_version_lines(fields: FieldReader, lines: list[LogicalLine]) -> list[LogicalLine]:
    """Return *lines* without the version lines at their beginning."""
    start = lines[0]
    if start.text.startswith(_UTF_8_MARK):
        raise fields.build_error(
            start.number, "a byte order mark before the record", "save the file as UTF-8 without BOM"
        )
    position = 0
    while position < len(lines) and parse_keyword(lines[position]) == "version" and b":" in lines[position].text:
        version = fields.parse_field(lines[position])
        fields.require_plain_text(version.name, lines[position].text.partition(b":")[2], version.line)
        if version.value != b"1":
            raise fields.build_error(
                version.line, f"unknown LDIF version {quote_for_message(version.value)}", "the version must be 1"
            )
        position += 1
    return lines[position:]


class _Rfc2849Checker:
    """Checks the requirements of RFC 2849 for a whole source."""

    def __init__(self, fields: FieldReader) -> None:
        self.fields = fields
        self.started = False
        self.kind: type[Record] | None = None

    def check_lines(self, lines: list[LogicalLine]) -> None:
        """Raise :class:`LdifError` unless the source begins with one version line and ends with a line ending."""
        # Two lines are enough to find a second version line.
        versions = sum(parse_keyword(line) == "version" for line in lines[:2])
        expected = 0 if self.started else 1
        self.started = True
        if versions < expected or (expected and parse_keyword(lines[0]) != "version"):
            raise self.fields.build_error(lines[0].number, "the source does not begin with 'version: 1'")
        if versions > expected:
            raise self.fields.build_error(lines[0].number, "'version:' occurs twice")
        if not lines[-1].has_line_ending:
            raise self.fields.build_error(lines[-1].number, "the last line has no line ending")

    def check_kind(self, record: Record) -> None:
        """Raise :class:`LdifError` if *record* is of another kind than the previous records."""
        self.kind = self.kind or type(record)
        if type(record) is not self.kind:
            raise self.fields.build_error(record.line, "the source contains both entries and change records")
