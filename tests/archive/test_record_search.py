"""What the archive's database has recorded under names that go, asked of a real server with scripted answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from dcmcfg.archive.database import Database
from dcmcfg.archive.qido import Qido
from dcmcfg.archive.record_search import MAX_STUDIES, MAX_TITLES, RecordSearchResult, search_records
from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.errors import ArchiveError
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies
from tests.archive.scripted import Scripted
from tests.archive.test_qido import qido, study
from tests.patience import PATIENCE_S

TITLE = RecordedName(EntityKind.AE, "LONGTERM", ())
STORAGE = RecordedName(EntityKind.STORAGE, "fs1", ())


def workstation(number: int = 1) -> RecordedName:
    return RecordedName(EntityKind.AE, f"WS{number}", (), expects_records=False)


def reaching(archive: Scripted, *studies: dict[str, object]) -> Callable[[], Database]:
    return lambda: qido(archive, *studies)


def test_only_studies_that_answer_with_the_title_are_counted(archive: Scripted) -> None:
    answers = (
        study("1.1", x45="LONGTERM"),
        study("1.2", x45="LONGTERM", x28="fs1"),
        study("1.3", x45="OTHER"),
        study("1.4", x45="*", x28="fs1"),
    )
    assert search_records([TITLE], reaching(archive, *answers)).records == (RecordedStudies(TITLE, purged=1, local=1),)
    (request,) = archive.requests
    assert request[1].startswith("/dcm4chee-arc/aets/DCM4CHEE/rs/studies?ExternalRetrieveAET=LONGTERM&orderby=")
    assert search_records([STORAGE], reaching(archive, *answers)).records == (RecordedStudies(STORAGE, local=2),)


def test_a_study_counts_once_and_no_more_are_counted_than_the_limit(archive: Scripted) -> None:
    assert search_records([TITLE], reaching(archive, *[study("1.1", x45="LONGTERM")] * 2)).records[0].purged == 1
    many = (study(f"1.{each}", x45="LONGTERM") for each in range(MAX_STUDIES + 1))
    assert search_records([TITLE], reaching(archive, *many)).records == (
        RecordedStudies(TITLE, purged=MAX_STUDIES, is_complete=False),
    )


def test_a_database_of_another_archive_is_unknown_beside_the_counts(archive: Scripted) -> None:
    name = RecordedName(EntityKind.AE, "LONGTERM", (), other_archives=("branch-arc",))
    (found,) = search_records([name], reaching(archive, study("1.1", x45="LONGTERM"))).records
    assert (found.purged, found.unknown_reason) == (1, "dcmcfg does not search the database of branch-arc")


def test_what_cannot_be_asked_is_unknown_where_records_are_expected(archive: Scripted) -> None:
    def unreached() -> Database:
        raise ArchiveError("connection refused", subject="http://arc")

    unknown = RecordedStudies(TITLE, is_complete=False, unknown_reason="http://arc: connection refused")
    assert search_records([workstation(), TITLE], unreached) == RecordSearchResult((unknown,))
    database = qido(archive)
    archive.answer(404)
    (found,) = search_records([TITLE], lambda: database).records
    assert found.unknown_reason == (
        f"{archive.url}/aets/DCM4CHEE/rs/studies: no search service (HTTP 404): no archive has this URL, or "
        "the archive has no AE DCM4CHEE"
    )


def test_nobody_is_asked_about_nothing() -> None:
    assert search_records([], lambda: pytest.fail("asked")) == RecordSearchResult()


def test_of_many_titles_that_nothing_names_the_first_are_asked_for_and_the_rest_is_told(archive: Scripted) -> None:
    found = search_records([*map(workstation, range(MAX_TITLES + 3)), TITLE], reaching(archive))
    assert (len(found.records), found.records[0].name) == (MAX_TITLES + 1, TITLE)
    assert found.warnings == (
        "the change removes 3 more AE titles. dcmcfg did not search the archive's database for the studies of these "
        "AE titles",
    )


@dataclass(frozen=True)
class Slow(Qido):
    """A database that answers about ``quick`` only; every other search waits for a test's end."""

    quick: str = ""

    def find_studies(self, keys: Mapping[str, str], *, max_results: int) -> tuple[StoredStudy, ...]:
        if keys["ExternalRetrieveAET"] != self.quick:
            threading.Event().wait(PATIENCE_S)
        return ()


def test_what_is_not_answered_in_time_is_unknown_or_warned_of(archive: Scripted) -> None:
    """The time is for all names together, not for each."""
    slow = RecordedName(EntityKind.AE, "SLOW", ())
    database = Slow(archive.url, "DCM4CHEE", qido(archive).client, quick="LONGTERM")
    found = search_records([workstation(1), TITLE, slow, workstation(2)], lambda: database, timeout_s=2)
    unknown = f"{archive.url}: some responses were missing after 2 s"
    assert found.records == (RecordedStudies(TITLE), RecordedStudies(slow, is_complete=False, unknown_reason=unknown))
    assert found.warnings == (
        "the change removes 2 more AE titles. dcmcfg did not search the archive's database for the studies of these "
        "AE titles",
    )


def test_an_archive_that_hangs_is_asked_no_longer_than_the_time(archive: Scripted) -> None:
    database = qido(archive)
    archive.hang = threading.Event()
    assert search_records([workstation()], lambda: database, timeout_s=0.1).records == ()
    (found,) = search_records([TITLE], lambda: database, timeout_s=0.1).records
    archive.hang.set()
    assert found.unknown_reason == f"{archive.url}: some responses were missing after 0.1 s"
