"""The problems that a plan would bring to a site: values that the schema does not allow, and findings of the rules.

Kept apart: the result of a merge is checked as a whole, before anything is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dcmcfg.lint.new_violations import find_new_violations
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.warnings import find_plan_warnings


def find_new_problems(plan: Plan, now: datetime) -> tuple[str, ...]:
    """Return a sentence for each problem of the tree after *plan* that the tree before does not have.

    *now* has a time zone. Entries are checked with the bundled schema: classes, attributes and values.
    """
    return tuple(_iterate_problems(plan, now))


def _iterate_problems(plan: Plan, now: datetime) -> Iterator[str]:
    yield from find_plan_warnings(plan)
    yield from find_new_violations(plan, now)
