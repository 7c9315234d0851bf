"""Which instance of which study a data set is, from no more of it than needed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from dcmcfg.dicom.data_set_walk import CutOff, NoDataSet, is_deflated, walk

_SOP_INSTANCE_UID = 0x00080018
_STUDY_INSTANCE_UID = 0x0020000D
#: Far more than the 64 octets of a UID (PS3.5 Section 9.1).
_LONGEST_UID = 1024


@dataclass(frozen=True)
class Head:
    """What a data set says of itself: empty where it does not say.

    ``known`` is False where what there is ends before it can be said; more octets may tell.
    """

    sop_instance_uid: str = ""
    study_uid: str = ""
    known: bool = True


def read_head(octets: bytes | bytearray, transfer_syntax: str, most: int) -> Head:
    """Return what *octets*, from the first of a data set on, say; of deflated ones *most* are looked at.

    Never fails: what is no data set says nothing.
    """
    found: dict[int, str] = {}
    try:
        if is_deflated(transfer_syntax):
            octets = zlib.decompressobj(-zlib.MAX_WBITS).decompress(octets, most)
        known = _look(octets, transfer_syntax, found)
    except CutOff:
        known = False
    except (NoDataSet, zlib.error):
        known = True
    return Head(found.get(_SOP_INSTANCE_UID, ""), found.get(_STUDY_INSTANCE_UID, ""), known)


def _look(octets: bytes | bytearray, transfer_syntax: str, found: dict[int, str]) -> bool:
    """Put what there is into *found*; tell whether no more can come."""
    for tag, begin, end in walk(octets, transfer_syntax):
        if tag > _STUDY_INSTANCE_UID:
            return True
        if tag in (_SOP_INSTANCE_UID, _STUDY_INSTANCE_UID) and end <= len(octets):
            found[tag] = (
                octets[begin : min(end, begin + _LONGEST_UID)].decode("latin-1").partition("\\")[0].strip(" \0")
            )
            if tag == _STUDY_INSTANCE_UID:
                return True
    return False
