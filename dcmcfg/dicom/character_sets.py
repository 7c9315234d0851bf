"""Text in the character set that its data set names (PS3.3 Section C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.dicom.elements import octets
from dcmcfg.dicom.pydicom_lazy import keep_quiet, pydicom

UNICODE = "ISO_IR 192"
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def spelled(elements: Mapping[int, bytes], *keywords: str) -> tuple[tuple[str, ...], str]:
    """Return the first value of each of *keywords*, ``""`` where there is none, and the character set to name them in.

    Encoded in that one they give back the octets that came, which a peer that compares octets asks for. It is the one
    that *elements* name; where that cannot make the octets again, Unicode; ``""``, for none, where the octets are not
    in the set that is named: then each octet is one character.
    """
    named = octets(elements, "SpecificCharacterSet").decode("latin-1")
    values = [octets(elements, keyword) for keyword in keywords]
    if all(map(_is_plain, values)):
        return _first([value.decode("ascii") for value in values]), named
    texts = _decoded(values, named)
    if [in_character_set(text, named) for text in texts] == values:
        return _first(texts), named
    if any(_REPLACED in text for text in texts):
        return _first([value.decode("latin-1") for value in values]), ""
    return _first(texts), UNICODE


def in_character_set(text: str, named: str) -> bytes:
    """Return *text* in the character set *named*, Latin-1 where that is not known; what it does not have is ``?``."""
    if text.isascii():
        return text.encode("ascii")
    encodings = _encodings(named)
    if encodings is None:
        return text.encode("latin-1", "replace")
    keep_quiet()
    encoded: bytes = pydicom("charset").encode_string(text, encodings)
    return encoded


def _decoded(values: list[bytes], named: str) -> list[str]:
    """Return *values* as text, each octet as a character where no known set is *named*."""
    encodings = _encodings(named)
    if encodings is None:
        return [value.decode("latin-1") for value in values]
    keep_quiet()
    charset, delimiters = pydicom("charset"), pydicom("valuerep").TEXT_VR_DELIMS
    return [charset.decode_bytes(value, encodings, delimiters) for value in values]


def _encodings(named: str) -> list[str] | None:
    """Return Python's names of the character set that is *named*; None for none, and for what is no Defined Term."""
    terms = [each.strip(" \0") for each in named.split("\\")]
    if not any(terms) or not pydicom("charset").python_encoding.keys() >= set(terms):
        return None
    keep_quiet()
    encodings: list[str] = pydicom("charset").convert_encodings(terms)
    return encodings


def _is_plain(value: bytes) -> bool:
    """Tell whether it is ASCII, which all sets have, and does not change from one to another (ISO 2022)."""
    return value.isascii() and b"\x1b" not in value


def _first(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.split("\\")[0].strip(" \0") for text in texts)
