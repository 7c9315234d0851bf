"""LDIF written so that any tool reads the same octets back (RFC 2849).

Values and DNs are in base64 where RFC 2849 asks for it, and also where the first octet is a TAB (OpenLDAP's tools
drop it) or any octet is a control character. Physical lines have at most 76 octets.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Rename
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.fields import KEYWORDS, is_attribute_description

VERSION_LINE = "version: 1\n"
MAXIMUM_LINE = 76

_PLAIN = re.compile(rb"(?![ :<])[\x20-\x7e]*(?<! )")
_OID = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)


def format_entry(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line; attributes and values keep their order.

    *comments* stand before it, each on ``#`` lines of its own. Raises :class:`MalformedInput` for an attribute
    that has no name LDIF can hold.
    """
    return _record(comments, [_field("dn", str(entry.dn)), *_entry_body(entry)])


def format_change(change: Change, *, comments: Iterable[str] = ()) -> str:
    """Return *change* as a change record that ends with an empty line, controls included.

    *comments* stand before it, each on ``#`` lines of its own. Raises :class:`MalformedInput` for an attribute
    or control that has no name LDIF can hold.
    """
    head = [_field("dn", str(change.dn)), *map(_control, change.controls)]
    return _record(comments, [*head, *_change_body(change)])


def _record(comments: Iterable[str], lines: Iterable[str]) -> str:
    commented = [line for comment in comments for line in _comment(comment)]
    return "\n".join([*commented, *map(_fold, lines), "", ""])


def _change_body(change: Change) -> list[str]:
    match change:
        case Add():
            return ["changetype: add", *_entry_body(change.entry)]
        case Delete():
            return ["changetype: delete"]
        case Modify():
            steps = [line for modification in change.modifications for line in _modification(modification)]
            return ["changetype: modify", *steps]
        case Rename():
            return _rename_body(change)


def _entry_body(entry: Entry) -> Iterator[str]:
    return (line for attribute in entry.attributes for line in _values(attribute.name, attribute.values))


def _modification(modification: Modification) -> list[str]:
    head = f"{modification.operation.value}: {modification.name}"
    return [head, *_values(modification.name, modification.values), "-"]


def _rename_body(rename: Rename) -> list[str]:
    superior = [] if rename.new_superior is None else [_field("newsuperior", str(rename.new_superior))]
    return [
        "changetype: modrdn",
        _field("newrdn", str(rename.new_rdn)),
        f"deleteoldrdn: {int(rename.delete_old_rdn)}",
        *superior,
    ]


def _control(control: Control) -> str:
    if not _OID.fullmatch(control.oid):
        raise MalformedInput("not the OID of a control", on=repr(control.oid))
    head = f"control: {control.oid} {'true' if control.critical else 'false'}"
    match control.value:
        case None:
            return head
        case b"":
            return f"{head}:"
        case value:
            return f"{head}:: {base64.b64encode(value).decode()}"


def _values(name: str, values: Sequence[bytes]) -> list[str]:
    if not is_attribute_description(name) or name.lower() in KEYWORDS:
        raise MalformedInput("no name for an attribute in LDIF", on=repr(name))
    return [_field(name, value) for value in values]


def _field(name: str, value: str | bytes) -> str:
    octets = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not octets:
        return f"{name}:"
    if _PLAIN.fullmatch(octets):
        return f"{name}: {octets.decode()}"
    return f"{name}:: {base64.b64encode(octets).decode()}"


def _fold(line: str) -> str:
    """Return *line* in physical lines of at most 76 characters, which are octets here, as all of them are ASCII.

    None ends with a blank if that can be avoided, because editors like to remove those.
    """
    if len(line) <= MAXIMUM_LINE:
        return line
    pieces = [line[:MAXIMUM_LINE].rstrip(" ")]
    at = len(pieces[0])
    while at < len(line):
        piece = line[at : at + MAXIMUM_LINE - 1]
        piece = piece.rstrip(" ") or piece
        pieces.append(piece)
        at += len(piece)
    return "\n ".join(pieces)


def _comment(text: str) -> Iterator[str]:
    """Yield *text* in lines of at most 76 octets that all begin with ``#``, broken between words if possible."""
    for line in text.splitlines():
        rest = "".join(map(_printable, line)).encode()
        while len(rest) > MAXIMUM_LINE - 2:
            end = rest.rfind(b" ", 1, MAXIMUM_LINE - 1)
            if end < 1:
                end = MAXIMUM_LINE - 2
                while rest[end] & 0xC0 == 0x80:  # not in the middle of a character
                    end -= 1
            yield f"# {rest[:end].decode()}".rstrip(" ")
            rest = rest[end:].lstrip(b" ")
        yield f"# {rest.decode()}".rstrip(" ")


def _printable(character: str) -> str:
    return character if character.isprintable() else f"\\x{ord(character):02x}"
