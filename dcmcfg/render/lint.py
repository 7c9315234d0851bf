"""What lint found, as a table with the commands that fix it, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.lint.coverage import LintCoverage
from dcmcfg.lint.linter import LintFinding
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.check import findings_json, print_findings
from dcmcfg.render.terminal.console import print_command, print_line, print_prose


def print_lint_findings(
    console: Console, findings: Sequence[LintFinding], entry_count: int, limit_notes: Sequence[str]
) -> None:
    """Print *findings* as a table, how many there are, the *limit_notes*, and the suggested fixes."""
    print_findings(console, [each.finding for each in findings], entry_count)
    for line in limit_notes:
        print_prose(console, line)
    suggested_fixes = tuple(_format_suggested_fixes(findings))
    if suggested_fixes:
        print_line(console, "Suggested fixes:")
    for command, explanation in suggested_fixes:
        if explanation:
            print_prose(console, f"  {command}{explanation}")
        else:
            print_command(console, command)


def format_limits(limits: LintCoverage, check_command: str) -> Iterator[str]:
    """Yield a line for each of *limits*; *check_command* is how ``check`` looks at the same tree."""
    if limits.skipped_topics:
        topics = ", ".join(topic[0].lower() + topic[1:] for topic in limits.skipped_topics)
        yield f"warning: no archive device in it, so the rules on these were not tried: {topics}"
    if limits.check_error_count:
        errors = format_count(limits.check_error_count, "error", grouped=True)
        yield f"{escape_unprintable(check_command)} finds {errors} that lint does not look for"


def lint_json(findings: Sequence[LintFinding], entry_count: int, limits: LintCoverage) -> dict[str, Any]:
    """Return *findings* for ``--json``: as for ``check``, with ``note_count``, and its *limits*.

    ``skipped_topics`` are headings of docs/lint.md, ``check_error_count`` how many errors ``check`` finds on other
    values.
    Each finding has ``fix`` in words, ``fix_command`` (null where one has to choose), ``correction_commands`` (those
    that put another name in the place of one that is probably misspelt) and ``fixable``, whether ``--fix`` fixes it.
    """
    content = findings_json([each.finding for each in findings], entry_count)
    content["note_count"] = sum(each.finding.severity == "note" for each in findings)
    content |= {"skipped_topics": list(limits.skipped_topics), "check_error_count": limits.check_error_count}
    for finding, each in zip(content["findings"], findings, strict=True):
        correction = [_format_command(arguments) for arguments in each.correction_commands]
        command = _format_command(each.fix_command) if each.fix_command and not correction else None
        finding |= {
            "fix": each.rule.fix,
            "fix_command": command,
            "correction_commands": correction,
            "fixable": bool(each.fix_changes),
        }
    return content


def _format_fix_commands(finding: LintFinding) -> Iterator[tuple[str, str]]:
    yield from ((escape_unprintable(_format_command(arguments)), "") for arguments in finding.correction_commands)
    if finding.fix_command:
        yield (
            escape_unprintable(_format_command(finding.fix_command)),
            "    (if the name is right)" if finding.correction_commands else "",
        )


def _format_command(arguments: Sequence[str]) -> str:
    return f"dcmcfg {shlex.join(arguments)}"


def _format_suggested_fixes(findings: Sequence[LintFinding]) -> Iterator[tuple[str, str]]:
    """Yield the commands that can be told, each once, with words on it; then what fixes the rest, in words alone."""
    fixable_count = sum(bool(each.fix_changes) for each in findings)
    if fixable_count:
        yield "dcmcfg lint --fix", f"    ({fixable_count} of {len(findings)})"
    yield from dict.fromkeys(line for each in findings if not each.fix_changes for line in _format_fix_commands(each))
    remaining_rules = dict.fromkeys(
        each.rule.name for each in findings if not each.fix_command and not each.fix_changes
    )
    for name in remaining_rules:
        rule = next(each.rule for each in findings if each.rule.name == name)
        yield "", f"[{name}] {rule.fix}"
