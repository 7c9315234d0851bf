"""One roll-out at a time on a directory, for one user on one machine."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.errors import ChangeInProgress, DcmcfgError
from dcmcfg.private_folders import create_private_folder, require_ownership

#: A process that checks whether a lock is held holds it for a short time.
_TIMEOUT_S = 0.5
_RETRY_INTERVAL_S = 0.05


@contextmanager
def lock_directory(state: Path, ldap_url: str) -> Iterator[None]:
    """Hold the lock of the directory at *ldap_url*; the system gives it back when the process ends, however it does.

    Raises :class:`ChangeInProgress` when another process holds it, :class:`DcmcfgError` when *state* cannot be written,
    and :class:`~dcmcfg.errors.Refused` where others may write to the folder of locks, or another account owns it.
    """
    path = _get_lock_path(state, ldap_url)
    try:
        create_private_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DcmcfgError(
            f"the state folder cannot be written ({error.strerror})",
            subject=str(path.parent),
            next_step="nothing was changed",
        ) from error
    try:
        if not try_lock(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            raise ChangeInProgress(
                f"another roll-out is under way on this directory (process {holder}), nothing was changed by this one",
                subject=ldap_url,
                next_step="wait until it has ended, and plan again; dcmcfg history shows it",
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_directory_locked(state: Path, ldap_url: str) -> bool:
    """Tell whether a process is rolling out on the directory at *ldap_url* now."""
    return is_file_locked(_get_lock_path(state, ldap_url))


def is_file_locked(path: Path) -> bool:
    """Tell whether a process holds the lock of the file at *path* (flock) now."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:  # never locked, or not ours to see
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # others may look meanwhile
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def try_lock(handle: int) -> bool:
    """Take the lock of the open file *handle* (flock); tell whether it is ours, after a short wait for lock checks."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_INTERVAL_S)
        else:
            return True


def make_directory_key(ldap_url: str) -> str:
    """Return a file name that stands for the directory at *ldap_url*."""
    return hashlib.sha256(ldap_url.encode()).hexdigest()[:16]


def _get_lock_path(state: Path, ldap_url: str) -> Path:
    locks = state / "locks"
    require_ownership(locks, parent_folder=state)
    return locks / make_directory_key(ldap_url)


def get_account_name() -> str:
    """Return the name of the account that runs this, its number where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without name
        return str(os.getuid())
