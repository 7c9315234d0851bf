"""A working copy of one entry, to which many modifications can be applied.

The time of a modification depends on the number of its values, not on the number of values in the entry.
"""

from __future__ import annotations

from itertools import islice

from dcmcfg.changes import Modification, Operation
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import format_value


class EntryDraft:
    """An entry to which modifications are applied; refuses those that a server would refuse (RFC 4511 §4.6).

    An existing attribute keeps its position and spelling; a new one is appended.
    """

    def __init__(self, schema: Schema, entry: Entry) -> None:
        self._schema = schema
        self._entry = entry
        #: Name in lower case → the attribute, in the order of the entry.
        self._attributes = {attribute.name.lower(): attribute for attribute in entry.attributes}
        #: Name in lower case → the values, for attributes that were read or changed.
        self._value_sets: dict[str, _ValueSet] = {}
        self._is_changed = False

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._attributes

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the attributes, in order."""
        return tuple(attribute.name for attribute in self._attributes.values())

    def count(self, name: str) -> int:
        """Return the number of values of the attribute *name*."""
        return len(self._values(name)) if name in self else 0

    def first(self, name: str, max_count: int) -> tuple[bytes, ...]:
        """Return the first values of the attribute *name*, at most *max_count*."""
        return self._values(name).first(max_count) if name in self else ()

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return all values of the attribute *name*, in order."""
        return self._values(name).all() if name in self else ()

    def has_value(self, name: str, value: bytes) -> bool:
        """Return whether the attribute *name* has *value*, or a value that is equal by the rule of the attribute."""
        return name in self and value in self._values(name)

    def build_entry(self) -> Entry:
        """Return the entry with all applied modifications; the original object if there were none."""
        if not self._is_changed:
            return self._entry
        attributes = (
            attribute
            if (value_set := self._value_sets.get(lower_name)) is None
            else Attribute(attribute.name, value_set.all())
            for lower_name, attribute in self._attributes.items()
        )
        return Entry(self._entry.dn, tuple(attribute for attribute in attributes if attribute.values))

    def apply(self, modification: Modification) -> None:
        """Apply *modification*; raises :class:`DoesNotApply` with LDAP result 16, 18, 20 or 21, and changes nothing."""
        name, values = modification.name, modification.values
        match modification.operation:
            case Operation.ADD:
                self._add(name, values)
            case Operation.DELETE if values:
                self._delete(name, values)
            case Operation.DELETE:
                self._require(name, "delete")
                self._remove(name)
            case Operation.REPLACE:
                self._replace(name, values)
            case Operation.INCREMENT:
                self._require(name, "increment")
                self._replace(name, tuple(self._increment(name, value, values) for value in self.values(name)))
        self._is_changed = True

    def _add(self, name: str, values: tuple[bytes, ...]) -> None:
        if name in self and not has_equality_rule(self._schema, name):
            # Without an equality rule, a server cannot compare values (inappropriateMatching, RFC 4511 A.2).
            raise self._build_error(f"{name}: every change must replace all values", 18)
        # All values are checked before the first one is added, so that a refused modification changes nothing.
        for value in values:
            if self.has_value(name, value):
                raise self._build_error(f"{name} already has {format_value(name, value)}", 20)
        if name not in self:
            self._replace(name, values)
            return
        value_set = self._values(name)
        for value in values:
            value_set.add(value)

    def _delete(self, name: str, values: tuple[bytes, ...]) -> None:
        if not has_equality_rule(self._schema, name):
            raise self._build_error(f"{name}: every change must replace or remove all values", 18)
        for value in values:
            if not self.has_value(name, value):
                raise self._build_error(f"{name} does not have {format_value(name, value)}", 16)
        value_set = self._values(name)
        for value in values:
            value_set.discard(value)
        if not len(value_set):
            self._remove(name)

    def _replace(self, name: str, values: tuple[bytes, ...]) -> None:
        if not values:
            self._remove(name)
            return
        self._attributes.setdefault(name.lower(), Attribute(name, ()))
        self._value_sets[name.lower()] = _ValueSet(self._schema, name, values)

    def _remove(self, name: str) -> None:
        self._attributes.pop(name.lower(), None)
        self._value_sets.pop(name.lower(), None)

    def _require(self, name: str, operation: str) -> None:
        if name not in self:
            raise self._build_error(f"{name} is not set, so there is nothing to {operation}", 16)

    def _increment(self, name: str, value: bytes, increments: tuple[bytes, ...]) -> bytes:
        try:
            return str(int(value) + int(increments[0])).encode()
        except (ValueError, IndexError):
            raise self._build_error(f"{name} cannot be incremented", 21) from None

    def _values(self, name: str) -> _ValueSet:
        """Return the values of the attribute *name*, which the entry must have."""
        lower_name = name.lower()
        value_set = self._value_sets.get(lower_name)
        if value_set is None:
            self._value_sets[lower_name] = value_set = _ValueSet(
                self._schema, name, self._attributes[lower_name].values
            )
        return value_set

    def _build_error(self, message: str, result_code: int) -> DoesNotApply:
        return DoesNotApply(message, subject=str(self._entry.dn), result_code=result_code)


class _ValueSet:
    """Ordered values with a lookup by normal form; some may be equal, because the entry was not checked."""

    def __init__(self, schema: Schema, name: str, values: tuple[bytes, ...]) -> None:
        self._normal = schema.normalisers[name]
        self._by_position: dict[int, bytes] = {}
        self._positions: dict[bytes, list[int]] = {}
        self._next = 0
        for value in values:
            self.add(value)

    def __len__(self) -> int:
        return len(self._by_position)

    def __contains__(self, value: bytes) -> bool:
        return self._normal(value) in self._positions

    def first(self, max_count: int) -> tuple[bytes, ...]:
        return tuple(islice(self._by_position.values(), max_count))

    def all(self) -> tuple[bytes, ...]:
        return tuple(self._by_position.values())

    def add(self, value: bytes) -> None:
        self._by_position[self._next] = value
        self._positions.setdefault(self._normal(value), []).append(self._next)
        self._next += 1

    def discard(self, value: bytes) -> None:
        """Remove *value* and all equal values."""
        for position in self._positions.pop(self._normal(value), ()):
            del self._by_position[position]


def has_equality_rule(schema: Schema, name: str) -> bool:
    """Return whether single values of the attribute *name* can be addressed; dicomVendorData has no equality rule."""
    definition = schema.attribute(name)
    return definition is None or definition.equality_rule is not None
