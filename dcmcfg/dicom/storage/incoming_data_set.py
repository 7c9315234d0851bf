"""Process an incoming data set piece by piece: count, fingerprint, find its UIDs and write it, without keeping it.

Only as much of the data set is parsed as its study and instance UIDs require.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dicom.data_set_parser import InvalidDataSet, TruncatedDataSet, is_deflated, iterate_elements
from dcmcfg.dicom.storage.files import Fingerprint, InstanceFolder, UnfinishedFile

_SOP_INSTANCE_UID = 0x00080018
_STUDY_INSTANCE_UID = 0x0020000D
#: Far more than the 64 octets of a UID (PS3.5 Section 9.1).
_MAX_UID_OCTETS = 1024


@dataclass(frozen=True)
class DataSetUids:
    """The UIDs in a data set; empty if absent.

    ``is_conclusive`` is False if the octets end before the UIDs were found; more octets may contain them.
    """

    sop_instance_uid: str = ""
    study_uid: str = ""
    is_conclusive: bool = True


def read_data_set_uids(octets: bytes | bytearray, transfer_syntax: str, max_octets: int) -> DataSetUids:
    """Return the UIDs in *octets*, the beginning of a data set; at most *max_octets* of deflated ones are inflated.

    Never fails: invalid data sets have no UIDs.
    """
    uids: dict[int, str] = {}
    try:
        if is_deflated(transfer_syntax):
            # A deflated data set is a raw deflate stream, without the header of zlib (PS3.5 Section A.5).
            octets = zlib.decompressobj(-zlib.MAX_WBITS).decompress(octets, max_octets)
        is_conclusive = _collect_uids(octets, transfer_syntax, uids)
    except TruncatedDataSet:
        is_conclusive = False
    except (InvalidDataSet, zlib.error):
        is_conclusive = True
    return DataSetUids(uids.get(_SOP_INSTANCE_UID, ""), uids.get(_STUDY_INSTANCE_UID, ""), is_conclusive)


def _collect_uids(octets: bytes | bytearray, transfer_syntax: str, uids: dict[int, str]) -> bool:
    """Add the UIDs in *octets* to *uids*; return whether no more can follow."""
    for tag, begin, end in iterate_elements(octets, transfer_syntax):
        # Elements are in ascending order of their tags (PS3.5 Section 7.1), so neither UID can follow.
        if tag > _STUDY_INSTANCE_UID:
            return True
        if tag in (_SOP_INSTANCE_UID, _STUDY_INSTANCE_UID) and end <= len(octets):
            uids[tag] = (
                octets[begin : min(end, begin + _MAX_UID_OCTETS)].decode("latin-1").partition("\\")[0].strip(" \0")
            )
            if tag == _STUDY_INSTANCE_UID:
                return True
    return False


#: Octets searched for the study UID: this number at first, then four times as many, up to the maximum.
_FIRST_UID_SEARCH_OCTETS = 1 << 13
MAX_UID_SEARCH_OCTETS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ReceivedDataSet:
    """A complete data set; ``save_error`` is the reason why it could not be written, if it could not.

    ``started_monotonic`` is the arrival time of its request, in seconds of :func:`time.monotonic`.
    """

    length: int
    uids: DataSetUids
    fingerprint: bytes
    sha256: str | None
    saved_path: Path | None
    save_error: str
    started_monotonic: float


class IncomingDataSet:
    """A data set that is received in pieces."""

    def __init__(self, transfer_syntax: str, *, sha256: bool = False) -> None:
        self._started = time.monotonic()
        self._transfer_syntax = transfer_syntax
        self._length = 0
        self._fingerprint = Fingerprint()
        self._sha256 = hashlib.sha256() if sha256 else None
        self._file: UnfinishedFile | None = None
        self._save_error = ""
        self._uid_search_buffer = bytearray()
        self._next_uid_search_length = _FIRST_UID_SEARCH_OCTETS
        self._uids: DataSetUids | None = None

    def write_to(self, folder: InstanceFolder, file_header: bytes) -> None:
        """Write the data set to a file in *folder*, after *file_header*."""
        try:
            self._file = folder.create_file(file_header)
        except OSError as error:
            self._abandon_file(error)

    def add(self, piece: memoryview) -> None:
        """Add the next octets; if the file cannot be written, it is abandoned, and the data set is still received."""
        self._length += len(piece)
        self._fingerprint.update(piece)
        if self._sha256 is not None:
            self._sha256.update(piece)
        if self._uids is None:
            self._search_uids(piece)
        if self._file is not None:
            try:
                self._file.write(piece)
            except OSError as error:
                self._abandon_file(error)

    def discard(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def finish(self, sop_instance_uid: str) -> ReceivedDataSet:
        """Return the complete data set; the file gets its final name."""
        # A short data set ends before the first search.
        uids = self._uids or self._read_uids()
        saved_path = None
        if self._file is not None:
            try:
                saved_path = self._file.finish(uids.study_uid, sop_instance_uid)
            except OSError as error:
                self._abandon_file(error)
        sha256 = None if self._sha256 is None else self._sha256.hexdigest()
        return ReceivedDataSet(
            length=self._length,
            uids=uids,
            fingerprint=self._fingerprint.digest(),
            sha256=sha256,
            saved_path=saved_path,
            save_error=self._save_error,
            started_monotonic=self._started,
        )

    def _abandon_file(self, error: OSError) -> None:
        """Remove the file, because of *error*."""
        self._save_error = error.strerror or str(error)
        self.discard()

    def _search_uids(self, piece: memoryview) -> None:
        while self._uids is None:
            room = self._next_uid_search_length - len(self._uid_search_buffer)
            self._uid_search_buffer += piece[:room]
            piece = piece[room:]
            if len(self._uid_search_buffer) < self._next_uid_search_length:
                return
            uids = self._read_uids()
            if uids.is_conclusive or self._next_uid_search_length >= MAX_UID_SEARCH_OCTETS:
                self._uids, self._uid_search_buffer = uids, bytearray()
            # Each search starts at the beginning, so growing steps keep the total time linear.
            self._next_uid_search_length *= 4

    def _read_uids(self) -> DataSetUids:
        return read_data_set_uids(self._uid_search_buffer, self._transfer_syntax, MAX_UID_SEARCH_OCTETS)
