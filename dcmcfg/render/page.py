"""Pieces of a web page that stands alone: no script, nothing from elsewhere, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dcmcfg.printable import visible
from dcmcfg.render.page_style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: A cell of a table: its text, and its class if it has one.
Cell = str | tuple[str, str]


def page(title: str, body: Iterable[str]) -> Iterator[str]:
    """Yield the document whose *body* is HTML."""
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    yield from body
    yield "</body>\n</html>\n"


def banner(headline: str, *, good: bool) -> str:
    """Return the answer, which stands above all else."""
    return f'<div class="banner is-{"good" if good else "bad"}"><h1>{text(headline)}</h1></div>\n'


def text(words: str) -> str:
    """Return *words*, in which peers may have had a hand, as HTML that shows them."""
    return escape(visible(words))


def code(words: str) -> str:
    """Return *words* as HTML in which each character counts."""
    return f"<code>{text(words)}</code>"


def facts(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of names and values; what has no value is left out."""
    yield "<dl>\n"
    for name, value in named:
        if value:
            yield f"<dt>{text(name)}</dt><dd>{text(value)}</dd>\n"
    yield "</dl>\n"


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Yield a table; the columns in *numbers* are aligned to the right."""
    kinds = ["number" if column in numbers else "" for column in columns]
    yield '<div class="scroll"><table>\n<thead><tr>'
    yield from (f"<th{_class(kind)}>{text(column)}</th>" for column, kind in zip(columns, kinds, strict=True))
    yield "</tr></thead>\n<tbody>\n"
    for row in rows:
        yield "<tr>" + "".join(_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
    yield "</tbody>\n</table></div>\n"


def items(words: Iterable[str]) -> str:
    """Return a bulleted list, nothing for no words."""
    listed = "".join(f"<li>{text(each)}</li>" for each in words)
    return f"<ul>{listed}</ul>\n" if listed else ""


def _cell(cell: Cell, kind: str) -> str:
    words, mood = (cell, "") if isinstance(cell, str) else cell
    inner = code(words) if mood == "code" else text(words)
    return f"<td{_class(' '.join(filter(None, (kind, '' if mood == 'code' else mood))))}>{inner}</td>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
