"""The file of a snapshot: LDIF that any loader takes, between comments that tell its origin and its checksum."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.file_kinds import HEAD, LDIF, file_kind
from dcmcfg.files.trees import tree_of
from dcmcfg.ldif.writer import VERSION_LINE
from dcmcfg.model.export import records
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import bundled
from dcmcfg.snapshot.facts import Facts, facts_text, parse_facts

_FIRST = b"# dcmcfg snapshot 1\n"
_FIRST_CRLF = _FIRST.replace(b"\n", b"\r\n")
_ANY_FIRST = re.compile(rb"# dcmcfg snapshot [0-9]+\r?\n")
_PURPOSE = b"""\
# Holds secrets. dcmcfg restore makes a directory equal to it;
# slapadd or ldapadd load it into an empty one.
"""
_LAST = re.compile(rb"# end of snapshot, sha256 ([0-9a-f]{64})\n")


@dataclass(frozen=True)
class Snapshot:
    """The configuration as it was, with the entries that lead to it, and where that was."""

    facts: Facts
    tree: Tree


def snapshot_text(snapshot: Snapshot) -> Iterator[str]:
    """Yield the file's text, the same for the same snapshot; its last line holds the checksum of all before it."""
    digest = hashlib.sha256()
    head = f"{_FIRST.decode()}{_PURPOSE.decode()}{facts_text(snapshot.facts)}\n"
    for piece in (head, *records(snapshot.tree.ordered(), with_secrets=True)):
        digest.update(piece.encode())
        yield piece
    yield f"# end of snapshot, sha256 {digest.hexdigest()}\n"


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in the file *path*.

    Raises :class:`Refused` when it is none, is not whole, or was altered by as much as an octet since it was taken,
    :class:`~dcmcfg.errors.LdifError` for what no snapshot of ours holds (text that is not LDIF, an entry twice or
    without its parent), and :class:`DcmcfgError` when the file cannot be read.
    """
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise DcmcfgError(f"the file cannot be read ({error.strerror})", on=str(path)) from error
    content = _checked(octets, str(path))
    facts, _, _ = content.removeprefix(_FIRST + _PURPOSE).partition(b"\n\n")
    # The first line gives way to the one that RFC 2849 asks for and slapadd refuses: line numbers stay.
    source = [VERSION_LINE.encode(), content.removeprefix(_FIRST)]
    return Snapshot(parse_facts(facts + b"\n", str(path)), tree_of(source, str(path), bundled()))


def _checked(octets: bytes, name: str) -> bytes:
    """Return *octets* without the last line, which holds their checksum; raises :class:`Refused`."""
    if not octets.startswith(_FIRST):
        if octets.startswith(_FIRST_CRLF):
            raise Refused(
                "its line endings were changed (CRLF), as a copy in text mode does",
                on=name,
                next_step=f"copy it again in binary mode, or change them back: sed -i 's/\\r$//' {shlex.quote(name)}",
            )
        if _ANY_FIRST.match(octets):
            raise Refused("the snapshot is of a format that this dcmcfg does not read", on=name)
        kind = file_kind(octets[:HEAD])
        if kind is not None and kind is not LDIF:
            what = f"this is {kind.name}, not a snapshot of dcmcfg"
            raise Refused(what, on=name, next_step=kind.next_step(name))
        raise Refused("it is no snapshot of dcmcfg", on=name, next_step="dcmcfg apply takes other LDIF files")
    start = octets.rfind(b"\n", 0, -1) + 1
    last = _LAST.fullmatch(octets, start)
    if last is None:
        raise Refused("the snapshot is not whole: its last line, the checksum, is missing or damaged", on=name)
    content = octets[:start]
    if hashlib.sha256(content).hexdigest().encode() != last.group(1):
        raise Refused("the snapshot was altered or damaged since it was taken: its checksum does not fit", on=name)
    return content
