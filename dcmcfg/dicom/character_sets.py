"""Text in the character set that its data set names (PS3.3 Section C.12.1.1.2)."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.valuerep import TEXT_VR_DELIMS

from dcmcfg.dicom.elements import octets

UNICODE = "ISO_IR 192"
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def spelled(dataset: Dataset, *keywords: str) -> tuple[tuple[str, ...], str]:
    """Return the first value of each of *keywords*, ``""`` where there is none, and the character set to name them in.

    Encoded in that one they give back the octets that came, which a peer that compares octets asks for. It is the one
    that *dataset* names; where that cannot make the octets again, Unicode; ``""``, for none, where the octets are not
    in the set that is named: then each octet is one character.
    """
    named = octets(dataset, "SpecificCharacterSet").decode("latin-1")
    encodings = convert_encodings([each.strip() for each in named.split("\\")])
    values = [octets(dataset, keyword) for keyword in keywords]
    texts = [decode_bytes(value, encodings, TEXT_VR_DELIMS) for value in values]
    if [encode_string(text, encodings) if text else b"" for text in texts] == values:
        return _first(texts), named
    if any(_REPLACED in text for text in texts):
        return _first([value.decode("latin-1") for value in values]), ""
    return _first(texts), UNICODE


def _first(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.split("\\")[0].strip(" \0") for text in texts)
