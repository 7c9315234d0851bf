"""Render the results of C-ECHO from several calling AE titles: a matrix for the terminal, and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dcmcfg.connectivity.echo_matrix import CallState, EchoMatrix, MatrixRow, classify_call
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.call_result import call_result_json, format_next_steps
from dcmcfg.render.echo import LIMITATION, target_json
from dcmcfg.render.terminal.console import get_bounded_width, print_line, print_prose, print_text, wrap_text
from dcmcfg.render.terminal.styles import FAILURE, NOTE, SUCCESS, UNDECIDED
from dcmcfg.render.terminal.table import COLUMN_GAP, SIDE_BLANKS, Row, print_fitted
from dcmcfg.suggestions import join_limited

_STYLES: Mapping[CallState, str] = {
    CallState.ANSWERED: SUCCESS,
    CallState.REFUSED: FAILURE,
    CallState.NO_ANSWER: FAILURE,
    CallState.TLS_PROBLEM: FAILURE,
    CallState.FAILED: FAILURE,
    CallState.NOT_CALLED: UNDECIDED,
}
#: The states as one character, for a terminal that is too narrow for the words.
_SIGNS: Mapping[CallState, str] = {
    CallState.ANSWERED: "+",
    CallState.REFUSED: "R",
    CallState.NO_ANSWER: "-",
    CallState.TLS_PROBLEM: "T",
    CallState.FAILED: "F",
    CallState.NOT_CALLED: ".",
}
#: The maximum number of names listed in a line; the others are counted.
_MAX_NAMES = 8


def print_echo_matrix(console: Console, matrix: EchoMatrix, *, show_uncalled_steps: bool = True) -> None:
    """Print a line for each called AE with a state for each calling AE title, then the reasons and next steps.

    On a narrow terminal, numbers stand for the calling AE titles, and signs for the states. With
    *show_uncalled_steps*, the next steps for AEs that were not called are printed too.
    """
    _print_table(console, matrix)
    for line in list_reasons(matrix):
        print_prose(console, line)
    for line in list_next_steps(matrix, show_uncalled_steps=show_uncalled_steps):
        print_prose(console, line)
    print_line(console, format_matrix_counts(matrix))
    if any(each is CallState.ANSWERED for row in matrix.rows for each in list_states(row)):
        for part in wrap_text(Text(LIMITATION, style=NOTE), console, 0):
            print_text(console, part)


def list_states(row: MatrixRow) -> tuple[CallState, ...]:
    """Return the state of each call of *row*, in the order of the calling AE titles."""
    return tuple(map(classify_call, row.results))


def _print_table(console: Console, matrix: EchoMatrix) -> None:
    titles = [escape_unprintable(each) for each in matrix.calling_ae_titles]
    numbers = [str(number) for number in range(1, len(titles) + 1)]
    words = {each: each.value for each in CallState}
    for headings, texts in ((titles, words), (numbers, words), (numbers, _SIGNS)):
        rows: list[Row] = [
            [escape_unprintable(row.name), *(Text(texts[each], style=_STYLES[each]) for each in list_states(row))]
            for row in matrix.rows
        ]
        if _fits(console, ["Called AE", *headings], rows):
            break
    plain_rows = [tuple(map(str, row)) for row in rows]
    print_fitted(console, ["Called AE", *headings], plain_rows, rows)
    if headings is numbers:
        print_prose(console, "Called as: " + ", ".join(map(" ".join, zip(numbers, titles, strict=True))))
    if texts is _SIGNS:
        used = dict.fromkeys(each for row in matrix.rows for each in list_states(row))
        print_line(console, ", ".join(f"{_SIGNS[each]} {each.value}" for each in CallState if each in used))


def _fits(console: Console, headings: Sequence[str], rows: Sequence[Row]) -> bool:
    width = get_bounded_width(console)
    columns = zip(headings, *rows, strict=True)
    needed = sum(max(cell_len(str(cell)) for cell in column) for column in columns)
    return width is None or needed + COLUMN_GAP * (len(headings) - 1) + SIDE_BLANKS <= width


def list_reasons(matrix: EchoMatrix) -> Iterator[str]:
    """Yield a line for each distinct problem, with the AEs that have it, and for which calling AE titles."""
    places: dict[str, dict[str, list[str]]] = {}
    for row in matrix.rows:
        for title, result in zip(matrix.calling_ae_titles, row.results, strict=True):
            problem = f"not called: {row.target.problem}" if result is None else result.problem
            if problem:
                places.setdefault(problem, {}).setdefault(row.name, []).append(title)
    for problem, titles_by_name in places.items():
        names = [
            name if len(titles) == len(matrix.calling_ae_titles) else f"{name} (called as {', '.join(titles)})"
            for name, titles in titles_by_name.items()
        ]
        yield f"{join_limited(names, _MAX_NAMES)}: {problem}"


def list_next_steps(matrix: EchoMatrix, *, show_uncalled_steps: bool) -> Iterator[str]:
    """Yield a line for each distinct next step, with its AEs."""
    steps = dict.fromkeys(
        (row.name, row.target.next_step if result is None else result.next_step)
        for row in matrix.rows
        for result in row.results
        if show_uncalled_steps or result is not None
    )
    yield from format_next_steps(steps)


def format_matrix_counts(matrix: EchoMatrix) -> str:
    """Return how many AEs answered to all calling AE titles, to some of them, and to none."""
    counts = Counter(_summarise(list_states(row)) for row in matrix.rows)
    titles = format_count(len(matrix.calling_ae_titles), "AE title")
    parts = [f"{counts['all']} answered to all titles"]
    parts += [f"{counts[kind]} {text}" for kind, text in _SUMMARIES.items() if counts[kind]]
    return f"Called as {titles}: {', '.join(parts)}"


_SUMMARIES = {"some": "to some", "none": "to none", "uncalled": "not called"}


def _summarise(states: Sequence[CallState]) -> str:
    answered = states.count(CallState.ANSWERED)
    if answered == len(states):
        return "all"
    if answered:
        return "some"
    return "uncalled" if all(each is CallState.NOT_CALLED for each in states) else "none"


def echo_matrix_json(matrix: EchoMatrix) -> dict[str, Any]:
    """Return *matrix* for ``--json``: ``calling_ae_titles``, ``aes``, and ``limitation``, the limits of this proof.

    Each AE has the keys of its address, the ``node`` (null for none), and ``calls``: for each calling AE title
    ``state`` (a word of the matrix), and the keys of a result. ``success`` is null if the AE was not called, with the
    reason in ``problem``.
    """
    return {
        "calling_ae_titles": list(matrix.calling_ae_titles),
        "aes": [_row_json(matrix, row) for row in matrix.rows],
        "limitation": LIMITATION,
    }


def _row_json(matrix: EchoMatrix, row: MatrixRow) -> dict[str, Any]:
    uncalled = {"problem": row.target.problem or None, "next_step": row.target.next_step or None}
    return {
        **target_json(row.target),
        "node": row.node or None,
        "calls": [
            {
                "calling_ae_title": title,
                "state": classify_call(result).value,
                **(call_result_json(result) | ({} if result else uncalled)),
            }
            for title, result in zip(matrix.calling_ae_titles, row.results, strict=True)
        ],
    }
