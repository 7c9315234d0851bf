"""The rules of lint that decide whether the archive starts, for ``dcmcfg check``, whose own rules need no survey.

Kept apart: plans load lint.new_load_failures without the checks of ``check``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.new_load_failures import DEVICE_RULES
from dcmcfg.lint.rule import build_finding, to_check_rule
from dcmcfg.model.tree import Tree
from dcmcfg.schema.check import LocatedEntry
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import CheckRule, Finding

STARTUP_RULES: tuple[CheckRule, ...] = tuple(map(to_check_rule, DEVICE_RULES))


def find_startup_problems(entries: Iterable[LocatedEntry], schema: Schema, now: datetime) -> Iterator[Finding]:
    """Yield what those rules find in *entries*, at their places; *now* has a time zone.

    Of several entries with one name the last counts.
    """
    held = tuple(entries)
    tree = Tree.from_entries(schema, (subject.entry for subject in held))
    places = {schema.normalise_dn(subject.entry.dn): subject.location for subject in held}
    survey = LintContext(tree, now)
    for rule in DEVICE_RULES:
        for finding in (build_finding(rule, breach) for breach in rule.find_violations(survey)):
            yield replace(finding, location=places.get(tree.key(finding.dn)))
