"""The rules of lint that decide whether the archive starts, for ``dcmcfg check``, whose own rules need no survey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from dcmcfg.lint.context import Survey
from dcmcfg.lint.new_load_failures import JUDGES
from dcmcfg.lint.rule import as_rule, finding_of
from dcmcfg.model.tree import Tree
from dcmcfg.schema.check import Subject
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Rule

LOADING_RULES: tuple[Rule, ...] = tuple(map(as_rule, JUDGES))


def loading_findings(subjects: Iterable[Subject], schema: Schema, now: datetime) -> Iterator[Finding]:
    """Yield what those rules find in *subjects*, at their places; *now* has a time zone.

    Of several entries with one name the last counts.
    """
    held = tuple(subjects)
    tree = Tree.of(schema, (subject.entry for subject in held))
    places = {schema.normal_dn(subject.entry.dn): subject.place for subject in held}
    survey = Survey(tree, now)
    for rule in JUDGES:
        for finding in (finding_of(rule, breach) for breach in rule.find(survey)):
            yield replace(finding, place=places.get(tree.key(finding.dn)))
