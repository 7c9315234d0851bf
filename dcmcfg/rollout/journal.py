"""The journal of one roll-out: lines that are on the disk before what they tell of happens."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError

#: The first line of every journal.
PLANNED = "planned\n"
_LONGEST_LINE = 80


@dataclass(frozen=True)
class Progress:
    """How far a roll-out has come.

    ``done`` steps are known to be made, and what became of the ``begun`` ones after them is not known. ``ended`` is
    true once it was told how it ended; ``closed``, once somebody said that it needs no more.
    """

    done: int = 0
    begun: int = 0
    ended: bool = False
    closed: bool = False


class Pen:
    """Writes a journal's lines, each on the disk when the method returns. Every method raises :class:`DcmcfgError`."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def begins(self, first: int, last: int) -> None:
        """Tell that steps *first* to *last* (1-based) are about to be sent, and that all before them are made."""
        self._write(f"begins {first} {last}")

    def ended(self, done: int) -> None:
        """Tell that *done* steps are made, and no more will be."""
        self._write(f"ended {done}")

    def closed(self, done: int) -> None:
        """Tell that somebody has put the tree right by hand, *done* steps having been made for sure."""
        self._write(f"closed {done}")

    def _write(self, line: str) -> None:
        octets = f"{line}\n".encode()
        try:
            written = os.write(self._handle, octets)
            if written < len(octets):  # a disk that is filling up takes part of a line first
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            os.fdatasync(self._handle)
        except OSError as error:
            raise _unwritable(self._path, error.strerror or "") from error
        if written < len(octets):
            raise _unwritable(self._path, os.strerror(errno.ENOSPC))


class Journal:
    """An append-only file with a line for each event, of which the last one tells how far it has come.

    A line without its end is one that was being written when the process or the machine died; what it was to announce
    has not happened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def opened(self) -> Iterator[Pen]:
        """Yield what writes on from the last whole line; raises :class:`DcmcfgError`."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise _unwritable(self._path, error.strerror or "") from error
        try:
            size = os.fstat(handle).st_size
            tail = os.pread(handle, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
            os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)
            yield Pen(self._path, handle)
        finally:
            os.close(handle)

    def progress(self, steps: int) -> Progress:
        """Return what the journal says of a roll-out of that many *steps*.

        Raises :class:`DcmcfgError` when it cannot be read, or says what cannot be.
        """
        try:
            with self._path.open("rb") as file:
                start = max(0, file.seek(0, os.SEEK_END) - 2 * _LONGEST_LINE)
                file.seek(start)
                lines = file.read().decode("ascii", "replace").split("\n")[:-1]
        except OSError as error:
            raise _unreadable(self._path, error.strerror or "") from error
        found = _meaning(lines[-1]) if lines else None
        if found is None or found.done + found.begun > steps:
            raise _unreadable(self._path, "it is damaged")
        return found


def _meaning(line: str) -> Progress | None:
    match line.split():
        case ["planned"]:
            return Progress()
        case ["begins", first, last] if first.isdigit() and last.isdigit() and 0 < int(first) <= int(last):
            return Progress(int(first) - 1, int(last) - int(first) + 1)
        case ["ended", done] if done.isdigit():
            return Progress(int(done), ended=True)
        case ["closed", done] if done.isdigit():
            return Progress(int(done), ended=True, closed=True)
    return None


def _unwritable(path: Path, why: str) -> DcmcfgError:
    return DcmcfgError(f"the journal cannot be written ({why})", on=str(path))


def _unreadable(path: Path, why: str) -> DcmcfgError:
    return DcmcfgError(
        f"the journal of a roll-out cannot be read ({why}), nothing was changed",
        on=str(path),
        next_step=f"compare the tree with plan.ldif beside it, then move {path.parent} elsewhere",
    )
