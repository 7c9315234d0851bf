"""Render findings as a table with suggested fixes, as JSON and as SARIF, and the list of rules."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from dcmcfg import __version__
from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_command, print_line, print_prose
from dcmcfg.render.terminal.styles import SEVERITY_STYLES
from dcmcfg.render.terminal.table import Column, Row, WrapMode, print_table
from dcmcfg.schema.findings import CheckRule, EntryFinding, format_fix
from dcmcfg.schema_names import COMMON_NAME, DICOM_DEVICE_NAME
from dcmcfg.secret_values import is_secret

if TYPE_CHECKING:  # plans and snapshots print findings, and do not load the rules
    from dcmcfg.lint.checker import CheckReport

_SECRET = "(secret)"  # noqa: S105 — a placeholder, not a secret
_MAX_VALUE_LENGTH = 60
_DEVICE, _ROOT = DICOM_DEVICE_NAME.lower(), ((COMMON_NAME, "dicom configuration"),)
_COLUMNS = (
    Column(""),
    Column("Entry", WrapMode.AT_COMMAS),
    Column("Attribute"),
    Column("Value", WrapMode.AUTO),
    Column("Problem", WrapMode.AT_SPACES),
)
_RULE_COLUMNS = (Column("Part"), Column("Severity"), Column("Rule"), Column("Requirement", WrapMode.AT_SPACES))
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def print_report(console: Console, report: CheckReport) -> None:
    """Print the findings of *report*, their number, the skipped rules, and the suggested fixes."""
    print_findings(console, report.findings, report.entry_count)
    for line in format_skipped_rules(report):
        print_prose(console, line)
    suggested_fixes = tuple(list_suggested_fixes(report.findings))
    if suggested_fixes:
        print_line(console, "Suggested fixes:")
    for command, explanation in suggested_fixes:
        if explanation:
            print_prose(console, f"  {command}{explanation}")
        else:
            print_command(console, command)


def print_rules(console: Console, rules: Sequence[CheckRule]) -> None:
    """Print *rules* as a table."""
    print_table(console, _RULE_COLUMNS, [(rule.part, rule.severity, rule.name, rule.requirement) for rule in rules])


def format_skipped_rules(report: CheckReport) -> Iterator[str]:
    """Yield a sentence for each reason why *report* skipped rules."""
    if report.rules_for_whole:
        yield (
            f"Skipped {format_count(len(report.rules_for_whole), 'rule')} for whole configurations, because the input "
            "has no configuration root or no device."
        )
    if report.topics_for_archive:
        topics = ", ".join(topic[0].lower() + topic[1:] for topic in report.topics_for_archive)
        yield f"Skipped the rules that require an archive device (topics: {topics})."


def print_findings(console: Console, findings: Sequence[EntryFinding], entry_count: int) -> None:
    """Print *findings* as a table with names relative to the container of devices, and their number."""
    if findings:
        print_table(console, _COLUMNS, list(_build_rows(findings)), list(_build_rows(findings, each_named=True)))
    print_line(console, format_finding_counts(findings, entry_count))
    if devices := format_unloadable_devices(findings):
        print_line(console, f"The archive refuses to load the {escape_unprintable(devices)}.")


def print_change_files(console: Console, files: Sequence[tuple[str, int]]) -> None:
    """Print a line for each of *files* (name, number of change records), which are valid by RFC 2849."""
    for name, count in files:
        print_line(
            console, escape_unprintable(f"{name}: {format_count(count, 'change record')}, valid LDIF (RFC 2849)")
        )


def format_finding_counts(findings: Sequence[EntryFinding], entry_count: int) -> str:
    """Return the numbers in one line: ``12 entries: 1 error, 2 warnings``."""
    count = Counter(finding.severity for finding in findings)
    notes = f", {format_count(count['note'], 'note')}" if count["note"] else ""
    problems = f"{format_count(count['error'], 'error')}, {format_count(count['warning'], 'warning')}"
    return f"{format_count(entry_count, 'entry', 'entries')}: {problems}{notes}"


def format_unloadable_devices(findings: Sequence[EntryFinding]) -> str:
    """Return the devices that the archive refuses to load because of *findings* (``device x``), or an empty text."""
    names = dict.fromkeys(_get_device_name(finding.dn) for finding in findings if finding.impact == "unloadable")
    if not names:
        return ""
    return ("device " if len(names) == 1 else "devices ") + ", ".join(names)


def findings_json(findings: Sequence[EntryFinding], entry_count: int) -> dict[str, Any]:
    """Return *findings* for ``--json``: ``entry_count``, ``error_count``, ``warning_count``, ``findings`` in order.

    Each finding has an ``impact`` (:data:`~dcmcfg.schema.findings.Impact`). The value of a secret is ``(secret)``.
    Octets that are not UTF-8 are escaped. ``file`` and ``line`` are null unless the entry came from a file.
    """
    count = Counter(finding.severity for finding in findings)
    return {
        "entry_count": entry_count,
        "error_count": count["error"],
        "warning_count": count["warning"],
        "findings": [finding_json(finding) for finding in findings],
    }


def report_json(report: CheckReport) -> dict[str, Any]:
    """Return *report* for ``--json``: the keys of :func:`findings_json`, ``note_count``, and the skipped rules.

    ``skipped_rules`` are names of rules that require a whole configuration, ``skipped_topics`` headings of
    docs/reference/rules.md. Each finding has its ``part``, ``fix`` in words, ``fix_command`` (null if the user has to
    choose), ``correction_commands`` (they replace a typo by a similar name) and ``fixable`` (whether
    ``--fix`` fixes it).
    """
    content = findings_json(report.findings, report.entry_count)
    content["note_count"] = sum(each.severity == "note" for each in report.findings)
    content["skipped_rules"] = [rule.name for rule in report.rules_for_whole]
    content["skipped_topics"] = list(report.topics_for_archive)
    content["findings"] = [finding_with_fix_json(each) for each in report.findings]
    return content


def finding_with_fix_json(finding: EntryFinding) -> dict[str, Any]:
    """Return *finding* for ``--json`` with its ``part`` and its fix (see :func:`report_json`)."""
    correction = [_format_command(arguments) for arguments in finding.correction_commands]
    return finding_json(finding) | {
        "part": finding.rule.part,
        "fix": format_fix(finding),
        "fix_command": _format_command(finding.fix_command) if finding.fix_command and not correction else None,
        "correction_commands": correction,
        "fixable": bool(finding.fix_changes),
    }


def rules_json(rules: Iterable[CheckRule]) -> dict[str, Any]:
    """Return *rules* for ``--json``: name, part, severity, impact, requirement, reason and fix of each."""
    return {
        "rules": [
            {
                "name": rule.name,
                "part": rule.part,
                "severity": rule.severity,
                "impact": rule.impact,
                "requirement": rule.requirement,
                "reason": rule.reason,
                "fix": rule.fix,
                "fixable": rule.is_auto_fixable,
            }
            for rule in rules
        ]
    }


def finding_json(finding: EntryFinding) -> dict[str, Any]:
    """Return *finding* for ``--json`` (see :func:`findings_json`)."""
    return {
        "severity": finding.severity,
        "rule": finding.rule.name,
        "impact": finding.impact,
        "dn": str(finding.dn),
        "attribute": finding.attribute or None,
        "value": _get_value_text(finding),
        "message": finding.message,
        "file": finding.location.file if finding.location else None,
        "line": finding.location.line if finding.location else None,
    }


def findings_sarif(findings: Sequence[EntryFinding], rules: Sequence[CheckRule]) -> dict[str, Any]:
    """Return *findings* as a SARIF 2.1.0 log of one run; the DN is a logical location, the line a physical one.

    *rules* are the checked rules.
    """
    descriptors = [
        {
            "id": rule.name,
            "shortDescription": {"text": rule.requirement},
            "help": {"text": " ".join(filter(None, (rule.reason, rule.fix)))},
            "defaultConfiguration": {"level": rule.severity},
            "properties": {"impact": rule.impact, "part": rule.part},
        }
        for rule in rules
    ]
    driver = {"name": "dcmcfg", "version": __version__, "rules": descriptors}
    results = [_sarif_result(finding) for finding in findings]
    return {"version": "2.1.0", "$schema": _SARIF_SCHEMA, "runs": [{"tool": {"driver": driver}, "results": results}]}


def _sarif_result(finding: EntryFinding) -> dict[str, Any]:
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": str(finding.dn), "kind": "object"}]}
    if finding.location:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(finding.location.file)},
            "region": {"startLine": finding.location.line},
        }
    subject = ": ".join(part for part in (finding.attribute, format_finding_value(finding)) if part)
    return {
        "ruleId": finding.rule.name,
        "level": finding.severity,
        "message": {"text": f"{subject} — {finding.message}" if subject else finding.message},
        "locations": [location],
        "properties": {"impact": finding.impact},
    }


def _build_rows(findings: Sequence[EntryFinding], *, each_named: bool = False) -> Iterator[Row]:
    """Yield the cells of each finding; consecutive findings of one entry show its name once unless *each_named*."""
    previous_dn: DN | None = None
    for finding in findings:
        location = _format_location(finding, repeated=finding.dn == previous_dn and not each_named)
        previous_dn = finding.dn
        kind = "" if finding.impact == "rule" else f", {finding.impact}"
        message = f"{escape_unprintable(finding.message)} [{finding.rule.name}{kind}]"
        severity = Text(finding.severity, style=SEVERITY_STYLES[finding.severity])
        yield severity, location, escape_unprintable(finding.attribute), format_finding_value(finding), message


def _format_location(finding: EntryFinding, *, repeated: bool) -> str:
    """Return the entry, unless the row above shows it already (*repeated*), and its position in a file."""
    name = [] if repeated else [escape_unprintable(format_relative_dn(finding.dn))]
    position = [f"{escape_unprintable(finding.location.file)}:{finding.location.line}"] if finding.location else []
    return "\n".join(name + position)


def format_relative_dn(dn: DN) -> str:
    """Return *dn* up to its device, or relative to the configuration's root, or unchanged outside of both.

    Names of containers do not matter, because they are configurable.
    """
    for index, rdn in reversed(list(enumerate(dn.rdns))):
        if index < len(dn.rdns) - 1 and any(kind.lower() == _DEVICE for kind, _ in rdn.parts):
            return str(DN(dn.rdns[: index + 1]))
    for index, rdn in enumerate(dn.rdns):
        if index and rdn.normalised() == _ROOT:
            return str(DN(dn.rdns[:index]))
    return str(dn)


def _get_device_name(dn: DN) -> str:
    """Return the name of the device that *dn* belongs to, or the DN of an entry outside all devices."""
    names = (value for rdn in dn.rdns for kind, value in rdn.parts if kind.lower() == _DEVICE)
    return next(names, str(dn))


def _get_value_text(finding: EntryFinding) -> str | None:
    if finding.value is None:
        return None
    if is_secret(finding.attribute, finding.value):
        return _SECRET
    return finding.value.decode("utf-8", "backslashreplace")


def format_finding_value(finding: EntryFinding) -> str:
    """Return the value of *finding*, escaped and shortened; ``(secret)`` for a secret, empty without a value."""
    value = _get_value_text(finding) or ""
    shortened = (
        value
        if len(value) <= _MAX_VALUE_LENGTH
        else f"{value[:_MAX_VALUE_LENGTH]}… ({len(finding.value or b'')} octets)"
    )
    return escape_unprintable(shortened)


def list_suggested_fixes(findings: Sequence[EntryFinding]) -> Iterator[tuple[str, str]]:
    """Yield each distinct command that fixes findings, with a remark; then the fixes of other findings in words."""
    fixable_count = sum(bool(each.fix_changes) for each in findings)
    if fixable_count:
        yield "dcmcfg check --fix", f"    ({fixable_count} of {len(findings)})"
    yield from dict.fromkeys(line for each in findings if not each.fix_changes for line in _format_fix_commands(each))
    # Many findings of one rule have the same fix, so each distinct text is printed once.
    others = (each for each in findings if not each.fix_command and not each.fix_changes)
    yield from dict.fromkeys(("", escape_unprintable(f"[{each.rule.name}] {format_fix(each)}")) for each in others)


def _format_fix_commands(finding: EntryFinding) -> Iterator[tuple[str, str]]:
    yield from ((escape_unprintable(_format_command(arguments)), "") for arguments in finding.correction_commands)
    if finding.fix_command:
        yield (
            escape_unprintable(_format_command(finding.fix_command)),
            "    (if the name is correct)" if finding.correction_commands else "",
        )


def _format_command(arguments: Sequence[str]) -> str:
    return f"dcmcfg {shlex.join(arguments)}"
