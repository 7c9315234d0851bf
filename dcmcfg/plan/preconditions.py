"""The preconditions of a change on its entry, as the filters that it asserts (RFC 4528)."""

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
    """Return *change* with a control that asserts *asserted_filters*, unless it has one of its own."""
    return change if assertions.has_assertion(change) else assertions.replace_assertions(change, asserted_filters)


def derive_modify_preconditions(
    before: Entry, modifications: Sequence[Modification], schema: Schema, entry_csn: str | None
) -> list[Filter]:
    """Return the before-values that *modifications* touch, as filters."""
    filters: list[Filter] = []
    for modification in modifications:
        name, values = modification.name, before.values(modification.name)
        if modification.operation is Operation.DELETE and _is_assertable(schema, name):
            filters += [Equals(name, value) for value in modification.values]
        elif not values:
            if not is_misjudged_by_server(absent := Not(Present(name)), before):
                filters.append(absent)
        elif modification.operation is Operation.REPLACE:
            filters.append(Equals("entryCSN", entry_csn.encode()) if entry_csn else Present(name))
    return filters


def asserts_all_removed_values(change: Change, filters: Sequence[Filter], before: Entry, schema: Schema) -> bool:
    """Return whether *change* with *filters* fails where it would remove a value that *before* does not hold.

    It does where it asserts the entryCSN, or each value that goes. A value that is deleted by name must be there.
    """
    if any(isinstance(each, Equals) and each.name.lower() == _VERSION for each in filters):
        return True
    match change:
        case Modify():
            return not _find_unasserted_attributes(change, before, schema, filters)
        case Delete():
            return False
        case Add() | Rename():
            return True


def find_unasserted_removals(
    change: Change, filters: Sequence[Filter], before: Entry, schema: Schema
) -> frozenset[str] | None:
    """Return the attributes, in lower case, of which *change* takes away values that *filters* does not assert.

    None is all of *before*, its entry.
    """
    if isinstance(change, Modify):
        return frozenset(name.lower() for name in _find_unasserted_attributes(change, before, schema, filters))
    return None if isinstance(change, Delete) else frozenset()


def build_value_assertions(change: Change, filters: Sequence[Filter], before: Entry, schema: Schema) -> list[Filter]:
    """Return filters for what :func:`find_unasserted_removals` names, octet by octet, where *before* has no entryCSN.

    They are for dcmcfg to check: not every server compares such values.
    """
    names = find_unasserted_removals(change, filters, before, schema)
    return [
        Equals(attribute.name, value)
        for attribute in before.attributes
        if (attribute.name.lower() in names if names is not None else not _is_assertable(schema, attribute.name))
        for value in attribute.values
    ]


def is_misjudged_by_server(assertion_filter: Filter, before: Entry) -> bool:
    """Return whether a server finds *assertion_filter* false of *before* although it is true.

    A filter on an attribute is one on its subtypes too (RFC 4512 §2.5): where ``cn;lang-de`` is there, so is ``cn``.
    """
    match assertion_filter:
        case Not(Present(name)) if name not in before:
            return any(_is_subtype(attribute.name, name) for attribute in before.attributes)
        case _:
            return False


def select_server_checkable(filters: Sequence[Filter], before: Entry, schema: Schema) -> tuple[Filter, ...]:
    """Return what of *filters* any server judges of *before* as dcmcfg does."""
    return tuple(
        each
        for each in filters
        if not is_misjudged_by_server(each, before)
        and not (isinstance(each, Equals) and not _is_assertable(schema, each.name))
    )


def _find_unasserted_attributes(change: Modify, before: Entry, schema: Schema, filters: Sequence[Filter]) -> list[str]:
    """Return the names of attributes of which *change* takes away values that *filters* does not assert one by one."""
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
    """Return whether *asserted* holds *values*, and the attribute can hold no other value beside it."""
    definition = schema.attribute(name)
    is_single = definition is not None and definition.single_valued and _is_assertable(schema, name)
    return is_single and all(Equals(name, value) in asserted for value in values)


def _is_subtype(name: str, supertype: str) -> bool:
    (base, *options), (super_base, *super_options) = name.lower().split(";"), supertype.lower().split(";")
    return base == super_base and set(super_options) < set(options)


def derive_delete_preconditions(before: Entry, schema: Schema, entry_csn: str | None) -> list[Filter]:
    """Return filters that hold for *before* as it is, for an entry about to be deleted."""
    if entry_csn:
        return [Equals("entryCSN", entry_csn.encode())]
    return [
        Equals(attribute.name, value)
        for attribute in before.attributes
        if _is_assertable(schema, attribute.name)
        for value in attribute.values
    ]


def _is_assertable(schema: Schema, name: str) -> bool:
    """A certificate is matched by serial number and issuer (RFC 4523 §2.5), not by its octets."""
    definition = schema.attribute(name)
    is_certificate = definition is not None and definition.equality_rule == "certificateExactMatch"
    return entry_diff.can_address_single_values(schema, name) and not is_certificate
