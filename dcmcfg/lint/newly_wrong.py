"""What a plan makes wrong: settings that come to name an AE, or a part of the archive, that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from dcmcfg.changes import Rename
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.lint.rules import external_retrieve, unknown_aes, unknown_parts
from dcmcfg.lint.survey import Survey
from dcmcfg.plan.plan import Plan
from dcmcfg.tree import Tree

#: Rules that look at names only: not all of lint, whose certificates take a library that is slow to load.
_RULES = tuple(
    rule
    for rule in (*external_retrieve.RULES, *unknown_aes.RULES, *unknown_parts.RULES)
    if rule.severity == "error" or rule.name == "accepted-destination-unknown"
)
#: A look at both trees takes some 0.1 ms an entry; beyond these bounds, ``dcmcfg lint`` is there to be asked.
_MOST_STEPS = 200
_MOST_ENTRIES = 5_000
_TOLD = 40


def newly_wrong(plan: Plan, now: datetime) -> Iterator[str]:
    """Yield a sentence for each breach of those rules that *plan* brings about; *now* has a time zone.

    Of many, the first are told, and how many there are. Of a large plan or tree nothing is said.
    """
    if not plan.steps or len(plan.steps) > _MOST_STEPS or len(plan.after.entries) > _MOST_ENTRIES:
        return
    found = _newly_wrong(plan, now)
    yield from (f"{breach.dn}: {rule.told(breach)} (lint: {rule.name})" for rule, breach in islice(found, _TOLD))
    if left := sum(1 for _ in found):
        yield f"and {left} more that dcmcfg lint would tell"


def _newly_wrong(plan: Plan, now: datetime) -> Iterator[tuple[LintRule, Breach]]:
    after = _breaches(plan.after, now)
    if not after:
        return
    # An entry may have had another name before, so with a rename names do not count.
    named = not any(isinstance(step.change, Rename) for step in plan.steps)
    before = {_key(plan.before, rule, breach, named=named) for rule, breach in _breaches(plan.before, now)}
    yield from (each for each in after if _key(plan.after, *each, named=named) not in before)


def _breaches(tree: Tree, now: datetime) -> list[tuple[LintRule, Breach]]:
    survey = Survey(tree, now)
    return [(rule, breach) for rule in _RULES for breach in rule.find(survey)]


def _key(tree: Tree, rule: LintRule, breach: Breach, *, named: bool) -> tuple[object, ...]:
    return rule.name, tree.key(breach.dn) if named else (), breach.attribute.lower(), breach.value
