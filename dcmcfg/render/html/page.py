"""Render the frame and the parts of a self-contained web page; all text is escaped.

A page loads nothing. Its policy forbids everything except its own style sheet, and one script if it has one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from html import escape

from dcmcfg import __version__
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.html.stylesheet import STYLESHEET
from dcmcfg.render.report import Rating
from dcmcfg.timestamps import format_timestamp

#: Even if markup of a peer were not escaped, it could not load or run anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: The start of a box for wide content. Its focus lets the arrow keys scroll it.
SCROLL = '<div class="scroll" tabindex="0">'
#: Separators of DNs, lists and paths. None of them is a part of an escape such as ``&lt;``.
_BREAKS = re.compile(r"[,=/](?=[^,=/])")
#: A table with more columns does not fit on a phone.
_MAX_PHONE_COLUMNS = 3
#: A cell of a table: its text, or a pair of text and CSS class (``code``, or a class of the style sheet).
Cell = str | tuple[str, str]


@dataclass(frozen=True)
class PageHead:
    """The title of a page, the ``command`` that wrote it, such as ``dcmcfg verify``, and the time in the footer.

    ``script`` is the only script that the page may run.
    """

    title: str
    _: KW_ONLY
    command: str
    created: datetime | None = None
    script: str = ""


def render_page(head: PageHead, body: Iterable[str]) -> Iterator[str]:
    """Yield the document whose *body* is HTML, between the line of the command and the footer."""
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_format_policy(head.script)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape_html(head.command)}: {escape_html(head.title)}</title>\n"
    yield f"<style>{STYLESHEET}</style>\n</head>\n<body>\n"
    created = format_timestamp(head.created) if head.created is not None else ""
    yield f'<header class="top"><b>{escape_html(head.command)}</b><span>{created}</span></header>\n<main>\n'
    yield from body
    yield f'</main>\n<footer class="foot">dcmcfg {escape_html(__version__)}</footer>\n'
    if head.script:
        yield f"<script>{head.script}</script>\n"
    yield "</body>\n</html>\n"


def _format_policy(script: str) -> str:
    if not script:
        return _POLICY
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{_POLICY}; script-src 'sha256-{digest}'"


def render_banner(headline: str, rating: Rating) -> str:
    """Return the banner with the verdict, which is the first element of the page."""
    return f'<div class="banner is-{rating}"><h1>{escape_html(headline)}</h1></div>\n'


def render_badge(text: str, rating: Rating) -> str:
    """Return *text* in a frame in the colour of *rating*."""
    return f'<span class="badge is-{rating}">{escape_html(text)}</span>'


def escape_html(text: str) -> str:
    """Return *text* as HTML; markup and unprintable characters are escaped, because the text may come from peers."""
    return escape(escape_unprintable(text))


def render_code(words: str) -> str:
    """Return *words* as HTML in a monospaced font, as :func:`escape_breakable` does."""
    return f"<code>{escape_breakable(words)}</code>"


def escape_breakable(text: str) -> str:
    """Return *text* as :func:`escape_html` does; a long DN, list or path may break after its separators."""
    return _BREAKS.sub(lambda match: f"{match[0]}<wbr>", escape_html(text))


def render_definition_list(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of names and values; names without a value are left out."""
    yield "<dl>\n"
    for name, value in pairs:
        if value:
            yield f"<dt>{escape_html(name)}</dt><dd>{escape_html(value)}</dd>\n"
    yield "</dl>\n"


def render_table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], number_columns: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Yield a table; the columns in *number_columns* are aligned to the right.

    On a phone, the rows of a wide table become cards with the headings as labels.
    """
    kinds = ["number" if column in number_columns else "" for column in columns]
    is_wide = len(columns) > _MAX_PHONE_COLUMNS
    yield f"{SCROLL}<table{_format_class('stacked' if is_wide else '')}>\n<thead><tr>"
    yield from (
        f"<th{_format_class(kind)}>{escape_html(column)}</th>" for column, kind in zip(columns, kinds, strict=True)
    )
    yield "</tr></thead>\n<tbody>\n"
    for row in rows:
        cells = (
            _render_cell(cell, kind, column if is_wide else "")
            for cell, kind, column in zip(row, kinds, columns, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody>\n</table></div>\n"


def render_list(lines: Iterable[str]) -> str:
    """Return a bulleted list of *lines*; empty without lines."""
    items = "".join(f"<li>{escape_html(each)}</li>" for each in lines)
    return f"<ul>{items}</ul>\n" if items else ""


def _render_cell(cell: Cell, kind: str, label: str) -> str:
    text, css_class = (cell, "") if isinstance(cell, str) else cell
    content = render_code(text) if css_class == "code" else escape_html(text)
    classes = " ".join(filter(None, (kind, "" if css_class == "code" else css_class)))
    label_attribute = f' data-label="{escape_html(label)}"' if label else ""
    return f"<td{_format_class(classes)}{label_attribute}>{content}</td>"


def _format_class(name: str) -> str:
    return f' class="{name}"' if name else ""
