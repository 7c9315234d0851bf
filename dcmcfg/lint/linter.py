"""Run the rules on a tree.

Kept apart: a caller that needs the rules alone does not load the checks of entries and values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from dcmcfg.changes import Change
from dcmcfg.lint.catalogue import RULES
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, build_finding
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import SEVERITIES, EntryFinding


def lint(tree: Tree, now: datetime, rules: Iterable[LintRule] = RULES) -> tuple[EntryFinding, ...]:
    """Return the findings of *rules* in *tree*, which must be the whole configuration: the worst first, rule by rule.

    *now* has a time zone; certificates must be valid then.
    """
    found = find_violations(LintContext(tree, now), rules)
    return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))


def find_violations(context: LintContext, rules: Iterable[LintRule]) -> Iterator[EntryFinding]:
    """Yield the findings of *rules* in *context*, rule by rule."""
    for rule in rules:
        for violation in rule.find_violations(context):
            yield build_finding(rule, violation)


def collect_fixes(findings: Iterable[EntryFinding]) -> tuple[Change, ...]:
    """Return the changes of all automatic fixes of *findings*, each once."""
    return tuple(dict.fromkeys(change for each in findings for change in each.fix_changes))
