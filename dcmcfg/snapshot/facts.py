"""Where a snapshot was taken, as comments at the head of its file."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import LdifError, Refused
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_entry


@dataclass(frozen=True)
class Facts:
    """What is known of the server at the moment of the snapshot.

    ``taken`` is a UTC time of ISO 8601, ``program`` the dcmcfg that took it, ``server`` the URL. The next four are the
    server's own words in its root DSE, empty where it has none. ``subschema_sha256`` stands for all definitions of
    its schema; ``attribute_types`` and ``object_classes`` are those that the entries use, as published (RFC 4512 §4.1).
    """

    base_dn: DN
    taken: str
    program: str
    server: str
    vendor_name: str = ""
    vendor_version: str = ""
    naming_contexts: tuple[bytes, ...] = ()
    subschema_sha256: str = ""
    attribute_types: tuple[bytes, ...] = ()
    object_classes: tuple[bytes, ...] = ()


#: Field → the name under which it stands in the file: that of RFC 3045 or RFC 4512 where there is one.
_NAMES = {
    "taken": "taken",
    "program": "program",
    "server": "server",
    "vendor_name": "vendorName",
    "vendor_version": "vendorVersion",
    "naming_contexts": "namingContexts",
    "subschema_sha256": "subschema-sha256",
    "attribute_types": "attributeTypes",
    "object_classes": "objectClasses",
}
_COMMENT = "# "


def facts_text(facts: Facts) -> str:
    """Return *facts* as a record of LDIF whose DN is the base DN, each line of it a comment."""
    values = {name: getattr(facts, field) for field, name in _NAMES.items()}
    record = format_entry(Entry.of(facts.base_dn, {name: value for name, value in values.items() if value}))
    return "".join(f"{_COMMENT}{line}\n" for line in record.rstrip("\n").split("\n"))


def parse_facts(text: bytes, name: str) -> Facts:
    """Return what :func:`facts_text` wrote into *text*, the lines of the file *name*; raises :class:`Refused`."""
    lines = b"".join(line.removeprefix(_COMMENT.encode()) for line in text.splitlines(keepends=True))
    try:
        records = read_all([lines], name)
    except LdifError as error:
        raise Refused("the facts at its head cannot be read", on=name) from error
    match records:
        case (ContentRecord(entry),):
            pass
        case _:
            raise Refused("the facts at its head are missing", on=name)

    def text_of(field: str) -> str:
        return entry.text(_NAMES[field]) or ""

    return Facts(
        entry.dn,
        taken=text_of("taken"),
        program=text_of("program"),
        server=text_of("server"),
        vendor_name=text_of("vendor_name"),
        vendor_version=text_of("vendor_version"),
        naming_contexts=entry.values(_NAMES["naming_contexts"]),
        subschema_sha256=text_of("subschema_sha256"),
        attribute_types=entry.values(_NAMES["attribute_types"]),
        object_classes=entry.values(_NAMES["object_classes"]),
    )
