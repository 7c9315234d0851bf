"""The folder of a lab: taken, locked and cleared so that nobody else's files are ever touched."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.errors import LabError
from dcmcfg.lab import site, state
from dcmcfg.private_folders import create_private_folder

#: Seconds to wait for another ``lab up`` or ``lab down`` on the same folder.
LOCK_TIMEOUT = 120.0
_POLL = 0.1


def is_lab(folder: Path) -> bool:
    """Tell whether *folder* is the folder of a lab, up or not."""
    return any((folder / name).is_file() for name in (site.FILE_NAME, state.FILE_NAME))


@contextmanager
def hold_lock(folder: Path, *, create: bool) -> Iterator[bool]:
    """Hold the lab's *folder* for one process; yield False, and hold nothing, when there is no such folder.

    With *create* the folder is made (mode 0700) and always there. Raises :class:`LabError` when it cannot be used,
    and when another process holds it for longer than :data:`LOCK_TIMEOUT`.
    """
    descriptor = _lock(folder, create=create)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def prepare_for_new_lab(folder: Path) -> None:
    """Empty *folder* for a new lab; raises :class:`LabError` when it holds files that are no lab's."""
    present = sorted(path.name for path in folder.iterdir())
    if present and not is_lab(folder):
        raise LabError(
            f"the folder holds files that are no lab's ({', '.join(present[:3])}{', …' if present[3:] else ''})",
            subject=str(folder),
            next_step="name an empty or a new folder with --folder",
        )
    _clear(folder)
    folder.chmod(0o700)


def remove(folder: Path) -> None:
    """Remove the folder of a lab; raises :class:`LabError` when that fails, or when it is no lab's."""
    if not is_lab(folder):
        raise LabError("this is no lab's folder", subject=str(folder))
    _clear(folder)
    folder.rmdir()


def _clear(folder: Path) -> None:
    """Remove what is in *folder*; what marks it as a lab's goes last, so that a second attempt can finish."""
    marks = (site.FILE_NAME, state.FILE_NAME)
    try:
        for path in sorted(folder.iterdir(), key=lambda path: path.name in marks):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise LabError(f"the lab's files cannot be removed ({error.strerror})", subject=str(error.filename)) from error


def _lock(folder: Path, *, create: bool) -> int | None:
    """Return a descriptor of *folder* that holds its lock; the kernel lets go of it when the process ends."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            if create:
                create_private_folder(folder)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabError(f"the folder cannot be used ({error.strerror})", subject=str(folder)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_folder(folder, descriptor):
                return descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise LabError("another process is starting or stopping this lab", subject=str(folder))
        time.sleep(_POLL)


def _is_same_folder(folder: Path, descriptor: int) -> bool:
    """Tell whether *folder* is the one that was opened: a ``lab down`` may have removed it meanwhile."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
