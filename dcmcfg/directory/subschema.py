"""Read the schema that a server publishes for the entries below the base DN (RFC 4512 §4.4)."""

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
    """Return the server's own schema, or None if the server does not show it to this bind DN.

    Reading takes about 60 ms (200 KB in 1,100 descriptions), so only commands that require it should do so. Raises
    :class:`DirectoryError` if the server does not respond.
    """
    subschema = read_subschema_entry(directory)
    return parse_subschema(subschema, load_bundled_schema()) if "attributeTypes" in subschema else None


def read_unmapped_schema(directory: Directory) -> Schema | None:
    """Return the schema of :func:`read_schema`, but only with the server's own names.

    Names from the bundled schema that the server does not know are not defined in it.
    """
    subschema = read_subschema_entry(directory)
    return parse_subschema(subschema, Schema((), ())) if "attributeTypes" in subschema else None


def read_schema_for_attributes(directory: Directory, attributes: Iterable[str]) -> Schema:
    """Return the bundled schema, merged with the server's own schema if the bundled one lacks some of *attributes*.

    The server's schema is read only if an attribute, or a class that allows it, is unknown. Raises
    :class:`DirectoryError` if the server does not respond.
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
    """Return the server's own schema, extended by the bundled one; raises the errors of :func:`read_schema`."""
    server = read_schema(directory)
    return merge_schemas(server, load_bundled_schema()) if server is not None else load_bundled_schema()


def read_subschema_entry(directory: Directory) -> Entry:
    """Return the server's subschema entry (RFC 4512 §4.2); it has no attributes if the server shows none.

    Its DN comes from the entry at the base DN, or from the root DSE. Raises :class:`DirectoryError` if the server does
    not respond.
    """
    try:
        # A server may have several subschemas (RFC 4512 §4.2), so that of the base DN is preferred.
        for dn in (directory.server.base_dn, DN()):
            entry = directory.read_entry(dn, ("subschemaSubentry",))
            subschema_dn = entry.text("subschemaSubentry") if entry else None
            if subschema_dn:
                return directory.read_entry(DN.parse(subschema_dn), SUBSCHEMA_ATTRIBUTES) or Entry(DN())
    except DirectoryError as error:
        if error.result_code is None:  # not a response of the server
            raise
    except MalformedInput:  # the value is not a DN
        pass
    return Entry(DN())
