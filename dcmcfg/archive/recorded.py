"""What the archive's database has recorded under names that a plan takes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.archive.database import Database
from dcmcfg.archive.stored import StoredStudy
from dcmcfg.errors import DcmcfgError
from dcmcfg.plan.recorded_names import RecordedName, Records
from dcmcfg.references.kinds import Kind

#: Studies that are counted for one name at most, in pages of 200.
MOST_STUDIES = 2000
#: Titles that are asked for although nothing names them as external archives: a list of thousands may be undone.
MOST_TITLES = 50


@dataclass(frozen=True)
class Recorded:
    """The ``records`` of each name that was asked for, and ``warnings``, a sentence each, on what was not."""

    records: tuple[Records, ...] = ()
    warnings: tuple[str, ...] = ()


def recorded(names: Sequence[RecordedName], reach: Callable[[], Database]) -> Recorded:
    """Return what the database that *reach* returns has recorded under *names*.

    Where it gives no answer, the names under which records are expected are unknown, and the others are left out: a
    workstation can be removed while the archive is down. Of the others the first 50 are asked for. Studies of which
    the instances differ in their external archive (``*``) are not found, so counts are lower bounds.
    """
    expected = [each for each in names if each.expected]
    asked = [*expected, *(each for each in names if not each.expected)][: len(expected) + MOST_TITLES]
    left = len(names) - len(asked)
    warnings = (
        (f"the archive's database was not asked for studies recorded under {left} more of the AE titles that go",)
        if left
        else ()
    )
    return Recorded(tuple(_answers(asked, reach)), warnings)


def _answers(names: Sequence[RecordedName], reach: Callable[[], Database]) -> Iterator[Records]:
    if not names:
        return
    answered = 0
    try:
        database = reach()
        for each in names:
            yield _records(database, each)
            answered += 1
    except DcmcfgError as error:
        reason = f"{error.on}: {error.what}" if error.on else error.what
        yield from (Records(each, is_all=False, unknown=reason) for each in names[answered:] if each.expected)


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
