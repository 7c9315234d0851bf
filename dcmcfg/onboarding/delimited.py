"""Read rows from delimited text (RFC 4180 and the variants that spreadsheets write)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding import gazelle
from dcmcfg.onboarding.row import (
    COLUMNS,
    REASON,
    TITLE,
    Sheet,
    SheetRow,
    convert_to_single_line,
    resolve_column,
    warn_unknown_columns,
)
from dcmcfg.schema.findings import SourceLocation

_CRLF = "\r\n"
_DELIMITERS = ",;\t|"
#: The line above the headings in which Excel names the delimiter.
_EXCEL_DELIMITER_LINE = re.compile(r'"?sep=(.)"?(?=\r|\n)', re.IGNORECASE)
#: Added as a last line. If it becomes part of a cell, the quotation of that cell was not closed.
_END_MARKER = "\0"
#: In the reason of a row with too many cells; a rejects file is read again by it.
_EXTRA_CELLS_FIX = "quote cells that contain the delimiter"
_EXPECTED_HEADER = f"the first line must contain the column names: {','.join(COLUMNS)}"


@dataclass(frozen=True)
class DelimitedFormat:
    """The headings and the cells of each row, as read."""

    header: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]
    delimiter: str = ","

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:  # noqa: ARG002 — there is no place for it
        """Return the rows with the reasons as last column, which replaces the reason column of an earlier run.

        Cells beyond the headings stay in their place before the reason: without them, the row fits the headings.
        """
        column_numbers = [number for number, name in enumerate(self.header) if resolve_column(name) != REASON]
        rows = [(*(self.header[number] for number in column_numbers), REASON)]
        for index, reason in sorted(reasons.items()):
            cells = self.records[index]
            row_cells = [cells[number] if number < len(cells) else "" for number in column_numbers]
            # Surplus cells are kept, because they may be the reason of the rejection.
            rows.append((*row_cells, *self._list_extra_cells(cells), convert_to_single_line(reason)))
        return _write_csv(rows, self.delimiter)

    def _list_extra_cells(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the cells of a row beyond the headings, without the reason of an earlier run and empty cells behind.

        An earlier run wrote the reason of such a row as its last cell, beyond its own column.
        """
        column_count = len(self.header)
        extra_cells = list(cells[column_count:])
        if extra_cells and resolve_column(self.header[-1]) == REASON and _EXTRA_CELLS_FIX in extra_cells[-1]:
            extra_cells = list(cells[column_count - 1 : -1])
        while extra_cells and not extra_cells[-1]:
            extra_cells.pop()
        return tuple(extra_cells)


def read_delimited(name: str, text: str) -> Sheet:
    """Return the rows of *text*, the content of the file *name*, whose first line names the columns.

    The delimiter is the one of comma, semicolon, TAB and bar that yields the most known columns. Gazelle exports are
    recognised by their columns. Raises :class:`OnboardingError` if the first line has no title column or has a column
    twice, or if a closing quotation mark is missing.
    """
    delimiter_line = _EXCEL_DELIMITER_LINE.match(text)
    text = (
        text[delimiter_line.end() :] if delimiter_line else text
    )  # the line end stays, so that the line numbers remain correct
    delimiter = delimiter_line[1] if delimiter_line and delimiter_line[1] in _DELIMITERS else _detect_delimiter(text)
    (_, header), body = _split_header(name, _read_records(name, text, delimiter))
    if gazelle.is_gazelle_export(header):
        rows, picked_cells, warnings = gazelle.read_gazelle_rows(name, header, body)
        return Sheet(rows, DelimitedFormat(header, picked_cells, delimiter), warnings)
    columns = [resolve_column(heading) for heading in header]
    _check_header(name, header, columns)
    rows = tuple(_make_row(SourceLocation(name, line), columns, cells) for line, cells in body)
    unknown = [heading for heading, known in zip(header, columns, strict=True) if known is None and heading]
    source = DelimitedFormat(header, tuple(cells for _, cells in body), delimiter)
    warnings = (*warn_unknown_columns(name, unknown, "column"), *_warn_multiline_cells(name, columns, body))
    return Sheet(rows, source, warnings)


def write_rows(rows: Iterable[Mapping[str, str]]) -> str:
    """Return *rows* (values by column) as comma-separated text with all column names as first line."""
    return _write_csv([COLUMNS, *([row.get(name, "") for name in COLUMNS] for row in rows)], ",")


def _write_csv(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    lines = _LineBuffer()
    csv.writer(lines, delimiter=delimiter, lineterminator=_CRLF).writerows(rows)
    return "".join(lines)


class _LineBuffer(list[str]):
    """Collects the writer's rows and ends them with LF.

    The writer itself uses CRLF, because with LF it would not quote a CR in a cell.
    """

    def write(self, row: str) -> None:
        self.append(row.removesuffix(_CRLF) + "\n")


def _detect_delimiter(text: str) -> str:
    """Return the delimiter that yields the most known columns in the first line that is not blank."""
    first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")

    def count_known_columns(delimiter: str) -> int:
        try:
            cells = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:  # a cell exceeds csv's size limit; reading the records reports it with the line
            return 0
        return sum(resolve_column(cell) is not None or gazelle.is_gazelle_heading(cell) for cell in cells)

    # max() returns the first of equal delimiters, so the comma is the default.
    return max(_DELIMITERS, key=count_known_columns)


def _read_records(name: str, text: str, delimiter: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the records as pairs of first line and cells; blank records are omitted."""
    # The end marker must be a record of its own.
    complete_text = text if text.endswith(("\r", "\n")) else text + "\n"
    reader = csv.reader(
        chain(io.StringIO(complete_text, newline=""), (_END_MARKER,)), delimiter=delimiter, skipinitialspace=True
    )
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + 1
    except csv.Error as error:
        raise OnboardingError(f"not delimited text ({error})", subject=f"{name}:{line}") from error
    line, last = records.pop()
    if last != [_END_MARKER]:
        raise OnboardingError("a closing quotation mark is missing", subject=f"{name}:{line}")
    stripped = ((line, tuple(cell.strip() for cell in record)) for line, record in records)
    return [(line, cells) for line, cells in stripped if any(cells)]


def _split_header(
    name: str, records: Sequence[tuple[int, tuple[str, ...]]]
) -> tuple[tuple[int, tuple[str, ...]], list[tuple[int, tuple[str, ...]]]]:
    header, *body = records or [(0, ())]
    if not header[1]:
        raise OnboardingError("the file is empty", subject=name, next_step=_EXPECTED_HEADER)
    return header, body


def _check_header(name: str, header: Sequence[str], columns: Sequence[str | None]) -> None:
    if TITLE not in columns:
        raise OnboardingError(
            f"the first line has no column for the AE title ({', '.join(header)})",
            subject=name,
            next_step=_EXPECTED_HEADER,
        )
    repeated = sorted({known for known in columns if known is not None and columns.count(known) > 1})
    if repeated:
        headings = " and ".join(
            repr(heading) for heading, known in zip(header, columns, strict=True) if known == repeated[0]
        )
        raise OnboardingError(
            f"the columns {headings} have the same meaning: {repeated[0]}",
            subject=name,
            next_step="keep only one of these columns",
        )


def _warn_multiline_cells(
    name: str, columns: Sequence[str | None], body: Iterable[tuple[int, tuple[str, ...]]]
) -> Iterator[str]:
    """Yield a sentence for each ignored cell that may contain whole rows."""
    for line, cells in body:
        for known, cell in zip(columns, cells, strict=False):
            if (known is None or known == REASON) and "\n" in cell.replace("\r", "\n"):
                yield (
                    f"{name}:{line}: a cell in an ignored column has several lines; check for a missing quotation mark."
                )


def _make_row(location: SourceLocation, columns: Sequence[str | None], cells: Sequence[str]) -> SheetRow:
    # A record may have fewer cells than the header, so zip is not strict.
    values = {known: cell for known, cell in zip(columns, cells, strict=False) if known and known != REASON and cell}
    problems = []
    if any(cells[len(columns) :]):
        problems.append(f"the row has {len(cells)} cells, but the first line has {len(columns)}; {_EXTRA_CELLS_FIX}")
    return SheetRow(location, values, tuple(problems))
