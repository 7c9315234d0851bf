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
from dcmcfg.model.references.kinds import Kind
from dcmcfg.plan.recorded_names import RecordedName, Records

#: Studies that are counted for one name at most, in pages of 200.
MOST_STUDIES = 2000
#: Titles that are asked for although nothing names them as external archives: a list of thousands may be undone.
MOST_TITLES = 50
#: Seconds for all answers together: a plan is shown only after them.
WITHIN_S = 15.0


@dataclass(frozen=True)
class Recorded:
    """The ``records`` of each name that was asked for, and ``warnings``, a sentence each, on what was not."""

    records: tuple[Records, ...] = ()
    warnings: tuple[str, ...] = ()


def recorded(names: Sequence[RecordedName], reach: Callable[[], Database], *, within_s: float = WITHIN_S) -> Recorded:
    """Return what the database that *reach* returns has recorded under *names*.

    Where it gives no answer, the names under which records are expected are unknown, and the others are left out: a
    workstation can be removed while the archive is down. Of the others the first 50 are asked for. All answers have to
    come *within_s* seconds; of others without one there is a warning. Studies of which the instances differ in their
    external archive (``*``) are not found, so counts are lower bounds.
    """
    expected = [each for each in names if each.expected]
    asked = [*expected, *(each for each in names if not each.expected)][: len(expected) + MOST_TITLES]
    found: list[Records] = []
    left = len(names) - len(asked)
    try:
        found += _answers(asked, reach, time.monotonic() + within_s)
    except _Late as late:
        found += late.answered
        unanswered = asked[len(found) :]
        reason = f"{late.url}: not all answers within {within_s:g} s"
        found += (Records(each, is_all=False, unknown=reason) for each in unanswered if each.expected)
        left += sum(not each.expected for each in unanswered)
    warnings = (
        (f"the archive's database was not asked for studies recorded under {left} more of the AE titles that go",)
        if left
        else ()
    )
    return Recorded(tuple(found), warnings)


class _Late(Exception):
    """The time is over, with only some names ``answered`` by the archive at ``url``."""

    def __init__(self, answered: Sequence[Records], url: str) -> None:
        super().__init__(url)
        self.answered, self.url = answered, url


def _answers(names: Sequence[RecordedName], reach: Callable[[], Database], deadline: float) -> list[Records]:
    """Return the records of *names*; raises :class:`_Late` at the *deadline*, a monotonic time."""
    if not names:
        return []
    answered: list[Records] = []
    try:
        database = reach()
        for each in _asked(database, names, deadline):
            if each is None:
                raise _Late(answered, database.url)
            answered.append(each)
    except DcmcfgError as error:
        reason = f"{error.on}: {error.what}" if error.on else error.what
        left = (Records(each, is_all=False, unknown=reason) for each in names[len(answered) :] if each.expected)
        answered += left
    return answered


def _asked(database: Database, names: Sequence[RecordedName], deadline: float) -> Iterator[Records | None]:
    """Yield the records of each name, and None at the *deadline*.

    A request is bounded in time, but a search has many of them, hence the thread.
    """
    outcome: SimpleQueue[Records | BaseException] = SimpleQueue()
    is_over = Event()

    def ask() -> None:
        try:
            for name in names:
                if is_over.is_set():
                    return
                outcome.put(_records(database, name))
        except BaseException as error:  # noqa: BLE001 — raised by the thread that waits
            outcome.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        for _ in names:
            got = outcome.get(timeout=max(deadline - time.monotonic(), 0))
            if isinstance(got, BaseException):
                raise got
            yield got
    except Empty:
        yield None
    finally:
        is_over.set()


def _records(database: Database, name: RecordedName) -> Records:
    unknown = f"the database of {', '.join(name.elsewhere)} is not asked" if name.elsewhere else ""
    if name.kind is Kind.STORAGE:
        stored = database.studies({"storageID": name.name}, most=MOST_STUDIES)
        local = sum(name.name in each.storage_ids for each in stored)
        return Records(name, local=local, is_all=len(stored) < MOST_STUDIES, unknown=unknown)
    stored = database.studies({"ExternalRetrieveAET": name.name}, most=MOST_STUDIES)
    held = [each for each in stored if each.external == name.name]
    purged = sum(_is_purged(each) for each in held)
    return Records(name, purged, len(held) - purged, is_all=len(stored) < MOST_STUDIES, unknown=unknown)


def _is_purged(study: StoredStudy) -> bool:
    return not study.storage_ids
