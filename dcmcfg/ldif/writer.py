"""LDIF written so that any tool reads the same octets back (RFC 2849).

Values and DNs are in base64 where RFC 2849 asks for it, and also where the first octet is a TAB (OpenLDAP's tools
drop it) or any octet is a control character. Physical lines have at most 76 octets.

Text for an editor (:func:`format_for_editor`) has a line for each value, and text as one reads it: it neither folds
lines nor puts text that is not ASCII into base64. OpenLDAP's tools read that, and so does
:func:`dcmcfg.ldif.reader.iter_records`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.fields import KEYWORDS, is_attribute_description

#: The first line of an LDIF file (RFC 2849).
VERSION_LINE = "version: 1\n"
MAXIMUM_LINE_LENGTH = 76
_CACHE_SIZE = 1 << 12
_MAXIMUM_CACHED_LENGTH = 1 << 10

_UNSAFE_FIRST = (" ", ":", "<")
#: Tells whether octets can stand in a line as they are, without base64.
is_plain = re.compile(rb"(?![ :<])[\x20-\x7e]*(?<! )").fullmatch
# A line with such a value; what precedes the first ": " is known to be a name.
_PLAIN_LINE = rb"[^:\n]++: [!-9;=-~][\x20-\x7e]*+(?<! )\n"
_PLAIN_LINES = re.compile(rb"(?:%b)++" % _PLAIN_LINE).fullmatch
_SHORT_LINES = re.compile(rb"(?:(?![^\n]{%d})%b)++" % (MAXIMUM_LINE_LENGTH + 1, _PLAIN_LINE)).fullmatch
_OID = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)


def format_entry(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line; attributes and values keep their order.

    *comments* stand before it, each on ``#`` lines of its own. Raises :class:`MalformedInput` for an attribute
    that has no name LDIF can hold.
    """
    head = _format_comments(comments) if comments else ""
    return f"{head}{_format_name_line('dn', entry.dn)}{_bodies[entry.attributes]}\n"


def format_attribute(name: str, values: Sequence[bytes]) -> str:
    """Return the lines of an attribute as :func:`format_entry` has them, each with its line end."""
    return _format_attribute_lines((Attribute(name, tuple(values)),))


def format_dn_line(dn: DN) -> str:
    """Return the line of a record that names its entry, with its line end."""
    return _format_name_line("dn", dn)


def format_change(change: Change, *, comments: Iterable[str] = ()) -> str:
    """Return *change* as a change record that ends with an empty line, controls included.

    *comments* stand before it, each on ``#`` lines of its own. Raises :class:`MalformedInput` for an attribute
    or control that has no name LDIF can hold.
    """
    head = _format_name_line("dn", change.dn) + "".join(map(_format_control, change.controls))
    return _format_comments(comments) + head + _format_change_body(change) + "\n"


def _format_change_body(change: Change) -> str:
    match change:
        case Add():
            return "changetype: add\n" + _bodies[change.entry.attributes]
        case Delete():
            return "changetype: delete\n"
        case Modify():
            return "changetype: modify\n" + "".join(map(_format_modification, change.modifications))
        case Rename():
            return _format_rename_body(change)


def _format_modification(modification: Modification) -> str:
    values = _format_attribute_lines((modification,))
    return fold_line(f"{modification.operation.value}: {modification.name}") + values + "-\n"


def _format_rename_body(rename: Rename) -> str:
    superior = "" if rename.new_superior is None else _format_name_line("newsuperior", rename.new_superior)
    new_rdn = _format_name_line("newrdn", rename.new_rdn)
    return f"changetype: modrdn\n{new_rdn}deleteoldrdn: {int(rename.delete_old_rdn)}\n{superior}"


def _format_control(control: Control) -> str:
    if not _OID.fullmatch(control.oid):
        raise MalformedInput("not the OID of a control", subject=repr(control.oid))
    head = f"control: {control.oid} {'true' if control.critical else 'false'}"
    match control.value:
        case None:
            return fold_line(head)
        case b"":
            return fold_line(f"{head}:")
        case value:
            return fold_line(f"{head}:: {base64.b64encode(value).decode()}")


class _BodyCache(dict[tuple[Attribute, ...], str]):
    """Attributes of an entry → their lines: one AE often has the capabilities of the next."""

    def __missing__(self, attributes: tuple[Attribute, ...]) -> str:
        text = _format_attribute_lines(attributes)
        if len(text) <= _MAXIMUM_CACHED_LENGTH:
            if len(self) >= _CACHE_SIZE:
                self.clear()
            self[attributes] = text
        return text


_bodies = _BodyCache()


def _format_attribute_lines(named: Sequence[Attribute | Modification]) -> str:
    """Return a line for each value of what is *named*; the fast way when all of them are plain."""
    runs = []
    count = 0
    for each in named:
        first, further = _prefixes[each.name]
        if values := each.values:
            runs.append(first + further.join(values))
            count += len(values)
    if not runs:
        return ""
    text = b"\n".join(runs) + b"\n"
    if text.count(b"\n") == count:
        if _SHORT_LINES(text):
            return text.decode()
        if _PLAIN_LINES(text):
            return "".join(map(fold_line, text.decode().split("\n")[:-1]))
    return "".join([_format_line(each.name, value) for each in named for value in each.values])


class _PrefixCache(dict[str, tuple[bytes, bytes]]):
    """Attribute description → what stands before its first plain value, and before each further one.

    Raises :class:`MalformedInput` for what is none.
    """

    def __missing__(self, name: str) -> tuple[bytes, bytes]:
        if not is_attribute_description(name) or name.lower() in KEYWORDS:
            raise MalformedInput("no name for an attribute in LDIF", subject=repr(name))
        if len(self) >= _CACHE_SIZE:
            self.clear()
        prefix = f"{name}: ".encode()
        self[name] = prefixes = prefix, b"\n" + prefix
        return prefixes


_prefixes = _PrefixCache()


def _format_name_line(keyword: str, name: DN | RDN) -> str:
    text = str(name)
    if text and text.isascii() and text.isprintable() and not text.startswith(_UNSAFE_FIRST) and not text.endswith(" "):
        return fold_line(f"{keyword}: {text}")
    return _format_line(keyword, text.encode("utf-8", "surrogateescape"))


def _format_line(name: str, value: bytes) -> str:
    if not value:
        return fold_line(f"{name}:")
    if is_plain(value):
        return fold_line(f"{name}: {value.decode()}")
    return fold_line(f"{name}:: {base64.b64encode(value).decode()}")


def fold_line(line: str) -> str:
    """Return *line* with its ending, in physical lines of at most 76 characters; octets here, as all are ASCII.

    None ends with a blank if that can be avoided, because editors like to remove those.
    """
    if len(line) <= MAXIMUM_LINE_LENGTH:
        return line + "\n"
    if len(line) < 2 * MAXIMUM_LINE_LENGTH and line[MAXIMUM_LINE_LENGTH - 1] != " " != line[-1]:
        return f"{line[:MAXIMUM_LINE_LENGTH]}\n {line[MAXIMUM_LINE_LENGTH:]}\n"
    pieces = [line[:MAXIMUM_LINE_LENGTH].rstrip(" ")]
    position = len(pieces[0])
    while position < len(line):
        piece = line[position : position + MAXIMUM_LINE_LENGTH - 1]
        if piece[-1] == " ":
            piece = piece.rstrip(" ") or piece
        pieces.append(piece)
        position += len(piece)
    return "\n ".join(pieces) + "\n"


def _format_comments(comments: Iterable[str]) -> str:
    return "".join([f"{line}\n" for comment in comments for line in _wrap_comment(comment)])


def _wrap_comment(text: str) -> Iterator[str]:
    """Yield *text* in lines of at most 76 octets that all begin with ``#``, broken between words if possible."""
    for line in text.splitlines():
        rest = "".join(map(_escape_unprintable, line)).encode()
        while len(rest) > MAXIMUM_LINE_LENGTH - 2:
            end = rest.rfind(b" ", 1, MAXIMUM_LINE_LENGTH - 1)
            if end < 1:
                end = MAXIMUM_LINE_LENGTH - 2
                while rest[end] & 0xC0 == 0x80:  # not in the middle of a character
                    end -= 1
            yield f"# {rest[:end].decode()}".rstrip(" ")
            rest = rest[end:].lstrip(b" ")
        yield f"# {rest.decode()}".rstrip(" ")


def _escape_unprintable(character: str) -> str:
    return character if character.isprintable() else f"\\x{ord(character):02x}"


def format_for_editor(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line, each of *comments* on a ``#`` line before it."""
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines.append(_format_editor_line("dn", str(entry.dn).encode("utf-8", "surrogateescape")))
    lines += [
        _format_editor_line(attribute.name, value) for attribute in entry.attributes for value in attribute.values
    ]
    return "\n".join(lines) + "\n\n"


def _format_editor_line(name: str, value: bytes) -> str:
    if not value:
        return f"{name}:"
    text = value.decode("utf-8", "replace")
    readable = text.isprintable() and text.encode() == value and not text.startswith(_UNSAFE_FIRST)
    if readable and not text.endswith(" "):
        return f"{name}: {text}"
    return f"{name}:: {base64.b64encode(value).decode()}"
