"""A working copy of one entry: many modifications, each in time of its own values and not of all that are held."""

from __future__ import annotations

from itertools import islice

from dcmcfg.changes import Modification, Operation
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import format_value


class EntryDraft:
    """An entry that modifications are applied to, refusing what a server would refuse (RFC 4511 §4.6).

    An attribute that is there keeps its place and spelling, a new one comes last.
    """

    def __init__(self, schema: Schema, entry: Entry) -> None:
        self._schema = schema
        self._entry = entry
        #: By name in lower case, each with its spelling, in their order.
        self._attributes = {attribute.name.lower(): attribute for attribute in entry.attributes}
        #: The values of attributes that were looked into.
        self._value_sets: dict[str, _ValueSet] = {}
        self._is_changed = False

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._attributes

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the attributes, in order."""
        return tuple(attribute.name for attribute in self._attributes.values())

    def count(self, name: str) -> int:
        """Return how many values the attribute *name* has."""
        return len(self._values(name)) if name in self else 0

    def first(self, name: str, max_count: int) -> tuple[bytes, ...]:
        """Return the first values of attribute *name*, at most so many."""
        return self._values(name).first(max_count) if name in self else ()

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return all values of attribute *name*, in order."""
        return self._values(name).all() if name in self else ()

    def has_value(self, name: str, value: bytes) -> bool:
        """Return whether the attribute *name* has *value*, or an equal one by the attribute's rule."""
        return name in self and value in self._values(name)

    def build_entry(self) -> Entry:
        """Return the entry as it is now; the one that the draft began with where nothing was applied."""
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
        """Apply *modification*; raises :class:`DoesNotApply` with result 16, 18, 20 or 21, having changed nothing."""
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
            raise self._build_error(f"{name} can only be replaced as a whole", 18)
        for value in values:
            if self.has_value(name, value):
                raise self._build_error(f"{name} already holds {format_value(name, value)}", 20)
        if name not in self:
            self._replace(name, values)
            return
        value_set = self._values(name)
        for value in values:
            value_set.add(value)

    def _delete(self, name: str, values: tuple[bytes, ...]) -> None:
        if not has_equality_rule(self._schema, name):
            raise self._build_error(f"{name} can only be replaced or deleted as a whole", 18)
        for value in values:
            if not self.has_value(name, value):
                raise self._build_error(f"{name} does not hold {format_value(name, value)}", 16)
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
            raise self._build_error(f"there is no {name} to {operation}", 16)

    def _increment(self, name: str, value: bytes, increments: tuple[bytes, ...]) -> bytes:
        try:
            return str(int(value) + int(increments[0])).encode()
        except (ValueError, IndexError):
            raise self._build_error(f"{name} cannot be incremented", 21) from None

    def _values(self, name: str) -> _ValueSet:
        """Return the values of the attribute *name*, which is there."""
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
    """Values in order, found by their normal form; some may be equal, as in an entry that nobody has checked."""

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
        """Remove *value* and what is equal to it."""
        for position in self._positions.pop(self._normal(value), ()):
            del self._by_position[position]


def has_equality_rule(schema: Schema, name: str) -> bool:
    """Return whether single values of attribute *name* can be named; dicomVendorData has no equality rule."""
    definition = schema.attribute(name)
    return definition is None or definition.equality_rule is not None
