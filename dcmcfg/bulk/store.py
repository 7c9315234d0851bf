"""The results of a run in an SQLite file, so that another run can continue it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store_file import create_store, lock_store, read_format_number, require_store, upgrade_store
from dcmcfg.bulk.study_result import AttemptResult, RecordedAttempt, StudyResult, VerificationOutcome
from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.timestamps import parse_timestamp

#: The tables and columns are part of the format on disk (:data:`~dcmcfg.bulk.store_file.STORE_FORMAT`).
_SCHEMA = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE study (
    uid TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    answered_by INTEGER REFERENCES attempt (number)
);
CREATE TABLE attempt (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    study_uid TEXT NOT NULL REFERENCES study (uid),
    started TEXT NOT NULL,
    ended TEXT,
    outcome TEXT,
    final INTEGER NOT NULL DEFAULT 0,
    answer TEXT
);
CREATE INDEX attempt_of ON attempt (study_uid);
"""
#: Outcomes whose text in a store differs from the text in reports (older stores contain it).
_STORED_OUTCOMES = {VerificationOutcome.NOT_SENT: "not asked"}
_RUN_PARAMETERS, _LISTED_AT, _LISTED_FROM = "asked", "listed at", "listed from"
#: The field of a result that is in the column ``outcome``, not in the JSON document ``answer``.
_OUTCOME = "outcome"


class ResultStore:
    """The studies of a run with the attempts at each; thread-safe.

    Each change is on disk when the method returns: the write-ahead log is synchronised. All methods raise
    :class:`DcmcfgError` if the file cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        run_parameters: RunParameters,
        route_change: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.run_parameters = run_parameters
        self.route_change = route_change  # the former parameters of the results, in words, if the route has changed
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path, run_parameters: RunParameters, *, accepts_other_route: bool = False) -> Iterator[Self]:
        """Yield the store in *path* for results with *run_parameters*; create it if it does not exist.

        With *accepts_other_route*, results with another dcmExternalRetrieveAEDestination are kept, and the store gets
        *run_parameters*. The store is locked for this process. Raises :class:`Refused` if another process has locked
        it, if the file is not a store, or if it has results with other parameters, and
        :class:`~dcmcfg.errors.UnknownFormat`. A store with an older format is upgraded.
        """
        with lock_store(path):
            if path.exists():
                require_store(path)
            else:
                create_store(path, _SCHEMA, {_RUN_PARAMETERS: json.dumps(dict(run_parameters.values))})
            with _translate_errors(path):
                # isolation_level=None: transactions are begun explicitly. The workers share the connection by a lock.
                connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                try:
                    # With a write-ahead log, NORMAL could lose the last transactions in a power failure.
                    connection.execute("PRAGMA synchronous = FULL")
                    number = read_format_number(path, connection)
                    route_change = _adopt_run_parameters(
                        path, connection, run_parameters, accepts_other_route=accepts_other_route
                    )
                    # The order matters: a store of another run is refused before the upgrade, which leaves WAL
                    # mode.
                    upgrade_store(path, connection, number)
                    connection.execute("PRAGMA journal_mode = WAL")
                    yield cls(path, connection, run_parameters, route_change)
                finally:
                    connection.close()

    @staticmethod
    def read_listing_time(
        path: Path, run_parameters: RunParameters, source: str, *, accepts_other_route: bool = False
    ) -> datetime | None:
        """Return the listing time of *source*, as :meth:`get_listing_time` does, without creating or changing anything.

        Raises the same errors as :meth:`open`.
        """
        if not path.exists():
            return None
        with lock_store(path):
            require_store(path)
            with _translate_errors(path), closing(sqlite3.connect(path)) as connection:
                read_format_number(path, connection)
                stored = _read_run_parameters(connection)
                is_same = (
                    accepts_other_route and stored.differs_only_in_route(run_parameters)
                ) or _check_run_parameters(path, connection, run_parameters)
                return _parse_listing_time(_read_metadata(connection), source) if is_same else None

    def set_study_list(self, uids: Sequence[str], source: str = "") -> None:
        """Replace the list of studies by *uids* from *source*, in that order.

        Results of other studies are kept, but these studies are not listed.
        """
        with self._transaction() as connection:
            connection.execute("UPDATE study SET listed = 0")
            connection.executemany(
                "INSERT INTO study VALUES (?, ?, 1, NULL) "
                "ON CONFLICT (uid) DO UPDATE SET position = excluded.position, listed = 1",
                [(uid, position) for position, uid in enumerate(uids)],
            )
            metadata = [(_LISTED_AT, _now()), (_LISTED_FROM, source)]
            connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", metadata)

    def get_listing_time(self, source: str) -> datetime | None:
        """Return the time at which the list was taken from *source*; None if it comes from another source."""
        with self._lock, _translate_errors(self.path):
            return _parse_listing_time(_read_metadata(self._connection), source)

    def list_unfinished_studies(self) -> tuple[str, ...]:
        """Return the listed studies without a final result, in order."""
        rows = self._fetch_rows("SELECT uid FROM study WHERE listed AND answered_by IS NULL ORDER BY position")
        return tuple(uid for (uid,) in rows)

    def reopen_studies(self, uids: Iterable[str] | None = None) -> None:
        """Mark *uids* (None: all listed studies) as unfinished; their attempts are kept."""
        with self._transaction() as connection:
            if uids is None:
                connection.execute("UPDATE study SET answered_by = NULL WHERE listed")
            else:
                connection.executemany("UPDATE study SET answered_by = NULL WHERE uid = ?", [(uid,) for uid in uids])

    def begin_attempt(self, uid: str) -> int:
        """Record an attempt at *uid* before it starts; return the number of the attempt."""
        with self._transaction() as connection:
            cursor = connection.execute("INSERT INTO attempt (study_uid, started) VALUES (?, ?)", (uid, _now()))
            return int(cursor.lastrowid or 0)

    def end_attempt(self, attempt_number: int, result: AttemptResult, *, final: bool) -> None:
        """Record the *result* of an attempt. With *final*, it is the study's result: no further attempts."""
        document = asdict(result)
        del document[_OUTCOME]
        with self._transaction() as connection:
            connection.execute(
                "UPDATE attempt SET ended = ?, outcome = ?, final = ?, answer = ? WHERE number = ?",
                (
                    _now(),
                    _STORED_OUTCOMES.get(result.outcome, result.outcome.value),
                    final,
                    json.dumps(document),
                    attempt_number,
                ),
            )
            if final:
                connection.execute(
                    "UPDATE study SET answered_by = ?1 WHERE uid = (SELECT study_uid FROM attempt WHERE number = ?1)",
                    (attempt_number,),
                )

    def read_results(self) -> tuple[StudyResult, ...]:
        """Return the listed studies in order, with all their attempts."""
        attempts: dict[str, list[RecordedAttempt]] = {}
        decisive_attempts = dict(self._fetch_rows("SELECT uid, answered_by FROM study WHERE listed ORDER BY position"))
        query = "SELECT number, study_uid, started, ended, outcome, answer FROM attempt ORDER BY number"
        for number, uid, started, ended, outcome, answer in self._fetch_rows(query):
            attempts.setdefault(uid, []).append(
                RecordedAttempt(
                    _parse_timestamp(started),
                    _parse_timestamp(ended) if ended else None,
                    _parse_result(outcome, answer) if outcome else None,
                    is_final=decisive_attempts.get(uid) == number,
                )
            )
        return tuple(
            StudyResult(uid, tuple(attempts.get(uid, ())), is_complete=number is not None)
            for uid, number in decisive_attempts.items()
        )

    def _fetch_rows(self, query: str) -> list[Any]:
        with self._lock, _translate_errors(self.path):
            return self._connection.execute(query).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translate_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite itself rolls back after some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DcmcfgError(
            f"cannot use the result store ({error})",
            subject=str(path),
            next_step="check the file and the free disk space; or specify another file with --results FILE",
        ) from error


def _read_metadata(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM fact").fetchall())


def _parse_listing_time(metadata: Mapping[str, str], source: str) -> datetime | None:
    return parse_timestamp(metadata.get(_LISTED_AT, "")) if metadata.get(_LISTED_FROM) == source else None


def _read_run_parameters(connection: sqlite3.Connection) -> RunParameters:
    return RunParameters(json.loads(_read_metadata(connection).get(_RUN_PARAMETERS, "{}")))


def _check_run_parameters(path: Path, connection: sqlite3.Connection, run_parameters: RunParameters) -> bool:
    """Return whether the store has *run_parameters*; raise :class:`Refused` if it has results with others."""
    differences = _read_run_parameters(connection).describe_differences(run_parameters)
    if differences and connection.execute("SELECT 1 FROM attempt LIMIT 1").fetchone() is not None:
        raise Refused(
            f"the result store has results of runs with other parameters: {'; '.join(differences)}",
            subject=str(path),
            next_step="specify another file with --results FILE",
        )
    return not differences


def _adopt_run_parameters(
    path: Path, connection: sqlite3.Connection, run_parameters: RunParameters, *, accepts_other_route: bool
) -> tuple[str, ...]:
    """Set *run_parameters* in a store without results, or in one whose results differ in an accepted route only.

    Returns the differences of the latter in words. Raises :class:`Refused` for results with other parameters.
    """
    stored = _read_run_parameters(connection)
    if accepts_other_route and stored.differs_only_in_route(run_parameters):
        connection.execute(
            "INSERT OR REPLACE INTO fact VALUES (?, ?)", (_RUN_PARAMETERS, json.dumps(dict(run_parameters.values)))
        )
        return stored.describe_differences(run_parameters)
    if not _check_run_parameters(path, connection, run_parameters):
        connection.execute("DELETE FROM study")
        connection.execute("DELETE FROM fact")
        connection.execute("INSERT INTO fact VALUES (?, ?)", (_RUN_PARAMETERS, json.dumps(dict(run_parameters.values))))
    return ()


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _parse_timestamp(text: str) -> datetime:
    return parse_timestamp(text) or datetime.fromtimestamp(0, UTC)


def _parse_result(outcome: str, text: str) -> AttemptResult:
    document = json.loads(text)
    # Older results lack fields that were added later; these get their defaults.
    names: Iterable[str] = {field.name for field in fields(AttemptResult)} - {_OUTCOME}
    kind = next((each for each, word in _STORED_OUTCOMES.items() if word == outcome), None)
    return AttemptResult(
        kind or VerificationOutcome(outcome), **{name: document[name] for name in names if name in document}
    )
