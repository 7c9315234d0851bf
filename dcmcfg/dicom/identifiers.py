"""Identifiers of queries and retrievals, as octets and as data sets (PS3.4 Annex C)."""

from __future__ import annotations

from io import BytesIO

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from dcmcfg.dicom.quiet import keep_quiet

_IMPLICIT = "1.2.840.10008.1.2"


def encoded(identifier: Dataset, transfer_syntax: str) -> bytes:
    """Return *identifier* in Implicit or Explicit VR Little Endian."""
    target = DicomBytesIO()
    target.is_little_endian, target.is_implicit_VR = True, transfer_syntax == _IMPLICIT
    write_dataset(target, identifier)
    return target.getvalue()


def decoded(octets: bytes | None, transfer_syntax: str) -> Dataset | None:
    """Return the identifier in *octets*, whose values nobody has looked at yet; None where they are none."""
    keep_quiet()
    try:
        return read_dataset(BytesIO(octets or b""), transfer_syntax == _IMPLICIT, True)  # noqa: FBT003 — pydicom's
    except Exception:  # noqa: BLE001 — what pydicom raises on octets that are no data set is not documented
        return None
