"""Add assertions of the entryCSN of each changed entry to a plan (``--strict``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import TreeDraft
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import Equals
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema.definitions import Schema


def assert_versions(plan: Plan) -> Plan:
    """Return *plan*, with the first step of each entry also asserting the entryCSN.

    Later steps cannot, because their entryCSN is not known yet, and an Add has none. Raises :class:`Refused` if the
    server shows no entryCSN at all, or none of an entry that the plan changes.
    """
    strict = assert_known_versions(plan, lambda _: True)
    if plan.before.entries and not plan.before.versions:
        raise Refused("--strict requires the attribute entryCSN, but the server does not show entryCSN")
    if (hidden := find_unversioned_entry(plan)) is not None:
        raise Refused(
            "--strict requires the attribute entryCSN, but the server does not show entryCSN of this entry",
            subject=str(hidden),
        )
    return strict


def assert_known_versions(plan: Plan, is_needed: Callable[[PlanStep], bool]) -> Plan:
    """Return *plan*, with the first step of each entry also asserting the entryCSN, if *is_needed* selects the step.

    An entry without a known entryCSN, and an Add, stay as they are.
    """
    draft = TreeDraft(plan.before)
    steps: list[PlanStep] = []
    for step in plan.steps:
        version = draft.get_version(step.change.dn)
        if version is not None and not isinstance(step.change, Add) and is_needed(step):
            steps.append(replace(step, change=_assert_version(step.change, version)))
        else:
            steps.append(step)
        draft.apply(step.change)
    return replace(plan, steps=tuple(steps))


def changes_present_values(step: PlanStep, schema: Schema) -> bool:
    """Return whether *step* changes an attribute that may have got more values since it was read.

    No filter can assert that an attribute has no other values, so for such a step only the entryCSN shows it.
    """
    before, change = step.before, step.change
    if before is None or not isinstance(change, Modify):
        return False
    names = {each.name for each in change.modifications if before.values(each.name)}
    definitions = (schema.attribute(each) for each in names)
    return any(each is None or not each.single_valued for each in definitions)


def find_unversioned_entry(plan: Plan) -> DN | None:
    """Return the DN of the first step of *plan* whose entry existed before the plan without a known entryCSN."""
    draft = TreeDraft(plan.before)
    for step in plan.steps:
        origin = draft.find_original_key(step.change.dn)
        if origin in plan.before.entries and origin not in plan.before.versions and not isinstance(step.change, Add):
            return step.change.dn
        draft.apply(step.change)
    return None


def _assert_version(change: Change, version: str) -> Change:
    """Return *change* with its assertions and that of *version* in one control: a request may have only one."""
    asserted = assertions.extract_assertions(change)
    if asserted is None:
        return change  # not a filter of dcmcfg: only the server can check it
    return assertions.replace_assertions(change, (Equals("entryCSN", version.encode()), *asserted))
