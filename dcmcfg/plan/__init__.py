"""Compute the steps from a tree to its desired state, to review, apply and revert them.

:func:`make_plan` takes the desired changes, :func:`diff_trees` two trees, :func:`compute_restoration` a snapshot::

    desired = collect_desired_changes([("change.ldif", records)])
    plan = make_plan(tree, desired)
    print(format_plan(plan), format_plan(plan.undo()))

A :class:`Plan` has ``steps`` (each with the entry before and after), the tree ``after`` and its ``undo()``. A change
that the tree does not allow raises :class:`dcmcfg.errors.DoesNotApply`. Nothing here reads or writes a server.

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.plan.delayed_effects import describe_delayed_effects
    from dcmcfg.plan.desired_state import collect_desired_changes, make_surplus_deletes
    from dcmcfg.plan.ldif_output import format_changes, format_plan, format_rejects, parse_directory_url
    from dcmcfg.plan.plan import (
        ChangesDoNotApply,
        DesiredChange,
        InapplicableChange,
        Plan,
        PlanStep,
        StepCheck,
        UnchangedItem,
        make_plan,
        plan_applicable,
    )
    from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies
    from dcmcfg.plan.restoration import compute_restoration
    from dcmcfg.plan.risk_checks import NewFinding, Risk, find_risks
    from dcmcfg.plan.tree_diff import (
        TreeDiff,
        diff_trees,
        find_device_dn,
        select_comparable,
        select_configuration,
        select_subtree,
    )
    from dcmcfg.plan.warnings import find_plan_warnings

__all__ = [
    "ChangesDoNotApply",
    "DesiredChange",
    "InapplicableChange",
    "NewFinding",
    "Plan",
    "PlanStep",
    "RecordedName",
    "RecordedStudies",
    "Risk",
    "StepCheck",
    "TreeDiff",
    "UnchangedItem",
    "collect_desired_changes",
    "compute_restoration",
    "describe_delayed_effects",
    "diff_trees",
    "find_device_dn",
    "find_plan_warnings",
    "find_risks",
    "format_changes",
    "format_plan",
    "format_rejects",
    "make_plan",
    "make_surplus_deletes",
    "parse_directory_url",
    "plan_applicable",
    "select_comparable",
    "select_configuration",
    "select_subtree",
]

if not TYPE_CHECKING:  # a type checker would take a ``__getattr__`` for every misspelt name
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "desired_state": ("collect_desired_changes", "make_surplus_deletes"),
            "ldif_output": ("format_changes", "format_plan", "format_rejects", "parse_directory_url"),
            "plan": (
                "ChangesDoNotApply",
                "DesiredChange",
                "InapplicableChange",
                "Plan",
                "PlanStep",
                "StepCheck",
                "UnchangedItem",
                "make_plan",
                "plan_applicable",
            ),
            "recorded_names": ("RecordedName", "RecordedStudies"),
            "restoration": ("compute_restoration",),
            "risk_checks": ("NewFinding", "Risk", "find_risks"),
            "delayed_effects": ("describe_delayed_effects",),
            "tree_diff": (
                "TreeDiff",
                "diff_trees",
                "find_device_dn",
                "select_comparable",
                "select_configuration",
                "select_subtree",
            ),
            "warnings": ("find_plan_warnings",),
        },
    )
