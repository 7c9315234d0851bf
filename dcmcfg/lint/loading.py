"""What entries mean together, as far as it decides whether the archive loads them: for ``dcmcfg check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from dcmcfg.dn import DN
from dcmcfg.lint.newly_unloadable import JUDGES
from dcmcfg.lint.rule import as_rule, finding_of
from dcmcfg.lint.survey import Survey
from dcmcfg.schema.check import Subject
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Rule
from dcmcfg.tree import Tree

#: The rules that ``check`` takes from lint. That a reference leads to nothing is a rule of its own there.
_RULES = tuple(rule for rule in JUDGES if rule.name != "connection-dangling")
LOADING_RULES: tuple[Rule, ...] = tuple(map(as_rule, _RULES))


def loading_findings(
    subjects: Iterable[Subject], schema: Schema, now: datetime, known: Iterable[Finding] = ()
) -> Iterator[Finding]:
    """Yield what those rules find in *subjects*, at their places, but for values with an error that is *known*.

    *now* has a time zone. Of several entries with one name the last counts.
    """
    held = tuple(subjects)
    errors = {_about(finding) for finding in known if finding.severity == "error"}
    tree = Tree.of(schema, (subject.entry for subject in held))
    places = {schema.normal_dn(subject.entry.dn): subject.place for subject in held}
    survey = Survey(tree, now)
    for rule in _RULES:
        for finding in (finding_of(rule, breach) for breach in rule.find(survey)):
            if _about(finding) not in errors:
                yield replace(finding, place=places.get(tree.key(finding.dn)))


def _about(finding: Finding) -> tuple[DN, str, bytes | None]:
    return finding.dn, finding.attribute.lower(), finding.value
