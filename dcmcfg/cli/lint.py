"""``dcmcfg lint``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import NotFound
from dcmcfg.files.locations import locate_findings
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lint.catalogue import RULES, RULES_BY_NAME
from dcmcfg.lint.coverage import LintCoverage, assess_coverage
from dcmcfg.lint.linter import LintFinding, collect_fixes, lint
from dcmcfg.lint.rule import LintRule, to_check_rule
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.render.check import findings_sarif
from dcmcfg.render.lint import format_limits, lint_json, print_lint_findings
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema_names import DICOM_DEVICE_OBJECT_CLASS
from dcmcfg.settings import Settings
from dcmcfg.suggestions import suggest_names


def _parse_rules(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[LintRule, ...]:
    """Return the rules called *names*, each once; raises a usage error with suggestions."""
    for name in names:
        if name not in RULES_BY_NAME:
            similar_names = suggest_names(name, RULES_BY_NAME)
            hint = f"near misses: {', '.join(similar_names)}" if similar_names else "docs/lint.md lists them"
            raise click.BadParameter(f"no rule {name!r}; {hint}", ctx, param)
    return tuple(RULES_BY_NAME[name] for name in dict.fromkeys(names))


def _complete_rule(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    return [CompletionItem(rule.name, help=rule.requirement) for rule in RULES if rule.name.startswith(incomplete)]


@click.command("lint", cls=SiteCommand)
@click.argument("source", required=False, metavar="[FILE|FOLDER]", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--rule",
    "rules",
    callback=_parse_rules,
    shell_complete=_complete_rule,
    multiple=True,
    metavar="RULE",
    help="Ask this rule only; may be given again.",
)
@click.option("--sarif", "as_sarif", is_flag=True, help="Print the findings as SARIF 2.1.0.")
@click.option("--fix", is_flag=True, help="Mend what needs no decision, as a plan; the options below go with it.")
@changing_options
def lint_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    source: Path | None,
    rules: tuple[LintRule, ...],
    as_sarif: bool,
    fix: bool,
) -> int:
    """Find what will not work, before anyone tries.

    'check' looks at each value by itself; lint looks at what values mean together: AEs that nobody carries, connections
    that do not fit, exporters whose queue is missing, studies that will never be purged. Without FILE the live tree is
    read; FILE or FOLDER holds the whole configuration as LDIF, '-' is standard input.

    Exit code 1 when there are errors; warnings and notes alone are 0. docs/lint.md has all rules, with what the archive
    does otherwise.
    """
    _require_consistent_options(options, source, as_sarif=as_sarif, fix=fix)
    selected_rules = rules or RULES
    if source is not None:
        tree = read_ldif_tree(source, load_bundled_schema())
        findings = _add_locations(_lint(tree, selected_rules, str(source)), source)
        coverage = assess_coverage(tree, selected_rules, load_bundled_schema(), _iterate_findings(findings), live=False)
        return _print_report(
            tree,
            findings,
            selected_rules,
            options=options,
            limits_and_command=(coverage, _format_check_command(source)),
            as_sarif=as_sarif,
        )
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        findings = _lint(tree, selected_rules, "the tree below the base DN")
        schema = read_schema(directory)
        coverage = assess_coverage(
            tree,
            selected_rules,
            schema or load_bundled_schema(),
            _iterate_findings(findings),
            live=True,
            server_is_newer=schema is None,
        )
        if fix:
            return _apply_fixes(
                settings,
                directory,
                tree,
                findings=findings,
                options=options,
                limit_messages=format_limits(coverage, "dcmcfg check"),
            )
    return _print_report(
        tree,
        findings,
        selected_rules,
        options=options,
        limits_and_command=(coverage, "dcmcfg check"),
        as_sarif=as_sarif,
    )


def _require_consistent_options(options: ChangeOptions, source: Path | None, *, as_sarif: bool, fix: bool) -> None:
    if as_sarif and (options.as_json or fix):
        raise click.UsageError("--sarif goes neither with --json nor with --fix")
    if fix and source is not None:
        raise click.UsageError("--fix mends the live tree; a file is mended in an editor")
    if not fix and options != ChangeOptions(
        dry_run=False,
        yes=False,
        plan_file=None,
        no_reload=False,
        as_json=options.as_json,
        stdout_reserved=options.stdout_reserved,
    ):
        raise click.UsageError("what says how to carry a plan out (--dry-run, --yes and so on) goes with --fix")


def _lint(tree: Tree, rules: Sequence[LintRule], source: str) -> tuple[LintFinding, ...]:
    """Return what *rules* find; raises :class:`NotFound` where there is no device that could be wrong."""
    if not any(entry.is_a(DICOM_DEVICE_OBJECT_CLASS) for entry in tree.entries.values()):
        raise NotFound(
            "there are no devices", subject=source, next_step="dcmcfg export-ldif writes a whole configuration"
        )
    return lint(tree, datetime.now(UTC), rules)


def _add_locations(lint_findings: Sequence[LintFinding], source: Path) -> tuple[LintFinding, ...]:
    findings = locate_findings([each.finding for each in lint_findings], source, load_bundled_schema())
    return tuple(replace(each, finding=finding) for each, finding in zip(lint_findings, findings, strict=True))


def _iterate_findings(lint_findings: Iterable[LintFinding]) -> Iterator[EntryFinding]:
    return (each.finding for each in lint_findings)


def _format_check_command(source: Path) -> str:
    """Return the command that has ``check`` look at *source*, a shell taking a folder apart."""
    return f"dcmcfg check {shlex.quote(str(source))}{'/*.ldif' if source.is_dir() else ''}"


def _print_report(
    tree: Tree,
    findings: Sequence[LintFinding],
    rules: Sequence[LintRule],
    *,
    options: ChangeOptions,
    limits_and_command: tuple[LintCoverage, str],
    as_sarif: bool,
) -> int:
    lines = tuple(format_limits(*limits_and_command))
    if options.as_json:
        print_json(lint_json(findings, len(tree.entries), limits_and_command[0]))
    elif as_sarif:
        sarif = findings_sarif([each.finding for each in findings], [to_check_rule(rule) for rule in rules])
        click.echo(json.dumps(sarif, indent=2))
        for line in lines:
            print_message(line)
    else:
        print_lint_findings(make_stdout_console(), findings, len(tree.entries), lines)
    return _get_exit_code(findings)


def _apply_fixes(
    settings: Settings,
    directory: Directory,
    tree: Tree,
    *,
    findings: Sequence[LintFinding],
    options: ChangeOptions,
    limit_messages: Iterable[str],
) -> int:
    """Mend what can be mended, then tell what is left; with nothing to mend that first, and nothing is carried out."""
    plan = make_plan(tree, [DesiredChange(change) for change in collect_fixes(findings)])
    remaining = [each for each in findings if not each.fix_changes]
    nothing_to_fix = not plan.steps and not options.as_json
    if not nothing_to_fix:
        apply_plan(settings, directory, plan, options=options)
    if remaining or nothing_to_fix:
        console = make_stderr_console() if options.stdout_reserved else make_stdout_console()
        print_lint_findings(console, remaining, len(tree.entries), tuple(limit_messages))
    if nothing_to_fix:
        print_output("nothing to do: --fix mends none of it" if remaining else "nothing to do")
    return _get_exit_code(remaining)


def _get_exit_code(findings: Sequence[LintFinding]) -> int:
    return 1 if any(each.finding.severity == "error" for each in findings) else 0
