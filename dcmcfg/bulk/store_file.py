"""The file of a store: made whole, known by its head, held by one process, brought to the current format.

Its format number is SQLite's user_version. There are no stores without one.
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

#: SQLite's application_id (its file format, 1.3.17): "dcmv".
APPLICATION_ID = 0x64636D76
#: Kept as SQLite's user_version (1.3.15).
STORE_FORMAT = FileFormat("the store of results", 2)
#: Keys of the JSON object in the column ``answer``.
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
    """Raise :class:`Refused` when *path* is no store of ours, and :class:`~dcmcfg.errors.UnknownFormat`; only read it.

    The head of the file has the format number of the last checkpoint, :func:`read_format_number` returns the current
    one.
    """
    try:
        header = _read_header(path)
    except OSError as error:
        raise DcmcfgError(f"the store of results cannot be read ({error.strerror})", subject=str(path)) from error
    if not _is_ours(header):
        raise Refused(
            "this file is no store of results, and is left as it is", subject=str(path), next_step="name another file"
        )
    STORE_FORMAT.require_known(int.from_bytes(header[60:64], "big"), str(path))


def read_format_number(path: Path, connection: sqlite3.Connection) -> int:
    """Return the format number of the store in *path*, open as *connection*, as its journal has it.

    Raises :class:`~dcmcfg.errors.UnknownFormat` and :class:`sqlite3.Error`.
    """
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return STORE_FORMAT.require_known(number, str(path))


def upgrade_store(path: Path, connection: sqlite3.Connection, number: int) -> None:
    """Bring the store in *path* from format *number* to the current one, whole or not at all.

    It is open as *connection* with autocommit, and the caller holds it (:func:`lock_store`). Raises
    :class:`DcmcfgError` for an answer that cannot be read, and :class:`sqlite3.Error`.
    """
    if number == STORE_FORMAT.number:
        return
    # Without a journal written ahead, the head of the file changes together with the rows: a dcmcfg that knows the
    # older format only, and reads the head, never takes new rows for old ones.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = connection.execute("SELECT number, answer FROM attempt WHERE answer IS NOT NULL").fetchall()
        upgraded = [(_upgrade_result(path, answer, number), attempt) for attempt, answer in rows]
        connection.executemany("UPDATE attempt SET answer = ? WHERE number = ?", upgraded)
        connection.execute(f"PRAGMA user_version = {STORE_FORMAT.number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _upgrade_result(path: Path, answer: str, number: int) -> str:
    try:
        content = json.loads(answer)
    except ValueError as error:
        raise DcmcfgError(f"an answer in the store of results cannot be read ({error})", subject=str(path)) from error
    return json.dumps(rename_keys(content, _RENAMED_ANSWER_KEYS, number))


def is_store(path: Path) -> bool:
    """Tell whether *path* is a store of ours, of whatever version; False where it cannot be read."""
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
    """Return the files that SQLite keeps beside a store while it is used, or was cut off.

    The journal that is written ahead, its index, and the one that takes back: of a store that was not yet used.
    """
    wal, shm, journal = (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm", "journal"))
    return wal, shm, journal


def create_store(path: Path, schema: str, metadata: Mapping[str, str]) -> None:
    """Make a store in *path*, which gets its name when all is in it; raises :class:`DcmcfgError`."""
    try:
        create_private_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            _fill_store(temporary, schema, metadata)
            os.link(temporary, path)  # never over a file that came meanwhile
        finally:
            temporary.unlink()
    except OSError as error:
        raise DcmcfgError(f"the store of results cannot be made ({error.strerror})", subject=str(path)) from error
    except sqlite3.Error as error:
        raise DcmcfgError(f"the store of results cannot be made ({error})", subject=str(path)) from error


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
    """Have the store for this process alone, until the block or the process ends, however it does.

    By a file beside it, since SQLite has locks of its own on the store. Raises :class:`Refused` when another has it.
    """
    lock_path = get_lock_path(path)
    handle = _acquire_lock(lock_path, path)
    try:
        yield
    finally:
        with suppress(OSError):
            lock_path.unlink()
        os.close(handle)


def get_lock_path(path: Path) -> Path:
    """Return the file beside a store whose lock whoever has the store holds."""
    return path.with_name(f"{path.name}.lock")


def _acquire_lock(lock_path: Path, path: Path) -> int:
    while True:
        try:
            create_private_folder(lock_path.parent)
            handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DcmcfgError(f"the store of results cannot be made ({error.strerror})", subject=str(path)) from error
        if not try_lock(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise Refused(
                f"another run uses this store of results (process {holder or 'unknown'})",
                subject=str(path),
                next_step="wait until it has ended, or name another with --results",
            )
        if _is_same_file(handle, lock_path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            return handle
        os.close(handle)  # who had it has removed it meanwhile


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
