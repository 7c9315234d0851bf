"""One data set on its way in: counted, known by its octets, looked into and written as it comes, held nowhere.

Which instance of which study a data set is, from no more of it than needed.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dicom.data_set_parser import CutOff, NoDataSet, is_deflated, walk
from dcmcfg.dicom.storage.files import Fingerprint, Folder, UnfinishedFile

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


#: How much of a data set is looked at to find its study: this at first, four times as much if that is not enough.
_LOOKED_AT_OCTETS = 1 << 13
MOST_LOOKED_AT = 1 << 20


@dataclass(frozen=True)
class Arrived:
    """What is known of a data set when it is there; ``not_kept`` says why it could not be written, if it could not.

    ``began`` is when its request was there, in seconds of :func:`time.monotonic`.
    """

    octets: int
    head: Head
    fingerprint: bytes
    sha256: str | None
    kept: Path | None
    not_kept: str
    began: float


class ArrivingDataSet:
    """Takes a data set in pieces."""

    def __init__(self, transfer_syntax: str, *, sha256: bool = False) -> None:
        self._began = time.monotonic()
        self._transfer_syntax = transfer_syntax
        self._octets = 0
        self._fingerprint = Fingerprint()
        self._sha256 = hashlib.sha256() if sha256 else None
        self._file: UnfinishedFile | None = None
        self._not_kept = ""
        self._beginning = bytearray()
        self._enough = _LOOKED_AT_OCTETS
        self._head: Head | None = None

    def write_to(self, folder: Folder, file_head: bytes) -> None:
        """Keep what comes in *folder*, after *file_head*."""
        try:
            self._file = folder.new_file(file_head)
        except OSError as error:
            self._give_up(error)

    def add(self, piece: memoryview) -> None:
        """Take the next octets; a file that cannot be written is given up, and the rest is taken all the same."""
        self._octets += len(piece)
        self._fingerprint.update(piece)
        if self._sha256 is not None:
            self._sha256.update(piece)
        if self._head is None:
            self._look_at(piece)
        if self._file is not None:
            try:
                self._file.write(piece)
            except OSError as error:
                self._give_up(error)

    def discard(self) -> None:
        """Keep no file."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def finish(self, sop_instance_uid: str) -> Arrived:
        """Return what is known, now that all is there; the file gets its name."""
        head = self._head or self._read()
        kept = None
        if self._file is not None:
            try:
                kept = self._file.finish(head.study_uid, sop_instance_uid)
            except OSError as error:
                self._give_up(error)
        sha256 = None if self._sha256 is None else self._sha256.hexdigest()
        return Arrived(self._octets, head, self._fingerprint.digest(), sha256, kept, self._not_kept, self._began)

    def _give_up(self, error: OSError) -> None:
        """Keep no file, because of *error*."""
        self._not_kept = error.strerror or str(error)
        self.discard()

    def _look_at(self, piece: memoryview) -> None:
        while self._head is None:
            room = self._enough - len(self._beginning)
            self._beginning += piece[:room]
            piece = piece[room:]
            if len(self._beginning) < self._enough:
                return
            head = self._read()
            if head.known or self._enough >= MOST_LOOKED_AT:
                self._head, self._beginning = head, bytearray()
            self._enough *= 4

    def _read(self) -> Head:
        return read_head(self._beginning, self._transfer_syntax, MOST_LOOKED_AT)
