"""Studies as a file lists them: one Study Instance UID a line, or a column of a CSV file."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput
from dcmcfg.file_kinds import CSV, HEAD, STUDIES, file_kind

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
