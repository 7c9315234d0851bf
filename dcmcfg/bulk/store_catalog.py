"""The result stores in a folder: parameters and progress of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store_file import get_lock_path, get_sqlite_side_files, is_store, lock_store, require_store
from dcmcfg.errors import AmbiguousName, DcmcfgError, NotFound, Refused
from dcmcfg.rollout.lock import is_file_locked
from dcmcfg.suggestions import format_known_names
from dcmcfg.timestamps import parse_timestamp

#: The folder below the state folder; file names of stores are derived from their parameters.
STORE_FOLDER, STORE_SUFFIX = "verify", ".sqlite"
_NO_PARAMETERS = RunParameters({})
_LIST_AGAIN = "list the stores again: dcmcfg results list"


@dataclass(frozen=True)
class StoreInfo:
    """A result store on disk; counts are numbers of listed studies, ``size_bytes`` includes the journal.

    ``last_used`` is the time of the last recorded event. If the store cannot be read, ``problem`` is the reason, and
    the other fields have their defaults.
    """

    path: Path
    last_used: datetime
    size_bytes: int
    in_progress: bool = False
    _: KW_ONLY
    run_parameters: RunParameters = _NO_PARAMETERS
    source_name: str = ""
    finished_count: int = 0
    unfinished_count: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """The name that commands use to select the store."""
        return self.path.name.removesuffix(STORE_SUFFIX)

    def remove(self) -> None:
        """Delete the store and its journal, if they exist.

        Raises :class:`DcmcfgError` if this fails, and :class:`Refused` if a run uses the store or has used it since.
        """
        with lock_store(self.path):
            self._require_unchanged()
            try:
                # The side files go first: SQLite would apply a leftover journal to a new store of the same name.
                for each in (*get_sqlite_side_files(self.path), self.path):
                    each.unlink(missing_ok=True)
            except OSError as error:
                raise DcmcfgError(
                    f"cannot delete the result store ({error.strerror})", subject=str(self.path)
                ) from error

    def _require_unchanged(self) -> None:
        # A store that is already deleted needs no check.
        with suppress(FileNotFoundError):
            if _read_store_info(self.path).last_used != self.last_used:
                raise Refused(
                    "a run has used the result store since dcmcfg listed the stores",
                    subject=str(self.path),
                    next_step=_LIST_AGAIN,
                )


def find_stores(folder: Path) -> tuple[StoreInfo, ...]:
    """Return the stores in *folder*, the last used first; other files are ignored, and nothing is changed."""
    paths = [each for each in folder.glob(f"*{STORE_SUFFIX}") if is_store(each)] if folder.is_dir() else []
    stores: list[StoreInfo] = []
    for path in paths:
        with suppress(FileNotFoundError):  # deleted in the meantime
            stores.append(_read_store_info(path))
    return tuple(sorted(stores, key=lambda each: each.last_used, reverse=True))


def select_older_than(stores: Iterable[StoreInfo], age: timedelta, now: datetime) -> tuple[StoreInfo, ...]:
    """Return those of *stores* that have not been used for *age*."""
    return tuple(each for each in stores if each.last_used < now - age)


def select_by_name(stores: Sequence[StoreInfo], names: Iterable[str]) -> tuple[StoreInfo, ...]:
    """Return the stores with *names* without duplicates; a unique prefix of a name is sufficient.

    Raises :class:`NotFound` and :class:`AmbiguousName`.
    """
    return tuple({each.path: each for each in (_select_one(stores, name) for name in names)}.values())


def _select_one(stores: Sequence[StoreInfo], name: str) -> StoreInfo:
    prefix = name.removesuffix(STORE_SUFFIX)
    matches = [each for each in stores if prefix and each.name.startswith(prefix)]
    exact_matches = [each for each in matches if each.name == prefix]
    match exact_matches or matches:
        case [store]:
            return store
        case []:
            known = format_known_names(prefix, (each.name for each in stores))
            raise NotFound("no result store has this name", subject=name, next_step=f"existing stores: {known}")
        case stores_found:
            names = ", ".join(each.name for each in stores_found)
            raise AmbiguousName("several result stores match", subject=name, next_step=f"specify one of {names}")


def _read_store_info(path: Path) -> StoreInfo:
    status = path.stat()
    size_bytes = status.st_size + sum(each.stat().st_size for each in get_sqlite_side_files(path) if each.exists())
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    try:
        require_store(path)
        with closing(_open_read_only(path)) as connection:
            return _query_store_info(path, connection, modified, size_bytes)
    except DcmcfgError as error:
        return StoreInfo(path, modified, size_bytes, problem=error.message)
    except (sqlite3.Error, ValueError) as error:
        return StoreInfo(
            path, modified, size_bytes, is_file_locked(get_lock_path(path)), problem=f"cannot be read ({error})"
        )


def _open_read_only(path: Path) -> sqlite3.Connection:
    """Open the store without writing anything, not even the index of a write-ahead log that does not exist."""
    write_ahead_log, *_ = get_sqlite_side_files(path)
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro{'' if write_ahead_log.exists() else '&immutable=1'}", uri=True
    )


def _query_store_info(path: Path, connection: sqlite3.Connection, modified: datetime, size_bytes: int) -> StoreInfo:
    metadata = dict(connection.execute("SELECT name, value FROM fact").fetchall())
    finished_count, open_count = connection.execute(
        "SELECT COUNT(answered_by), COUNT(*) - COUNT(answered_by) FROM study WHERE listed"
    ).fetchone()
    (last_event,) = connection.execute("SELECT MAX(COALESCE(ended, started)) FROM attempt").fetchone()
    return StoreInfo(
        path,
        parse_timestamp(last_event or metadata.get("listed at", "")) or modified,
        size_bytes,
        is_file_locked(get_lock_path(path)),
        run_parameters=RunParameters(json.loads(metadata.get("asked", "{}"))),
        source_name=metadata.get("listed from", ""),
        finished_count=finished_count,
        unfinished_count=open_count,
    )
