"""Parse the fields of a record: ``name: value``, ``name:: base64`` or ``name:< URL`` (RFC 2849)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dcmcfg.errors import LdifError
from dcmcfg.ldif.lines import LogicalLine

#: The keywords of records; no attribute type has one of these names.
KEYWORDS = frozenset(
    {
        "dn",
        "control",
        "changetype",
        "newrdn",
        "deleteoldrdn",
        "newsuperior",
        "add",
        "delete",
        "replace",
        "increment",
    }
)

# RFC 4512 §2.5, extended by the underscore, which some servers allow in names.
_DESCRIPTION = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9_-]+)*", re.ASCII)
# RFC 2849 itself does not allow underscores, neither in names nor in options.
_RFC2849_DESCRIPTION = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9-]+)*", re.ASCII)
#: RFC 2849 allows base64 after no other keyword.
_BASE64_KEYWORDS = frozenset({"dn", "newrdn", "newsuperior"})
#: SAFE-STRING of RFC 2849: ASCII without NUL, LF and CR, and without blank, colon and "<" at the beginning.
_SAFE_STRING = re.compile(rb"(?:(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]+)?")
_MAXIMUM_SHOWN_LENGTH = 40
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]")


class Field(NamedTuple):
    """One line of a record: ``name`` as spelt, ``value`` decoded, 1-based ``line``."""

    name: str
    value: bytes
    line: int


@dataclass(frozen=True)
class FieldReader:
    """Parses the lines of one source, by RFC 2849 if ``strict``, otherwise by the dialect of OpenLDAP's tools."""

    source: str
    strict: bool
    resolve_url: Callable[[str], bytes]

    def build_error(self, line: int, message: str, next_step: str = "") -> LdifError:
        """Return the error for *line* of this source."""
        return LdifError(message, subject=f"{self.source}:{line}", next_step=next_step)

    def parse_field(self, line: LogicalLine) -> Field:
        """Return the field in *line*; raises :class:`LdifError`."""
        before, colon, rest = line.text.partition(b":")
        if not colon or line.text[:1] == b" ":
            raise self.build_error(line.number, *_explain_invalid_line(line.text))
        name = _parse_description(before)
        if not name:
            raise self.build_error(line.number, *_explain_missing_name(before))
        if rest[:1] == b"<" and name.lower() in KEYWORDS:
            raise self.build_error(line.number, f"'{name}:' must not have a URL as value")
        if self.strict:
            self.require_name(name, line.number)
            if name.lower() in KEYWORDS - _BASE64_KEYWORDS:
                self.require_plain_text(name, rest, line.number)
        return Field(name, self.decode_value(name, rest, line.number), line.number)

    def require_name(self, name: str, line: int) -> None:
        """Raise :class:`LdifError` if strict and RFC 2849 does not allow *name* as attribute name."""
        if self.strict and not _RFC2849_DESCRIPTION.fullmatch(name):
            raise self.build_error(line, f"the name {name} contains an underscore, which RFC 2849 does not allow")

    def require_plain_text(self, name: str, rest: bytes, line: int) -> None:
        """Raise :class:`LdifError` if strict and *rest*, after the colon of keyword *name*, is base64 or a URL."""
        if self.strict and rest[:1] in (b":", b"<"):
            raise self.build_error(
                line, f"RFC 2849 requires plain text after '{name}:'", "write the value after a single ':'"
            )

    def decode_value(self, name: str, rest: bytes, line: int) -> bytes:
        """Return the value in *rest*, the text after the colon of *name*."""
        marker = rest[:1]
        if marker == b":":
            return self._decode_base64(name, rest[1:].lstrip(b" ") if self.strict else rest[1:].strip(b" "), line)
        if marker == b"<":
            url = rest[1:].strip(b" ")
            if self.strict and rest[-1:] == b" ":
                raise self.build_error(line, f"there is a space after the URL of {name}", "remove the space")
            return self._read_url(name, url, line)
        # OpenLDAP's tools drop a TAB before the value; by RFC 2849 it is part of the value.
        value = rest.lstrip(b" ") if self.strict else rest.lstrip(b" \t\v\f")
        if b"\0" in value or b"\r" in value:
            raise self.build_error(
                line,
                f"the value of {name} contains a NUL or a carriage return",
                "write the value in base64, after '::'",
            )
        if self.strict and not _SAFE_STRING.fullmatch(value):
            raise self.build_error(
                line, f"RFC 2849 requires base64 for the value of {name}", "write the value in base64, after '::'"
            )
        return value

    def _decode_base64(self, name: str, text: bytes, line: int) -> bytes:
        try:
            # Without strict_mode, octets outside of the alphabet are skipped.
            return binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error as error:
            reason = str(error)[:1].lower() + str(error)[1:]
            raise self.build_error(line, f"the value of '{name}::' is not base64: {reason}") from error

    def _read_url(self, name: str, url: bytes, line: int) -> bytes:
        try:
            return self.resolve_url(url.decode())
        except UnicodeDecodeError as error:
            raise self.build_error(line, f"the URL of {name} is not UTF-8") from error
        except LdifError as error:
            problem = f"{error.subject}: {error.message}" if error.subject else error.message
            raise self.build_error(line, f"{name}: {problem}", error.next_step) from error


def parse_keyword(line: LogicalLine) -> str:
    """Return the text before the first colon of *line* in lower case; the whole line if there is no colon."""
    return line.text.partition(b":")[0].lower().decode("utf-8", "replace")


def is_attribute_description(text: str) -> bool:
    """Return whether *text* is a valid attribute description, with options (RFC 4512 §2.5)."""
    return _DESCRIPTION.fullmatch(text) is not None


def quote_for_message(text: bytes) -> str:
    """Return *text* quoted for a message, truncated if it is long."""
    decoded = text.decode("utf-8", "backslashreplace")
    return repr(decoded if len(decoded) <= _MAXIMUM_SHOWN_LENGTH else decoded[:_MAXIMUM_SHOWN_LENGTH] + "…")


# A file repeats its names; the limit bounds the memory for a file that does not.
@lru_cache(maxsize=4096)
def _parse_description(name: bytes) -> str:
    """Return *name* as text, or an empty string if it is not a valid attribute description."""
    text = name.decode("utf-8", "replace")
    return text if is_attribute_description(text) else ""


def _explain_invalid_line(text: bytes) -> tuple[str, str]:
    if text == b"-":
        return "a '-' without modification", "use '-' only in a modify record, after each modification"
    if text.rstrip() == b"-":
        return "spaces or tabs after the '-'", "remove the spaces or tabs"
    if text[:1] == b" ":
        return (
            "a line with a space at the start continues the previous line, but there is no previous line",
            "remove the space at the start of the line, or remove the empty line before this line",
        )
    if text.lower().decode("utf-8", "replace") in KEYWORDS:
        return f"no colon after {quote_for_message(text)}", "add the colon"
    if not _WORD.search(text):
        return f"no colon in {quote_for_message(text)}", "to end a modification, write '-'"
    # The line is not quoted, because it may be the end of a folded secret.
    return (
        f"this line of {len(text)} octets has no colon",
        "if this line continues the previous line, add a space at the start",
    )


def _explain_missing_name(before: bytes) -> tuple[str, str]:
    """Return problem and next step for *before*, the text before a colon.

    The text is not quoted, because it may be the end of a folded secret.
    """
    if not before:
        return "the line begins with a colon", "write the name of an attribute before the colon"
    if name := _parse_description(before.strip()):
        return f"spaces or tabs before or after {name!r}", "remove the spaces or tabs"
    return (
        "no attribute name before the colon",
        "if this line continues the previous line, add a space at the start",
    )
