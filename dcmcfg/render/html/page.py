"""Render parts of a self-contained web page without scripts; all text is escaped. Includes its style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dcmcfg.printable import escape_unprintable

STYLESHEET = """
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #5b6573; --paper: #fff; --card: #f6f7f9; --line: #d9dee4;
  --good: #18794e; --fair: #1f6fae; --bad: #c62a2f; --worse: #8e3fa0; --open: #8a6100; --unasked: #c3cad3;
  --fill-good: #2f9e6e; --fill-fair: #6aa6d8; --fill-bad: #d2453f }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #97a3b0; --paper: #16191d; --card: #20252b;
  --line: #39414b; --good: #4cc38a; --fair: #7cb8e8; --bad: #ff6369; --worse: #cf8fdd; --open: #e2b340;
  --unasked: #5b6673 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1040px; margin: 2rem auto; padding: 0 1.2rem }
h1 { font-size: 1.45rem; line-height: 1.3; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .3rem }
.is-good { color: var(--good) } .is-fair { color: var(--fair) } .is-bad { color: var(--bad) }
.is-worse { color: var(--worse) } .is-open { color: var(--open) } .soft { color: var(--soft) }
.banner { border-left: 6px solid; padding: .2rem 0 .2rem 1rem }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: .9rem; margin: 1.4rem 0;
  align-items: start }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
  overflow-wrap: anywhere }
.card p { margin: .2rem 0 } .card ul { margin: .4rem 0 0; padding-left: 1.1rem; font-size: .92em }
article { border-left: 4px solid var(--bad); padding: .1rem 0 .1rem 1rem; margin: 1rem 0 }
article p { margin: .3rem 0 }
li { overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: .6rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.scroll { overflow-x: auto } svg { max-width: 100%; height: auto; display: block }
svg.chart { width: 100% } .chart text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: var(--ink) }
.chart .small { fill: var(--soft) } .chart .grid { stroke: var(--line) } .chart .good { fill: var(--fill-good) }
.chart .fair { fill: var(--fill-fair) } .chart .bad { fill: var(--fill-bad) } .chart .worse { fill: var(--worse) }
.chart .open { fill: var(--unasked) }
table { border-collapse: collapse; width: 100%; font-size: .87em; margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .28rem .7rem .28rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word }
th { color: var(--soft); font-weight: 600 }
td.number, th.number { text-align: right; white-space: nowrap }
td code { display: inline-block; min-width: 15em }
code { font: .92em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere }
.studies td { white-space: nowrap } .studies code { overflow-wrap: normal } .studies [class^=is-] { font-weight: 600 }
.studies tbody:has(.why) tr:first-child td { border-bottom: 0 }
.studies .why td { padding-top: 0; color: var(--soft); white-space: normal }
.stacked td { overflow-wrap: anywhere; min-width: 6rem } .stacked td code { display: inline; min-width: 0 }
details summary { cursor: pointer } details ul { margin: .3rem 0; padding-left: 1.1rem }
pre { font: .87em/1.6 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: .6rem 1rem; white-space: pre-wrap }
@media screen and (max-width: 640px) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem }
  .stacked thead { display: none } .stacked tr { display: block; background: var(--card); border: 1px solid var(--line);
    border-radius: 6px; padding: .5rem .8rem; margin: .6rem 0 }
  .stacked td { display: block; border: 0; padding: .15rem 0 }
  .stacked td:not(:empty)::before { content: attr(data-label); display: block; color: var(--soft); font-weight: 600 } }
@page { margin: 15mm }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 12px }
  tr, .card, svg, .studies tbody { break-inside: avoid } h2 { break-after: avoid }
  thead { display: table-header-group } .scroll { overflow: visible } .studies { font-size: .78rem } }
"""


#: Allows only the page's own style sheet. Even if markup of a peer were not escaped, it could not load or run anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: A cell of a table: its text, or a pair of text and CSS class.
Cell = str | tuple[str, str]


def render_page(title: str, body: Iterable[str]) -> Iterator[str]:
    """Yield the document whose *body* is HTML."""
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape_html(title)}</title>\n<style>{STYLESHEET}</style>\n</head>\n<body>\n"
    yield from body
    yield "</body>\n</html>\n"


def render_banner(headline: str, *, success: bool) -> str:
    """Return the banner with the verdict, which is the first element of the page."""
    return f'<div class="banner is-{"good" if success else "bad"}"><h1>{escape_html(headline)}</h1></div>\n'


def escape_html(text: str) -> str:
    """Return *text* as HTML; markup and unprintable characters are escaped, because the text may come from peers."""
    return escape(escape_unprintable(text))


def render_code(words: str) -> str:
    """Return *words* as HTML in a monospaced font."""
    return f"<code>{escape_html(words)}</code>"


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
    """Yield a table; the columns in *number_columns* are aligned to the right."""
    kinds = ["number" if column in number_columns else "" for column in columns]
    yield '<div class="scroll"><table>\n<thead><tr>'
    yield from (
        f"<th{_format_class(kind)}>{escape_html(column)}</th>" for column, kind in zip(columns, kinds, strict=True)
    )
    yield "</tr></thead>\n<tbody>\n"
    for row in rows:
        yield "<tr>" + "".join(_render_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
    yield "</tbody>\n</table></div>\n"


def render_list(lines: Iterable[str]) -> str:
    """Return a bulleted list of *lines*; empty without lines."""
    items = "".join(f"<li>{escape_html(each)}</li>" for each in lines)
    return f"<ul>{items}</ul>\n" if items else ""


def _render_cell(cell: Cell, kind: str) -> str:
    text, css_class = (cell, "") if isinstance(cell, str) else cell
    content = render_code(text) if css_class == "code" else escape_html(text)
    return (
        f"<td{_format_class(' '.join(filter(None, (kind, '' if css_class == 'code' else css_class))))}>{content}</td>"
    )


def _format_class(name: str) -> str:
    return f' class="{name}"' if name else ""
