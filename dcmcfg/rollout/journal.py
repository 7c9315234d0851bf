"""The journal of one roll-out: each line is on the disk before the event that it announces."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.format_number import FileFormat

JOURNAL_FORMAT = FileFormat("the journal of a change", 1)
#: The start of the first line, which ends with the format number. Journals without a format number lack this line.
_FORMAT_LINE = "dcmcfg journal "
#: The content of a new journal.
NEW_JOURNAL = f"{_FORMAT_LINE}{JOURNAL_FORMAT.number}\nplanned\n"
#: More than the length of any line. It bounds how much of the file is read.
_MAX_LINE_LENGTH = 80


@dataclass(frozen=True)
class RolloutProgress:
    """The progress of a roll-out.

    ``applied`` steps were certainly applied; the state of the ``started`` steps after them is unknown. ``ended`` is
    True after the end of the roll-out was noted; ``closed``, after the user closed it (``history --mark-resolved``).
    """

    applied: int = 0
    started: int = 0
    ended: bool = False
    closed: bool = False


class JournalWriter:
    """Writes lines of a journal, which are on disk when a method returns. All methods raise :class:`DcmcfgError`."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def write_started(self, first: int, last: int) -> None:
        """Note that steps *first* to *last* (1-based) will be sent, and that all steps before them were applied."""
        self._write(f"begins {first} {last}")

    def write_ended(self, applied: int) -> None:
        """Note that the roll-out has ended with *applied* steps."""
        self._write(f"ended {applied}")

    def write_closed(self, applied: int) -> None:
        """Note that the user corrected the tree manually; *applied* steps were certainly applied."""
        self._write(f"closed {applied}")

    def _write(self, line: str) -> None:
        octets = f"{line}\n".encode()
        try:
            written = os.write(self._handle, octets)
            if written < len(octets):  # a disk that becomes full may accept only a part of a line
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            # The line must survive a power failure, because the caller sends the next request when this method returns.
            os.fdatasync(self._handle)
        except OSError as error:
            raise _build_write_error(self._path, error.strerror or "") from error
        if written < len(octets):
            raise _build_write_error(self._path, os.strerror(errno.ENOSPC))


class Journal:
    """An append-only file with a line for each event; the last line has the progress of the roll-out.

    A line without a line feed was being written when the process or the machine stopped, so its event has not happened.
    All methods raise :class:`~dcmcfg.errors.UnknownFormat` for a journal of a newer dcmcfg.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open_for_writing(self) -> Iterator[JournalWriter]:
        """Yield a writer that appends after the last complete line; raises :class:`DcmcfgError`."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise _build_write_error(self._path, error.strerror or "") from error
        try:
            self._require_known_format(os.pread(handle, _MAX_LINE_LENGTH, 0))
            size = os.fstat(handle).st_size
            tail = os.pread(handle, _MAX_LINE_LENGTH, max(0, size - _MAX_LINE_LENGTH))
            # The next line must not continue an incomplete one.
            os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)
            yield JournalWriter(self._path, handle)
        finally:
            os.close(handle)

    def read_progress(self, steps: int) -> RolloutProgress:
        """Return the progress of a roll-out with the total number of *steps*.

        Raises :class:`DcmcfgError` if the journal cannot be read, or is not valid for *steps*.
        """
        try:
            with self._path.open("rb") as file:
                head = file.read(_MAX_LINE_LENGTH)
                # The octets of two lines contain the last complete line, also if an incomplete one follows.
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
        f"the journal of a change cannot be read ({reason}); nothing was changed",
        subject=str(path),
        next_step=f"compare the configuration with {path.parent}/plan.ldif, then move the folder {path.parent} to "
        "another place",
    )
