"""Print a report as Markdown or as a web page on standard output.

Kept apart: the other output of commands knows no formats of reports, and is loaded by commands without reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcmcfg.cli.options.output_options import HTML, MARKDOWN
from dcmcfg.cli.session.output import print_text
from dcmcfg.render.html.report_page import render_report_page
from dcmcfg.render.report import Report
from dcmcfg.render.report_markdown import render_report_markdown

_RENDERERS: dict[str, Callable[[Report], Iterable[str]]] = {MARKDOWN: render_report_markdown, HTML: render_report_page}


def print_formatted_report(report: Report, form: str) -> None:
    """Print *report*; *form* is ``markdown`` or ``html``."""
    print_text(_RENDERERS[form](report))
