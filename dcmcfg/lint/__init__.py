"""Find configuration problems in a tree: unknown AEs, incompatible connections, missing queues.

:func:`lint` applies :data:`RULES` to a tree, :func:`assess_plan_risks` judges a plan before it is applied::

    for item in lint(tree, datetime.now(UTC)):
        print(item.finding.severity, item.finding.dn, item.finding.message)
    changes = collect_fixes(lint(tree, datetime.now(UTC)))

A :class:`LintFinding` has the ``rule``, the ``finding`` (entry, attribute, message) and the command that fixes it.
A :class:`LintRule` with a function from a :class:`LintContext` to :class:`Violation` objects is a new rule.

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.lint.catalogue import RULES, RULES_BY_NAME, RULES_BY_TOPIC
    from dcmcfg.lint.context import LintContext
    from dcmcfg.lint.coverage import LintCoverage, assess_coverage
    from dcmcfg.lint.linter import LintFinding, collect_fixes, lint
    from dcmcfg.lint.new_violations import find_new_violations
    from dcmcfg.lint.plan_risks import PlanRisks, assess_plan_risks
    from dcmcfg.lint.rule import LintRule, Violation
    from dcmcfg.lint.startup_rules import find_startup_problems

__all__ = [
    "RULES",
    "RULES_BY_NAME",
    "RULES_BY_TOPIC",
    "LintContext",
    "LintCoverage",
    "LintFinding",
    "LintRule",
    "PlanRisks",
    "Violation",
    "assess_coverage",
    "assess_plan_risks",
    "collect_fixes",
    "find_new_violations",
    "find_startup_problems",
    "lint",
]

if not TYPE_CHECKING:  # a type checker would take a ``__getattr__`` for every misspelt name
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "catalogue": ("RULES", "RULES_BY_NAME", "RULES_BY_TOPIC"),
            "context": ("LintContext",),
            "coverage": ("LintCoverage", "assess_coverage"),
            "linter": ("LintFinding", "collect_fixes", "lint"),
            "new_violations": ("find_new_violations",),
            "plan_risks": ("PlanRisks", "assess_plan_risks"),
            "rule": ("LintRule", "Violation"),
            "startup_rules": ("find_startup_problems",),
        },
    )
