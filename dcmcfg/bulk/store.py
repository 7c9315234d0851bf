"""The answers of a run in an SQLite file, so that another run goes on where it ended."""

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
#: Outcomes with another word in a store than in reports.
_STORED_OUTCOMES = {VerificationOutcome.NOT_SENT: "not asked"}
_RUN_PARAMETERS, _LISTED_AT, _LISTED_FROM = "asked", "listed at", "listed from"
#: Of an answer, what the column ``outcome`` holds and the document ``answer`` does not.
_OUTCOME = "outcome"


class ResultStore:
    """The studies with the attempts at each; several threads may use it.

    Each change is on the disk when the method returns: the journal is written ahead and synchronised. Raises
    :class:`DcmcfgError` when the file cannot be read or written, whatever the method.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, run_parameters: RunParameters) -> None:
        self.path = path
        self.run_parameters = run_parameters
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path, run_parameters: RunParameters) -> Iterator[Self]:
        """Yield the store in *path*, made when there is none, for the answers to *run_parameters*.

        Nobody else has it then. Raises :class:`Refused` when another process has it, when the file is no such store, or
        one of another question, and :class:`~dcmcfg.errors.UnknownFormat`. A store of an older format is brought to the
        current one.
        """
        with lock_store(path):
            if path.exists():
                require_store(path)
            else:
                create_store(path, _SCHEMA, {_RUN_PARAMETERS: json.dumps(dict(run_parameters.values))})
            with _translate_errors(path):
                connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                try:
                    connection.execute("PRAGMA synchronous = FULL")
                    number = read_format_number(path, connection)
                    _adopt_run_parameters(path, connection, run_parameters)
                    upgrade_store(path, connection, number)
                    connection.execute("PRAGMA journal_mode = WAL")
                    yield cls(path, connection, run_parameters)
                finally:
                    connection.close()

    @staticmethod
    def read_listing_time(path: Path, run_parameters: RunParameters, source: str) -> datetime | None:
        """Return when the list was taken from *source*, as :meth:`get_listing_time` does; nothing is made or changed.

        Raises what :meth:`open` does for *run_parameters*.
        """
        if not path.exists():
            return None
        with lock_store(path):
            require_store(path)
            with _translate_errors(path), closing(sqlite3.connect(path)) as connection:
                read_format_number(path, connection)
                is_same = _check_run_parameters(path, connection, run_parameters)
                return _parse_listing_time(_read_metadata(connection), source) if is_same else None

    def set_study_list(self, uids: Sequence[str], source: str = "") -> None:
        """Take *uids*, which come from *source*, for the list of studies, in that order.

        What is known of others is kept, and not listed.
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
        """Return when the list was taken from *source*; None when it was not, or from another one."""
        with self._lock, _translate_errors(self.path):
            return _parse_listing_time(_read_metadata(self._connection), source)

    def list_unfinished_studies(self) -> tuple[str, ...]:
        """Return the listed studies that have no answer, in their order."""
        rows = self._fetch_rows("SELECT uid FROM study WHERE listed AND answered_by IS NULL ORDER BY position")
        return tuple(uid for (uid,) in rows)

    def reopen_studies(self, uids: Iterable[str] | None = None) -> None:
        """Have *uids* asked for anew, all that are listed where it is None; the attempts are kept."""
        with self._transaction() as connection:
            if uids is None:
                connection.execute("UPDATE study SET answered_by = NULL WHERE listed")
            else:
                connection.executemany("UPDATE study SET answered_by = NULL WHERE uid = ?", [(uid,) for uid in uids])

    def begin_attempt(self, uid: str) -> int:
        """Record that *uid* is about to be asked for; return the number of the attempt."""
        with self._transaction() as connection:
            cursor = connection.execute("INSERT INTO attempt (study_uid, started) VALUES (?, ?)", (uid, _now()))
            return int(cursor.lastrowid or 0)

    def end_attempt(self, attempt_number: int, result: AttemptResult, *, final: bool) -> None:
        """Record the *result* of an attempt; a *final* one is that of the study, which is not asked for again."""
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
        """Return the listed studies in their order, with every attempt at them."""
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
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DcmcfgError(
            f"the store of results does not work ({error})",
            subject=str(path),
            next_step="is the disk full, or the file damaged? --results FILE names another",
        ) from error


def _read_metadata(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM fact").fetchall())


def _parse_listing_time(metadata: Mapping[str, str], source: str) -> datetime | None:
    return parse_timestamp(metadata.get(_LISTED_AT, "")) if metadata.get(_LISTED_FROM) == source else None


def _check_run_parameters(path: Path, connection: sqlite3.Connection, run_parameters: RunParameters) -> bool:
    """Tell whether the store is for *run_parameters*; refuse where it holds answers to another question."""
    differences = RunParameters(json.loads(_read_metadata(connection).get(_RUN_PARAMETERS, "{}"))).describe_differences(
        run_parameters
    )
    if differences and connection.execute("SELECT 1 FROM attempt LIMIT 1").fetchone() is not None:
        raise Refused(
            f"the store holds answers to another question: {'; '.join(differences)}",
            subject=str(path),
            next_step="--results FILE names another store",
        )
    return not differences


def _adopt_run_parameters(path: Path, connection: sqlite3.Connection, run_parameters: RunParameters) -> None:
    """Have the store hold answers to *run_parameters*; refuse where it holds some to another question."""
    if not _check_run_parameters(path, connection, run_parameters):
        connection.execute("DELETE FROM study")
        connection.execute("DELETE FROM fact")
        connection.execute("INSERT INTO fact VALUES (?, ?)", (_RUN_PARAMETERS, json.dumps(dict(run_parameters.values))))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _parse_timestamp(text: str) -> datetime:
    return parse_timestamp(text) or datetime.fromtimestamp(0, UTC)


def _parse_result(outcome: str, text: str) -> AttemptResult:
    document = json.loads(text)
    names: Iterable[str] = {field.name for field in fields(AttemptResult)} - {_OUTCOME}
    kind = next((each for each, word in _STORED_OUTCOMES.items() if word == outcome), None)
    return AttemptResult(
        kind or VerificationOutcome(outcome), **{name: document[name] for name in names if name in document}
    )
