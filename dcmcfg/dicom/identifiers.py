"""Encode and decode identifiers of queries and retrievals (PS3.4 Annex C)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from dcmcfg.dicom.character_sets import encode_text
from dcmcfg.dicom.data_set_parser import SHORT_VRS, InvalidDataSet, TruncatedDataSet, iterate_elements
from dcmcfg.dicom.pydicom_lazy import get_tag, get_vr
from dcmcfg.errors import MalformedInput
from dcmcfg.well_known_uids import IMPLICIT_VR_LITTLE_ENDIAN

#: The octets of each element by its tag (group and element in one number).
Identifier = Mapping[int, bytes]
#: Not a standard transfer syntax: the first element shows whether VRs are explicit, even if a peer mixes them up.
_DETECT_ENCODING = ""
_CHARACTER_SET = "SpecificCharacterSet"
#: The largest even value length in two octets, as most VRs have (PS3.5 Section 7.1.2).
_MAX_VALUE_OCTETS = 65534


def build_identifier(values: Mapping[str, str]) -> Identifier:
    r"""Return the identifier with *values* by keyword; several values of one element are separated by ``\``.

    Text is encoded in the character set that *values* name, otherwise in Latin-1. Raises KeyError for an unknown
    keyword.
    """
    character_set = values.get(_CHARACTER_SET, "")
    identifier = {}
    for keyword, value in values.items():
        tag = get_tag(keyword)
        if tag is None:
            raise KeyError(keyword)
        octets = encode_text(value, character_set)
        # UIDs are padded with NUL, other text with a blank (PS3.5 Section 6.2).
        identifier[tag] = octets + (b"\0" if get_vr(tag) == "UI" else b" ") * (len(octets) % 2)
    return identifier


def encode_identifier(identifier: Identifier, transfer_syntax: str) -> bytes:
    """Return *identifier* in Implicit or Explicit VR Little Endian.

    Raises :class:`MalformedInput` for a value that is too long for a length of two octets.
    """
    is_implicit = transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
    # Elements are in ascending order of their tags (PS3.5 Section 7.1).
    return b"".join(_encode_element(tag, identifier[tag], is_implicit=is_implicit) for tag in sorted(identifier))


def decode_identifier(octets: bytes | None) -> Identifier | None:
    """Return the identifier in *octets*, Implicit or Explicit VR Little Endian; None if they are not a data set.

    Trailing octets that are too few for another element are ignored.
    """
    octets, identifier = octets or b"", {}
    try:
        for tag, begin, end in iterate_elements(octets, _DETECT_ENCODING):
            if end > len(octets):
                return None
            identifier[tag] = octets[begin:end]
    except TruncatedDataSet:
        pass
    except InvalidDataSet:
        return None
    return identifier


def _encode_element(tag: int, value: bytes, *, is_implicit: bool) -> bytes:
    group, number = divmod(tag, 1 << 16)
    if is_implicit:
        return struct.pack("<HHL", group, number, len(value)) + value
    vr = get_vr(tag).encode()
    header_format = "<HH2sH" if vr in SHORT_VRS else "<HH2sxxL"
    if vr in SHORT_VRS and len(value) > _MAX_VALUE_OCTETS:
        raise MalformedInput(
            f"the value is longer than {_MAX_VALUE_OCTETS} octets", subject=f"({group:04X},{number:04X})"
        )
    return struct.pack(header_format, group, number, vr, len(value)) + value
