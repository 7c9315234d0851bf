"""Render the report of an upgrade as one web page, for a change board: to read, to print, on a phone."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.render.html.page import (
    PageHead,
    escape_html,
    render_banner,
    render_code,
    render_definition_list,
    render_page,
)
from dcmcfg.render.upgrade_sections import ReportCell, ReportSection, build_sections, list_lead_facts
from dcmcfg.upgrade.report import UpgradeReport


def render_upgrade_page(report: UpgradeReport, base: DN) -> Iterator[str]:
    """Yield the self-contained document, without scripts; all text is escaped. DNs are relative to *base*."""
    head = PageHead(report.headline, command="dcmcfg upgrade plan", created=report.created)
    yield from render_page(head, _render_body(report, base))


def _render_body(report: UpgradeReport, base: DN) -> Iterator[str]:
    yield render_banner(report.headline, "open" if report.upgrade.decisions else "good")
    yield from render_definition_list(list_lead_facts(report))
    for section in build_sections(report, base):
        yield from _render_section(section)


def _render_section(section: ReportSection) -> Iterator[str]:
    yield f"<h2>{escape_html(section.title)}</h2>\n"
    yield from (f"<p>{escape_html(each)}</p>\n" for each in section.sentences)
    if section.facts:
        yield from render_definition_list(section.facts)
    if section.rows:
        yield from _render_rows(section)
    if section.commands:
        lines = "\n".join(f"$ {escape_html(each)}" for each in section.commands)
        yield f"<pre>{lines}</pre>\n"


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


def _render_cell(cell: ReportCell, *, is_open: bool) -> str:
    text = render_code(cell.text) if cell.is_code and cell.text else escape_html(cell.text)
    if not cell.details:
        return text
    items = "".join(f"<li>{render_code(each)}</li>" for each in cell.details)
    return f"<details{' open' if is_open else ''}><summary>{text}</summary><ul>{items}</ul></details>"
