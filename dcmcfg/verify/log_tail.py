"""The end of a log that another program writes: what came since it was last looked at."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

#: Octets that are read at most; what is older is left out.
MOST = 16 * 1024 * 1024
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Mark:
    """How far a log had got; ``known`` is false where there was none to look at, or it could not be read."""

    device: int = 0
    inode: int = 0
    size: int = 0
    known: bool = False


@dataclass(frozen=True)
class Tail:
    """What is in a log since a mark.

    ``appended`` says that nothing in it is older than the mark: the log was neither exchanged nor cut meanwhile.
    ``before`` is the end of what is older, for telling what kind of log it is; both end with whole lines.
    """

    text: str
    appended: bool
    before: str = ""


class UnreadableLog(Exception):
    """A log that cannot be read; ``str()`` says why."""


def mark(path: Path) -> Mark:
    """Return how far the log has got; never raises."""
    try:
        return _mark(path.stat())
    except OSError:
        return Mark()


def tail(path: Path, since: Mark) -> Tail:
    """Return what was written since: also what is left in a file that was renamed, as logrotate does it.

    Raises :class:`UnreadableLog`, also for what is no plain file: reading it might never end.
    """
    descriptor = _open(path)
    with os.fdopen(descriptor, "rb") as file:
        here = _mark(os.fstat(descriptor))
        same = _goes_on(since, here)
        start = max(since.size if same else 0, here.size - MOST)
        file.seek(max(start - _BLOCK, 0))
        before = file.read(start - file.tell())
        octets = file.read(MOST)
    rest, renamed = (b"", False) if same else _rest(path, since)
    return Tail(_lines(rest) + _lines(octets), same or renamed, _lines(before))


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableLog(error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableLog("not a plain file")
    return descriptor


def _rest(path: Path, since: Mark) -> tuple[bytes, bool]:
    """Return what the file that was marked holds now under another name in the folder, and whether it is there."""
    if not since.known:
        return b"", False
    try:
        for other in path.resolve().parent.iterdir():
            status = other.lstat()
            if stat.S_ISREG(status.st_mode) and _goes_on(since, _mark(status)):
                with other.open("rb") as file:
                    file.seek(since.size)
                    return file.read(MOST), True
    except OSError:
        pass
    return b"", False


def _goes_on(since: Mark, here: Mark) -> bool:
    """Tell whether it is the file that was marked, and not cut meanwhile."""
    return since.known and (here.device, here.inode) == (since.device, since.inode) and here.size >= since.size


def _mark(status: os.stat_result) -> Mark:
    return Mark(status.st_dev, status.st_ino, status.st_size, known=True)


def _lines(octets: bytes) -> str:
    """Return the whole lines; what follows the last end of line is still being written."""
    return octets[: octets.rfind(b"\n") + 1].decode("utf-8", "replace")
