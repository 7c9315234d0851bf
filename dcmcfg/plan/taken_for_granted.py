"""What a change takes for granted of its entry, as the filters that it asserts (RFC 4528)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from dcmcfg.changes import Change, Modification, Operation
from dcmcfg.entry import Entry
from dcmcfg.plan import assertion, difference
from dcmcfg.plan.assertion import Equals, Filter, Not, Present
from dcmcfg.schema.definitions import Schema

C = TypeVar("C", bound=Change)


def asserting(change: C, wanted: Sequence[Filter]) -> C:
    """Return *change* with a control that asserts *wanted*, unless it has one of its own."""
    if assertion.asserts(change):
        return change
    return replace(change, controls=change.controls + assertion.control(wanted))


def of_modifications(
    before: Entry, modifications: Sequence[Modification], schema: Schema, version: str | None
) -> list[Filter]:
    """Return the before-values that *modifications* touch, as filters."""
    wanted: list[Filter] = []
    for modification in modifications:
        name, held = modification.name, before.values(modification.name)
        if modification.operation is Operation.DELETE and _assertable(schema, name):
            wanted += [Equals(name, value) for value in modification.values]
        elif not held:
            wanted.append(Not(Present(name)))
        elif modification.operation is Operation.REPLACE:
            wanted.append(Equals("entryCSN", version.encode()) if version else Present(name))
    return wanted


def of_entry(before: Entry, schema: Schema, version: str | None) -> list[Filter]:
    """Return filters that hold for *before* as it is, for an entry about to be deleted."""
    if version:
        return [Equals("entryCSN", version.encode())]
    return [
        Equals(attribute.name, value)
        for attribute in before.attributes
        if _assertable(schema, attribute.name)
        for value in attribute.values
    ]


def _assertable(schema: Schema, name: str) -> bool:
    """A certificate is matched by serial number and issuer (RFC 4523 §2.5), not by its octets."""
    definition = schema.attribute(name)
    certificate = definition is not None and definition.equality == "certificateExactMatch"
    return difference.named_one_by_one(schema, name) and not certificate
