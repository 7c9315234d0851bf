"""Find entries that were valid with the present schema and are not with the wanted one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema.structure import StructureChecker
from dcmcfg.schema.subschema import parse_subschema
from dcmcfg.upgrade.schema.modifies import SchemaPlan
from dcmcfg.upgrade.schema.usage import RemovedNames

_NO_SCHEMA = Schema((), ())


def find_new_violations(
    entries: Iterable[Entry], published: Iterable[Definition], plan: SchemaPlan
) -> Iterator[EntryFinding]:
    """Yield the violations by *entries* of the schema after *plan* that do not exist before it.

    *published* are the definitions of the server before the plan.
    """
    configured = {(each.kind, each.oid) for each in plan.before.definitions}
    built_in = [each for each in published if (each.kind, each.oid) not in configured]
    before = StructureChecker(_make_schema((*built_in, *plan.before.definitions)))
    after = StructureChecker(_make_schema((*built_in, *plan.after.definitions)))
    for entry in entries:
        if found := after.find_problems(entry):
            known = {(each.rule.name, each.attribute, each.value) for each in before.find_problems(entry)}
            yield from (each for each in found if (each.rule.name, each.attribute, each.value) not in known)


def is_about(finding: EntryFinding, removed: RemovedNames) -> bool:
    """Return whether *finding* is about an attribute or object class of *removed*."""
    value = (finding.value or b"").decode("utf-8", "replace")
    return finding.attribute.lower() in removed.attributes or value.lower() in removed.classes


def _make_schema(definitions: Iterable[Definition]) -> Schema:
    texts: dict[DefinitionKind, list[bytes]] = {kind: [] for kind in DefinitionKind}
    for each in definitions:
        texts[each.kind].append(each.text)
    subschema = {
        "attributeTypes": texts[DefinitionKind.ATTRIBUTE],
        "objectClasses": texts[DefinitionKind.CLASS],
    }
    return parse_subschema(Entry.from_values(DN(), subschema), _NO_SCHEMA)
