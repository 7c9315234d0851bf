"""Equality rules: the normal form in which values that match are the same octets (RFC 4517 §4.2, RFC 4518).

Where RFC 4518 and OpenLDAP differ, OpenLDAP is followed, because it decides what the server accepts: letters fold one
to one (``ß`` does not match ``ss``), and a string of nothing but blanks is one blank. Both know Unicode 3.2 only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from dcmcfg.dn import DN, RDN, NormalDN
from dcmcfg.errors import MalformedInput

#: A value's octets → the octets of its normal form.
Normaliser = Callable[[bytes], bytes]

_UNICODE = unicodedata.ucd_3_2_0
_BLANKS = re.compile(rb" +")
_INTEGER = re.compile(rb"(-?)0*([0-9]+)")


def normalise(rule: str | None, value: bytes) -> bytes:
    """Return *value* in the normal form of the equality rule named *rule* (``caseExactIA5Match``).

    Two values match exactly when their normal forms are equal. Without a rule, under an unknown rule, or when *value*
    does not fit the rule's syntax, the octets are returned as they are.
    """
    return get_normaliser(rule)(value)


def get_normaliser(rule: str | None) -> Normaliser:
    """Return the function that brings a value into the normal form of *rule*; see :func:`normalise`."""
    return _NORMALISERS.get((rule or "").lower(), normalise_octet_string)


def normalise_octet_string(value: bytes) -> bytes:
    """octetStringMatch: the octets as they are."""
    return value


def _fold_blanks(value: bytes) -> bytes:
    """Insignificant blanks: none at the ends, one for a run; nothing but blanks is one blank."""
    if b"  " not in value and value[:1] != b" " != value[-1:]:
        return value
    return _BLANKS.sub(b" ", value.strip(b" ")) or b" "


def normalise_case_exact_ia5(value: bytes) -> bytes:
    """caseExactIA5Match: case counts, surplus blanks do not."""
    return _fold_blanks(value)


def normalise_case_ignore_ia5(value: bytes) -> bytes:
    """caseIgnoreIA5Match: neither case nor surplus blanks count."""
    return _fold_blanks(value).lower()


def normalise_case_exact(value: bytes) -> bytes:
    """caseExactMatch: case counts; surplus blanks and compatibility forms (NFKC) do not."""
    return _fold_blanks(value if value.isascii() else _normalise_compatibility_forms(value, ignore_case=False))


def normalise_case_ignore(value: bytes) -> bytes:
    """caseIgnoreMatch: neither case, surplus blanks nor compatibility forms (NFKC) count."""
    return _fold_blanks(value.lower() if value.isascii() else _normalise_compatibility_forms(value, ignore_case=True))


def _normalise_compatibility_forms(value: bytes, *, ignore_case: bool) -> bytes:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value
    if ignore_case:
        text = "".join(map(_lowercase, text))
    return _UNICODE.normalize("NFKC", text).encode()


def _lowercase(character: str) -> str:
    """Return the one lower-case letter of a capital; anything else as it is."""
    lower = character.lower()[0]
    is_mapped = _UNICODE.category(character) in {"Lu", "Lt"} and _UNICODE.category(lower) != "Cn"
    return lower if is_mapped else character


def normalise_integer(value: bytes) -> bytes:
    """integerMatch: leading zeros do not count."""
    match = _INTEGER.fullmatch(value)
    if match is None:
        return value
    sign, digits = match.groups()
    return digits if digits == b"0" else sign + digits


def normalise_boolean(value: bytes) -> bytes:
    """booleanMatch: ``TRUE`` or ``FALSE`` (RFC 4517 §3.3.3), in capitals only."""
    return value


def normalise_object_identifier(value: bytes) -> bytes:
    """objectIdentifierMatch: dotted decimals as they are; the case of a descriptor does not count."""
    return value.strip(b" ").lower()


def normalise_distinguished_name(value: bytes, normal_dn: Callable[[DN], NormalDN] = DN.normalised) -> bytes:
    """distinguishedNameMatch: RDN parts in one order, each in the normal form that *normal_dn* knows."""
    try:
        name = DN.parse(value.decode("utf-8", "surrogateescape"))
    except MalformedInput:
        return value
    normal = DN(tuple(RDN(parts) for parts in normal_dn(name)))
    return str(normal).encode("utf-8", "surrogateescape")


_NORMALISERS: dict[str, Normaliser] = {
    "caseexactia5match": normalise_case_exact_ia5,
    "caseignoreia5match": normalise_case_ignore_ia5,
    "caseexactmatch": normalise_case_exact,
    "caseignorematch": normalise_case_ignore,
    "integermatch": normalise_integer,
    "booleanmatch": normalise_boolean,
    "objectidentifiermatch": normalise_object_identifier,
    "distinguishednamematch": normalise_distinguished_name,
    "octetstringmatch": normalise_octet_string,
    "certificateexactmatch": normalise_octet_string,
}
