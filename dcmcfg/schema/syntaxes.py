"""LDAP syntaxes: whether an attribute's octets are a value of its syntax (RFC 4517 §3.3), as slapd checks it."""

from __future__ import annotations

import re
from collections.abc import Callable

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput

_INTEGER = re.compile(rb"0|-?[1-9][0-9]*")
_NUMERIC_OID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")


def problem(syntax: str, value: bytes) -> str:
    """Return what keeps *value* from being one of *syntax* (a name as in RFC 4517: ``Boolean``), empty when nothing.

    The text never repeats the value. Values of a syntax that is not known here are taken as they are.
    """
    return _CHECKS.get(syntax, _anything)(value)


def in_words(syntax: str) -> str:
    """Return what a value of *syntax* is, for people."""
    return _WORDS.get(syntax, syntax)


def _anything(value: bytes) -> str:  # noqa: ARG001 — the signature of the others
    return ""


def _boolean(value: bytes) -> str:
    if value in (b"TRUE", b"FALSE"):
        return ""
    if value.upper() in (b"TRUE", b"FALSE"):
        return "a boolean is TRUE or FALSE, in capitals only"
    return "a boolean is TRUE or FALSE"


def _integer(value: bytes) -> str:
    return "" if _INTEGER.fullmatch(value) else "a whole number, for example 300 or -1"


def _dn(value: bytes) -> str:
    try:
        DN.parse(value.decode())
    except UnicodeDecodeError:
        return "a distinguished name is UTF-8"
    except MalformedInput as error:
        return error.what
    return ""


def _oid(value: bytes) -> str:
    """Numbers only: slapd takes no descriptor but in objectClass."""
    return "" if _NUMERIC_OID.fullmatch(value) else "an OID is numbers with dots between them, without leading zeros"


def _ia5_string(value: bytes) -> str:
    return "" if value.isascii() else "only ASCII characters are allowed"


def _directory_string(value: bytes) -> str:
    if not value:
        return "the value is empty"
    try:
        value.decode()
    except UnicodeDecodeError:
        return "the value is not UTF-8"
    return ""


_CHECKS: dict[str, Callable[[bytes], str]] = {
    "Boolean": _boolean,
    "Integer": _integer,
    "DN": _dn,
    "OID": _oid,
    "IA5String": _ia5_string,
    "DirectoryString": _directory_string,
}
_WORDS = {
    "Boolean": "TRUE or FALSE",
    "Integer": "a whole number",
    "DN": "the DN of an entry",
    "OID": "an OID (UID)",
    "IA5String": "text, ASCII only",
    "DirectoryString": "text",
    "OctetString": "octets",
    "Binary": "octets",
    "Certificate": "an X.509 certificate",
}
