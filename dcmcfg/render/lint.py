"""What lint found, as a table with the commands that mend it, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.lint.coverage import Limits
from dcmcfg.lint.lint import Found
from dcmcfg.render.check import findings_json, print_findings
from dcmcfg.render.terminal.console import print_command, print_line, print_prose, visible


def print_found(console: Console, found: Sequence[Found], entries: int, beyond: Sequence[str]) -> None:
    """Print *found* as a table, how many there are, the lines of what is *beyond* lint, and what mends them."""
    print_findings(console, [each.finding for each in found], entries)
    for line in beyond:
        print_prose(console, line)
    remedies = tuple(_remedies(found))
    if remedies:
        print_line(console, "what mends it:")
    for command, words in remedies:
        if words:
            print_prose(console, f"  {command}{words}")
        else:
            print_command(console, command)


def limit_lines(limits: Limits, check_command: str) -> Iterator[str]:
    """Yield a line for each of *limits*; *check_command* is how ``check`` looks at the same tree."""
    if limits.not_tried:
        topics = ", ".join(topic[0].lower() + topic[1:] for topic in limits.not_tried)
        yield f"warning: no archive device in it, so the rules on these were not tried: {topics}"
    if limits.check_errors:
        errors = "1 error" if limits.check_errors == 1 else f"{limits.check_errors:,} errors"
        yield f"{visible(check_command)} finds {errors} that lint does not look for"


def lint_json(found: Sequence[Found], entries: int, limits: Limits) -> dict[str, Any]:
    """Return *found* for ``--json``: as for ``check``, with ``notes`` counted, and its *limits*.

    ``not_tried`` are headings of docs/lint.md, ``check_errors`` how many errors ``check`` finds on other values.

    Each finding has ``fix`` in words, ``command`` (null where one has to choose), ``correction`` (the commands that put
    another name in the place of one that is probably misspelt) and ``fixable``, whether ``--fix`` mends it.
    """
    content = findings_json([each.finding for each in found], entries)
    content["notes"] = sum(each.finding.severity == "note" for each in found)
    content |= {"not_tried": list(limits.not_tried), "check_errors": limits.check_errors}
    for finding, each in zip(content["findings"], found, strict=True):
        correction = [_spoken(words) for words in each.correction]
        command = _spoken(each.command) if each.command and not correction else None
        finding |= {"fix": each.rule.fix, "command": command, "correction": correction, "fixable": bool(each.changes)}
    return content


def _commands(found: Found) -> Iterator[tuple[str, str]]:
    yield from ((visible(_spoken(words)), "") for words in found.correction)
    if found.command:
        yield visible(_spoken(found.command)), "    (if the name is right)" if found.correction else ""


def _spoken(words: Sequence[str]) -> str:
    return f"dcmcfg {shlex.join(words)}"


def _remedies(found: Sequence[Found]) -> Iterator[tuple[str, str]]:
    """Yield the commands that can be told, each once, with words on it; then what mends the rest, in words alone."""
    mended = sum(bool(each.changes) for each in found)
    if mended:
        yield "dcmcfg lint --fix", f"    ({mended} of {len(found)})"
    yield from dict.fromkeys(line for each in found if not each.changes for line in _commands(each))
    rest = dict.fromkeys(each.rule.name for each in found if not each.command and not each.changes)
    for name in rest:
        rule = next(each.rule for each in found if each.rule.name == name)
        yield "", f"[{name}] {rule.fix}"
