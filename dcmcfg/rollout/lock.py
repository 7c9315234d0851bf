"""The lock that allows one roll-out at a time on a directory, for one user on one machine."""

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

#: A process that only checks a lock holds it for a short time, so a failed attempt is retried for this time.
_TIMEOUT_S = 0.5
_RETRY_INTERVAL_S = 0.05


@contextmanager
def lock_directory(state: Path, ldap_url: str) -> Iterator[None]:
    """Hold the lock of the directory at *ldap_url* inside the block; the kernel releases it when the process ends.

    Raises :class:`ChangeInProgress` if another process holds it, :class:`DcmcfgError` if *state* cannot be written, and
    :class:`~dcmcfg.errors.Refused` if others can write to the folder of locks, or another account owns it.
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
                f"another change is in progress on this directory (process {holder}); this command changed nothing",
                subject=ldap_url,
                next_step="wait until the other change has finished, then plan again; "
                "to see that change: dcmcfg history",
            )
        # The process number is only for the message of another process that fails to acquire the lock.
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # This releases the lock. The file stays, because another process may have opened it to wait for the lock.
        os.close(handle)


def is_directory_locked(state: Path, ldap_url: str) -> bool:
    """Return whether a process is applying a roll-out on the directory at *ldap_url* now."""
    return is_file_locked(_get_lock_path(state, ldap_url))


def is_file_locked(path: Path) -> bool:
    """Return whether a process holds the lock of the file at *path* (flock) now."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:  # the file was never locked, or this account cannot read it
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # a shared lock, so that several processes can check at once
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def try_lock(handle: int) -> bool:
    """Acquire the lock of the open file *handle* (flock), with a short wait for lock checks; return the success."""
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
    """Return the file name that identifies the directory at *ldap_url*."""
    return hashlib.sha256(ldap_url.encode()).hexdigest()[:16]


def _get_lock_path(state: Path, ldap_url: str) -> Path:
    locks = state / "locks"
    require_ownership(locks, parent_folder=state)
    return locks / make_directory_key(ldap_url)


def get_account_name() -> str:
    """Return the name of the current account, or its number if it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, the user may have no name
        return str(os.getuid())
