"""Print tables without breaking names; if a table does not fit, each row is printed as a block of lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dcmcfg.printable import escape_unprintable_lines
from dcmcfg.render.terminal.console import UNBOUNDED_WIDTH, get_bounded_width, print_line, print_text

#: Text in a column narrower than this is hard to read.
_MIN_PROSE_WIDTH = 24
#: A value up to this length stays in one piece.
_MAX_UNBROKEN_VALUE = 30
#: The minimum length of wrapped lines in blocks.
_MIN_LINE_WIDTH = 20
#: Spaces of rich's SIMPLE_HEAD: three between columns, one on each side.
COLUMN_GAP, SIDE_BLANKS = 3, 2
_INDENT = "  "
_RDN_PATTERN = re.compile(r"(?:\\.|[^,])+,?|,")
_DN_PATTERN = re.compile(r"[\w.-]+=[^,=]*(?:,[\w.-]+=[^,=]*)+")


class WrapMode(Enum):
    """Where the lines of a cell may wrap; ``AUTO`` wraps a DN at commas and a long value at spaces."""

    NEVER = "nowhere"
    AT_COMMAS = "at commas"
    AT_SPACES = "at blanks"
    AUTO = "as value"


class Column(NamedTuple):
    """A column of a table; the heading may be empty if the cells are self-explanatory."""

    heading: str
    wrap_mode: WrapMode = WrapMode.NEVER


#: The cells of a row; a :class:`~rich.text.Text` has one style for the whole cell.
Row = Sequence[str | Text]
_PlainRow = Sequence[str]


def print_table(
    console: Console,
    columns: Sequence[Column],
    rows: Sequence[Row],
    block_rows: Sequence[Row] | None = None,
    *,
    blank_above: bool | None = None,
) -> None:
    """Print *rows* as a table below the headings; cells are escaped, except for their line ends.

    If the table does not fit without breaking names, each row is printed as a block with one line for each cell that is
    not empty. *block_rows* are alternative rows for this form. Without a width, nothing wraps.

    *blank_above* puts an empty line above; by default, a table has one and blocks have none. An empty line follows
    both.
    """
    width, plain_rows = get_bounded_width(console), escape_rows(rows)
    headings = [column.heading for column in columns]
    if width is None:
        print_fitted(console, headings, plain_rows, rows, blank_above=blank_above is not False)
        return
    widths = _compute_widths(columns, plain_rows, width)
    if widths is not None:
        cells = [zip(row, columns, widths, strict=True) for row in plain_rows]
        wrapped_rows = [
            ["\n".join(wrap_cell(cell, column.wrap_mode, column_width)) for cell, column, column_width in row]
            for row in cells
        ]
        print_fitted(console, headings, wrapped_rows, rows, blank_above=blank_above is not False)
        return
    if blank_above:
        print_line(console, "")
    for line in _build_block_lines(columns, plain_rows if block_rows is None else escape_rows(block_rows), width):
        print_line(console, line)


def escape_rows(rows: Iterable[Row]) -> list[_PlainRow]:
    """Return the texts of *rows*, escaped except for their line ends."""
    return [tuple(escape_unprintable_lines(str(cell)) for cell in row) for row in rows]


def print_fitted(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[_PlainRow],
    styled_rows: Sequence[Row],
    *,
    blank_above: bool = True,
) -> None:
    """Print *rows* below *headings* without wrapping, each cell with the style of the same cell in *styled_rows*.

    Trailing spaces are removed. The rule below the headings is as wide as the table.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), no_wrap=True)
    for row, styled_row in zip(rows, styled_rows, strict=True):
        table.add_row(*map(_apply_style, row, styled_row))
    # At the real width, rich would itself shorten cells, also within names.
    lines = console.render_lines(table, console.options.update(width=UNBOUNDED_WIDTH), pad=False)
    # The first line of rich's SIMPLE_HEAD box is empty.
    for segments in lines if blank_above else lines[1:]:
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        print_text(console, line)


def _apply_style(cell: str, styled_cell: str | Text) -> Text:
    return Text(cell, style=styled_cell.style if isinstance(styled_cell, Text) else "")


def _compute_widths(columns: Sequence[Column], rows: Sequence[_PlainRow], width: int) -> list[int] | None:
    """Return the widths of the columns, or None if the unbreakable parts alone are wider than *width*."""
    available = width - COLUMN_GAP * (len(columns) - 1) - SIDE_BLANKS
    full_widths = [cell_len(column.heading) for column in columns]
    min_widths = list(full_widths)
    for row in rows:
        for number, (cell, column) in enumerate(zip(row, columns, strict=True)):
            full_width = max(map(cell_len, cell.split("\n")))
            piece = max((cell_len(piece.rstrip()) for piece in split_unbreakable(cell, column.wrap_mode)), default=0)
            if _resolve_wrap_mode(cell, column.wrap_mode) is WrapMode.AT_SPACES:
                piece = max(piece, min(full_width, _MIN_PROSE_WIDTH))
            full_widths[number] = max(full_widths[number], full_width)
            min_widths[number] = max(min_widths[number], piece)
    spare_width = available - sum(min_widths)
    if spare_width < 0:
        return None
    desired_width = sum(full_widths) - sum(min_widths)
    if desired_width <= spare_width:
        return full_widths
    return [
        min_width + (max_width - min_width) * spare_width // desired_width
        for min_width, max_width in zip(min_widths, full_widths, strict=True)
    ]


def _build_block_lines(columns: Sequence[Column], rows: Sequence[_PlainRow], width: int) -> Iterator[str]:
    label_width = max((cell_len(column.heading) for column in columns[1:]), default=0) + len(_INDENT)
    for number, row in enumerate(rows):
        if row[0] and number:
            yield ""
        for column_number, (cell, column) in enumerate(zip(row, columns, strict=True)):
            if not cell:
                continue
            prefix = column.heading and f"{column.heading}  "
            if column_number:
                prefix = _INDENT + (prefix and prefix.ljust(label_width))
            for line in wrap_cell(cell, column.wrap_mode, max(width - len(prefix), _MIN_LINE_WIDTH)):
                yield prefix + line
                prefix = " " * len(prefix)
    yield ""


def wrap_cell(cell: str, breaks: WrapMode, width: int) -> Iterator[str]:
    """Yield *cell* as lines of up to *width* columns; a wider piece stays in one line."""
    for text in cell.split("\n"):
        line = ""
        for piece in split_unbreakable(text, breaks) if cell_len(text) > width else [text]:
            if line and cell_len((line + piece).rstrip()) > width:
                yield line.rstrip()
                line, piece = "", piece.lstrip()  # the space after a comma belongs to the previous line
            line += piece
        yield line.rstrip()


def split_unbreakable(cell: str, breaks: WrapMode) -> list[str]:
    """Return the unbreakable pieces of *cell*, each with the space or comma after it."""
    match _resolve_wrap_mode(cell, breaks):
        case WrapMode.AT_COMMAS:
            return [piece for text in cell.split("\n") for piece in _RDN_PATTERN.findall(text)]
        case WrapMode.AT_SPACES:
            return [f"{word} " for word in cell.split()]
        case _:
            return cell.split("\n")


def _resolve_wrap_mode(cell: str, breaks: WrapMode) -> WrapMode:
    if breaks is not WrapMode.AUTO:
        return breaks
    if _DN_PATTERN.fullmatch(cell):
        return WrapMode.AT_COMMAS
    return WrapMode.NEVER if cell_len(cell) <= _MAX_UNBROKEN_VALUE else WrapMode.AT_SPACES
