"""Conditions of rules, as the archive reads them (Conditions)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.lint.survey import Survey

_ATTRIBUTE = "dcmProperty"
#: The classes on which dcmProperty holds conditions; on others it holds settings of any form.
CLASSES = (
    "dcmArchiveAttributeCoercion",
    "dcmArchiveAttributeCoercion2",
    "dcmArchiveCompressionRule",
    "dcmExportPriorsRule",
    "dcmExportRule",
    "dcmMPPSForwardRule",
    "dcmStoreAccessControlIDRule",
    "dcmStudyRetentionPolicy",
    "dcmUPSOnStore",
    "dcmUPSOnUPSCanceled",
    "dcmUPSOnUPSCompleted",
    "hl7ExportRule",
    "hl7ForwardRule",
    "hl7OrderScheduledStation",
    "hl7PrefetchRule",
    "hl7StudyRetentionPolicy",
    "hl7UPSOnHL7",
)
_QUOTED = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)
_WITH_COMMENTS = re.compile(r"\(\?[a-zA-Z]*x")  # what follows a # is then no pattern
_NOTHING_TO_REPEAT = re.compile(r"(?:\A|\||\((?!\?))[*+?]")


def _format(survey: Survey) -> Iterator[Breach]:
    for entry in survey.judged:
        if _ATTRIBUTE in entry and any(entry.is_a(name) for name in CLASSES):
            for value in entry.values(_ATTRIBUTE):
                problem = _problem(value.decode("utf-8", "replace"))
                if problem:
                    message = f"{problem}, so the archive does not load the device"
                    yield Breach(entry.dn, message, _ATTRIBUTE, value)


def _problem(condition: str) -> str:
    """Return what is wrong with *condition*, ``key=regex`` or ``key!=regex``; nothing where that is not certain."""
    key, equals, pattern = condition.partition("=")
    if not equals or not key:
        return "it is not KEY=PATTERN or KEY!=PATTERN"
    return "" if '"' in pattern else _pattern_problem(pattern)  # codes stand in quotes, and may hold anything


def _pattern_problem(pattern: str) -> str:
    """Return why Java does not take *pattern* for a regular expression; nothing where that is not certain."""
    if _WITH_COMMENTS.search(pattern):
        return ""
    rest = _QUOTED.sub("x", pattern)
    if rest.endswith("\\"):
        return "its pattern ends in a lone backslash"
    outside = _without_classes(rest)
    if outside is None:
        return "in its pattern a [ is not closed"
    if _NOTHING_TO_REPEAT.search(outside):
        return "in its pattern *, + or ? has nothing to repeat (any text is .*)"
    depths = list(accumulate({"(": 1, ")": -1}.get(character, 0) for character in outside))
    return "in its pattern the parentheses do not match" if depths and (min(depths) < 0 or depths[-1]) else ""


def _without_classes(pattern: str) -> str | None:
    """Return *pattern* with an x for each character class, which may hold others in Java; None if one stays open."""
    depth, outside = 0, ""
    for character in pattern:
        if character == "[":
            depth += 1
        elif character == "]" and depth:
            depth -= 1
            outside += "" if depth else "x"
        elif not depth:
            outside += character
    return None if depth else outside


RULES = (
    LintRule(
        "condition-format",
        "error",
        "A condition has the form KEY=PATTERN or KEY!=PATTERN, PATTERN being a regular expression.",
        "The archive cannot load the device.",
        "Correct the condition; a pattern has to match the whole value, and any text is .*, not *.",
        "dcmcfg edit TARGET",
        _format,
        kind="unloadable",
    ),
)
