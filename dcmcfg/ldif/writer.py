"""Write LDIF that every tool reads back as the same octets (RFC 2849).

Values and DNs are written in base64 if RFC 2849 requires it, and also if the first octet is a TAB (OpenLDAP's tools
drop it) or any octet is a control character. Physical lines have at most 76 octets.

Text for an editor (:func:`format_for_editor`) has one readable line for each value: lines are not folded, and non-ASCII
text is not encoded. OpenLDAP's tools and :func:`dcmcfg.ldif.reader.iter_records` read this form.
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

#: A value must not begin with these characters (SAFE-INIT-CHAR of RFC 2849).
_UNSAFE_FIRST = (" ", ":", "<")
#: Matches octets that a line can contain unencoded, without base64.
is_plain = re.compile(rb"(?![ :<])[\x20-\x7e]*(?<! )").fullmatch
# A line with such a value; the text before the first ": " is already known to be a name.
_PLAIN_LINE = rb"[^:\n]++: [!-9;=-~][\x20-\x7e]*+(?<! )\n"
_PLAIN_LINES = re.compile(rb"(?:%b)+" % _PLAIN_LINE).fullmatch
# The same, if no line requires folding.
_SHORT_LINES = re.compile(rb"(?:(?![^\n]{%d})%b)+" % (MAXIMUM_LINE_LENGTH + 1, _PLAIN_LINE)).fullmatch
_OID = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)


def format_entry(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line; attributes and values keep their order.

    *comments* are written before it, each on separate ``#`` lines. Raises :class:`MalformedInput` for an attribute
    name that LDIF cannot represent.
    """
    head = _format_comments(comments) if comments else ""
    return f"{head}{_format_name_line('dn', entry.dn)}{_bodies[entry.attributes]}\n"


def format_attribute(name: str, values: Sequence[bytes]) -> str:
    """Return the lines of an attribute as in :func:`format_entry`, each with its line end."""
    return _format_attribute_lines((Attribute(name, tuple(values)),))


def format_dn_line(dn: DN) -> str:
    """Return the ``dn:`` line of a record, with its line end."""
    return _format_name_line("dn", dn)


def format_change(change: Change, *, comments: Iterable[str] = ()) -> str:
    """Return *change* as a change record that ends with an empty line, controls included.

    *comments* are written before it, each on separate ``#`` lines. Raises :class:`MalformedInput` for an attribute name
    or control OID that LDIF cannot represent.
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
        raise MalformedInput("not a valid OID of a control", subject=repr(control.oid))
    head = f"control: {control.oid} {'true' if control.critical else 'false'}"
    match control.value:
        case None:
            return fold_line(head)
        case b"":
            return fold_line(f"{head}:")
        case value:
            return fold_line(f"{head}:: {base64.b64encode(value).decode()}")


class _BodyCache(dict[tuple[Attribute, ...], str]):
    """Attributes of an entry → their lines, cached: many AEs have the same capabilities."""

    def __missing__(self, attributes: tuple[Attribute, ...]) -> str:
        text = _format_attribute_lines(attributes)
        if len(text) <= _MAXIMUM_CACHED_LENGTH:
            if len(self) >= _CACHE_SIZE:
                self.clear()
            self[attributes] = text
        return text


_bodies = _BodyCache()


def _format_attribute_lines(named: Sequence[Attribute | Modification]) -> str:
    """Return a line for each value of *named*; uses a fast path if all values are plain."""
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
    # A value with a line feed would add a line, so it requires base64.
    if text.count(b"\n") == count:
        if _SHORT_LINES(text):
            return text.decode()
        if _PLAIN_LINES(text):
            return "".join(map(fold_line, text.decode().split("\n")[:-1]))
    return "".join([_format_line(each.name, value) for each in named for value in each.values])


class _PrefixCache(dict[str, tuple[bytes, bytes]]):
    """Attribute description → the text before its first plain value, and before each further value.

    Raises :class:`MalformedInput` for an invalid description.
    """

    def __missing__(self, name: str) -> tuple[bytes, bytes]:
        if not is_attribute_description(name) or name.lower() in KEYWORDS:
            raise MalformedInput("not a valid attribute name in LDIF", subject=repr(name))
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
    """Return *line* with its ending, folded into physical lines of at most 76 octets; *line* must be ASCII.

    Lines do not end with a blank if this can be avoided, because editors tend to remove trailing blanks.
    """
    if len(line) <= MAXIMUM_LINE_LENGTH:
        return line + "\n"
    # Most long lines are folded once, and need no loop.
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
    """Yield *text* in comment lines (``#``) of at most 76 octets, broken between words if possible."""
    for line in text.splitlines():
        rest = "".join(map(_escape_unprintable, line)).encode()
        while len(rest) > MAXIMUM_LINE_LENGTH - 2:
            end = rest.rfind(b" ", 1, MAXIMUM_LINE_LENGTH - 1)
            if end < 1:
                end = MAXIMUM_LINE_LENGTH - 2
                while rest[end] & 0xC0 == 0x80:  # do not break inside a UTF-8 sequence
                    end -= 1
            yield f"# {rest[:end].decode()}".rstrip(" ")
            rest = rest[end:].lstrip(b" ")
        yield f"# {rest.decode()}".rstrip(" ")


def _escape_unprintable(character: str) -> str:
    return character if character.isprintable() else f"\\x{ord(character):02x}"


def format_for_editor(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line, with *comments* on ``#`` lines before it."""
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
