"""What turns one entry into another, value by value."""

from __future__ import annotations

from dcmcfg.changes import Modification, Operation
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import add_implied_classes
from dcmcfg.schema_names import OBJECT_CLASS, USER_PASSWORD

_CLASSES = OBJECT_CLASS.lower()


def compute_modifications(before: Entry, after: Entry, schema: Schema) -> tuple[Modification, ...]:
    """Return the modifications that turn *before* into *after*, by attribute name; empty when they hold the same.

    Octets are compared, not normal forms: a change of case is a change. Values are deleted and added one by
    one, so that the result says what changes; an attribute without equality rule, or of which nothing is known,
    is replaced as a whole.
    """
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
    found = []
    if removed:
        found.append(Modification(Operation.DELETE, name, removed))
    if added:
        found.append(Modification(Operation.ADD, name, added))
    return found


def can_address_single_values(schema: Schema, name: str) -> bool:
    """Tell whether it is known that the server can delete, and assert, single values of attribute *name*.

    An attribute that the schema does not know may be one without equality rule (jpegPhoto). A password may be held
    hashed, which equals no value that was given.
    """
    definition = schema.attribute(name)
    return definition is not None and definition.equality_rule is not None and definition.name != USER_PASSWORD


def are_equal(one: Entry, other: Entry, schema: Schema) -> bool:
    """Tell whether both hold the same attributes with equal values, by the rules of *schema*."""
    if one.attributes == other.attributes:
        return True
    names = {attribute.name.lower() for attribute in (*one.attributes, *other.attributes)}
    return all(_has_equal_values(one, other, name, schema) for name in names)


def find_differing_attributes(one: Entry, other: Entry, schema: Schema) -> tuple[str, ...]:
    """Return the names of the attributes in which the two differ by the rules of *schema*, sorted."""
    names = {attribute.name.lower(): attribute.name for attribute in (*one.attributes, *other.attributes)}
    return tuple(
        sorted(name for lower_name, name in names.items() if not _has_equal_values(one, other, lower_name, schema))
    )


def _has_equal_values(one: Entry, other: Entry, name: str, schema: Schema) -> bool:
    if one.values(name) == other.values(name):
        return True
    if name == _CLASSES:
        return add_implied_classes(schema, one.texts(name)) == add_implied_classes(schema, other.texts(name))
    return _normalise_values(one, name, schema) == _normalise_values(other, name, schema)


def _normalise_values(entry: Entry, name: str, schema: Schema) -> frozenset[bytes]:
    return frozenset(schema.normalise_value(name, value) for value in entry.values(name))
