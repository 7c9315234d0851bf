"""The report of ``check`` for Markdown and for a web page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dcmcfg.lint.checker import CheckReport
from dcmcfg.printable import format_count
from dcmcfg.render.check import (
    format_finding_counts,
    format_finding_value,
    format_relative_dn,
    format_skipped_rules,
    format_unloadable_devices,
    list_suggested_fixes,
)
from dcmcfg.render.report import Rating, Report, ReportCell, ReportSection
from dcmcfg.schema.findings import CheckRule, EntryFinding, Severity
from dcmcfg.timestamps import format_timestamp

_RATINGS: Mapping[Severity, Rating] = {"error": "bad", "warning": "open", "note": "fair"}
_COMMAND = "dcmcfg check"
_COLUMNS = ("Severity", "Entry", "Attribute", "Value", "Problem", "Rule")


def build_check_report(
    report: CheckReport, subject: str, created: datetime, change_counts: Mapping[str, int]
) -> Report:
    """Return the report on the configuration *subject*: a site, or files.

    *change_counts* are the numbers of records of each file of changes. The value of a secret is ``(secret)``.
    """
    severities = {each.severity for each in report.findings}
    is_checked = bool(report.entry_count) or not change_counts
    return Report(
        command=_COMMAND,
        headline=format_finding_counts(report.findings, report.entry_count) if is_checked else "The LDIF is valid",
        rating=next((_RATINGS[each] for each in _RATINGS if each in severities and each != "note"), "good"),
        facts=(
            ("Configuration", subject),
            ("The archive refuses to load", format_unloadable_devices(report.findings)),
            *(
                ("Valid LDIF (RFC 2849)", f"{name}, {format_count(count, 'change record')}")
                for name, count in change_counts.items()
            ),
            ("Time", format_timestamp(created)),
        ),
        sections=tuple(_build_sections(report)),
        created=created,
    )


def _build_sections(report: CheckReport) -> Iterator[ReportSection]:
    findings = report.findings
    if findings:
        has_files = any(each.location is not None for each in findings)
        yield ReportSection(
            title="Findings",
            columns=(*_COLUMNS, *(("File",) if has_files else ())),
            rows=tuple((*_make_finding_row(each), *([_make_location(each)] if has_files else ())) for each in findings),
        )
        if fixes := tuple(list_suggested_fixes(findings)):
            yield ReportSection(
                title="Suggested fixes",
                items=tuple(explanation for command, explanation in fixes if not command),
                commands=tuple(_format_fix_command(*each) for each in fixes if each[0]),
            )
        rules = dict.fromkeys(each.rule for each in findings)
        yield ReportSection(
            title="Rules",
            columns=("Rule", "Requirement", "Reason"),
            rows=tuple(
                (ReportCell(each.name, is_code=True), ReportCell(each.requirement), ReportCell(each.reason))
                for each in rules
            ),
        )
    if skipped := tuple(format_skipped_rules(report)):
        yield ReportSection(title="Skipped", items=skipped)


def _format_fix_command(command: str, explanation: str) -> str:
    """Return *command* with its *explanation*, which is in parentheses, as a comment of the shell."""
    return f"{command}  # {explanation.strip(' ()')}" if explanation else command


def _make_finding_row(finding: EntryFinding) -> tuple[ReportCell, ...]:
    impact = "" if finding.impact == "rule" else f", {finding.impact}"
    return (
        ReportCell(finding.severity, rating=_RATINGS[finding.severity]),
        ReportCell(format_relative_dn(finding.dn), is_code=True),
        ReportCell(finding.attribute, is_code=True),
        ReportCell(format_finding_value(finding), is_code=True),
        ReportCell(finding.message),
        ReportCell(f"{finding.rule.name}{impact}"),
    )


def _make_location(finding: EntryFinding) -> ReportCell:
    location = finding.location
    return ReportCell(f"{location.file}:{location.line}" if location is not None else "", is_code=True)


def build_rules_report(rules: Sequence[CheckRule], created: datetime) -> Report:
    """Return the list of *rules*."""
    return Report(
        command=_COMMAND,
        headline=f"{len(rules)} rules of dcmcfg check",
        sections=(
            ReportSection(
                title="Rules",
                columns=("Part", "Severity", "Rule", "Requirement", "Reason", "Fix"),
                rows=tuple(
                    (
                        ReportCell(each.part),
                        ReportCell(each.severity, rating=_RATINGS[each.severity]),
                        ReportCell(each.name, is_code=True),
                        ReportCell(each.requirement),
                        ReportCell(each.reason),
                        ReportCell(each.fix),
                    )
                    for each in rules
                ),
            ),
        ),
        created=created,
    )
