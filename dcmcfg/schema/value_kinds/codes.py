"""Formats of codes (dcm4che's ``Code``) and issuers (``Issuer``)."""

from __future__ import annotations

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import split_values

#: ``Code`` rejects shorter texts.
_SHORTEST = 9
#: URL schemes that ``java.net.URL`` knows; dcm4che treats such values as URNs.
_URL_SCHEMES = ("http", "https", "file", "ftp", "jar", "mailto", "jrt", "jmod")


def find_code_problem(text: str) -> str:
    """Return why *text* is not a code: ``(113001, DCM, "Rejected for Quality Reasons")``."""
    if len(text) < _SHORTEST or text[0] != "(" or text[-2:] != '")':
        return 'not a code: expected (value, scheme, "meaning") with the meaning in quotes'
    first = text.find(",")
    second = text.find(",", first + 1)
    start = text.find('"', second + 1) + 1
    if first < 0 or second < first or start > len(text) - 2:
        return 'not a code: expected (value, scheme, "meaning")'
    value, scheme, meaning = text[1:first].strip(), text[first + 1 : second].strip(), text[start:-2].strip()
    if not value or not meaning:
        return "not a code: value and meaning must not be empty"
    if _is_urn(value):
        return "not a code: a URN must not have a coding scheme" if scheme else ""
    if not scheme:
        return "not a code: the coding scheme is missing (only a URN has no coding scheme)"
    if scheme.endswith("]"):
        name, bracket, version = scheme[:-1].rpartition("[")
        if not (bracket and name.strip() and version.strip()):
            return "not a code: the version must be in brackets after the scheme, as in SCT [2023]"
    return ""


def find_issuer_problem(text: str) -> str:
    """Return why *text* is not an issuer: ``NAME``, ``NAME&1.2.3&ISO`` or ``&1.2.3&ISO``."""
    parts = split_values(text, "&")
    if len(parts) > 3:
        return "not an issuer: expected NAME&UNIVERSAL-ID&TYPE, at most three parts"
    name, universal, kind = (*parts, "", "", "")[:3]
    if not name and not universal:
        return "not an issuer: a name or a universal ID is required"
    return "not an issuer: a universal ID requires its type, as in NAME&1.2.3&ISO" if universal and not kind else ""


def _is_urn(value: str) -> bool:
    scheme, colon, _ = value.partition(":")
    return bool(colon) and (scheme == "urn" or scheme.lower() in _URL_SCHEMES)


CODE = ValueKind("code", 'a code: (value, scheme, "meaning")', find_code_problem)
ISSUER = ValueKind("issuer", "an issuer: NAME, NAME&1.2.3&ISO", find_issuer_problem)
