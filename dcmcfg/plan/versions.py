"""A plan that also asserts the entryCSN of each entry that it touches."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.changes import Add, Change
from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Draft
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import Equals
from dcmcfg.plan.plan import Plan, Step


def with_versions(plan: Plan) -> Plan:
    """Return *plan* with the entryCSN asserted by the first step of each entry, whatever else that asserts.

    A later step finds an entryCSN that nobody knows yet, and an Add finds none. Raises :class:`Refused` when the
    server told none, or none of an entry that the plan touches.
    """
    draft = Draft(plan.before)
    steps: list[Step] = []
    for step in plan.steps:
        version = draft.version(step.change.dn)
        if version is not None and not isinstance(step.change, Add):
            steps.append(replace(step, change=_asserting(step.change, version)))
        else:
            steps.append(step)
        draft.apply(step.change)
    if plan.before.entries and not plan.before.versions:
        raise Refused("the server tells no entryCSN, which --strict would assert")
    if (hidden := unversioned(plan)) is not None:
        raise Refused("the server shows no entryCSN of this entry, which --strict would assert", on=str(hidden))
    return replace(plan, steps=tuple(steps))


def unversioned(plan: Plan) -> DN | None:
    """Return the first DN of a step of *plan* whose entry was there before the plan, without a known entryCSN."""
    draft = Draft(plan.before)
    for step in plan.steps:
        origin = draft.origin(step.change.dn)
        if origin in plan.before.entries and origin not in plan.before.versions and not isinstance(step.change, Add):
            return step.change.dn
        draft.apply(step.change)
    return None


def _asserting(change: Change, version: str) -> Change:
    """Return *change* with its assertions and that of *version* in one control, which is all that a request takes."""
    asserted = assertions.parts(change)
    if asserted is None:
        return change  # somebody else's filter: the server judges that one
    return assertions.asserting(change, (Equals("entryCSN", version.encode()), *asserted))
