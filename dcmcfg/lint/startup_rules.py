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
from dcmcfg.schema.findings import CheckRule, EntryFinding

STARTUP_RULES: tuple[CheckRule, ...] = tuple(map(to_check_rule, DEVICE_RULES))


def find_startup_problems(entries: Iterable[LocatedEntry], schema: Schema, now: datetime) -> Iterator[EntryFinding]:
    """Yield what those rules find in *entries*, at their places; *now* has a time zone.

    Of several entries with one name the last counts.
    """
    located_entries = tuple(entries)
    tree = Tree.from_entries(schema, (located.entry for located in located_entries))
    locations = {schema.normalise_dn(located.entry.dn): located.location for located in located_entries}
    context = LintContext(tree, now)
    for rule in DEVICE_RULES:
        for finding in (build_finding(rule, violation) for violation in rule.find_violations(context)):
            yield replace(finding, location=locations.get(tree.key(finding.dn)))
