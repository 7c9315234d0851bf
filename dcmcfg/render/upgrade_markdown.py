"""Render the report of an upgrade as Markdown, for a ticket or a wiki."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.render.markdown import render_code_span, render_markdown_list, render_markdown_table, render_prose
from dcmcfg.render.upgrade_sections import ReportCell, ReportSection, build_sections, list_lead_facts
from dcmcfg.upgrade.report import UpgradeReport

#: A cell lists up to this many lines; more are listed below the table.
_MAX_IN_CELL = 3


def render_upgrade_markdown(report: UpgradeReport, base: DN) -> Iterator[str]:
    """Yield the lines of the document; DNs are relative to *base*."""
    yield f"# {render_prose(report.headline)}\n\n"
    yield from _render_facts(list_lead_facts(report))
    for section in build_sections(report, base):
        yield from _render_section(section)


def _render_facts(facts: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield from render_markdown_list(f"{render_prose(name)}: {render_prose(text)}" for name, text in facts if text)


def _render_section(section: ReportSection) -> Iterator[str]:
    yield f"## {render_prose(section.title)}\n\n"
    yield from (f"{render_prose(each)}\n\n" for each in section.sentences)
    if section.facts:
        yield from _render_facts(section.facts)
    if section.rows:
        yield from render_markdown_table(
            section.columns, ([_render_cell(cell) for cell in row] for row in section.rows)
        )
    for row in section.rows:
        for cell in row:
            if len(cell.details) > _MAX_IN_CELL:
                label = _render_text(row[0])
                yield f"{label}, {render_prose(cell.text)}:\n\n"
                yield from render_markdown_list(map(render_code_span, cell.details))
    if section.commands:
        yield "".join(f"    {each}\n" for each in section.commands) + "\n"


def _render_cell(cell: ReportCell) -> str:
    if 0 < len(cell.details) <= _MAX_IN_CELL:
        return "<br>".join(map(render_code_span, cell.details))
    return _render_text(cell)


def _render_text(cell: ReportCell) -> str:
    return render_code_span(cell.text) if cell.is_code else render_prose(cell.text)
