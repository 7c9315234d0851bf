"""Find configuration problems in a tree: unknown AEs, incompatible connections, missing queues.

:func:`check_configuration` is ``dcmcfg check``: the schema, formats, references and rules. :func:`lint` applies
:data:`RULES` alone. :func:`assess_plan_risks` checks a plan before it is applied::

    report = check_configuration(CheckSubject.from_tree(tree), datetime.now(UTC))
    for finding in report.findings:
        print(finding.severity, finding.dn, finding.message)
    changes = collect_fixes(report.findings)

A finding has the ``rule``, the entry (``dn``), ``attribute``, ``message`` and the command that fixes it.
A :class:`LintRule` with a function from a :class:`LintContext` to :class:`Violation` objects is a new rule.

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.lint.catalogue import CHECK_RULES, RULES, RULES_BY_NAME, RULES_BY_TOPIC
    from dcmcfg.lint.checker import CheckReport, CheckSubject, check_configuration, select_rules
    from dcmcfg.lint.context import LintContext
    from dcmcfg.lint.linter import collect_fixes, lint
    from dcmcfg.lint.new_violations import NewViolation, describe_new_violations, find_new_violations
    from dcmcfg.lint.plan_risks import PlanRisks, assess_plan_risks
    from dcmcfg.lint.rule import LintRule, Violation

__all__ = [
    "CHECK_RULES",
    "RULES",
    "RULES_BY_NAME",
    "RULES_BY_TOPIC",
    "CheckReport",
    "CheckSubject",
    "LintContext",
    "LintRule",
    "NewViolation",
    "PlanRisks",
    "Violation",
    "assess_plan_risks",
    "check_configuration",
    "collect_fixes",
    "describe_new_violations",
    "find_new_violations",
    "lint",
    "select_rules",
]

if not TYPE_CHECKING:  # a type checker would take a ``__getattr__`` for every misspelt name
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "catalogue": ("CHECK_RULES", "RULES", "RULES_BY_NAME", "RULES_BY_TOPIC"),
            "checker": ("CheckReport", "CheckSubject", "check_configuration", "select_rules"),
            "context": ("LintContext",),
            "linter": ("collect_fixes", "lint"),
            "new_violations": ("NewViolation", "describe_new_violations", "find_new_violations"),
            "plan_risks": ("PlanRisks", "assess_plan_risks"),
            "rule": ("LintRule", "Violation"),
        },
    )
