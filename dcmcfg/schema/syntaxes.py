"""LDAP syntaxes: check values in the same way as slapd (RFC 4517 §3.3).

Also maps names of syntaxes to their OIDs (RFC 4517 §3.3, RFC 4523 §2; Binary is from RFC 2252).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput

#: Leading zeros, ``+`` and ``-0`` are not allowed (RFC 4517 §3.3.16).
_INTEGER = re.compile(rb"0|-?[1-9][0-9]*")
_NUMERIC_OID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")


def find_syntax_problem(syntax: str, value: bytes) -> str:
    """Return the reason why *value* does not conform to *syntax* (an RFC 4517 name: ``Boolean``), empty if it does.

    The text never repeats the value. Values of an unknown syntax are accepted.
    """
    return _CHECKS.get(syntax, _accept_any)(value)


def describe_syntax(syntax: str) -> str:
    """Return a readable description of a value of *syntax*."""
    return _WORDS.get(syntax, syntax)


def _accept_any(value: bytes) -> str:  # noqa: ARG001 — the signature of the others
    return ""


def _check_boolean(value: bytes) -> str:
    if value in (b"TRUE", b"FALSE"):
        return ""
    if value.upper() in (b"TRUE", b"FALSE"):
        return "not a boolean: must be TRUE or FALSE, in capital letters"
    return "not a boolean: must be TRUE or FALSE"


def _check_integer(value: bytes) -> str:
    return "" if _INTEGER.fullmatch(value) else "not a whole number: expected, for example, 300 or -1"


def _check_dn(value: bytes) -> str:
    try:
        DN.parse(value.decode())
    except UnicodeDecodeError:
        return "a distinguished name must be UTF-8"
    except MalformedInput as error:
        return error.message
    return ""


def _check_oid(value: bytes) -> str:
    """Accept dotted numbers only: slapd accepts descriptors only in objectClass."""
    return (
        "" if _NUMERIC_OID.fullmatch(value) else "an OID consists of numbers without leading zeros, separated by dots"
    )


def _check_ia5_string(value: bytes) -> str:
    return "" if value.isascii() else "only ASCII characters are allowed"


def _check_directory_string(value: bytes) -> str:
    # A DirectoryString has at least one character (RFC 4517 §3.3.6). An IA5String may be empty (§3.3.15).
    if not value:
        return "the value is empty"
    try:
        value.decode()
    except UnicodeDecodeError:
        return "the value is not UTF-8"
    return ""


_CHECKS: dict[str, Callable[[bytes], str]] = {
    "Boolean": _check_boolean,
    "Integer": _check_integer,
    "DN": _check_dn,
    "OID": _check_oid,
    "IA5String": _check_ia5_string,
    "DirectoryString": _check_directory_string,
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


_ARC = "1.3.6.1.4.1.1466.115.121.1"
_NUMBERS = {
    "Binary": 5,
    "BitString": 6,
    "Boolean": 7,
    "Certificate": 8,
    "CertificateList": 9,
    "CertificatePair": 10,
    "CountryString": 11,
    "DN": 12,
    "DirectoryString": 15,
    "GeneralizedTime": 24,
    "IA5String": 26,
    "Integer": 27,
    "JPEG": 28,
    "NameAndOptionalUID": 34,
    "NumericString": 36,
    "OID": 38,
    "OctetString": 40,
    "PostalAddress": 41,
    "PrintableString": 44,
    "TelephoneNumber": 50,
}
_NAMES = {f"{_ARC}.{number}": name for name, number in _NUMBERS.items()}


def get_syntax_oid(name: str) -> str:
    """Return the OID of the syntax *name*; raises :class:`KeyError` for an unknown name."""
    return f"{_ARC}.{_NUMBERS[name]}"


def get_syntax_name(oid: str) -> str:
    """Return the name of the syntax *oid*, or the OID itself if its name is unknown."""
    return _NAMES.get(oid, oid)
