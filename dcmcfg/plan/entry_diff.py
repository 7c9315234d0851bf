"""The differences of two entries, value by value."""

from __future__ import annotations

from dcmcfg.changes import Modification, Operation
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import add_implied_classes
from dcmcfg.schema_names import OBJECT_CLASS, USER_PASSWORD

_CLASSES = OBJECT_CLASS.lower()


def compute_modifications(before: Entry, after: Entry, schema: Schema) -> tuple[Modification, ...]:
    """Return the modifications that turn *before* into *after*, sorted by attribute name; empty if nothing differs.

    Octets are compared, not normal forms: a change of case is a change. Values are deleted and added one by one, so
    that the result shows the changed values. Unknown attributes and attributes without an equality rule are replaced as
    a whole.
    """
    # Unchanged attributes are usually the same objects in both entries, which is faster to check than their values.
    shared = set(map(id, before.attributes)).intersection(map(id, after.attributes))
    changing = (attribute for attribute in (*after.attributes, *before.attributes) if id(attribute) not in shared)
    names = {attribute.name.lower(): attribute.name for attribute in changing}
    found: list[Modification] = []
    for _, name in sorted(names.items()):
        found += _compute_attribute_modifications(name, before.values(name), after.values(name), schema)
    return tuple(found)


def _compute_attribute_modifications(
    name: str, before: tuple[bytes, ...], after: tuple[bytes, ...], schema: Schema
) -> list[Modification]:
    old_values, new_values = frozenset(before), frozenset(after)
    removed = tuple(value for value in before if value not in new_values)
    added = tuple(value for value in after if value not in old_values)
    if not removed and not added:
        return []
    if not can_address_single_values(schema, name):
        return [Modification(Operation.REPLACE, name, after)]
    # The delete comes first: while the old value exists, the add of a value that differs only in case fails with 20.
    found = []
    if removed:
        found.append(Modification(Operation.DELETE, name, removed))
    if added:
        found.append(Modification(Operation.ADD, name, added))
    return found


def can_address_single_values(schema: Schema, name: str) -> bool:
    """Return whether the server can surely delete and assert single values of the attribute *name*.

    An unknown attribute may have no equality rule (jpegPhoto). A password may be stored as a hash, which differs from
    the given value.
    """
    definition = schema.attribute(name)
    return definition is not None and definition.equality_rule is not None and definition.name != USER_PASSWORD


def are_equal(one: Entry, other: Entry, schema: Schema) -> bool:
    """Return whether both entries have the same attributes with equal values, by the rules of *schema*."""
    if one.attributes == other.attributes:
        return True
    names = {attribute.name.lower() for attribute in (*one.attributes, *other.attributes)}
    return all(_has_equal_values(one, other, name, schema) for name in names)


def find_differing_attributes(one: Entry, other: Entry, schema: Schema) -> tuple[str, ...]:
    """Return the sorted names of the attributes that differ by the rules of *schema*."""
    names = {attribute.name.lower(): attribute.name for attribute in (*one.attributes, *other.attributes)}
    return tuple(
        sorted(name for lower_name, name in names.items() if not _has_equal_values(one, other, lower_name, schema))
    )


def _has_equal_values(one: Entry, other: Entry, name: str, schema: Schema) -> bool:
    if one.values(name) == other.values(name):
        return True
    # A server may store superior classes that the plan does not name, as 389 Directory Server does (RFC 4512 §3.3).
    if name == _CLASSES:
        return add_implied_classes(schema, one.texts(name)) == add_implied_classes(schema, other.texts(name))
    return _normalise_values(one, name, schema) == _normalise_values(other, name, schema)


def _normalise_values(entry: Entry, name: str, schema: Schema) -> frozenset[bytes]:
    return frozenset(schema.normalise_value(name, value) for value in entry.values(name))
