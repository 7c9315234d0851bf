"""The schema that a server publishes for the entries below the base DN (RFC 4512 §4.4)."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, MalformedInput
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.subschema import SUBSCHEMA_ATTRIBUTES, merge_schemas, parse_subschema
from dcmcfg.schema_names import OBJECT_CLASS


def read_schema(directory: Directory) -> Schema | None:
    """Return the server's own schema, or None where it shows none, which it may well hide from some.

    It takes some 60 ms (200 KB in 1,100 descriptions), so that only commands that need it should ask. Raises
    :class:`DirectoryError` when the server does not answer.
    """
    subschema = read_subschema_entry(directory)
    return parse_subschema(subschema, load_bundled_schema()) if "attributeTypes" in subschema else None


def read_unmapped_schema(directory: Directory) -> Schema | None:
    """Return what :func:`read_schema` does, in the server's own names.

    What the bundled schema calls otherwise is not known by that name, as the server does not know it.
    """
    subschema = read_subschema_entry(directory)
    return parse_subschema(subschema, Schema((), ())) if "attributeTypes" in subschema else None


def read_schema_for_attributes(directory: Directory, attributes: Iterable[str]) -> Schema:
    """Return the schema that comes with dcmcfg, or with the server's own where it knows more of *attributes*.

    The server is asked only where an attribute, or a class that allows it, is not known. Raises
    :class:`DirectoryError` when it does not answer.
    """
    if all(_is_allowed_by_a_class(load_bundled_schema(), name) for name in attributes):
        return load_bundled_schema()
    return read_merged_schema(directory)


def _is_allowed_by_a_class(schema: Schema, name: str) -> bool:
    known = schema.attribute(name)
    return known is not None and (
        known.name == OBJECT_CLASS or any(known.name in (*each.must, *each.may) for each in schema.object_classes)
    )


def read_merged_schema(directory: Directory) -> Schema:
    """Return the server's own schema with what the bundled one knows besides; raises as :func:`read_schema` does."""
    server = read_schema(directory)
    return merge_schemas(server, load_bundled_schema()) if server is not None else load_bundled_schema()


def read_subschema_entry(directory: Directory) -> Entry:
    """Return the server's subschema entry (RFC 4512 §4.2), without attributes where it shows none.

    It is the one that the entry at the base DN names, else the root DSE. Raises :class:`DirectoryError` when the
    server does not answer.
    """
    try:
        for dn in (directory.server.base_dn, DN()):
            entry = directory.read_entry(dn, ("subschemaSubentry",))
            subschema_dn = entry.text("subschemaSubentry") if entry else None
            if subschema_dn:
                return directory.read_entry(DN.parse(subschema_dn), SUBSCHEMA_ATTRIBUTES) or Entry(DN())
    except DirectoryError as error:
        if error.result_code is None:  # not the server's own answer
            raise
    except MalformedInput:  # it names no DN
        pass
    return Entry(DN())
