"""Equality rules: normal forms of values; matching values have equal normal forms (RFC 4517 §4.2, RFC 4518).

Where RFC 4518 and OpenLDAP differ, this module follows OpenLDAP, because the server decides which values are equal:
letters fold one to one (``ß`` does not match ``ss``), and a string of blanks only is one blank. Both know Unicode 3.2
only.
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

    Two values match exactly if their normal forms are equal. Without a rule, with an unknown rule, or if *value* does
    not fit the rule's syntax, the octets are returned unchanged.
    """
    return get_normaliser(rule)(value)


def get_normaliser(rule: str | None) -> Normaliser:
    """Return the function that normalises values by *rule*; see :func:`normalise`."""
    return _NORMALISERS.get((rule or "").lower(), normalise_octet_string)


def normalise_octet_string(value: bytes) -> bytes:
    """Return *value* unchanged (octetStringMatch)."""
    return value


def _fold_blanks(value: bytes) -> bytes:
    """Remove insignificant blanks: none at the ends, one for a run; a value of blanks only is one blank."""
    # Most values have no surplus blanks. This test is much cheaper than a substitution.
    if b"  " not in value and value[:1] != b" " != value[-1:]:
        return value
    return _BLANKS.sub(b" ", value.strip(b" ")) or b" "


def normalise_case_exact_ia5(value: bytes) -> bytes:
    """Normalise by caseExactIA5Match: case is significant, surplus blanks are not."""
    return _fold_blanks(value)


def normalise_case_ignore_ia5(value: bytes) -> bytes:
    """Normalise by caseIgnoreIA5Match: neither case nor surplus blanks are significant."""
    return _fold_blanks(value).lower()


def normalise_case_exact(value: bytes) -> bytes:
    """Normalise by caseExactMatch: case is significant; surplus blanks and compatibility forms (NFKC) are not."""
    return _fold_blanks(value if value.isascii() else _normalise_compatibility_forms(value, ignore_case=False))


def normalise_case_ignore(value: bytes) -> bytes:
    """Normalise by caseIgnoreMatch: case, surplus blanks and compatibility forms (NFKC) are not significant."""
    return _fold_blanks(value.lower() if value.isascii() else _normalise_compatibility_forms(value, ignore_case=True))


def _normalise_compatibility_forms(value: bytes, *, ignore_case: bool) -> bytes:
    try:
        text = value.decode()
    # A file may contain octets that no server accepts here. They are equal only to themselves.
    except UnicodeDecodeError:
        return value
    if ignore_case:
        text = "".join(map(_lowercase, text))
    return _UNICODE.normalize("NFKC", text).encode()


def _lowercase(character: str) -> str:
    """Return the lower-case letter of a capital, other characters unchanged.

    Only one letter: OpenLDAP folds one to one. Characters added after Unicode 3.2 stay unchanged.
    """
    lower = character.lower()[0]
    is_mapped = _UNICODE.category(character) in {"Lu", "Lt"} and _UNICODE.category(lower) != "Cn"
    return lower if is_mapped else character


def normalise_integer(value: bytes) -> bytes:
    """Normalise by integerMatch: leading zeros are not significant."""
    match = _INTEGER.fullmatch(value)
    if match is None:
        return value
    sign, digits = match.groups()
    return digits if digits == b"0" else sign + digits  # ``-0`` equals ``0``


def normalise_boolean(value: bytes) -> bytes:
    """Normalise by booleanMatch: ``TRUE`` or ``FALSE`` (RFC 4517 §3.3.3), in capitals only."""
    return value


def normalise_object_identifier(value: bytes) -> bytes:
    """Normalise by objectIdentifierMatch: dotted decimals unchanged; the case of a descriptor is not significant."""
    return value.strip(b" ").lower()


def normalise_distinguished_name(value: bytes, normal_dn: Callable[[DN], NormalDN] = DN.normalised) -> bytes:
    """Normalise by distinguishedNameMatch: RDN parts sorted, each in the normal form that *normal_dn* returns."""
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
    # RFC 4523 §3.1 compares issuer and serial number. Equal octets imply this, and need no parser for X.509.
    "certificateexactmatch": normalise_octet_string,
}
