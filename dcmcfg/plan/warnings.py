"""Warnings about a plan: what a server will probably refuse, and what is probably misspelt.

The values that an entry gets are checked by the rules of ``dcmcfg check``.
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
from dcmcfg.secret_values import MAXIMUM_SHOWN_LENGTH, format_value, is_secret


def check_new_values(rules: ValueRules, before: Entry | None, after: Entry) -> Iterator[EntryFinding]:
    """Yield what *rules* say of the values that *after* holds and *before* does not (None: all)."""
    for attribute in _iterate_added_values(before, after):
        yield from rules.find_problems(after, attribute.name, attribute.values)


def format_finding(finding: EntryFinding, *, max_length: int = MAXIMUM_SHOWN_LENGTH) -> str:
    """Return *finding* as a phrase: attribute, value if there is one and it is no secret, and the message.

    Of a value longer than *max_length* characters the beginning is shown.
    """
    if finding.value is None:
        return f"{finding.attribute}: {finding.message}" if finding.attribute else finding.message
    value = finding.value
    shown = "(secret)" if is_secret(finding.attribute, value) else format_value(finding.attribute, value, max_length)
    return f"{finding.attribute} {shown}: {finding.message}"


def _iterate_added_values(before: Entry | None, after: Entry) -> Iterator[Attribute]:
    if before is None:
        yield from after.attributes
        return
    shared = set(map(id, before.attributes))
    for attribute in after.attributes:
        if id(attribute) not in shared:
            values_before = frozenset(before.values(attribute.name))
            yield Attribute(attribute.name, tuple(value for value in attribute.values if value not in values_before))


#: Of many warnings, so many are reported: they will be about the same thing.
_MAX_WARNINGS = 40


def find_plan_warnings(plan: Plan, *, check_structure: bool = True) -> Iterator[str]:
    """Yield a sentence for each class, attribute or value that the bundled schema does not know, allow or take.

    Classes and attributes are looked at with *check_structure*: not where the server's own schema has decided on them.
    Reported too is a device that exists and becomes an archive: a class is enough for that.
    Values are those that the plan adds, held to the rules of ``dcmcfg check``. First comes what counts as done because
    it is not there, although something spelt alike is. Of many, the first are reported, and how many there are.
    What keeps the archive from loading a device is left out: that is the risk ``unloadable``, judged after all steps.
    These are warnings and no refusals: the server's schema may be newer than the one that comes with dcmcfg. What was
    wrong before, in attributes that the plan leaves alone, is none of its business; what the classes require is.
    """
    found = _find_warnings(plan, check_structure=check_structure)
    yield from islice(found, _MAX_WARNINGS)
    if more := sum(1 for _ in found):
        yield f"and {more} more of the kind"


def _find_warnings(plan: Plan, *, check_structure: bool) -> Iterator[str]:
    yield from plan.typo_warnings
    schema = plan.before.schema
    # That each reference leads somewhere is the business of the risk dangling-reference.
    rules = ValueRules(schema, entry_exists=lambda _: True)
    structures = StructureChecker(schema)
    for step in plan.steps:
        if step.after is None:
            continue
        if _becomes_archive(plan, step):
            yield (
                f"{step.after.dn}: {ARCHIVE_DEVICE_OBJECT_CLASS} makes this device an archive, "
                "which it is only where an archive runs under its name"
            )
        touched = _list_touched_attributes(step)
        for finding in structures.find_problems(step.after) if check_structure else ():
            if finding.rule is MISSING_ATTRIBUTE or finding.attribute.lower() in touched:
                yield f"{finding.dn}: {finding.message}"
        for finding in check_new_values(rules, step.before, step.after):
            if not prevents_loading(finding, schema):
                yield f"{finding.dn}: {format_finding(finding)}"


def _becomes_archive(plan: Plan, step: PlanStep) -> bool:
    """Tell whether *step* gives a device the class of an archive; one that the plan itself adds may be meant as one."""
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
