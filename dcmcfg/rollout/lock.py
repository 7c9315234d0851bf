"""The locks that allow one roll-out at a time on a directory: for one account, and for the accounts of one machine.

The lock of an account is in its state folder. With a shared history, a second lock is in the folder of that history.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import hashlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dcmcfg.errors import ChangeInProgress, DcmcfgError, Refused
from dcmcfg.printable import escape_unprintable
from dcmcfg.private_folders import create_private_folder, require_ownership
from dcmcfg.shared_folders import GROUP_WRITABLE

#: A process that only checks a lock holds it for a short time, so a failed attempt is retried for this time.
_TIMEOUT_S = 0.5
_RETRY_INTERVAL_S = 0.05
#: The length of the part of a lock file that is read: the process that holds the lock.
_MAX_HOLDER_LENGTH = 200


@contextmanager
def lock_directory(state: Path, ldap_url: str, shared_folder: Path | None = None) -> Iterator[None]:
    """Hold the lock of the directory at *ldap_url* inside the block; the kernel releases it when the process ends.

    With *shared_folder*, the folder of a shared history, other accounts of this host are locked out too. Raises
    :class:`ChangeInProgress` if another process holds the lock, :class:`DcmcfgError` if *state* cannot be written, and
    :class:`~dcmcfg.errors.Refused` if others can write to the folder of locks, or another account owns it.
    """
    path = _get_lock_path(state, ldap_url)
    try:
        create_private_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DcmcfgError(
            f"dcmcfg cannot write to the state folder ({error.strerror})",
            subject=str(path.parent),
            next_step="nothing was changed",
        ) from error
    try:
        _acquire(handle, ldap_url, f"{os.getpid()}")
        with _lock_shared(shared_folder, ldap_url):
            yield
    finally:
        # This releases the lock. The file stays, because another process may have opened it to wait for the lock.
        os.close(handle)


@contextmanager
def _lock_shared(shared_folder: Path | None, ldap_url: str) -> Iterator[None]:
    """Hold the lock in *shared_folder*, if there is one, inside the block."""
    if shared_folder is None:
        yield
        return
    handle = open_shared_lock(shared_folder, ldap_url)
    try:
        _acquire(handle, ldap_url, f"{os.getpid()} of {get_account_name()} on {socket.gethostname()}")
        yield
    finally:
        os.close(handle)


def open_shared_lock(shared_folder: Path, ldap_url: str) -> int:
    """Return an open file for the lock of the directory at *ldap_url* in *shared_folder*; it is created if missing.

    Raises :class:`DcmcfgError` if it cannot be opened, and :class:`~dcmcfg.errors.Refused` if it is not a file.
    """
    path = make_shared_lock_path(shared_folder, ldap_url)
    try:
        handle = _open_or_create(path)
    except OSError as error:
        raise DcmcfgError(
            f"dcmcfg cannot open the lock file of the shared history ({error.strerror})",
            subject=str(path),
            next_step=f"sudo chmod g+rw {path}" if error.errno == errno.EACCES else "",
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Refused(
            "the lock file of the shared history is not a regular file", subject=str(path), next_step=f"rm {path}"
        )
    return handle


def _open_or_create(path: Path) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
    with suppress(FileNotFoundError):
        return os.open(path, flags)
    try:
        # With O_CREAT alone, the kernel may refuse a file of another account (fs.protected_regular).
        handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, GROUP_WRITABLE)
    except FileExistsError:  # another process has created the file in the meantime
        return os.open(path, flags)
    os.fchmod(handle, GROUP_WRITABLE)  # whatever the umask is
    return handle


def _acquire(handle: int, ldap_url: str, holder: str) -> None:
    """Acquire the lock of the open file *handle*; raises :class:`ChangeInProgress` with the process that holds it."""
    if not try_lock(handle):
        other = os.pread(handle, _MAX_HOLDER_LENGTH, 0).decode("utf-8", "replace").strip()
        raise ChangeInProgress(
            f"another change is in progress on this directory (process {escape_unprintable(other)}); this command "
            "changed nothing",
            subject=ldap_url,
            next_step="wait until the other change has finished, then repeat this command; to see the other change: "
            "dcmcfg history",
        )
    # The text is only for the message of another process that fails to acquire the lock. A full disk does not matter.
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{holder}\n".encode(), 0)


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


def make_shared_lock_path(shared_folder: Path, ldap_url: str) -> Path:
    """Return the path of the lock of the directory at *ldap_url* in *shared_folder*."""
    return shared_folder / f".lock-{make_directory_key(ldap_url)}"


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
