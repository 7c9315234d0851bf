"""The schema of a release, and its comparison with the schema that a server publishes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.comparable import Definition, DefinitionKind, parse_definition
from dcmcfg.schema.directives import SchemaDirectives

#: The schema files of a release without their ending, in the order in which a server must load them. They are the
#: names of the entries below cn=schema,cn=config too.
SCHEMA_NAMES = ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui")
#: The arcs of OIDs that belong to the archive's schema: of the DICOM standard, and of dcm4che.
ARCHIVE_ARCS = ("1.2.840.10008.15.", "1.2.40.0.13.1.15.")


@dataclass(frozen=True)
class SchemaFile:
    """The definitions of one schema file (``name`` without ``.schema``), in the order of the file."""

    name: str
    definitions: tuple[Definition, ...]


@dataclass(frozen=True)
class ReleaseSchema:
    """The schema of a release; ``label`` is its version, or its folder. ``paths`` are the files, for messages."""

    label: str
    files: tuple[SchemaFile, ...]
    paths: tuple[str, ...] = ()

    @property
    def definitions(self) -> Iterator[Definition]:
        """All definitions, file by file."""
        return (each for file in self.files for each in file.definitions)

    @cached_property
    def shapes(self) -> frozenset[tuple[DefinitionKind, str, tuple[object, ...]]]:
        """What the definitions say; equal for releases with the same schema."""
        return frozenset((each.kind, each.oid, each.shape) for each in self.definitions)


def make_schema_file(name: str, directives: SchemaDirectives) -> SchemaFile:
    """Return the file *name* with its definitions; raises :class:`MalformedInput` if one cannot be parsed."""
    try:
        found = (
            *(parse_definition(DefinitionKind.ATTRIBUTE, each) for each in directives.attribute_types),
            *(parse_definition(DefinitionKind.CLASS, each) for each in directives.object_classes),
        )
    except MalformedInput as error:
        raise MalformedInput(f"{error.message}: {error.subject}", subject=f"{name}.schema") from error
    return SchemaFile(name, found)


@dataclass(frozen=True)
class SchemaComparison:
    """How a server's schema differs from that of ``release``; ``extra`` are the server's further definitions.

    ``extra`` counts only definitions with OIDs of the archive.
    """

    release: ReleaseSchema
    same: int
    _: KW_ONLY
    missing: tuple[Definition, ...]
    different: tuple[Definition, ...]
    extra: int

    @property
    def is_complete(self) -> bool:
        """Whether the server has all definitions of the release."""
        return not self.missing and not self.different

    @property
    def is_older(self) -> bool:
        """Whether the release seems to be older than the server's schema, which has all its definitions and more."""
        return not self.missing and bool(self.different) and self.extra > 0


#: The URL of a directory server, and its schema compared with releases.
ComparedServer = tuple[str, tuple[SchemaComparison, ...]]


def parse_published(subschema: Entry) -> tuple[Definition, ...]:
    """Return the definitions in *subschema*, the entry cn=Subschema; definitions that cannot be parsed are ignored."""
    found = []
    for kind, name in ((DefinitionKind.ATTRIBUTE, "attributeTypes"), (DefinitionKind.CLASS, "objectClasses")):
        for text in subschema.values(name):
            with suppress(MalformedInput):
                found.append(parse_definition(kind, text))
    return tuple(found)


def compare_schema(published: Iterable[Definition], release: ReleaseSchema) -> SchemaComparison:
    """Return the differences of *published*, the definitions of a server, from *release*."""
    by_oid = {(each.kind, each.oid): each for each in published}
    missing, different, same = [], [], 0
    for definition in release.definitions:
        found = by_oid.pop((definition.kind, definition.oid), None)
        if found is None:
            missing.append(definition)
        elif found.is_same(definition):
            same += 1
        else:
            different.append(definition)
    extra = sum(oid.startswith(ARCHIVE_ARCS) for _, oid in by_oid)
    return SchemaComparison(release, same, missing=tuple(missing), different=tuple(different), extra=extra)


def find_releases(comparisons: Sequence[SchemaComparison]) -> tuple[ReleaseSchema, ...]:
    """Return the releases whose schema the server has: several if their schemas are equal, none if none fits.

    A server with the schema of a newer release may also have all definitions of an older one; the release that
    explains most definitions is returned.
    """
    complete = [each for each in comparisons if each.is_complete]
    if not complete:
        return ()
    best = min(complete, key=lambda each: each.extra)
    return tuple(each.release for each in complete if each.release.shapes == best.release.shapes)
