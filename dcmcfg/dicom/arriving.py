"""One data set on its way in: counted, known by its octets, looked into and written as it comes, held nowhere."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dicom.data_set_head import Head, read_head
from dcmcfg.dicom.fingerprint import Fingerprint
from dcmcfg.dicom.keep import Folder, UnfinishedFile

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
