"""Text in the character set that its data set names (PS3.3 Section C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.dicom.elements import read_octets
from dcmcfg.dicom.pydicom_lazy import import_pydicom, silence_pydicom

UNICODE = "ISO_IR 192"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def decode_values(elements: Mapping[int, bytes], *keywords: str) -> tuple[tuple[str, ...], str]:
    """Return the first value of each of *keywords*, ``""`` where there is none, and the character set to name them in.

    Encoded in that one they give back the octets that came, which a peer that compares octets asks for. It is the one
    that *elements* name; where that cannot make the octets again, Unicode; ``""``, for none, where the octets are not
    in the set that is named: then each octet is one character.
    """
    character_set = read_octets(elements, "SpecificCharacterSet").decode("latin-1")
    values = [read_octets(elements, keyword) for keyword in keywords]
    if all(map(_is_invariant_ascii, values)):
        return _get_first_values([value.decode("ascii") for value in values]), character_set
    texts = _decode_all(values, character_set)
    if [encode_text(text, character_set) for text in texts] == values:
        return _get_first_values(texts), character_set
    if any(_REPLACEMENT in text for text in texts):
        return _get_first_values([value.decode("latin-1") for value in values]), ""
    return _get_first_values(texts), UNICODE


def encode_text(text: str, character_set: str) -> bytes:
    """Return *text* in the character set *character_set*, Latin-1 where that is not known.

    What it does not have is ``?``.
    """
    if text.isascii():
        return text.encode("ascii")
    encodings = _find_encodings(character_set)
    if encodings is None:
        return text.encode("latin-1", "replace")
    silence_pydicom()
    encoded: bytes = import_pydicom("charset").encode_string(text, encodings)
    return encoded


def _decode_all(values: list[bytes], character_set: str) -> list[str]:
    """Return *values* as text, each octet as a character where no known set is *character_set*."""
    encodings = _find_encodings(character_set)
    if encodings is None:
        return [value.decode("latin-1") for value in values]
    silence_pydicom()
    charset, delimiters = import_pydicom("charset"), import_pydicom("valuerep").TEXT_VR_DELIMS
    return [charset.decode_bytes(value, encodings, delimiters) for value in values]


def _find_encodings(character_set: str) -> list[str] | None:
    """Return Python's names of *character_set*; None for none, and for what is no Defined Term."""
    terms = [each.strip(" \0") for each in character_set.split("\\")]
    if not any(terms) or not import_pydicom("charset").python_encoding.keys() >= set(terms):
        return None
    silence_pydicom()
    encodings: list[str] = import_pydicom("charset").convert_encodings(terms)
    return encodings


def _is_invariant_ascii(value: bytes) -> bool:
    """Tell whether it is ASCII, which all sets have, and does not change from one to another (ISO 2022)."""
    return value.isascii() and b"\x1b" not in value


def _get_first_values(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.split("\\")[0].strip(" \0") for text in texts)
