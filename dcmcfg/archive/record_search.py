"""What the archive's database has recorded under names that a plan takes away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread

from dcmcfg.archive.database import Database
from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies

#: Studies that are counted for one name at most, in pages of 200.
MAX_STUDIES = 2000
#: Titles that are asked for although nothing names them as external archives: a list of thousands may be undone.
MAX_TITLES = 50
#: Seconds for all answers together: a plan is shown only after them.
SEARCH_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class RecordSearchResult:
    """The ``records`` of each name that was asked for, and ``warnings``, a sentence each, on what was not."""

    records: tuple[RecordedStudies, ...] = ()
    warnings: tuple[str, ...] = ()


def search_records(
    names: Sequence[RecordedName], connect: Callable[[], Database], *, timeout_s: float = SEARCH_TIMEOUT_S
) -> RecordSearchResult:
    """Return what the database that *connect* returns has recorded under *names*.

    Where it gives no answer, the names under which records are expected are unknown, and the others are left out: a
    workstation can be removed while the archive is down. Of the others the first 50 are asked for. All answers have to
    come within *timeout_s*; of others without one there is a warning. Studies of which the instances differ in their
    external archive (``*``) are not found, so counts are lower bounds.
    """
    expected = [each for each in names if each.expects_records]
    searched = [*expected, *(each for each in names if not each.expects_records)][: len(expected) + MAX_TITLES]
    records: list[RecordedStudies] = []
    skipped_count = len(names) - len(searched)
    try:
        records += _collect_records(searched, connect, time.monotonic() + timeout_s)
    except _SearchTimeout as timeout:
        records += timeout.records
        unanswered = searched[len(records) :]
        reason = f"{timeout.url}: not all answers within {timeout_s:g} s"
        records += (
            RecordedStudies(each, is_complete=False, unknown_reason=reason)
            for each in unanswered
            if each.expects_records
        )
        skipped_count += sum(not each.expects_records for each in unanswered)
    warnings = (
        (
            f"the archive's database was not asked for studies recorded under {skipped_count} more of the AE titles "
            "that go",
        )
        if skipped_count
        else ()
    )
    return RecordSearchResult(tuple(records), warnings)


class _SearchTimeout(Exception):
    """The time is over; ``records`` are the results until then from the archive at ``url``."""

    def __init__(self, records: Sequence[RecordedStudies], url: str) -> None:
        super().__init__(url)
        self.records, self.url = records, url


def _collect_records(
    names: Sequence[RecordedName], connect: Callable[[], Database], deadline: float
) -> list[RecordedStudies]:
    """Return the records of *names*; raises :class:`_SearchTimeout` at the *deadline*, a monotonic time."""
    if not names:
        return []
    records: list[RecordedStudies] = []
    try:
        database = connect()
        for each in _iterate_records(database, names, deadline):
            if each is None:
                raise _SearchTimeout(records, database.url)
            records.append(each)
    except DcmcfgError as error:
        reason = f"{error.subject}: {error.message}" if error.subject else error.message
        unanswered = (
            RecordedStudies(each, is_complete=False, unknown_reason=reason)
            for each in names[len(records) :]
            if each.expects_records
        )
        records += unanswered
    return records


def _iterate_records(
    database: Database, names: Sequence[RecordedName], deadline: float
) -> Iterator[RecordedStudies | None]:
    """Yield the records of each name, and None at the *deadline*.

    A request is bounded in time, but a search has many of them, hence the thread.
    """
    outcome: SimpleQueue[RecordedStudies | BaseException] = SimpleQueue()
    is_cancelled = Event()

    def query_all() -> None:
        try:
            for name in names:
                if is_cancelled.is_set():
                    return
                outcome.put(_query_records(database, name))
        except BaseException as error:  # noqa: BLE001 — raised by the thread that waits
            outcome.put(error)

    Thread(target=query_all, daemon=True).start()
    try:
        for _ in names:
            result = outcome.get(timeout=max(deadline - time.monotonic(), 0))
            if isinstance(result, BaseException):
                raise result
            yield result
    except Empty:
        yield None
    finally:
        is_cancelled.set()


def _query_records(database: Database, name: RecordedName) -> RecordedStudies:
    unknown_reason = f"the database of {', '.join(name.other_archives)} is not asked" if name.other_archives else ""
    if name.kind is EntityKind.STORAGE:
        stored = database.find_studies({"storageID": name.name}, max_results=MAX_STUDIES)
        local = sum(name.name in each.storage_ids for each in stored)
        return RecordedStudies(name, local=local, is_complete=len(stored) < MAX_STUDIES, unknown_reason=unknown_reason)
    stored = database.find_studies({"ExternalRetrieveAET": name.name}, max_results=MAX_STUDIES)
    recorded = [each for each in stored if each.external_ae_title == name.name]
    purged = sum(_is_purged(each) for each in recorded)
    return RecordedStudies(
        name, purged, len(recorded) - purged, is_complete=len(stored) < MAX_STUDIES, unknown_reason=unknown_reason
    )


def _is_purged(study: StoredStudy) -> bool:
    return not study.storage_ids
