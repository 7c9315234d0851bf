"""The folder of a lab: create, lock and clear it without ever touching files of others."""

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
    """Return whether *folder* is the folder of a lab, running or not."""
    return any((folder / name).is_file() for name in (site.FILE_NAME, state.FILE_NAME))


@contextmanager
def hold_lock(folder: Path, *, create: bool) -> Iterator[bool]:
    """Lock the lab's *folder* for this process; yield False without a lock if the folder does not exist.

    With *create*, the folder is created (mode 0700) if it does not exist. Raises :class:`LabError` if the folder cannot
    be used, and if another process holds the lock for longer than :data:`LOCK_TIMEOUT`.
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
    """Empty *folder* for a new lab; raises :class:`LabError` if it contains files that do not belong to a lab."""
    present = sorted(path.name for path in folder.iterdir())
    if present and not is_lab(folder):
        raise LabError(
            "the folder contains files that do not belong to a lab "
            f"({', '.join(present[:3])}{', …' if present[3:] else ''})",
            subject=str(folder),
            next_step="specify an empty or new folder with --folder",
        )
    _clear(folder)
    folder.chmod(0o700)


def remove(folder: Path) -> None:
    """Remove the folder of a lab; raises :class:`LabError` if this fails or if it is not the folder of a lab."""
    if not is_lab(folder):
        raise LabError("this folder does not contain a lab", subject=str(folder))
    _clear(folder)
    folder.rmdir()


def _clear(folder: Path) -> None:
    """Remove the content of *folder*, the files that mark it as a lab's last, so that a second attempt can finish."""
    marks = (site.FILE_NAME, state.FILE_NAME)
    try:
        for path in sorted(folder.iterdir(), key=lambda path: path.name in marks):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise LabError(f"cannot remove the lab's files ({error.strerror})", subject=str(error.filename)) from error


def _lock(folder: Path, *, create: bool) -> int | None:
    """Return a descriptor of *folder* that holds its lock; the kernel releases it when the process ends."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            if create:
                create_private_folder(folder)
            # The folder itself is locked: a lock file would be removed with the folder.
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabError(f"cannot use the folder ({error.strerror})", subject=str(folder)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_folder(folder, descriptor):
                return descriptor
        except BlockingIOError:
            pass
        # Another process holds the lock, or the folder was removed meanwhile: a lock on it would protect nothing.
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise LabError("another process is starting or stopping this lab", subject=str(folder))
        time.sleep(_POLL)


def _is_same_folder(folder: Path, descriptor: int) -> bool:
    """Return whether *folder* is still the opened folder: a ``lab down`` may have removed it in the meantime."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
