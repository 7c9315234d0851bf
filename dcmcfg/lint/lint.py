"""What the rules find in a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.changes import Change
from dcmcfg.lint.catalogue import RULES
from dcmcfg.lint.rule import LintRule
from dcmcfg.lint.survey import Survey
from dcmcfg.schema.findings import Finding, Rule
from dcmcfg.tree import Tree


@dataclass(frozen=True)
class Found:
    """A finding of ``rule``, with the words of the dcmcfg ``command`` that mends just it, if that can be told.

    ``changes`` mend it where nothing has to be decided; else there are none.
    """

    rule: LintRule
    finding: Finding
    command: tuple[str, ...]
    changes: tuple[Change, ...]


def lint(tree: Tree, now: datetime, rules: Iterable[LintRule] = RULES) -> tuple[Found, ...]:
    """Return what *rules* find in *tree*, which is taken for the whole configuration, rule by rule.

    *now* has a time zone; certificates are judged by it.
    """
    survey = Survey(tree, now)
    return tuple(found for rule in rules for found in _found(survey, rule))


def _found(survey: Survey, rule: LintRule) -> Iterator[Found]:
    named = as_rule(rule)
    for breach in rule.find(survey):
        finding = Finding(named, breach.dn, breach.attribute, rule.told(breach), breach.value, rule.severity)
        yield Found(rule, finding, () if breach.is_of_a_secret else breach.command, breach.changes)


def as_rule(rule: LintRule) -> Rule:
    """Return *rule* as findings name it."""
    return Rule(rule.name, rule.severity, rule.asks)


def mending(found: Iterable[Found]) -> tuple[Change, ...]:
    """Return the changes that mend what of *found* can be mended mechanically, each once."""
    return tuple(dict.fromkeys(change for each in found for change in each.changes))
