"""The sources of the studies of a run: a file, explicit UIDs, or a query to the archive.

A file contains one Study Instance UID per line, or is a CSV file with a column of UIDs.
"""

from __future__ import annotations

import codecs
import csv
import re
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from dcmcfg.dicom.query import Study, find_studies
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.file_kinds import CSV, HEADER_LENGTH, STUDY_LIST, detect_file_kind
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.run import get_query_timeouts, open_query_association

_UID_COLUMN = "studyinstanceuid"
_DELIMITERS = ",;\t|"
_COMMENT = re.compile(r"(?:^|\s)#.*")
_COLUMN_NAME = re.compile(r"[^\W\d][\w .()/-]*")
_MAX_BAD_LINES_SHOWN = 20
_MAX_CELL_LENGTH = 80


@dataclass(frozen=True)
class StudyList:
    """The studies in order without duplicates, and the number of duplicates."""

    uids: tuple[str, ...]
    duplicate_count: int = 0


def parse_study_list(name: str, octets: bytes) -> StudyList:
    """Return the studies that *octets*, the content of the file *name*, list.

    Blank lines and text after a ``#`` are ignored. If the first relevant line names a column StudyInstanceUID (in any
    case, with blanks or underscores), the file is a CSV file with that column. Raises :class:`MalformedInput` with each
    line that contains no UID, for a file without studies, and for a CSV header without that column.
    """
    kind = detect_file_kind(octets[:HEADER_LENGTH])
    if kind is not None and kind not in (CSV, STUDY_LIST):
        message = f"the file is {kind.name}, not a list of studies"
        raise MalformedInput(
            message, subject=name, next_step="write one Study Instance UID per line (see dcmcfg help studies)"
        )
    rows = _read_uid_cells(name, _decode(octets))
    uids: list[str] = []
    bad_lines: list[tuple[int, str]] = []
    for number, cell in rows:
        try:
            uids.append(parse_uid(cell))
        except MalformedInput as error:
            bad_lines.append((number, f"{_shorten(error.subject)}: {error.message}"))
    if bad_lines:
        raise MalformedInput(
            f"{'1 line contains' if len(bad_lines) == 1 else f'{len(bad_lines)} lines contain'} no Study Instance UID:",
            subject=name,
            next_step="correct each line, or put a # at the start of the line. dcmcfg sent no request",
            details=_format_bad_lines(bad_lines),
        )
    if not uids:
        raise MalformedInput(
            "the file lists no studies",
            subject=name,
            next_step="write one Study Instance UID per line (see dcmcfg help studies)",
        )
    return deduplicate(uids)


def deduplicate(uids: Iterable[str]) -> StudyList:
    """Return *uids* without duplicates, in order."""
    all_uids = tuple(uids)
    distinct_uids = tuple(dict.fromkeys(all_uids))
    return StudyList(distinct_uids, len(all_uids) - len(distinct_uids))


def _decode(octets: bytes) -> str:
    """Return the text. Invalid UTF-8 becomes a replacement character, which the UID check rejects."""
    # Excel writes "Unicode Text" as UTF-16, and "CSV UTF-8" with a byte order mark.
    is_utf_16 = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return octets.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace")


def _read_uid_cells(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each relevant line, from 1, with the cell that should contain a UID."""
    lines = [(number, _COMMENT.sub("", line).strip()) for number, line in enumerate(text.splitlines(), 1)]
    content_lines = [(number, line) for number, line in lines if line]
    header = _find_uid_column(content_lines[0][1]) if content_lines else None
    if header is None:
        if content_lines and (columns := _read_column_names(content_lines[0][1])):
            raise MalformedInput(
                f"line {content_lines[0][0]} has no column StudyInstanceUID. Its columns are: {', '.join(columns)}",
                subject=name,
                next_step="rename the column with the Study Instance UIDs to StudyInstanceUID. dcmcfg sent no request",
            )
        yield from content_lines
        return
    delimiter, column_index = header
    for number, line in content_lines[1:]:
        cells = _split_cells(line, delimiter)
        yield number, cells[column_index] if column_index < len(cells) else ""


def _find_uid_column(line: str) -> tuple[str, int] | None:
    """Return the delimiter and the index of the UID column if *line* names it."""
    for delimiter in _DELIMITERS:
        # Headings vary: StudyInstanceUID, Study Instance UID, study_instance_uid.
        names = [re.sub(r"[^a-z]", "", cell.casefold()) for cell in _split_cells(line, delimiter)]
        if _UID_COLUMN in names:
            return delimiter, names.index(_UID_COLUMN)
    return None


def _read_column_names(line: str) -> tuple[str, ...]:
    """Return the column names in *line*, or nothing if it is not a header of several columns."""
    cells = max((_split_cells(line, delimiter) for delimiter in _DELIMITERS), key=len)
    names = tuple(_shorten(cell.strip()) for cell in cells)
    return names if len(names) > 1 and all(_COLUMN_NAME.fullmatch(name) for name in names) else ()


def _split_cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:  # a cell exceeds csv's size limit, so this is not a list
        return [line]


def _shorten(cell: str) -> str:
    return cell if len(cell) <= _MAX_CELL_LENGTH else f"{cell[:_MAX_CELL_LENGTH]}…"


def _format_bad_lines(bad_lines: list[tuple[int, str]]) -> Iterator[str]:
    yield from (f"  line {number}: {problem}" for number, problem in bad_lines[:_MAX_BAD_LINES_SHOWN])
    if rest := bad_lines[_MAX_BAD_LINES_SHOWN:]:
        yield f"  and lines {', '.join(str(number) for number, _ in rest)}"


STDIN = "-"


@dataclass(frozen=True)
class StudyListFile:
    """The studies that a file lists; ``-`` is standard input."""

    path: str

    @property
    def source_id(self) -> str:
        """The identity of the source: the path of the file, not its content."""
        return self.path if self.path == STDIN else str(Path(self.path).resolve())

    def read(self) -> StudyList:
        """Return the studies in the file, which is read at the first call only.

        Raises the errors of :func:`parse_study_list`, and :class:`DcmcfgError` if the file cannot be read.
        """
        return self._study_list

    # Standard input can be read only once.
    @cached_property
    def _study_list(self) -> StudyList:
        if self.path == STDIN:
            return parse_study_list("standard input", sys.stdin.buffer.read())
        try:
            return parse_study_list(self.path, Path(self.path).read_bytes())
        except OSError as error:
            raise build_read_failure(error, Path(self.path), DcmcfgError, name=self.path) from error


@dataclass(frozen=True)
class ExplicitStudies:
    """Studies given by their UIDs."""

    uids: tuple[str, ...]

    @property
    def source_id(self) -> str:
        return " ".join(sorted(set(self.uids)))

    def read(self) -> StudyList:
        """Return the studies without duplicates."""
        return deduplicate(self.uids)


@dataclass(frozen=True)
class StudyQuery:
    """The studies that match query keys, at most ``limit``; ``matches`` are the archive's results, None before."""

    keys: Mapping[str, str]
    limit: int | None = None
    matches: tuple[Study, ...] | None = None

    @property
    def source_id(self) -> str:
        keys = ",".join(f"{keyword}={value}" for keyword, value in self.keys.items())
        return keys if self.limit is None else f"{keys} at most {self.limit}"

    @property
    def request_limit(self) -> int | None:
        """The number of matches to request: one more than the limit, to detect truncation; None for all."""
        return None if self.limit is None else self.limit + 1

    @property
    def is_truncated(self) -> bool:
        """Whether more studies match than the limit allows."""
        return self.limit is not None and len(self.matches or ()) > self.limit

    def read(self) -> StudyList:
        """Return the matching studies; raises :class:`NotFound` if there are none."""
        if not self.matches:
            raise NotFound(
                "no study matches",
                subject=self.source_id,
                next_step="check the keys: wildcards are * and ?, and matching may be case-sensitive",
            )
        return deduplicate(study.study_uid for study in self.matches[: self.limit])


StudySource = StudyListFile | ExplicitStudies | StudyQuery


#: Confirms the matches of a query; raises an error if the user does not accept them.
ConfirmMatches = Callable[[StudyQuery], None]


def find_matching_studies(
    query: StudyQuery,
    request: VerificationRequest,
    addresses: VerificationAddresses,
    *,
    tls: ssl.SSLContext | None,
    confirm: ConfirmMatches,
) -> StudyQuery:
    """Return *query* with the matches of the archive, after *confirm* has accepted them.

    Raises :class:`~dcmcfg.errors.NotFound` if nothing matches, :class:`~dcmcfg.errors.DicomError` if the query fails,
    and the errors of *confirm*.
    """
    with open_query_association(request, addresses, tls) as association:
        query_association = association.with_timeouts(get_query_timeouts(addresses))
        matched_query = replace(
            query, matches=find_studies(query_association, query.keys, max_studies=query.request_limit)
        )
    # read() raises NotFound before the user is asked to confirm.
    matched_query.read()
    confirm(matched_query)
    return matched_query
