"""``dcmcfg check``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from dcmcfg.changes import Add
from dcmcfg.cli import invocation
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options_with_forms
from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.output_options import HTML, JSON, MARKDOWN, REPORT_FORMS, TEXT
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json, redirect_output
from dcmcfg.cli.session.report_output import print_formatted_report
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import LdifError
from dcmcfg.files.ldif import format_file_name, read_files
from dcmcfg.files.locations import locate_values
from dcmcfg.files.trees import list_ldif_files
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record, has_changes
from dcmcfg.lint.catalogue import CHECK_RULES, CHECK_RULES_BY_NAME
from dcmcfg.lint.checker import CheckReport, CheckSubject, add_findings, check_configuration, select_rules
from dcmcfg.lint.linter import collect_fixes
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.render.check import (
    findings_sarif,
    format_skipped_rules,
    print_change_files,
    print_report,
    print_rules,
    report_json,
    rules_json,
)
from dcmcfg.render.check_report import build_check_report, build_rules_report
from dcmcfg.render.terminal.console import make_console, make_stdout_console
from dcmcfg.schema.check import LocatedEntry
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.findings import PARTS, CheckRule, EntryFinding, Part, SourceLocation
from dcmcfg.settings import Settings, format_site_headline
from dcmcfg.suggestions import suggest_names

if TYPE_CHECKING:
    from dcmcfg.cli.session.archive_view import ViewComparison
    from dcmcfg.cli.session.environment import EnvironmentFiles

#: Part that is checked only on request → the option that requests it.
_OPTION_BY_PART: Mapping[Part, str] = {"archive-view": "--archive-view", "environment": "--env FILE"}
_LIST_COMMAND = "dcmcfg check --list-rules"


def _parse_parts(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name in CHECK_RULES_BY_NAME:
            raise click.BadParameter(f"{name} is a rule, not a part. Use --rule {name}", ctx, param)
    return _require_known(ctx, param, names, ("part", PARTS))


def _parse_rules(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name in PARTS:
            raise click.BadParameter(f"{name} is a part of the check, not a single rule. Use --only {name}", ctx, param)
    return _require_known(ctx, param, names, ("rule", tuple(CHECK_RULES_BY_NAME)))


def _parse_skipped(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    return _require_known(ctx, param, names, ("part or rule", (*PARTS, *CHECK_RULES_BY_NAME)))


def _require_known(
    ctx: click.Context, param: click.Parameter, names: tuple[str, ...], kind: tuple[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return *names*, each once; raises a usage error for a name that is not among those of *kind* (word, names)."""
    word, known = kind
    for name in names:
        if name not in known:
            similar = suggest_names(name, known)
            hint = f"Did you mean {', '.join(similar)}? " if similar else ""
            raise click.BadParameter(
                f"unknown {word} {name!r}. {hint}To list all parts and rules: {_LIST_COMMAND}", ctx, param
            )
    return tuple(dict.fromkeys(names))


def _complete_rule(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    return [
        CompletionItem(rule.name, help=rule.requirement) for rule in CHECK_RULES if rule.name.startswith(incomplete)
    ]


def _complete_part(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    return [CompletionItem(name) for name in PARTS if name.startswith(incomplete)]


def _complete_skipped(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [*_complete_part(ctx, param, incomplete), *_complete_rule(ctx, param, incomplete)]


@click.command("check", cls=SiteCommand)
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--only",
    "parts",
    callback=_parse_parts,
    shell_complete=_complete_part,
    multiple=True,
    metavar="PART",
    help=f"Check this part only: {', '.join(PARTS)}; can be repeated.",
)
@click.option(
    "--rule",
    "rule_names",
    callback=_parse_rules,
    shell_complete=_complete_rule,
    multiple=True,
    metavar="RULE",
    help="Check this rule only; can be repeated.",
)
@click.option(
    "--skip",
    "skipped_names",
    callback=_parse_skipped,
    shell_complete=_complete_skipped,
    multiple=True,
    metavar="NAME",
    help="Skip this part or rule; can be repeated.",
)
@click.option(
    "--archive-view",
    is_flag=True,
    help="Also compare the archive's device with the JSON that the archive returns for this device. dcmcfg only "
    "reads from the archive.",
)
@click.option(
    "--env",
    "environment_files",
    type=click.Path(path_type=Path, allow_dash=True),
    multiple=True,
    metavar="FILE",
    help="Also compare the environment of the archive's containers with the configuration. FILE is a Docker Compose "
    "file, a .env file, a Kubernetes manifest, or a folder of YAML files. Can be repeated.",
)
@click.option("--list-rules", is_flag=True, help="List the rules instead of checking them.")
@file_urls_options
@click.option(
    "--schema",
    "schema_source",
    type=click.Choice(["server", "bundled"]),
    help="Schema for the check. 'server' is the schema of the directory server (default for the live tree). "
    "'bundled' is the schema in dcmcfg (default for a FILE).",
)
@click.option(
    "--rfc2849",
    is_flag=True,
    help="Accept only strict RFC 2849 LDIF. With this option, a FILE can also contain change records.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Fix the findings that require no decision. The fixes are first shown as a plan. The options below require "
    "--fix.",
)
@changing_options_with_forms(TEXT, "sarif", JSON, MARKDOWN, HTML, flags=("sarif",))
def check_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    files: tuple[Path, ...],
    parts: tuple[str, ...],
    rule_names: tuple[str, ...],
    skipped_names: tuple[str, ...],
    archive_view: bool,
    environment_files: tuple[Path, ...],
    list_rules: bool,
    schema_source: str | None,
    file_urls: Path | bool,
    rfc2849: bool,
    fix: bool,
) -> int:
    """Check the configuration for problems.

    Several files are checked as one configuration.

    The check has these parts. The part 'schema' checks names, object classes and syntax. The part 'formats' checks that
    the archive can load each value. The part 'references' checks that AEs, connections and other referenced items
    exist. The part 'rules' checks combinations of settings. --archive-view adds the part 'archive-view', --env the part
    'environment'.

    If the files are only a part of a configuration, rules that need a whole configuration are skipped. With --rfc2849,
    a FILE can contain change records, but only the form of change records is checked.

    'dcmcfg check --list-rules' explains each rule. If you do not specify --fix, the option --output writes the report
    to a file.

    Exit codes: 0 no errors (warnings and notes are possible), 1 errors.
    """
    invocation.current().changes_directory = fix
    form = options.form
    _require_consistent_options(files, options, fix=fix)
    rules = select_rules(parts, rule_names, skipped_names)
    if not list_rules:
        # A part or rule that was named on the command line is requested, too.
        is_named = bool(parts or rule_names)
        archive_view = archive_view or (is_named and any(each.part == "archive-view" for each in rules))
    requested_parts: Mapping[Part, bool] = {"archive-view": archive_view, "environment": bool(environment_files)}
    _require_consistent_comparisons(files, requested_parts, fix=fix or list_rules)
    if not list_rules:
        rules = _leave_out_unrequested(rules, requested_parts, is_named=bool(parts or rule_names))
    if not rules:
        raise click.UsageError("there is no rule to check, because --skip excludes all selected rules")
    # With --fix, --output is the file of the plan, else that of the report.
    report_file = None if fix or options.plan_file is None else str(options.plan_file)
    with nullcontext() if report_file is None else redirect_output(report_file, private=False):
        if list_rules:
            _print_rules(rules, form)
            return 0
        if fix:
            return _apply_fixes(settings, rules, schema_source, options)
        environment = _read_environment_files(environment_files) if environment_files else None
        subject = ", ".join(map(format_file_name, map(str, files))) or format_site_headline(settings)
        if files:
            records = _read_records(files, file_urls=file_urls, rfc2849=rfc2849)
            schema = _read_schema(settings) if schema_source == "server" else None
            report = _check_files(
                records, schema or load_bundled_schema(), rules, settings=settings, environment=environment
            )
            change_counts = records.change_counts
        else:
            with open_directory(settings) as directory:
                tree = read_tree(directory)
                comparison = _compare_archive_view(settings, tree) if archive_view else None
                more_findings = (
                    *(comparison.findings if comparison else ()),
                    *(environment.compare(tree, settings) if environment else ()),
                )
                report = _check_live_tree(directory, tree, rules, schema_source, more_findings=more_findings)
            if comparison is not None and comparison.error is not None:
                _print_partial_report(report, form, subject)
                raise comparison.error
            change_counts = {}
        _print_report(report, form, change_counts, subject)
        return _get_exit_code(report.findings)


def _require_consistent_options(files: tuple[Path, ...], options: ChangeOptions, *, fix: bool) -> None:
    if options.form == "sarif" and fix:
        raise click.UsageError("--format sarif and --fix cannot be used together")
    if fix and files:
        raise click.UsageError("--fix changes the live tree, not a FILE. Fix the FILE in an editor")
    # Compare with the defaults, so that this also covers options that are added later.
    if not fix and options != ChangeOptions(
        dry_run=False,
        yes=False,
        plan_file=options.plan_file,
        no_reload=False,
        form=options.form,
        stdout_reserved=options.stdout_reserved,
    ):
        raise click.UsageError("--dry-run, --yes and the other options of a change require --fix")


def _require_consistent_comparisons(
    files: tuple[Path, ...], requested_parts: Mapping[Part, bool], *, fix: bool
) -> None:
    """Raise a usage error for a requested comparison that the other options exclude."""
    if requested_parts["archive-view"] and files:
        raise click.UsageError("--archive-view compares the live tree with the archive, not a FILE")
    for part, is_requested in requested_parts.items():
        if is_requested and fix:
            raise click.UsageError(f"{_OPTION_BY_PART[part]} excludes --fix and --list-rules")


def _leave_out_unrequested(
    rules: tuple[CheckRule, ...], requested_parts: Mapping[Part, bool], *, is_named: bool
) -> tuple[CheckRule, ...]:
    """Return *rules* without those of comparisons that were not requested.

    Raises a usage error if the user named such a part or rule (*is_named*), because it would not be checked.
    """
    unrequested = [each for each in rules if not requested_parts.get(each.part, True)]
    if unrequested and is_named:
        rule = unrequested[0]
        raise click.UsageError(f"the part {rule.part} requires {_OPTION_BY_PART[rule.part]}")
    return tuple(each for each in rules if each not in unrequested)


def _compare_archive_view(settings: Settings, tree: Tree) -> ViewComparison:
    from dcmcfg.cli.session.archive_view import compare_archive_view  # only this loads the HTTP client

    return compare_archive_view(settings, tree)


def _print_rules(rules: Sequence[CheckRule], form: str) -> None:
    if form == "json":
        print_json(rules_json(rules))
    elif form == "sarif":
        click.echo(json.dumps(findings_sarif((), rules), indent=2))
    elif form in REPORT_FORMS:
        print_formatted_report(build_rules_report(rules, datetime.now(UTC)), form)
    else:
        print_rules(make_stdout_console(), rules)


@dataclass(frozen=True)
class _FileRecords:
    """The content of the files: ``entries``, and the number of records of each file of changes."""

    paths: tuple[Path, ...]
    entries: tuple[LocatedEntry, ...]
    change_counts: Mapping[str, int]


def _read_records(files: Sequence[Path], *, file_urls: Path | bool, rfc2849: bool) -> _FileRecords:
    paths = tuple(path for each in files for path in list_ldif_files(each))
    read = read_files(paths, file_urls=file_urls, strict=rfc2849)
    # A change record alone does not determine an entry, so only its form can be checked.
    change_counts = {name: len(records) for name, records in read if rfc2849 and has_changes(records)}
    entries = (entry for name, records in read if name not in change_counts for entry in _list_entries(name, records))
    return _FileRecords(paths, tuple(entries), change_counts)


def _check_files(
    records: _FileRecords,
    schema: Schema,
    rules: Sequence[CheckRule],
    *,
    settings: Settings,
    environment: EnvironmentFiles | None,
) -> CheckReport:
    subject = CheckSubject.from_entries(records.entries, schema)
    report = check_configuration(subject, datetime.now(UTC), rules)
    located = tuple(locate_values(report.findings, schema, records.paths))
    # Findings about the environment have the lines of its files already.
    found = environment.compare(subject.tree, settings) if environment else ()
    return add_findings(replace(report, findings=located), found, rules)


def _read_environment_files(paths: Sequence[Path]) -> EnvironmentFiles:
    from dcmcfg.cli.session.environment import EnvironmentFiles  # only this loads the YAML reader

    return EnvironmentFiles(paths)


def _check_live_tree(
    directory: Directory,
    tree: Tree,
    rules: Sequence[CheckRule],
    schema_source: str | None,
    *,
    more_findings: Sequence[EntryFinding] = (),
) -> CheckReport:
    schema = _read_server_schema(directory) if schema_source != "bundled" else None
    subject = CheckSubject.from_tree(tree, schema)
    return check_configuration(subject, datetime.now(UTC), rules, more_findings=more_findings)


def _read_schema(settings: Settings) -> Schema | None:
    with open_directory(settings) as directory:
        return _read_server_schema(directory)


def _read_server_schema(directory: Directory) -> Schema | None:
    schema = read_schema(directory)
    if schema is None:
        print_message(f"warning: {directory.server.url} does not publish its schema, so dcmcfg used its bundled schema")
    return schema


def _list_entries(path: str, records: tuple[Record, ...]) -> Iterator[LocatedEntry]:
    """Yield the entries of a file; raises :class:`LdifError` for a change record."""
    name = format_file_name(path)
    for record in records:
        match record:
            case ContentRecord(entry, line) | ChangeRecord(Add(entry), line):
                yield LocatedEntry(entry, SourceLocation(name, line))
            case ChangeRecord(_, line):
                raise LdifError(
                    "found a change record, but only entries can be checked",
                    subject=f"{name}:{line}",
                    next_step="to see the plan of the change records: dcmcfg apply --dry-run FILE; to check the "
                    "syntax of the change records: dcmcfg check --rfc2849 FILE",
                )


def _print_partial_report(report: CheckReport, form: str, subject: str) -> None:
    """Print *report* before the error of a comparison; with JSON, the object of the error contains the report."""
    if form == "json":
        invocation.current().partial_result = lambda: report_json(report) | {"change_record_count": 0}
    else:
        _print_report(report, form, {}, subject)


def _print_report(report: CheckReport, form: str, change_counts: Mapping[str, int], subject: str) -> None:
    """Print *report* on *subject*; *change_counts* has the number of records of each file of changes."""
    if form == "json":
        print_json(report_json(report) | {"change_record_count": sum(change_counts.values())})
    elif form == "sarif":
        click.echo(json.dumps(findings_sarif(report.findings, report.rules), indent=2))
        for line in format_skipped_rules(report):
            print_message(line)
    elif form in REPORT_FORMS:
        named_counts = {format_file_name(name): count for name, count in change_counts.items()}
        print_formatted_report(build_check_report(report, subject, datetime.now(UTC), named_counts), form)
    else:
        console = make_stdout_console()
        print_change_files(console, [(format_file_name(name), count) for name, count in change_counts.items()])
        if report.entry_count or not change_counts:
            print_report(console, report)


def _apply_fixes(
    settings: Settings, rules: Sequence[CheckRule], schema_source: str | None, options: ChangeOptions
) -> int:
    """Apply the fixes that need no decision, then print the findings that remain."""
    from dcmcfg.cli.session.change import apply_plan  # only a change loads the HTTP client

    with open_directory(settings) as directory:
        tree = read_tree(directory)
        report = _check_live_tree(directory, tree, rules, schema_source)
        plan = make_plan(tree, [DesiredChange(change) for change in collect_fixes(report.findings)])
        nothing_to_fix = not plan.steps and options.form == TEXT
        if not nothing_to_fix:
            apply_plan(settings, directory, plan, options=options)
    remaining = replace(report, findings=tuple(each for each in report.findings if not each.fix_changes))
    if remaining.findings or nothing_to_fix:
        print_report(make_console(on_stderr=options.stdout_reserved), remaining)
    if nothing_to_fix:
        print_output("No changes, because --fix cannot fix these findings." if remaining.findings else "No changes.")
    return _get_exit_code(remaining.findings)


def _get_exit_code(findings: Sequence[EntryFinding]) -> int:
    return 1 if any(each.severity == "error" for each in findings) else 0
