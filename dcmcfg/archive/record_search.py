"""Search the archive's database for studies recorded under names that a plan removes."""

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

#: Maximum of studies counted for one name, in pages of 200.
MAX_STUDIES = 2000
#: Maximum of titles searched although the configuration does not use them as external archives, for large undos.
MAX_TITLES = 50
#: Seconds for all responses together, because the plan is shown only after them.
SEARCH_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class RecordSearchResult:
    """The ``records`` of each searched name, and ``warnings``, one sentence each, about names not searched."""

    records: tuple[RecordedStudies, ...] = ()
    warnings: tuple[str, ...] = ()


def search_records(
    names: Sequence[RecordedName], connect: Callable[[], Database], *, timeout_s: float = SEARCH_TIMEOUT_S
) -> RecordSearchResult:
    """Return the studies that the database returned by *connect* has recorded under *names*.

    If the database does not answer, names with expected records are unknown, and the others are left out: a workstation
    can be removed while the archive is down. Of the others, the first 50 are searched. All responses must arrive within
    *timeout_s*; a warning counts the others without one. Studies whose instances have different external archives
    (``*``) are not found, so counts are lower bounds.
    """
    expected = [each for each in names if each.expects_records]
    # The expected names come first, because a time-out leaves out the last ones.
    searched = [*expected, *(each for each in names if not each.expects_records)][: len(expected) + MAX_TITLES]
    records: list[RecordedStudies] = []
    skipped_count = len(names) - len(searched)
    try:
        records += _collect_records(searched, connect, time.monotonic() + timeout_s)
    except _SearchTimeout as timeout:
        records += timeout.records
        unanswered = searched[len(records) :]
        reason = f"{timeout.url}: some responses were missing after {timeout_s:g} s"
        records += (
            RecordedStudies(each, is_complete=False, unknown_reason=reason)
            for each in unanswered
            if each.expects_records
        )
        skipped_count += sum(not each.expects_records for each in unanswered)
    warnings = (
        (
            f"the change removes {skipped_count} more AE titles. dcmcfg did not search the archive's database for the "
            "studies of these AE titles",
        )
        if skipped_count
        else ()
    )
    return RecordSearchResult(tuple(records), warnings)


class _SearchTimeout(Exception):
    """The time is over; ``records`` are the results up to then from the archive at ``url``."""

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

    A thread bounds the total time: each request has a time-out, but a search has many of them.
    """
    outcome: SimpleQueue[RecordedStudies | BaseException] = SimpleQueue()
    is_cancelled = Event()

    def query_all() -> None:
        try:
            for name in names:
                if is_cancelled.is_set():
                    return
                outcome.put(_query_records(database, name))
        except BaseException as error:  # noqa: BLE001 — raised again by the waiting thread
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
        # The thread must not send further requests if nothing waits for their results.
        is_cancelled.set()


def _query_records(database: Database, name: RecordedName) -> RecordedStudies:
    unknown_reason = (
        f"dcmcfg does not search the database of {', '.join(name.other_archives)}" if name.other_archives else ""
    )
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
