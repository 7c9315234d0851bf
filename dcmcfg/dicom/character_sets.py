"""Decode and encode text in the character set of its data set (PS3.3 Section C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.dicom.elements import read_octets
from dcmcfg.dicom.pydicom_lazy import import_pydicom, silence_pydicom

UNICODE = "ISO_IR 192"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def decode_values(elements: Mapping[int, bytes], *keywords: str) -> tuple[tuple[str, ...], str]:
    """Return the first value of each of *keywords* (``""`` if absent), and the character set for sending them back.

    Encoded in that character set, the values give the original octets, for peers that compare octets. It is the
    character set that *elements* name. If encoding with that one does not restore the octets, it is Unicode. If the
    octets are invalid in the named set, it is ``""`` (none), and each octet becomes one character.
    """
    character_set = read_octets(elements, "SpecificCharacterSet").decode("latin-1")
    values = [read_octets(elements, keyword) for keyword in keywords]
    if all(map(_is_invariant_ascii, values)):
        return _get_first_values([value.decode("ascii") for value in values]), character_set
    texts = _decode_all(values, character_set)
    if [encode_text(text, character_set) for text in texts] == values:
        return _get_first_values(texts), character_set
    # pydicom replaces octets that are invalid in the named set.
    if any(_REPLACEMENT in text for text in texts):
        return _get_first_values([value.decode("latin-1") for value in values]), ""
    return _get_first_values(texts), UNICODE


def encode_text(text: str, character_set: str) -> bytes:
    """Return *text* in the character set *character_set*, or in Latin-1 if that is unknown.

    Characters outside of the set become ``?``.
    """
    # Loading pydicom takes 70 ms, and only text outside ASCII requires it.
    if text.isascii():
        return text.encode("ascii")
    encodings = _find_encodings(character_set)
    if encodings is None:
        return text.encode("latin-1", "replace")
    silence_pydicom()
    encoded: bytes = import_pydicom("charset").encode_string(text, encodings)
    return encoded


def _decode_all(values: list[bytes], character_set: str) -> list[str]:
    """Return *values* as text; with an unknown *character_set*, each octet becomes one character."""
    encodings = _find_encodings(character_set)
    if encodings is None:
        return [value.decode("latin-1") for value in values]
    silence_pydicom()
    charset, delimiters = import_pydicom("charset"), import_pydicom("valuerep").TEXT_VR_DELIMS
    return [charset.decode_bytes(value, encodings, delimiters) for value in values]


def _find_encodings(character_set: str) -> list[str] | None:
    """Return Python's names of *character_set*; None if it is empty or not a Defined Term."""
    terms = [each.strip(" \0") for each in character_set.split("\\")]
    if not any(terms) or not import_pydicom("charset").python_encoding.keys() >= set(terms):
        return None
    silence_pydicom()
    encodings: list[str] = import_pydicom("charset").convert_encodings(terms)
    return encodings


def _is_invariant_ascii(value: bytes) -> bool:
    """Return whether *value* is ASCII without escapes: the same in all character sets (ISO 2022)."""
    return value.isascii() and b"\x1b" not in value


def _get_first_values(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.split("\\")[0].strip(" \0") for text in texts)
