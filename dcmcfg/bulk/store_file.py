"""The file of a result store: creation, identification, locking, upgrade to the current format.

The format number is SQLite's user_version. Every store has one.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.format_number import FileFormat, RenamedNames, rename_keys
from dcmcfg.private_folders import create_private_folder
from dcmcfg.rollout.lock import try_lock

#: SQLite's application_id (SQLite file format, section 1.3.17): "dcmv".
APPLICATION_ID = 0x64636D76
#: The format number is stored as SQLite's user_version (section 1.3.15).
STORE_FORMAT = FileFormat("the result store", 2)
#: Renamed keys of the JSON object in the column ``answer``, by the format number before the change.
_RENAMED_ANSWER_KEYS: RenamedNames = {
    1: {
        "route": "route_finding",
        "route_why": "route_reasons",
        "remark": "evidence_warnings",
        "tree": "configuration_checksum",
    }
}
_MAGIC = b"SQLite format 3\0"
_HEADER_LENGTH = 100


def require_store(path: Path) -> None:
    """Raise :class:`Refused` if *path* is not a result store, and :class:`~dcmcfg.errors.UnknownFormat`; only reads.

    The file header has the format number of the last checkpoint; :func:`read_format_number` returns the current one.
    """
    try:
        header = _read_header(path)
    except OSError as error:
        raise DcmcfgError(f"cannot read the result store ({error.strerror})", subject=str(path)) from error
    if not _is_ours(header):
        raise Refused(
            "the file is not a result store and was not changed", subject=str(path), next_step="specify another file"
        )
    # Offset 60 has the user_version (SQLite file format, section 1.3).
    STORE_FORMAT.require_known(int.from_bytes(header[60:64], "big"), str(path))


def read_format_number(path: Path, connection: sqlite3.Connection) -> int:
    """Return the current format number of the store in *path*, including its write-ahead log, from *connection*.

    Raises :class:`~dcmcfg.errors.UnknownFormat` and :class:`sqlite3.Error`.
    """
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return STORE_FORMAT.require_known(number, str(path))


def upgrade_store(path: Path, connection: sqlite3.Connection, number: int) -> None:
    """Upgrade the store in *path* from format *number* to the current format, atomically.

    *connection* must be in autocommit mode, and the caller must hold the lock (:func:`lock_store`). Raises
    :class:`DcmcfgError` for a result that cannot be read, and :class:`sqlite3.Error`.
    """
    if number == STORE_FORMAT.number:
        return
    # Without a write-ahead log, the file header changes together with the rows. An older dcmcfg, which reads the header
    # only, can therefore never mistake new rows for old ones.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = connection.execute("SELECT number, answer FROM attempt WHERE answer IS NOT NULL").fetchall()
        upgraded = [(_upgrade_result(path, answer, number), attempt) for attempt, answer in rows]
        connection.executemany("UPDATE attempt SET answer = ? WHERE number = ?", upgraded)
        connection.execute(f"PRAGMA user_version = {STORE_FORMAT.number}")
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back after some errors, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _upgrade_result(path: Path, answer: str, number: int) -> str:
    try:
        content = json.loads(answer)
    except ValueError as error:
        raise DcmcfgError(f"cannot read a result in the result store ({error})", subject=str(path)) from error
    return json.dumps(rename_keys(content, _RENAMED_ANSWER_KEYS, number))


def is_store(path: Path) -> bool:
    """Return whether *path* is a result store of any version; False if it cannot be read."""
    try:
        return _is_ours(_read_header(path))
    except OSError:
        return False


def _read_header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_LENGTH)


def _is_ours(header: bytes) -> bool:
    return header[:16] == _MAGIC and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def get_sqlite_side_files(path: Path) -> tuple[Path, Path, Path]:
    """Return the files that SQLite keeps beside a store during use or after a crash.

    These are the write-ahead log, its index, and the rollback journal, which only an unused store can have.
    """
    wal, shm, journal = (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm", "journal"))
    return wal, shm, journal


def create_store(path: Path, schema: str, metadata: Mapping[str, str]) -> None:
    """Create a store in *path*; raises :class:`DcmcfgError`. The complete file is moved to *path* at the end."""
    try:
        create_private_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            _fill_store(temporary, schema, metadata)
            os.link(temporary, path)  # fails if the file was created in the meantime
        finally:
            temporary.unlink()
    except OSError as error:
        raise DcmcfgError(f"cannot create the result store ({error.strerror})", subject=str(path)) from error
    except sqlite3.Error as error:
        raise DcmcfgError(f"cannot create the result store ({error})", subject=str(path)) from error


def _fill_store(path: Path, schema: str, metadata: Mapping[str, str]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(schema)
        connection.executemany("INSERT INTO fact VALUES (?, ?)", metadata.items())
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {STORE_FORMAT.number}")
    finally:
        connection.close()


@contextmanager
def lock_store(path: Path) -> Iterator[None]:
    """Lock the store for this process until the block or the process ends, in any way.

    The lock is on a separate file, because SQLite has its own locks on the store. Raises :class:`Refused` if another
    process holds the lock.
    """
    lock_path = get_lock_path(path)
    handle = _acquire_lock(lock_path, path)
    try:
        yield
    finally:
        with suppress(OSError):
            # The file is removed before the lock ends: a run that has opened it already notices by _is_same_file.
            lock_path.unlink()
        os.close(handle)


def get_lock_path(path: Path) -> Path:
    """Return the path of the lock file of a store."""
    return path.with_name(f"{path.name}.lock")


def _acquire_lock(lock_path: Path, path: Path) -> int:
    while True:
        try:
            create_private_folder(lock_path.parent)
            handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DcmcfgError(f"cannot create the result store ({error.strerror})", subject=str(path)) from error
        if not try_lock(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise Refused(
                f"another run uses this result store (process {holder or 'unknown'})",
                subject=str(path),
                next_step="wait until the other run has ended, or specify another file with --results FILE",
            )
        if _is_same_file(handle, lock_path):
            # The process ID is only for the message of another run; the lock does not depend on it.
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            return handle
        os.close(handle)  # the previous holder has removed the file in the meantime


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
