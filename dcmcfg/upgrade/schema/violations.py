"""Find entries that were valid with the present schema and are not with the wanted one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import SINGLE_VALUED, EntryFinding
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
    before, after = (_Checker(_make_schema((*built_in, *each.definitions))) for each in (plan.before, plan.after))
    for entry in entries:
        if found := after.find_problems(entry):
            known = {(each.rule.name, each.attribute, each.value) for each in before.find_problems(entry)}
            yield from (each for each in found if (each.rule.name, each.attribute, each.value) not in known)


class _Checker:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._structures = StructureChecker(schema)

    def find_problems(self, entry: Entry) -> list[EntryFinding]:
        found = list(self._structures.find_problems(entry))
        for name in (each.name for each in entry.attributes if len(each.values) > 1):
            definition = self._schema.attribute(name)
            if definition is not None and definition.single_valued:
                found.append(EntryFinding(SINGLE_VALUED, entry.dn, name, f"{name} is single-valued"))
        return found


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
