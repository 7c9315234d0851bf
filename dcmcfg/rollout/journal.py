"""The journal of one roll-out: lines that are on the disk before the event that they announce."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.format_number import FileFormat

JOURNAL_FORMAT = FileFormat("the journal of a roll-out", 1)
#: How the first line begins; the format number ends it. Journals of before have no such line.
_FORMAT_LINE = "dcmcfg journal "
#: A journal to which nothing was added yet.
NEW_JOURNAL = f"{_FORMAT_LINE}{JOURNAL_FORMAT.number}\nplanned\n"
_MAX_LINE_LENGTH = 80


@dataclass(frozen=True)
class RolloutProgress:
    """How far a roll-out has come.

    ``applied`` steps are known to be made, and what became of the ``started`` ones after them is not known. ``ended``
    is true once its end was noted; ``closed``, once somebody said that it needs no more.
    """

    applied: int = 0
    started: int = 0
    ended: bool = False
    closed: bool = False


class JournalWriter:
    """Writes a journal's lines, each on the disk when the method returns. Every method raises :class:`DcmcfgError`."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def write_started(self, first: int, last: int) -> None:
        """Note that steps *first* to *last* (1-based) are about to be sent, and that all before them are made."""
        self._write(f"begins {first} {last}")

    def write_ended(self, applied: int) -> None:
        """Note that *applied* steps are made, and no more will be."""
        self._write(f"ended {applied}")

    def write_closed(self, applied: int) -> None:
        """Note that somebody has put the tree right by hand, *applied* steps having been made for sure."""
        self._write(f"closed {applied}")

    def _write(self, line: str) -> None:
        octets = f"{line}\n".encode()
        try:
            written = os.write(self._handle, octets)
            if written < len(octets):  # a disk that is filling up takes part of a line first
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            os.fdatasync(self._handle)
        except OSError as error:
            raise _build_write_error(self._path, error.strerror or "") from error
        if written < len(octets):
            raise _build_write_error(self._path, os.strerror(errno.ENOSPC))


class Journal:
    """An append-only file with a line for each event, of which the last one says how far the roll-out has come.

    A line without its end is one that was being written when the process or the machine died; what it was to announce
    has not happened. Every method raises :class:`~dcmcfg.errors.UnknownFormat` for a journal of a later dcmcfg.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open_for_writing(self) -> Iterator[JournalWriter]:
        """Yield what writes on from the last whole line; raises :class:`DcmcfgError`."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise _build_write_error(self._path, error.strerror or "") from error
        try:
            self._require_known_format(os.pread(handle, _MAX_LINE_LENGTH, 0))
            size = os.fstat(handle).st_size
            tail = os.pread(handle, _MAX_LINE_LENGTH, max(0, size - _MAX_LINE_LENGTH))
            os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)
            yield JournalWriter(self._path, handle)
        finally:
            os.close(handle)

    def read_progress(self, steps: int) -> RolloutProgress:
        """Return what the journal says of a roll-out of that many *steps*.

        Raises :class:`DcmcfgError` when it cannot be read, or says what cannot be.
        """
        try:
            with self._path.open("rb") as file:
                head = file.read(_MAX_LINE_LENGTH)
                start = max(0, file.seek(0, os.SEEK_END) - 2 * _MAX_LINE_LENGTH)
                file.seek(start)
                lines = file.read().decode("ascii", "replace").split("\n")[:-1]
        except OSError as error:
            raise _build_read_error(self._path, error.strerror or "") from error
        self._require_known_format(head)
        progress = _parse_line(lines[-1]) if lines else None
        if progress is None or progress.applied + progress.started > steps:
            raise _build_read_error(self._path, "it is damaged")
        return progress

    def _require_known_format(self, head: bytes) -> None:
        first_line = head.partition(b"\n")[0].decode("ascii", "replace")
        if first_line.startswith(_FORMAT_LINE):
            JOURNAL_FORMAT.parse_number(first_line.removeprefix(_FORMAT_LINE), str(self._path))


def _parse_line(line: str) -> RolloutProgress | None:
    match line.split():
        case ["planned"]:
            return RolloutProgress()
        case ["begins", first, last] if first.isdigit() and last.isdigit() and 0 < int(first) <= int(last):
            return RolloutProgress(int(first) - 1, int(last) - int(first) + 1)
        case ["ended", applied] if applied.isdigit():
            return RolloutProgress(int(applied), ended=True)
        case ["closed", applied] if applied.isdigit():
            return RolloutProgress(int(applied), ended=True, closed=True)
    return None


def _build_write_error(path: Path, reason: str) -> DcmcfgError:
    return DcmcfgError(f"the journal cannot be written ({reason})", subject=str(path))


def _build_read_error(path: Path, reason: str) -> DcmcfgError:
    return DcmcfgError(
        f"the journal of a roll-out cannot be read ({reason}), nothing was changed",
        subject=str(path),
        next_step=f"compare the tree with plan.ldif beside it, then move {path.parent} elsewhere",
    )
