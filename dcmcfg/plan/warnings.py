"""Warnings about a plan: changes that a server will probably refuse, and probable typos.

New values are checked with the rules of ``dcmcfg check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dcmcfg.changes import Add, Modify
from dcmcfg.entry import Attribute, Entry
from dcmcfg.plan.loadability import prevents_loading
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema.findings import MISSING_ATTRIBUTE, EntryFinding
from dcmcfg.schema.structure import StructureChecker
from dcmcfg.schema.values import ValueRules
from dcmcfg.schema_names import ARCHIVE_DEVICE_OBJECT_CLASS, DICOM_DEVICE_OBJECT_CLASS
from dcmcfg.secret_values import MAXIMUM_SHOWN_LENGTH, format_value


def check_new_values(rules: ValueRules, before: Entry | None, after: Entry) -> Iterator[EntryFinding]:
    """Yield the findings of *rules* for the values that *after* has, but *before* does not (None: all values)."""
    for attribute in _iterate_added_values(before, after):
        yield from rules.find_problems(after, attribute.name, attribute.values)


def format_finding(finding: EntryFinding, *, max_length: int = MAXIMUM_SHOWN_LENGTH) -> str:
    """Return *finding* as a phrase: the attribute, the value (if there is one and it is not a secret) and the message.

    A value is cut to *max_length* characters.
    """
    if finding.value is None:
        return f"{finding.attribute}: {finding.message}" if finding.attribute else finding.message
    value = finding.value
    shown = format_value(finding.attribute, value, max_length)
    return f"{finding.attribute} {shown}: {finding.message}"


def _iterate_added_values(before: Entry | None, after: Entry) -> Iterator[Attribute]:
    if before is None:
        yield from after.attributes
        return
    # Unchanged attributes are usually the same objects in both entries, which is faster to check than their values.
    shared = set(map(id, before.attributes))
    for attribute in after.attributes:
        if id(attribute) not in shared:
            values_before = frozenset(before.values(attribute.name))
            yield Attribute(attribute.name, tuple(value for value in attribute.values if value not in values_before))


#: The maximum number of reported warnings: a larger number usually has one cause.
_MAX_WARNINGS = 40


def find_plan_warnings(plan: Plan, *, check_structure: bool = True) -> Iterator[str]:
    """Yield a warning for each class, attribute or value that the bundled schema does not define or allow.

    - Possible typos in deletes come first (``Plan.typo_warnings``).
    - Classes and attributes are checked with *check_structure*; omit it if the server's own schema was checked.
    - New values are checked with the rules of ``dcmcfg check``.
    - An existing device that becomes an archive is reported, because one class is enough for that.

    Of many warnings, the first ones and the number of the others are reported. Findings that prevent the archive from
    loading a device are the risk ``unloadable`` instead, which is checked after all steps. These are warnings only,
    because the server's schema may be newer than the bundled one. Existing problems in attributes that the plan does
    not change are ignored, except missing required attributes.
    """
    found = _find_warnings(plan, check_structure=check_structure)
    yield from islice(found, _MAX_WARNINGS)
    if more := sum(1 for _ in found):
        yield f"and {more} more of this kind"


def _find_warnings(plan: Plan, *, check_structure: bool) -> Iterator[str]:
    yield from plan.typo_warnings
    schema = plan.before.schema
    # The risk dangling-reference checks whether the targets of references exist.
    rules = ValueRules(schema, entry_exists=lambda _: True)
    structures = StructureChecker(schema)
    for step in plan.steps:
        if step.after is None:
            continue
        if _becomes_archive(plan, step):
            yield (
                f"{step.after.dn}: the object class {ARCHIVE_DEVICE_OBJECT_CLASS} makes this device an archive; "
                "add the class only if an archive runs with this device name"
            )
        touched = _list_touched_attributes(step)
        for finding in structures.find_problems(step.after) if check_structure else ():
            if finding.rule is MISSING_ATTRIBUTE or finding.attribute.lower() in touched:
                yield f"{finding.dn}: {finding.message}"
        for finding in check_new_values(rules, step.before, step.after):
            if not prevents_loading(finding, schema):
                yield f"{finding.dn}: {format_finding(finding)}"


def _becomes_archive(plan: Plan, step: PlanStep) -> bool:
    """Return whether *step* makes an existing device an archive; a device that the plan adds may be intended as one."""
    if (
        step.before is None
        or step.after is None
        or step.before.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)
        or step.change.dn not in plan.before
    ):
        return False
    return step.after.is_a(ARCHIVE_DEVICE_OBJECT_CLASS) and step.after.is_a(DICOM_DEVICE_OBJECT_CLASS)


def _list_touched_attributes(step: PlanStep) -> frozenset[str]:
    match step.change:
        case Add(entry):
            return frozenset(attribute.name.lower() for attribute in entry.attributes)
        case Modify(_, modifications):
            return frozenset(modification.name.lower() for modification in modifications)
        case _:
            return frozenset()
