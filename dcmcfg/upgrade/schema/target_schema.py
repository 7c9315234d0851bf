"""The schema of a release as rules for entries: what a server has after the update of its schema."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.plan.plan import Plan
from dcmcfg.schema.comparable import DefinitionKind
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.findings import SINGLE_VALUED, EntryFinding
from dcmcfg.schema.structure import StructureChecker
from dcmcfg.schema.subschema import merge_schemas, parse_subschema
from dcmcfg.upgrade.schema.release_schema import ARCHIVE_ARCS, ReleaseSchema

_ATTRIBUTE_TYPES, _OBJECT_CLASSES = "attributeTypes", "objectClasses"


def make_schema(release: ReleaseSchema) -> Schema:
    """Return the definitions of *release*, with those of the LDAP standards that every server has."""
    known = load_bundled_schema()
    texts = {
        kind: tuple(each.text for each in release.definitions if each.kind is kind)
        for kind in (DefinitionKind.ATTRIBUTE, DefinitionKind.CLASS)
    }
    subschema = Entry(
        DN.parse("cn=Subschema"),
        (
            Attribute(_ATTRIBUTE_TYPES, texts[DefinitionKind.ATTRIBUTE]),
            Attribute(_OBJECT_CLASSES, texts[DefinitionKind.CLASS]),
        ),
    )
    standard = Schema(
        tuple(each for each in known.attributes if not each.oid.startswith(ARCHIVE_ARCS)),
        tuple(each for each in known.object_classes if not each.oid.startswith(ARCHIVE_ARCS)),
    )
    return merge_schemas(parse_subschema(subschema, known), standard)


def find_schema_problems(plan: Plan, schema: Schema) -> Iterator[EntryFinding]:
    """Yield what *schema* does not allow in the entries that *plan* writes, unless they had the same problem before."""
    structures = StructureChecker(schema)
    for step in plan.steps:
        if step.after is None:
            continue
        known = {(each.rule, each.attribute) for each in _find_problems(step.before, schema, structures)}
        for finding in _find_problems(step.after, schema, structures):
            if (finding.rule, finding.attribute) not in known:
                yield finding


def _find_problems(entry: Entry | None, schema: Schema, structures: StructureChecker) -> Iterator[EntryFinding]:
    if entry is None:
        return
    yield from structures.find_problems(entry)
    for each in entry.attributes:
        definition = schema.attribute(each.name) if len(each.values) > 1 else None
        if definition is not None and definition.single_valued:
            yield EntryFinding(SINGLE_VALUED, entry.dn, each.name, f"{each.name} may have only one value")
