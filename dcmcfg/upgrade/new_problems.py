"""The problems that a plan would bring to a site: values that the schema does not allow, and findings of the rules.

Kept apart: the result of a merge is checked as a whole, before anything is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from dcmcfg.lint.new_violations import describe_new_violations, find_new_violations
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.warnings import find_plan_warnings
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema
from dcmcfg.upgrade.schema.target_schema import find_schema_problems, make_schema

_MAX_FINDINGS = 40


def find_new_problems(plan: Plan, now: datetime, release: ReleaseSchema | None = None) -> tuple[str, ...]:
    """Return a sentence for each problem of the tree after *plan* that the tree before does not have.

    *now* has a time zone. The classes and attributes of entries are checked with the schema of *release*, which the
    server has after the upgrade, and without one with the bundled schema; values with the rules of ``dcmcfg check``.
    """
    return tuple(_iterate_problems(plan, now, release))


def _iterate_problems(plan: Plan, now: datetime, release: ReleaseSchema | None) -> Iterator[str]:
    if release is not None:
        found = find_schema_problems(plan, make_schema(release))
        for each in islice(found, _MAX_FINDINGS):
            yield f"{each.dn}: {each.message} (schema of release {release.label})"
        if more := sum(1 for _ in found):
            yield f"and {more} more of this kind"
    yield from find_plan_warnings(plan, check_structure=release is None)
    yield from describe_new_violations(find_new_violations(plan, now))
