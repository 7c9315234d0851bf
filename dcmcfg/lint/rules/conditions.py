"""Rules for conditions, by the archive's parser (Conditions, HL7Conditions).

Kept apart: each topic of docs/reference/rules.md is a module of its own (lint/catalogue.py lists them).
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema.archive_values import get_value_kinds
from dcmcfg.schema.findings import FORMAT
from dcmcfg.schema.value_kinds.conditions import CONDITION, HL7_CONDITION
from dcmcfg.schema_names import DCM_PROPERTY


def _find_condition_format(context: LintContext) -> Iterator[Violation]:
    # On other object classes, dcmProperty holds plain properties.
    kinds = {name: kind for name, kind in get_value_kinds(DCM_PROPERTY).items() if kind in (CONDITION, HL7_CONDITION)}
    for entry in context.entries_with(DCM_PROPERTY):
        # With a scope, the context also yields entries without the attribute.
        if DCM_PROPERTY not in entry:
            continue
        for kind in dict.fromkeys(kind for name, kind in kinds.items() if entry.is_a(name)):
            for value in entry.values(DCM_PROPERTY):
                if problem := kind.find_problem(value.decode("utf-8", "replace")):
                    yield Violation(entry.dn, f"{problem}; the archive cannot load the device", DCM_PROPERTY, value)


RULES = (
    LintRule(
        "condition-format",
        "error",
        requirement="A condition must have the form KEY=PATTERN or KEY!=PATTERN. PATTERN must be a regular expression.",
        reason="The archive cannot load a device that has a wrong condition.",
        fix="Correct the condition. A pattern must match the whole value. To match any text, write .* instead of *.",
        example_command="dcmcfg edit TARGET",
        find_violations=_find_condition_format,
        impact="unloadable",
        part="formats",
        needs_whole_tree=False,
        supersedes=(FORMAT,),
    ),
)
