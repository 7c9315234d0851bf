"""Render a report as one web page: to read, to print, on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.render.change_lines import ChangeLine
from dcmcfg.render.html.page import (
    SCROLL,
    PageHead,
    escape_breakable,
    escape_html,
    render_badge,
    render_banner,
    render_code,
    render_list,
    render_page,
)
from dcmcfg.render.report import Fact, Report, ReportCell, ReportSection
from dcmcfg.render.terminal.styles import ADDED, CHANGED, REMOVED

_LINE_CLASSES = {ADDED: "added", REMOVED: "removed", CHANGED: "changed"}
_DEPTH_CLASSES = ("", "deep", "deeper")
_ARROW = " → "


def render_report_page(report: Report) -> Iterator[str]:
    """Yield the self-contained document, without scripts; all text is escaped."""
    head = PageHead(report.headline, command=report.command, created=report.created)
    yield from render_page(head, _render_body(report))


def _render_body(report: Report) -> Iterator[str]:
    yield render_banner(report.headline, report.rating)
    yield from _render_facts(report.facts)
    for section in report.sections:
        yield from _render_section(section)


def _render_section(section: ReportSection) -> Iterator[str]:
    yield f"<h2>{escape_html(section.title)}</h2>\n"
    yield from (f"<p>{escape_html(each)}</p>\n" for each in section.sentences)
    yield from _render_facts(section.facts)
    if section.changes:
        yield f'<pre class="changes">{"".join(_render_changes(section.changes))}</pre>\n'
    if section.rows:
        yield from _render_matrix(section) if section.is_matrix else _render_rows(section)
    yield render_list(section.items)
    if section.text:
        text = "\n".join(escape_html(each) for each in section.text.rstrip("\n").split("\n"))
        yield f'<pre class="text" tabindex="0">{text}</pre>\n'
    if section.commands:
        lines = "\n".join(f"$ {escape_html(each)}" for each in section.commands)
        yield f"<pre>{lines}</pre>\n"


def _render_facts(facts: Sequence[Fact]) -> Iterator[str]:
    cells = [(name, value if isinstance(value, ReportCell) else ReportCell(value)) for name, value in facts]
    if any(cell.text for _, cell in cells):
        yield "<dl>\n"
        for name, cell in cells:
            if cell.text:
                yield f"<dt>{escape_html(name)}</dt><dd>{_render_cell(cell, is_open=True)}</dd>\n"
        yield "</dl>\n"


def _render_changes(lines: Sequence[ChangeLine]) -> Iterator[str]:
    for line in lines:
        classes = f"line {_LINE_CLASSES[line.value_sign or line.sign]} {_DEPTH_CLASSES[line.depth]}".rstrip()
        text = escape_breakable(line.text)
        if line.new_value is not None:
            name, colon, old = line.text.partition(": ") if line.depth == 1 else ("", "", line.text)
            values = f"<del>{escape_breakable(old)}</del>{_ARROW}<ins>{escape_breakable(line.new_value)}</ins>"
            text = escape_html(name + colon) + values
        mark = f' <span class="soft">({escape_html(line.mark)})</span>' if line.mark else ""
        yield f'<span class="{classes}">{line.sign} {text}{mark}\n</span>'


def _render_rows(section: ReportSection) -> Iterator[str]:
    """Yield a table whose rows become cards on a narrow screen; the label of each cell is then its column."""
    yield '<table class="stacked">\n<thead><tr>'
    yield from (f"<th>{escape_html(each)}</th>" for each in section.columns)
    yield "</tr></thead>\n<tbody>\n"
    for row in section.rows:
        cells = (
            f'<td data-label="{escape_html(column)}">{_render_cell(cell, is_open=section.is_open)}</td>'
            for column, cell in zip(section.columns, row, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody>\n</table>\n"


def _render_matrix(section: ReportSection) -> Iterator[str]:
    yield f'{SCROLL}<table class="matrix">\n<thead><tr>'
    yield from (f'<th scope="col">{escape_html(each)}</th>' for each in section.columns)
    yield "</tr></thead>\n<tbody>\n"
    for first, *cells in section.rows:
        heading = f'<th scope="row">{_render_cell(first, is_open=True)}</th>'
        yield f"<tr>{heading}{''.join(f'<td>{_render_cell(each, is_open=True)}</td>' for each in cells)}</tr>\n"
    yield "</tbody>\n</table></div>\n"


def _render_cell(cell: ReportCell, *, is_open: bool) -> str:
    if cell.rating != "plain":
        text = render_badge(cell.text, cell.rating)
    elif cell.is_code:
        text = render_code(cell.text) if cell.text else ""
    else:
        text = escape_html(cell.text)
    if not cell.details:
        return text
    items = "".join(f"<li>{render_code(each)}</li>" for each in cell.details)
    return f"<details{' open' if is_open else ''}><summary>{text}</summary><ul>{items}</ul></details>"
