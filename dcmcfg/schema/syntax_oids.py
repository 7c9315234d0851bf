"""Names of LDAP syntaxes by their OIDs (RFC 4517 §3.3, RFC 4523 §2; Binary is RFC 2252's)."""

from __future__ import annotations

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


def syntax_oid(name: str) -> str:
    """Return the OID of the syntax *name*; raises :class:`KeyError` for one that has none here."""
    return f"{_ARC}.{_NUMBERS[name]}"


def syntax_name(oid: str) -> str:
    """Return the name of the syntax *oid*, or the OID itself where it has no name here."""
    return _NAMES.get(oid, oid)
