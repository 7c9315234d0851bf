"""The preconditions of a change, as filters for the assertion control (RFC 4528)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TypeVar

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.entry import Entry
from dcmcfg.plan import assertions, entry_diff
from dcmcfg.plan.assertions import Equals, Filter, Not, Present
from dcmcfg.schema.definitions import Schema

C = TypeVar("C", bound=Change)

_VERSION = "entrycsn"


def add_default_assertions(change: C, asserted_filters: Sequence[Filter]) -> C:
    """Return *change* with a control that asserts *asserted_filters*, unless it already has an assertion control."""
    return change if assertions.has_assertion(change) else assertions.replace_assertions(change, asserted_filters)


def derive_modify_preconditions(
    before: Entry, modifications: Sequence[Modification], schema: Schema, entry_csn: str | None
) -> list[Filter]:
    """Return filters for the values of *before* that *modifications* change."""
    filters: list[Filter] = []
    for modification in modifications:
        name, values = modification.name, before.values(modification.name)
        if modification.operation is Operation.DELETE and _is_assertable(schema, name):
            filters += [Equals(name, value) for value in modification.values]
        elif not values:
            # A value that somebody has added in the meantime must not be lost.
            if not is_misjudged_by_server(absent := Not(Present(name)), before):
                filters.append(absent)
        elif modification.operation is Operation.REPLACE:
            # An attribute that is replaced as a whole may have values that cannot be asserted one by one.
            filters.append(Equals("entryCSN", entry_csn.encode()) if entry_csn else Present(name))
    return filters


def asserts_all_removed_values(change: Change, filters: Sequence[Filter], before: Entry, schema: Schema) -> bool:
    """Return whether *change* with *filters* fails if it would remove a value that *before* does not have.

    This is true if it asserts the entryCSN or each removed value. A value that is deleted by value must exist anyway.
    """
    if any(isinstance(each, Equals) and each.name.lower() == _VERSION for each in filters):
        return True
    match change:
        case Modify():
            return not _find_unasserted_attributes(change, before, schema, filters)
        # A delete removes all values, also those that somebody has added since.
        case Delete():
            return False
        case Add() | Rename():
            return True


def find_unasserted_removals(
    change: Change, filters: Sequence[Filter], before: Entry, schema: Schema
) -> frozenset[str] | None:
    """Return the attributes, in lower case, of which *change* removes values that *filters* do not assert.

    None means all attributes of its entry *before*.
    """
    if isinstance(change, Modify):
        return frozenset(name.lower() for name in _find_unasserted_attributes(change, before, schema, filters))
    return None if isinstance(change, Delete) else frozenset()


def build_value_assertions(change: Change, filters: Sequence[Filter], before: Entry, schema: Schema) -> list[Filter]:
    """Return filters for the exact values of the attributes that :func:`find_unasserted_removals` returns.

    They are used if *before* has no entryCSN. dcmcfg checks them itself, because not every server can compare such
    values.
    """
    names = find_unasserted_removals(change, filters, before, schema)
    return [
        Equals(attribute.name, value)
        for attribute in before.attributes
        if (attribute.name.lower() in names if names is not None else not _is_assertable(schema, attribute.name))
        for value in attribute.values
    ]


def is_misjudged_by_server(assertion_filter: Filter, before: Entry) -> bool:
    """Return whether a server evaluates *assertion_filter* on *before* as false although it is true.

    A filter on an attribute also matches its subtypes (RFC 4512 §2.5): an entry with ``cn;lang-de`` has ``cn``.
    """
    match assertion_filter:
        case Not(Present(name)) if name not in before:
            return any(_is_subtype(attribute.name, name) for attribute in before.attributes)
        case _:
            return False


def select_server_checkable(filters: Sequence[Filter], before: Entry, schema: Schema) -> tuple[Filter, ...]:
    """Return those of *filters* that every server evaluates on *before* like dcmcfg."""
    return tuple(
        each
        for each in filters
        if not is_misjudged_by_server(each, before)
        and not (isinstance(each, Equals) and not _is_assertable(schema, each.name))
    )


def _find_unasserted_attributes(change: Modify, before: Entry, schema: Schema, filters: Sequence[Filter]) -> list[str]:
    """Return the names of attributes of which *change* removes values that *filters* do not assert one by one."""
    asserted = frozenset(filters)
    found = []
    for modification in change.modifications:
        name, values = modification.name, before.values(modification.name)
        match modification.operation:
            case Operation.REPLACE if not values:
                is_unasserted = Not(Present(name)) not in asserted
            case Operation.REPLACE:
                is_unasserted = not _is_only_value_asserted(schema, name, values, asserted)
            case Operation.DELETE if modification.values:
                is_unasserted = not _is_assertable(schema, name)
            case Operation.DELETE:
                is_unasserted = not _is_only_value_asserted(schema, name, values, asserted)
            case Operation.ADD | Operation.INCREMENT:
                is_unasserted = False
        if is_unasserted:
            found.append(name)
    return found


def _is_only_value_asserted(schema: Schema, name: str, values: tuple[bytes, ...], asserted: Set[Filter]) -> bool:
    """Return whether *asserted* contains *values*, and the attribute cannot have any other value."""
    definition = schema.attribute(name)
    is_single = definition is not None and definition.single_valued and _is_assertable(schema, name)
    return is_single and all(Equals(name, value) in asserted for value in values)


def _is_subtype(name: str, supertype: str) -> bool:
    (base, *options), (super_base, *super_options) = name.lower().split(";"), supertype.lower().split(";")
    return base == super_base and set(super_options) < set(options)


def derive_delete_preconditions(before: Entry, schema: Schema, entry_csn: str | None) -> list[Filter]:
    """Return filters that match *before* unchanged, for the delete of the entry."""
    # The entryCSN changes with every change of the entry, so it also covers values that no filter can compare.
    if entry_csn:
        return [Equals("entryCSN", entry_csn.encode())]
    return [
        Equals(attribute.name, value)
        for attribute in before.attributes
        if _is_assertable(schema, attribute.name)
        for value in attribute.values
    ]


def _is_assertable(schema: Schema, name: str) -> bool:
    """Return whether a filter compares values of *name* exactly.

    A certificate is not: servers match it by serial number and issuer (RFC 4523 §2.5).
    """
    definition = schema.attribute(name)
    is_certificate = definition is not None and definition.equality_rule == "certificateExactMatch"
    return entry_diff.can_address_single_values(schema, name) and not is_certificate
