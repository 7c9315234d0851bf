"""The members of a ZIP file in an attribute value such as ``dicomVendorData``, read without unpacking."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")


class ZipMember(NamedTuple):
    """A file in a ZIP file: its unpacked length in octets, and its CRC-32."""

    length: int
    checksum: int


def list_zip_members(octets: bytes) -> Mapping[str, ZipMember] | None:
    """Return the files in the ZIP file *octets* by name, in its order; None if it is damaged or not a ZIP file."""
    if not octets.startswith(_SIGNATURES):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            return {
                each.filename: ZipMember(each.file_size, each.CRC) for each in archive.infolist() if not each.is_dir()
            }
    # zipfile raises all of these for damaged files.
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, IndexError, OSError):
        return None


def find_changed_members(before: bytes, after: bytes) -> tuple[tuple[str, ZipMember | None, ZipMember | None], ...]:
    """Return (name, before, after) of each file that differs between two ZIP files, sorted by name.

    A missing file is None. A value that is empty or not a ZIP file has no files.
    """
    old, new = list_zip_members(before) or {}, list_zip_members(after) or {}
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple((name, old.get(name), new.get(name)) for name in names)
