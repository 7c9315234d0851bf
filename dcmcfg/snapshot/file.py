"""The file of a snapshot: LDIF that any tool can load, with its origin and its checksum in comments.

The first line, ``# dcmcfg snapshot 1``, ends with the format number, which all snapshots have. The comments below it
are metadata, such as the server of the snapshot.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, LdifError, Refused
from dcmcfg.file_kinds import HEADER_LENGTH, LDIF, detect_file_kind
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.files.trees import parse_ldif_tree
from dcmcfg.format_number import FileFormat
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import VERSION_LINE, format_entry
from dcmcfg.model.export import format_records
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema


@dataclass(frozen=True)
class SnapshotFacts:
    """The metadata of a snapshot.

    - ``taken``: the time in UTC (ISO 8601).
    - ``program``: the version of dcmcfg.
    - ``server``: the LDAP URL.
    - ``vendor_name``, ``vendor_version`` and ``naming_contexts``: from the server's root DSE; empty if it has none.
    - ``subschema_sha256``: the digest of all definitions of the server's schema.
    - ``attribute_types`` and ``object_classes``: the definitions that the entries use, as published (RFC 4512 §4.1).
    """

    base_dn: DN
    _: KW_ONLY
    taken: str
    program: str
    server: str
    vendor_name: str = ""
    vendor_version: str = ""
    naming_contexts: tuple[bytes, ...] = ()
    subschema_sha256: str = ""
    attribute_types: tuple[bytes, ...] = ()
    object_classes: tuple[bytes, ...] = ()


#: Field → its name in the file: that of RFC 3045 or RFC 4512, if there is one.
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


def format_facts(facts: SnapshotFacts) -> str:
    """Return *facts* as an LDIF record with the base DN as its DN, with each line as a comment."""
    values = {name: getattr(facts, field) for field, name in _NAMES.items()}
    record = format_entry(Entry.from_values(facts.base_dn, {name: value for name, value in values.items() if value}))
    return "".join(f"{_COMMENT}{line}\n" for line in record.rstrip("\n").split("\n"))


def parse_facts(text: bytes, file_name: str) -> SnapshotFacts:
    """Return the metadata that :func:`format_facts` wrote into *text*, the first lines of the file *file_name*.

    Raises :class:`Refused`.
    """
    lines = b"".join(line.removeprefix(_COMMENT.encode()) for line in text.splitlines(keepends=True))
    try:
        records = read_all([lines], file_name)
    except LdifError as error:
        raise Refused("the metadata in the header of the snapshot cannot be read", subject=file_name) from error
    match records:
        case (ContentRecord(entry),):
            pass
        case _:
            raise Refused("the metadata in the header of the snapshot is missing", subject=file_name)

    def get_text(field: str) -> str:
        return entry.text(_NAMES[field]) or ""

    return SnapshotFacts(
        entry.dn,
        taken=get_text("taken"),
        program=get_text("program"),
        server=get_text("server"),
        vendor_name=get_text("vendor_name"),
        vendor_version=get_text("vendor_version"),
        naming_contexts=entry.values(_NAMES["naming_contexts"]),
        subschema_sha256=get_text("subschema_sha256"),
        attribute_types=entry.values(_NAMES["attribute_types"]),
        object_classes=entry.values(_NAMES["object_classes"]),
    )


SNAPSHOT_FORMAT = FileFormat("the snapshot", 1)
_FIRST_LINE = f"# dcmcfg snapshot {SNAPSHOT_FORMAT.number}\n".encode()
_FIRST_LINE_CRLF = _FIRST_LINE.replace(b"\n", b"\r\n")
_ANY_FIRST_LINE = re.compile(rb"# dcmcfg snapshot (\S+)\r?\n")
#: The reader removes exactly this text, so another text requires another format number.
_PURPOSE = b"""\
# Holds secrets. dcmcfg restore makes a directory equal to it;
# slapadd or ldapadd load it into an empty one.
"""
_DAMAGED_STEP = "if the file is a copy, copy the snapshot again; or use another snapshot"
_LAST_LINE = re.compile(rb"# end of snapshot, sha256 ([0-9a-f]{64})\n")


@dataclass(frozen=True)
class Snapshot:
    """The configuration at the time of the snapshot, with its ancestor entries and metadata."""

    facts: SnapshotFacts
    tree: Tree


def format_snapshot(snapshot: Snapshot) -> Iterator[str]:
    """Yield the text of the file; the last line has the checksum. Equal snapshots have equal texts."""
    digest = hashlib.sha256()
    header = f"{_FIRST_LINE.decode()}{_PURPOSE.decode()}{format_facts(snapshot.facts)}\n"
    for piece in (header, *format_records(snapshot.tree.sorted_entries(), with_secrets=True)):
        digest.update(piece.encode())
        yield piece
    yield f"# end of snapshot, sha256 {digest.hexdigest()}\n"


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in the file *path*.

    Raises :class:`~dcmcfg.errors.UnknownFormat` for a snapshot of a newer dcmcfg, and :class:`Refused` if the file is
    not a snapshot, is incomplete, or was altered by at least one octet. Raises :class:`~dcmcfg.errors.LdifError` for
    invalid content (not LDIF, a duplicate entry, a missing parent), and :class:`DcmcfgError` if the file cannot be
    read.
    """
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise build_read_failure(error, path, DcmcfgError) from error
    content = _verify_checksum(octets, str(path))
    facts, _, _ = content.removeprefix(_FIRST_LINE + _PURPOSE).partition(b"\n\n")
    # RFC 2849 requires a version line, but slapadd refuses it. It replaces the first line, so line numbers are kept.
    source = [VERSION_LINE.encode(), content.removeprefix(_FIRST_LINE)]
    return Snapshot(parse_facts(facts + b"\n", str(path)), parse_ldif_tree(source, str(path), load_bundled_schema()))


def _verify_checksum(octets: bytes, name: str) -> bytes:
    """Return *octets* without the last line, which has the checksum; raises :class:`Refused` if it differs."""
    # Another kind of file is reported as such, not as a damaged snapshot.
    if not octets.startswith(_FIRST_LINE):
        if octets.startswith(_FIRST_LINE_CRLF):
            raise Refused(
                "the snapshot has CRLF line endings. Probably, a program has copied the file in text mode",
                subject=name,
                next_step=f"copy the file again in binary mode, or convert the line endings: "
                f"sed -i 's/\\r$//' {shlex.quote(name)}",
            )
        if first := _ANY_FIRST_LINE.match(octets):
            SNAPSHOT_FORMAT.parse_number(first[1].decode("ascii", "replace"), name)
        kind = detect_file_kind(octets[:HEADER_LENGTH])
        if kind is not None and kind is not LDIF:
            message = f"the file is {kind.name}, not a snapshot of dcmcfg"
            raise Refused(message, subject=name, next_step=kind.next_step(name))
        raise Refused(
            "not a snapshot of dcmcfg", subject=name, next_step="to apply another LDIF file: dcmcfg apply FILE"
        )
    # The last octet is the line feed of the last line itself.
    start = octets.rfind(b"\n", 0, -1) + 1
    last = _LAST_LINE.fullmatch(octets, start)
    if last is None:
        raise Refused(
            "the snapshot is incomplete: the last line with the checksum is missing or damaged",
            subject=name,
            next_step=_DAMAGED_STEP,
        )
    content = octets[:start]
    if hashlib.sha256(content).hexdigest().encode() != last.group(1):
        raise Refused(
            "the checksum does not match: somebody has changed the snapshot, or the file is damaged",
            subject=name,
            next_step=_DAMAGED_STEP,
        )
    return content
