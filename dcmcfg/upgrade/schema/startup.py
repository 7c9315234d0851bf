"""Check whether a server could start with given schema entries: it loads them in order, each after what it uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dcmcfg.errors import Refused
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from dcmcfg.upgrade.schema.modifies import SchemaPlan

#: The names and OIDs that a server knows apart from its schema entries, by kind.
BuiltInNames = Mapping[DefinitionKind, frozenset[str]]


def find_built_in_names(published: Iterable[Definition], entries: ServerSchemaEntries) -> BuiltInNames:
    """Return the names that a server publishes (*published*) without having them in its schema *entries*."""
    configured = {(each.kind, each.oid) for each in entries.definitions}
    found: dict[DefinitionKind, set[str]] = {kind: set() for kind in DefinitionKind}
    for each in published:
        if (each.kind, each.oid) not in configured:
            found[each.kind] |= each.keys
    return {kind: frozenset(names) for kind, names in found.items()}


def find_load_problem(entries: ServerSchemaEntries, built_in: BuiltInNames) -> str:
    """Return why a server could not load *entries* in their order, as a sentence; empty if it could."""
    known = {kind: set(names) for kind, names in built_in.items()}
    for entry in entries:
        for kind in DefinitionKind:
            for each in entry.get(kind):
                name = f"the {kind.value} {each.label} in the schema {entry.name}"
                if repeated := each.keys & known[kind]:
                    return f"{name} defines {', '.join(sorted(repeated))} for a second time"
                missing = (each.superiors - known[kind]) | (each.attributes - known[DefinitionKind.ATTRIBUTE])
                # A server has this class, even if it does not publish it (RFC 4512 §2.4.1).
                if missing := missing - {"top"}:
                    return f"{name} uses {', '.join(sorted(missing))}, which is not defined earlier in the load order"
                known[kind] |= each.keys
    return ""


def require_startable(plan: SchemaPlan, built_in: BuiltInNames) -> None:
    """Raise :class:`Refused` if the server could not start again after each of the steps of *plan*."""
    # The present schema may have a form that this check does not know, and the server runs with it.
    if find_load_problem(plan.before, built_in):
        return
    for step in plan.steps:
        if problem := find_load_problem(step.after, built_in):
            raise Refused(
                f"after this change, the server would not be able to start: {problem}",
                subject=str(step.change.dn),
                next_step="check the schema files of the release, and the order of the entries below "
                "cn=schema,cn=config",
            )
