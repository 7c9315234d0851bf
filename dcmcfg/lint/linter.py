"""What the rules find in a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from dcmcfg.changes import Change
from dcmcfg.lint.catalogue import RULES
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, build_finding
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding, Severity


@dataclass(frozen=True)
class LintFinding:
    """A finding of ``rule``, with the words of the dcmcfg ``fix_command`` that fixes just it, if there is one.

    ``fix_changes`` fix it where nothing has to be decided; else there are none. ``correction_commands`` are the words
    of commands that correct a name which is probably misspelt; where it is not, ``fix_command`` fixes it.
    """

    rule: LintRule
    finding: EntryFinding
    fix_command: tuple[str, ...]
    fix_changes: tuple[Change, ...]
    _: KW_ONLY
    correction_commands: tuple[tuple[str, ...], ...] = ()


#: The worst first.
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def lint(tree: Tree, now: datetime, rules: Iterable[LintRule] = RULES) -> tuple[LintFinding, ...]:
    """Return what *rules* find in *tree*, which is taken for the whole configuration: the worst first, rule by rule.

    *now* has a time zone; certificates are judged by it.
    """
    context = LintContext(tree, now)
    found = (each for rule in rules for each in _apply_rule(context, rule))
    return tuple(sorted(found, key=lambda each: _SEVERITIES.index(each.finding.severity)))


def _apply_rule(context: LintContext, rule: LintRule) -> Iterator[LintFinding]:
    for violation in rule.find_violations(context):
        finding = build_finding(rule, violation)
        if violation.has_secret_value:
            yield LintFinding(rule, finding, (), violation.fix_changes)
        else:
            yield LintFinding(
                rule,
                finding,
                violation.fix_command,
                violation.fix_changes,
                correction_commands=violation.correction_commands,
            )


def collect_fixes(findings: Iterable[LintFinding]) -> tuple[Change, ...]:
    """Return the changes that fix what of *findings* can be fixed automatically, each once."""
    return tuple(dict.fromkeys(change for each in findings for change in each.fix_changes))
