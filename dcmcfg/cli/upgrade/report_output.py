"""The report of ``dcmcfg upgrade plan``: on standard output in a format, and in files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import HTML, JSON, MARKDOWN, TEXT
from dcmcfg.cli.session.output import print_json, print_text, require_writable_file, write_report
from dcmcfg.dn import DN
from dcmcfg.render.html.report_page import render_report_page
from dcmcfg.render.report_markdown import render_report_markdown
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade import print_upgrade
from dcmcfg.render.upgrade_json import upgrade_json
from dcmcfg.render.upgrade_sections import build_upgrade_report
from dcmcfg.upgrade.report import UpgradeReport

#: The values of ``--format``.
FORMS = (TEXT, JSON, MARKDOWN, HTML)
_FORMS_BY_SUFFIX = {".html": HTML, ".json": JSON, ".md": MARKDOWN}


def _parse_files(ctx: click.Context, param: click.Parameter, paths: Sequence[Path]) -> tuple[Path, ...]:
    for path in paths:
        if path.suffix.lower() not in _FORMS_BY_SUFFIX:
            raise click.BadParameter(f"{path} does not end with .html, .json or .md", ctx, param)
    return tuple(paths)


report_file_option = click.option(
    "--report",
    "report_files",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=False, path_type=Path),
    multiple=True,
    callback=_parse_files,
    help="Also write the report to the new FILE.html, FILE.json or FILE.md. Can be repeated.",
)


def require_new_report_files(files: Iterable[Path], plan_file: Path | None) -> None:
    """Raise :class:`~dcmcfg.errors.DcmcfgError` if a report or the plan cannot be written to a new file."""
    targets = [*files, *([plan_file] if plan_file is not None else [])]
    if len({each.resolve() for each in targets}) < len(targets):
        raise click.UsageError("the same file is given twice: the plan and each report require separate files")
    for each in targets:
        require_writable_file(str(each), must_be_new=True)


def print_report(report: UpgradeReport, base: DN, *, form: str, details: bool) -> None:
    """Print *report* on standard output; DNs are relative to *base*."""
    if form == JSON:
        print_json(upgrade_json(report))
    elif form == TEXT:
        print_upgrade(make_stdout_console(), report, base, details=details)
    else:
        print_text(_RENDERERS[form](report, base))


def write_report_files(report: UpgradeReport, base: DN, files: Iterable[Path]) -> None:
    """Write *report* to the new *files*, in the format of each suffix. They are readable by their owner only."""
    for each in files:
        form = _FORMS_BY_SUFFIX[each.suffix.lower()]
        write_report(str(each), _RENDERERS[form](report, base), must_be_new=True)


def _render_json(report: UpgradeReport, base: DN) -> Iterable[str]:  # noqa: ARG001 — the signature of all renderers
    return [json.dumps(upgrade_json(report), indent=2), "\n"]


def _render_markdown(report: UpgradeReport, base: DN) -> Iterable[str]:
    return render_report_markdown(build_upgrade_report(report, base))


def _render_page(report: UpgradeReport, base: DN) -> Iterable[str]:
    return render_report_page(build_upgrade_report(report, base))


_RENDERERS: dict[str, Callable[[UpgradeReport, DN], Iterable[str]]] = {
    JSON: _render_json,
    MARKDOWN: _render_markdown,
    HTML: _render_page,
}
