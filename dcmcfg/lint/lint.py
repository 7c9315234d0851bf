"""What the rules find in a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.changes import Change
from dcmcfg.lint.catalogue import RULES
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import LintRule, finding_of
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import Finding, Severity


@dataclass(frozen=True)
class Found:
    """A finding of ``rule``, with the words of the dcmcfg ``command`` that mends just it, if that can be told.

    ``changes`` mend it where nothing has to be decided; else there are none. ``correction`` are the words of commands
    that correct a name which is probably misspelt; where it is not, ``command`` mends it.
    """

    rule: LintRule
    finding: Finding
    command: tuple[str, ...]
    changes: tuple[Change, ...]
    correction: tuple[tuple[str, ...], ...] = ()


#: The worst first.
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def lint(tree: Tree, now: datetime, rules: Iterable[LintRule] = RULES) -> tuple[Found, ...]:
    """Return what *rules* find in *tree*, which is taken for the whole configuration: the worst first, rule by rule.

    *now* has a time zone; certificates are judged by it.
    """
    survey = Survey(tree, now)
    found = (each for rule in rules for each in _found(survey, rule))
    return tuple(sorted(found, key=lambda each: _SEVERITIES.index(each.finding.severity)))


def _found(survey: Survey, rule: LintRule) -> Iterator[Found]:
    for breach in rule.find(survey):
        finding = finding_of(rule, breach)
        if breach.is_of_a_secret:
            yield Found(rule, finding, (), breach.changes)
        else:
            yield Found(rule, finding, breach.command, breach.changes, breach.correction)


def mending(found: Iterable[Found]) -> tuple[Change, ...]:
    """Return the changes that mend what of *found* can be mended mechanically, each once."""
    return tuple(dict.fromkeys(change for each in found for change in each.changes))
