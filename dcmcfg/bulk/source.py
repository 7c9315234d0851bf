"""Where the studies of a run come from.

Studies as a file lists them: one Study Instance UID a line, or a column of a CSV file.

Which studies match a query, asked of the archive.
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
from dcmcfg.file_kinds import CSV, HEAD, STUDIES, file_kind
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Question
from dcmcfg.verify.run import opened_for, query_timeouts

_COLUMN = "studyinstanceuid"
_DELIMITERS = ",;\t|"
_COMMENT = re.compile(r"(?:^|\s)#.*")
_NAME = re.compile(r"[^\W\d][\w .()/-]*")
_SHOWN = 20
_SHOWN_OF_A_CELL = 80


@dataclass(frozen=True)
class Listed:
    """The studies, each once and in order, and how many lines named one again."""

    uids: tuple[str, ...]
    repeated: int = 0


def parse_list(name: str, octets: bytes) -> Listed:
    """Return the studies that *octets*, the file *name*, lists.

    Blank lines and what follows a ``#`` count for nothing. Where the first line that counts names a column
    StudyInstanceUID (in whatever case, with blanks or underscores), it is a CSV file with that column. Raises
    :class:`MalformedInput`, naming each line that holds no UID, also for a file that lists none, and for columns of
    which none has that name.
    """
    kind = file_kind(octets[:HEAD])
    if kind is not None and kind not in (CSV, STUDIES):
        what = f"this is {kind.name}, not a list of studies"
        raise MalformedInput(what, on=name, next_step="one Study Instance UID a line; docs/bulk.md")
    rows = _rows(name, _decoded(octets))
    uids: list[str] = []
    broken: list[tuple[int, str]] = []
    for number, cell in rows:
        try:
            uids.append(parse_uid(cell))
        except MalformedInput as error:
            broken.append((number, f"{_shortened(error.on)}: {error.what}"))
    if broken:
        raise MalformedInput(
            f"{'1 line holds' if len(broken) == 1 else f'{len(broken)} lines hold'} no Study Instance UID:",
            on=name,
            next_step="mend them, or put a # before each; nothing was asked",
            details=_listed(broken),
        )
    if not uids:
        raise MalformedInput("no study is listed", on=name, next_step="one Study Instance UID a line; docs/bulk.md")
    return named(uids)


def named(uids: Iterable[str]) -> Listed:
    """Return *uids*, each once."""
    given = tuple(uids)
    once = tuple(dict.fromkeys(given))
    return Listed(once, len(given) - len(once))


def _decoded(octets: bytes) -> str:
    """Return the text; what is no UTF-8 becomes a character that no UID has."""
    wide = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return octets.decode("utf-16" if wide else "utf-8-sig", "replace")


def _rows(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that counts, from 1, with the cell that should be a UID."""
    lines = [(number, _COMMENT.sub("", line).strip()) for number, line in enumerate(text.splitlines(), 1)]
    counting = [(number, line) for number, line in lines if line]
    header = _header(counting[0][1]) if counting else None
    if header is None:
        if counting and (columns := _columns(counting[0][1])):
            raise MalformedInput(
                f"no column StudyInstanceUID in line {counting[0][0]}: {', '.join(columns)}",
                on=name,
                next_step="give the column of Study Instance UIDs that name; nothing was asked",
            )
        yield from counting
        return
    delimiter, place = header
    for number, line in counting[1:]:
        cells = _cells(line, delimiter)
        yield number, cells[place] if place < len(cells) else ""


def _header(line: str) -> tuple[str, int] | None:
    """Return delimiter and place of the column of UIDs if *line* names one."""
    for delimiter in _DELIMITERS:
        names = [re.sub(r"[^a-z]", "", cell.casefold()) for cell in _cells(line, delimiter)]
        if _COLUMN in names:
            return delimiter, names.index(_COLUMN)
    return None


def _columns(line: str) -> tuple[str, ...]:
    """Return the names of several columns, if *line* holds such, and nothing that is like a UID."""
    cells = max((_cells(line, delimiter) for delimiter in _DELIMITERS), key=len)
    names = tuple(_shortened(cell.strip()) for cell in cells)
    return names if len(names) > 1 and all(_NAME.fullmatch(name) for name in names) else ()


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:  # a cell that is longer than any text: this is no list
        return [line]


def _shortened(cell: str) -> str:
    return cell if len(cell) <= _SHOWN_OF_A_CELL else f"{cell[:_SHOWN_OF_A_CELL]}…"


def _listed(broken: list[tuple[int, str]]) -> Iterator[str]:
    yield from (f"  line {number}: {problem}" for number, problem in broken[:_SHOWN])
    if rest := broken[_SHOWN:]:
        yield f"  and lines {', '.join(str(number) for number, _ in rest)}"


STDIN = "-"


@dataclass(frozen=True)
class FromFile:
    """The studies that a file lists, ``-`` being standard input."""

    path: str

    @property
    def name(self) -> str:
        """What tells this source from others: of a file its place, not what is in it."""
        return self.path if self.path == STDIN else str(Path(self.path).resolve())

    def read(self) -> Listed:
        """Return the studies as the file lists them the first time that it is asked.

        Raises what :func:`parse_list` does, and :class:`DcmcfgError` for no such file.
        """
        return self._listed

    @cached_property
    def _listed(self) -> Listed:
        if self.path == STDIN:
            return parse_list("standard input", sys.stdin.buffer.read())
        try:
            return parse_list(self.path, Path(self.path).read_bytes())
        except OSError as error:
            raise DcmcfgError(
                f"the list cannot be read ({error.strerror})",
                on=self.path,
                next_step="nothing was asked",
            ) from error


@dataclass(frozen=True)
class Named:
    """The studies that are named one by one."""

    uids: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(sorted(set(self.uids)))

    def read(self) -> Listed:
        """Return the studies, each once."""
        return named(self.uids)


@dataclass(frozen=True)
class Matching:
    """The studies that match keys, at most ``limit`` of them; ``found`` is what the archive listed, once asked."""

    keys: Mapping[str, str]
    limit: int | None = None
    found: tuple[Study, ...] | None = None

    @property
    def name(self) -> str:
        keys = ",".join(f"{keyword}={value}" for keyword, value in self.keys.items())
        return keys if self.limit is None else f"{keys} at most {self.limit}"

    @property
    def most(self) -> int | None:
        """How many matches to ask for, one more than are wanted; None for all."""
        return None if self.limit is None else self.limit + 1

    @property
    def leaves_out(self) -> bool:
        """Whether more were found than are wanted."""
        return self.limit is not None and len(self.found or ()) > self.limit

    def read(self) -> Listed:
        """Return the studies of what was found; raises :class:`NotFound` when that is nothing."""
        if not self.found:
            raise NotFound("no study matches", on=self.name, next_step="wildcards are * and ?; case may count")
        return named(study.study_uid for study in self.found[: self.limit])


Source = FromFile | Named | Matching


#: Given what matches: raises where so many are not meant.
Consent = Callable[[Matching], None]


def matched(
    source: Matching, question: Question, addresses: Addresses, tls: ssl.SSLContext | None, consent: Consent
) -> Matching:
    """Return *source* with what the archive lists for it, once *consent* was given.

    Raises :class:`~dcmcfg.errors.NotFound` when nothing matches, :class:`~dcmcfg.errors.DicomError` when the query
    fails, and what *consent* does.
    """
    with opened_for(question, addresses, tls) as opened:
        asking = opened.with_patience(query_timeouts(addresses))
        known = replace(source, found=find_studies(asking, source.keys, most=source.most))
    known.read()
    consent(known)
    return known
