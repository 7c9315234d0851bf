"""``dcmcfg check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from dcmcfg.changes import Add
from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.output_options import format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import LdifError
from dcmcfg.files.ldif import format_file_name, read_files
from dcmcfg.files.locations import locate_values
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record, has_changes
from dcmcfg.lint.startup_rules import STARTUP_RULES, find_startup_problems
from dcmcfg.render.check import findings_json, findings_sarif, print_change_files, print_findings
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.findings import RULES, SourceLocation
from dcmcfg.settings import Settings


@click.command("check", cls=SiteCommand)
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@file_urls_options
@click.option(
    "--schema",
    "schema_source",
    type=click.Choice(["server", "bundled"]),
    help="The server's own schema (default for the live tree), or the one that comes with dcmcfg (for a FILE).",
)
@click.option(
    "--rfc2849",
    is_flag=True,
    help="Accept only LDIF of RFC 2849, for strict readers such as editors; also for a FILE of change records.",
)
@format_option("text", "sarif", "json", flags=("sarif",))
@output_option
def check_command(
    settings: Settings,
    *,
    files: tuple[Path, ...],
    schema_source: str | None,
    file_urls: Path | bool,
    rfc2849: bool,
    form: str,
) -> int:
    """Find errors in the tree, or in LDIF files.

    Without FILE the live tree is read; a FILE holds entries as LDIF, '-' is standard input. All findings are listed at
    once; several files count as one tree. Checked are names, classes, references, and everything that keeps the archive
    from loading the configuration or from its next start: values, connections of another device or protocol, ports that
    two connections share. A FILE of change records is checked with --rfc2849, for its form only.
    Exit code 1 when there are errors; warnings alone are 0.
    """
    file_records = read_files(files, file_urls=file_urls, strict=rfc2849)
    # A change says nothing of an entry by itself, so the form is all that there is to check.
    change_counts = {name: len(records) for name, records in file_records if rfc2849 and has_changes(records)}
    subjects = tuple(
        subject
        for name, records in file_records
        if name not in change_counts
        for subject in _list_subjects(name, records)
    )
    schema = None
    if not files or schema_source == "server":
        with open_directory(settings) as directory:
            if not files:
                subjects = tuple(LocatedEntry(entry) for entry in read_tree(directory).sorted_entries())
            if schema_source != "bundled":
                schema = _read_server_schema(directory)
    checking_schema = schema or load_bundled_schema()
    entry_findings = check_entries(
        subjects, checking_schema, live=not files, server_is_newer=not files and schema is None
    )
    startup_problems = find_startup_problems(subjects, checking_schema, datetime.now(UTC))
    findings = tuple(locate_values((*entry_findings, *startup_problems), checking_schema, files))
    if form == "json":
        print_json(findings_json(findings, len(subjects)) | {"change_record_count": sum(change_counts.values())})
    elif form == "sarif":
        click.echo(json.dumps(findings_sarif(findings, (*RULES, *STARTUP_RULES)), indent=2))
    else:
        print_change_files(
            make_stdout_console(), [(format_file_name(name), count) for name, count in change_counts.items()]
        )
        if subjects or not change_counts:
            print_findings(make_stdout_console(), findings, len(subjects))
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _read_server_schema(directory: Directory) -> Schema | None:
    schema = read_schema(directory)
    if schema is None:
        print_message(f"warning: {directory.server.url} shows no schema; checked by the one that comes with dcmcfg")
    return schema


def _list_subjects(path: str, records: tuple[Record, ...]) -> Iterator[LocatedEntry]:
    """Yield the entries of a file; raises :class:`LdifError` for a record that changes one instead."""
    name = format_file_name(path)
    for record in records:
        match record:
            case ContentRecord(entry, line) | ChangeRecord(Add(entry), line):
                yield LocatedEntry(entry, SourceLocation(name, line))
            case ChangeRecord(_, line):
                raise LdifError(
                    "a change and no entry, there is nothing to check by itself",
                    subject=f"{name}:{line}",
                    next_step="dcmcfg apply --dry-run FILE shows what it would do, with warnings; "
                    "check --rfc2849 FILE checks its form",
                )
