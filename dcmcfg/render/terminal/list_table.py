"""Print lists: tables with one line for each item at every width, unless a column wraps.

If a list is wider than the terminal, values are shortened or wrapped, then the least important columns are dropped.
Without a terminal, and with ``--wide``, a list is complete at any width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from dcmcfg.render.terminal.console import get_bounded_width, print_line
from dcmcfg.render.terminal.styles import are_all_columns_shown
from dcmcfg.render.terminal.table import (
    COLUMN_GAP,
    SIDE_BLANKS,
    Row,
    WrapMode,
    escape_rows,
    print_fitted,
    split_unbreakable,
    wrap_cell,
)

_ELLIPSIS = "…"
#: Characters kept at the end of a value that is shortened in the middle: a port, or the name of a connection.
_KEPT_END = 10
#: If there is no room even for the columns that are never dropped, values are shortened to this width.
_NARROW = 8


@dataclass(frozen=True, kw_only=True)
class ListColumn:
    """A column of a list.

    The column with the highest ``drop_order`` is dropped first, a column with 0 never. Values are not shortened below
    ``min_width`` characters, and not at all if it is None. With ``keep_end``, they are shortened in the middle. With
    ``wraps``, they are wrapped between words instead.
    """

    heading: str
    drop_order: int = 0
    min_width: int | None = None
    keep_end: bool = False
    wraps: bool = False


def print_list(console: Console, columns: Sequence[ListColumn], rows: Sequence[Row]) -> None:
    """Print *rows* below the headings of *columns*, then notes if columns are hidden or values are not complete.

    A cell of several lines is printed completely without a width and with ``--wide``. Otherwise its first line is
    printed with the number of the others: ``ct1:104 (+2)``. A mark that only some of the lines have is counted:
    ``1 of 3``.
    """
    width, plain_rows = get_bounded_width(console), escape_rows(rows)
    # Programs that read a pipe require complete values.
    if width is None or are_all_columns_shown():
        print_fitted(console, [column.heading for column in columns], plain_rows, rows)
        return
    lines = [[_join_lines(cell) for cell in row] for row in plain_rows]
    full_widths = _measure_columns(columns, lines)
    if _compute_table_width(full_widths) > width:
        # Columns without values are left out first. They are not reported, because nothing is hidden.
        used = [index for index in range(len(columns)) if any(line[index] for line in lines)]
        columns, full_widths = [columns[index] for index in used], [full_widths[index] for index in used]
        lines, rows = (
            [[line[index] for index in used] for line in lines],
            [[row[index] for index in used] for row in rows],
        )
    min_widths = [
        _get_min_width(column, full_width, [line[index] for line in lines])
        for index, (column, full_width) in enumerate(zip(columns, full_widths, strict=True))
    ]
    widths = _fit_columns(columns, min_widths, full_widths, width)
    fitted_rows = [
        [_fit_cell(line[index], column_width, columns[index]) for index, column_width in widths.items()]
        for line in lines
    ]
    headings = [
        _shorten(columns[index].heading, column_width, columns[index]) for index, column_width in widths.items()
    ]
    print_fitted(console, headings, fitted_rows, [[row[index] for index in widths] for row in rows])
    for note in _describe_missing(columns, widths, full_widths):
        print_line(console, note)
    if any(_has_several_values(str(row[index])) for row in rows for index in widths):
        print_line(console, "(+N) stands for N more values. --wide shows all values.")


def _join_lines(cell: str) -> str:
    """Return the lines of *cell* as one line, as described for :func:`print_list`."""
    lines = cell.split("\n")
    if _has_several_values(cell):
        return f"{lines[0]} (+{len(lines) - 1})".lstrip()
    return f"{len(lines) - lines.count('')} of {len(lines)}" if "" in lines and any(lines) else lines[0]


def _has_several_values(cell: str) -> bool:
    """Return whether the lines of *cell* have different values; an empty line is no value."""
    return len(set(cell.split("\n")) - {""}) > 1


def _measure_columns(columns: Sequence[ListColumn], lines: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(cell_len(column.heading), *(cell_len(line[index]) for line in lines))
        for index, column in enumerate(columns)
    ]


def _compute_table_width(widths: Sequence[int]) -> int:
    return sum(widths) + COLUMN_GAP * (len(widths) - 1) + SIDE_BLANKS


def _fit_columns(
    columns: Sequence[ListColumn], all_min_widths: Sequence[int], full_widths: Sequence[int], width: int
) -> dict[int, int]:
    """Return the widths of the shown columns by index; as few columns as possible are dropped."""
    shown = list(range(len(columns)))
    while True:
        min_widths = {index: all_min_widths[index] for index in shown}
        spare_width = width - _compute_table_width(list(min_widths.values()))
        least_important = max(shown, key=lambda index: columns[index].drop_order)
        if spare_width >= 0:
            return _distribute(min_widths, full_widths, spare_width)
        if not columns[least_important].drop_order:
            break
        shown.remove(least_important)
    narrow_widths = {
        index: full_widths[index] if columns[index].min_width is None else min(_NARROW, full_widths[index])
        for index in shown
    }
    return _distribute(narrow_widths, full_widths, max(width - _compute_table_width(list(narrow_widths.values())), 0))


def _get_min_width(column: ListColumn, full_width: int, cells: Sequence[str]) -> int:
    """Return the minimum width of *column*: at least that of its heading, and of the longest word if it wraps."""
    if column.min_width is None:
        return full_width
    words = (word for cell in cells for word in split_unbreakable(cell, WrapMode.AT_SPACES)) if column.wraps else ()
    longest_word = max((cell_len(word.rstrip()) for word in words), default=0)
    return min(max(column.min_width, cell_len(column.heading), longest_word), full_width)


def _distribute(min_widths: dict[int, int], full_widths: Sequence[int], spare_width: int) -> dict[int, int]:
    """Return *min_widths* plus *spare_width* in equal shares; a column takes no more than its full width."""
    widths = dict(min_widths)
    # The column with the smallest need comes first, so that the others share its unused width.
    by_need = sorted(widths, key=lambda index: full_widths[index] - widths[index])
    for number, index in enumerate(by_need):
        share = min(full_widths[index] - widths[index], spare_width // (len(by_need) - number))
        widths[index] += share
        spare_width -= share
    return widths


def _fit_cell(text: str, width: int, column: ListColumn) -> str:
    return "\n".join(wrap_cell(text, WrapMode.AT_SPACES, width)) if column.wraps else _shorten(text, width, column)


def _shorten(text: str, width: int, column: ListColumn) -> str:
    if cell_len(text) <= width:
        return text
    # In a narrow column, the kept end would leave too little of the start.
    kept_end = text[-_KEPT_END:] if column.keep_end and width > 2 * _KEPT_END else ""
    return set_cell_size(text, width - cell_len(kept_end) - 1).rstrip() + _ELLIPSIS + kept_end


def _describe_missing(
    columns: Sequence[ListColumn], widths: dict[int, int], full_widths: Sequence[int]
) -> Iterator[str]:
    hidden = [column.heading for index, column in enumerate(columns) if index not in widths]
    if hidden:
        yield f"Not shown: {', '.join(hidden)}. --wide shows all columns."
    elif any(widths[index] < full_widths[index] and not columns[index].wraps for index in widths):
        yield "Some values are shortened. --wide shows the full values."
