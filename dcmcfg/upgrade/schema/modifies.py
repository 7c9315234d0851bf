"""Plan the changes of cn=config from the schema entries of a server to the wanted ones, one modify at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.upgrade.schema.configured import (
    ATTRIBUTE_OF_KIND,
    ConfiguredSchema,
    ServerSchemaEntries,
    make_key,
    number_value,
)
from dcmcfg.upgrade.schema.wanted import find_dependents


@dataclass(frozen=True)
class SchemaStep:
    """One request, and the schema entries of the server after it."""

    change: Change
    after: ServerSchemaEntries


@dataclass(frozen=True)
class SchemaPlan:
    """The requests from the schema entries ``before`` to those ``after``."""

    before: ServerSchemaEntries
    after: ServerSchemaEntries
    steps: tuple[SchemaStep, ...]

    @property
    def value_count(self) -> int:
        """The number of definitions that the requests delete and add."""
        return sum(len(each.values) for step in self.steps for each in _list_modifications(step.change))


def _list_modifications(change: Change) -> Sequence[Modification]:
    return change.modifications if isinstance(change, Modify) else ()


def plan_schema(current: ServerSchemaEntries, wanted: ServerSchemaEntries) -> SchemaPlan:
    """Return the plan from *current* to *wanted*, which has all entries of *current* and perhaps more.

    First classes are deleted and then attributes, in the opposite order of loading. Then attributes are added and then
    classes, in the order of loading. So no definition ever refers to a missing one, and the server can start in every
    state in between. A definition that refers to a deleted one is deleted too, and added again.
    """
    return SchemaPlan(current, wanted, tuple(_Planner(current, wanted).iterate_steps()))


class _Planner:
    def __init__(self, current: ServerSchemaEntries, wanted: ServerSchemaEntries) -> None:
        self._state = {each.name.lower(): each for each in current}
        self._wanted = wanted
        surplus = [
            each
            for entry in current
            for kind in DefinitionKind
            for each in entry.get(kind)
            if make_key(entry, each) not in wanted.keys
        ]
        self._going = find_dependents(current.definitions, surplus)

    def iterate_steps(self) -> Iterator[SchemaStep]:
        """Yield the steps in their order."""
        for entry in self._wanted:
            if entry.name.lower() not in self._state:
                yield self._add_entry(ConfiguredSchema(entry.dn, entry.index, entry.name))
        for kind in (DefinitionKind.CLASS, DefinitionKind.ATTRIBUTE):
            for entry in reversed(self._wanted.entries):
                yield from self._delete(entry.name.lower(), kind)
        for kind in (DefinitionKind.ATTRIBUTE, DefinitionKind.CLASS):
            for entry in self._wanted.entries:
                yield from self._add(entry, kind)

    def _add_entry(self, entry: ConfiguredSchema) -> SchemaStep:
        self._state[entry.name.lower()] = entry
        return SchemaStep(Add(entry.to_entry()), self._snapshot())

    def _delete(self, name: str, kind: DefinitionKind) -> Iterator[SchemaStep]:
        entry = self._state[name]
        deleted = [number_value(position, each) for position, each in enumerate(entry.get(kind)) if each in self._going]
        if deleted:
            kept = (each for each in entry.get(kind) if each not in self._going)
            yield self._modify(entry.with_definitions(kind, kept), kind, Operation.DELETE, deleted)

    def _add(self, wanted: ConfiguredSchema, kind: DefinitionKind) -> Iterator[SchemaStep]:
        entry = self._state[wanted.name.lower()]
        present = {make_key(entry, each): each for each in entry.get(kind)}
        added = [
            (position, each) for position, each in enumerate(wanted.get(kind)) if make_key(wanted, each) not in present
        ]
        if not added:
            return
        in_order = [key for each in wanted.get(kind) if (key := make_key(wanted, each)) in present]
        if in_order == list(present):
            result: Sequence[Definition] = wanted.get(kind)
            values = [number_value(position, each) for position, each in added]
        else:
            # Somebody has changed the order of the other definitions, so the positions have no meaning.
            result = (*entry.get(kind), *(each for _, each in added))
            values = [number_value(len(present) + i, each) for i, (_, each) in enumerate(added)]
        yield self._modify(entry.with_definitions(kind, result), kind, Operation.ADD, values)

    def _modify(
        self, entry: ConfiguredSchema, kind: DefinitionKind, operation: Operation, values: list[bytes]
    ) -> SchemaStep:
        self._state[entry.name.lower()] = entry
        modification = Modification(operation, ATTRIBUTE_OF_KIND[kind], tuple(values))
        return SchemaStep(Modify(entry.dn, (modification,)), self._snapshot())

    def _snapshot(self) -> ServerSchemaEntries:
        return replace(self._wanted, entries=tuple(sorted(self._state.values(), key=lambda each: each.index)))
