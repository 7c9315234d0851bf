"""Render a report as Markdown (CommonMark with tables), for a ticket, a pull request or a wiki.

Nothing is folded with HTML, because trackers such as Jira print the tags. What is long comes last instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.render.change_lines import ChangeLine
from dcmcfg.render.markdown import (
    render_code_block,
    render_code_span,
    render_markdown_list,
    render_markdown_table,
    render_prose,
)
from dcmcfg.render.report import Fact, Report, ReportCell, ReportSection
from dcmcfg.render.terminal.styles import ADDED, CHANGED, REMOVED

#: A cell lists up to this many lines; more are listed below the table.
_MAX_IN_CELL = 3
#: In a code block of the language diff, GitHub and GitLab also highlight a line with "!".
_DIFF_SIGNS = {ADDED: "+", REMOVED: "-", CHANGED: "!"}
_INDENT = 4


def render_report_markdown(report: Report) -> Iterator[str]:
    """Yield the lines of the document."""
    yield f"# {render_prose(report.headline)}\n\n"
    yield from _render_facts(report.facts)
    for section in report.sections:
        yield from _render_section(section)


def _render_facts(facts: Sequence[Fact]) -> Iterator[str]:
    pairs = [(name, value if isinstance(value, ReportCell) else ReportCell(value)) for name, value in facts]
    if any(cell.text for _, cell in pairs):
        yield from render_markdown_list(
            f"{render_prose(name)}: {_render_text(cell)}" for name, cell in pairs if cell.text
        )


def _render_section(section: ReportSection) -> Iterator[str]:
    yield f"## {render_prose(section.title)}\n\n"
    yield from (f"{render_prose(each)}\n\n" for each in section.sentences)
    yield from _render_facts(section.facts)
    if section.changes:
        yield from render_code_block(list(format_diff_lines(section.changes)), "diff")
    if section.rows:
        yield from render_markdown_table(
            section.columns, ([_render_cell(cell) for cell in row] for row in section.rows)
        )
    for row in section.rows:
        for cell in row:
            if len(cell.details) > _MAX_IN_CELL:
                yield f"{_render_text(row[0])}, {render_prose(cell.text)}:\n\n"
                yield from render_markdown_list(map(render_code_span, cell.details))
    if section.items:
        yield from render_markdown_list(map(render_prose, section.items))
    if section.text:
        yield from render_code_block(section.text.rstrip("\n").split("\n"), section.text_language)
    if section.commands:
        yield from render_code_block(section.commands, "sh")


def format_diff_lines(lines: Sequence[ChangeLine]) -> Iterator[str]:
    """Yield *lines* for a code block of the language ``diff``: a replaced value is a removed and an added line."""
    for line in lines:
        indent, mark = " " * (_INDENT * line.depth), f"  ({line.mark})" if line.mark else ""
        sign, text = _DIFF_SIGNS[line.value_sign or line.sign], line.text
        if line.value_sign:
            text = text.replace(f": {line.value_sign} ", ": ", 1)
        if line.new_value is None:
            yield f"{sign} {indent}{text}{mark}"
        elif line.depth == 0:
            yield f"{sign} {indent}{text} → {line.new_value}{mark}"
        else:
            name, colon, _ = text.partition(": ")
            yield f"- {indent}{text}{mark}"
            yield f"+ {indent}{name + colon if line.depth == 1 else ''}{line.new_value}{mark}"


def _render_cell(cell: ReportCell) -> str:
    if 0 < len(cell.details) <= _MAX_IN_CELL:
        return "<br>".join(map(render_code_span, cell.details))
    return _render_text(cell)


def _render_text(cell: ReportCell) -> str:
    return render_code_span(cell.text) if cell.is_code else render_prose(cell.text)
