"""What ``--external-log`` proves with the ``server.log`` that a real archive wrote during seven retrieves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import ConfiguredRoute, Evidence
from dcmcfg.verify.external_log import LogEvidence, get_log_position, read_log_evidence
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.legs import TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.verdict import RouteAssessment, RouteFinding
from tests.verify.evidence import CT, QUESTION

ROOT = "1.2.826.0.1.3680043.8.498.777"
EXPLICIT = "1.2.840.10008.1.2.1"
OWN = frozenset({"DCM4CHEE", "AS_RECEIVED"})
BACK = ConfiguredRoute("DCM4CHEE", "device dcm4chee-arc", OWN, external_requests=frozenset({("LONGTERM", "DCM4CHEE")}))
STRAIGHT = ConfiguredRoute(None, "", OWN, external_requests=frozenset({("LONGTERM", "WORKSTATION")}))
FALLBACK = replace(BACK, external_requests=frozenset({("FALLBACK", "DCM4CHEE")}))
SENT_ALL = MoveOutcome(0x0000, completed=3)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each log is whole when it is read: nothing more is waited for."""
    monkeypatch.setattr("dcmcfg.verify.external_log.LOG_WAIT_S", 0)


@dataclass(frozen=True)
class Scenario:
    log: str
    number: int  # of the study
    outcome: MoveOutcome = SENT_ALL
    route: ConfiguredRoute = BACK
    listed: int = 3
    destination: str = "WORKSTATION"

    @property
    def study(self) -> str:
        return f"{ROOT}.{self.number}"

    @property
    def uids(self) -> tuple[str, ...]:
        return tuple(f"{self.study}.1.{number}" for number in range(1, self.listed + 1))

    @property
    def sought(self) -> LogQuery:
        external = frozenset({"LONGTERM", "FALLBACK"})
        return LogQuery(
            self.study,
            frozenset(self.uids),
            calling_ae_title="DCMCFG",
            archive_ae_titles=OWN,
            external_ae_titles=external,
        )

    def told(self, folder: Path, recordings: Path) -> LogEvidence:
        """Return what the part of the log after the mark shows."""
        path = folder / "server.log"
        path.write_text("2026-11-30 12:00:00,000 INFO  [org.jboss.as] (main) WFLYSRV0025: started\n")
        mark = get_log_position(path)
        with path.open("a") as log:
            log.write((recordings / "logs" / f"{self.log}.log").read_text())
        return read_log_evidence(mark, self.sought)

    def judged(self, told: LogEvidence, received: tuple[ReceivedInstance, ...] | None = None) -> RouteAssessment:
        """Return the route that the log shows; neither the database nor Instance Availability says anything."""
        question = replace(QUESTION, study_uid=self.study, destination_ae_title=self.destination, expected_count=3)
        expected = tuple(
            Instance(
                study_uid=self.study,
                series_uid=f"{self.study}.1",
                sop_class_uid=CT,
                sop_instance_uid=uid,
                availability="ONLINE",
                retrieve_ae_titles=(),
            )
            for uid in self.uids
        )
        evidence = Evidence(
            question,
            expected,
            self.outcome,
            received=received,
            move_records=told.move_records,
            route=self.route,
            legs=told.legs,
            log_is_from_archive=told.is_from_archive_log,
        )
        return judge_evidence(evidence).route


LOCAL = Scenario("A-local", 1)
RECALLED = Scenario("B-purged-set", 4)
PASSED_BY = Scenario("C2-purged-unset-ext-knows", 5, route=STRAIGHT)
BY_FALLBACK = Scenario("E2-fallback-dest", 11, route=FALLBACK, listed=0)
UNKNOWN = Scenario("I-dest-unknown", 1, MoveOutcome(0xA801, "Unknown AE: NOSUCHAE"), destination="NOSUCHAE")
RESTRICTED = Scenario("J-restricted", 1, MoveOutcome(0xA702, failed=3))
PARTLY = Scenario("K-partial", 8, MoveOutcome(0xB000, completed=1))


def legs(told: LogEvidence) -> list[tuple[str, str, int, set[tuple[str, int | None]]]]:
    def kinds(leg: TransferLeg) -> set[tuple[str, int | None]]:
        return {(each.transfer_syntax, each.status) for each in leg.stores}

    return [(leg.calling_ae_title, leg.called_ae_title, len(leg.stores), kinds(leg)) for leg in told.legs]


def test_a_local_study_is_sent_without_asking_anybody(recordings: Path, tmp_path: Path) -> None:
    told = LOCAL.told(tmp_path, recordings)
    assert (told.move_records, told.is_from_archive_log) == ((), True)
    assert legs(told) == [("DCM4CHEE", "WORKSTATION", 3, {(EXPLICIT, 0)})]
    route = LOCAL.judged(told)
    assert route.finding is RouteFinding.NOT_SHOWN
    assert "per the archive's log, the archive sent no C-MOVE for this study to another AE in this run" in route.reasons


def test_a_purged_study_comes_back_and_is_forwarded(recordings: Path, tmp_path: Path) -> None:
    told = RECALLED.told(tmp_path, recordings)
    assert legs(told) == [
        ("LONGTERM", "DCM4CHEE", 3, {(EXPLICIT, 0)}),
        ("DCM4CHEE", "WORKSTATION", 3, {(EXPLICIT, 0)}),
    ]
    route = RECALLED.judged(told)
    assert (route.finding, route.shown_count) == (RouteFinding.SHOWN, 3)
    assert route.reasons[0] == (
        "per the archive's log, the archive sent a C-MOVE to LONGTERM (calling AE title DCMCFG, Move Destination "
        "DCM4CHEE): 0000, 3 completed; the archive forwarded 3 of these instances to WORKSTATION"
    )


def test_a_log_that_shows_another_way_than_the_tree_contradicts_it(recordings: Path, tmp_path: Path) -> None:
    told = RECALLED.told(tmp_path, recordings)
    assert replace(RECALLED, route=STRAIGHT).judged(told).finding is RouteFinding.CONTRADICTED


def test_a_purged_study_is_sent_past_the_archive(recordings: Path, tmp_path: Path) -> None:
    told = PASSED_BY.told(tmp_path, recordings)
    assert told.legs == ()  # the archive does not see what the external archive sends elsewhere
    asked = (
        "per the archive's log, the archive sent a C-MOVE to LONGTERM (calling AE title DCMCFG, Move Destination "
        "WORKSTATION): 0000, 3 completed"
    )
    relayed = (
        "; the archive only passes on this response from the external archive (to observe the delivery, use --receive)"
    )
    route = PASSED_BY.judged(told)
    assert (route.finding, route.shown_count, route.reasons[0]) == (RouteFinding.NOT_SHOWN, 0, asked + relayed)
    received = tuple(
        ReceivedInstance(
            sop_instance_uid=uid,
            sop_class_uid=CT,
            study_uid=PASSED_BY.study,
            calling_ae_title="LONGTERM",
            move_originator_ae_title="DCMCFG",
            data_set_length=9,
            transfer_syntax=EXPLICIT,
        )
        for uid in PASSED_BY.uids
    )
    route = PASSED_BY.judged(told, received)
    assert (route.finding, route.shown_count, route.reasons[0]) == (RouteFinding.SHOWN, 3, asked)


def test_an_unlisted_study_comes_by_the_fallback(recordings: Path, tmp_path: Path) -> None:
    told = BY_FALLBACK.told(tmp_path, recordings)
    assert legs(told) == [
        ("FALLBACK", "DCM4CHEE", 3, {(EXPLICIT, 0)}),
        ("DCM4CHEE", "WORKSTATION", 3, {(EXPLICIT, 0)}),
    ]
    route = BY_FALLBACK.judged(told)
    assert (route.finding, route.shown_count) == (RouteFinding.SHOWN, 3)
    assert "to FALLBACK (calling AE title DCMCFG, Move Destination DCM4CHEE)" in route.reasons[0]


@pytest.mark.parametrize("scenario", [UNKNOWN, RESTRICTED], ids=lambda each: each.log)
def test_a_request_that_the_archive_refuses_asks_nobody(scenario: Scenario, recordings: Path, tmp_path: Path) -> None:
    told = scenario.told(tmp_path, recordings)
    assert (told.move_records, told.legs) == ((), ())
    assert scenario.judged(told).finding is RouteFinding.NOT_SHOWN


def test_of_a_partly_purged_study_only_what_was_local_is_forwarded(recordings: Path, tmp_path: Path) -> None:
    told = PARTLY.told(tmp_path, recordings)
    assert legs(told) == [
        ("DCM4CHEE", "WORKSTATION", 1, {(EXPLICIT, 0)}),
        ("LONGTERM", "DCM4CHEE", 3, {(EXPLICIT, 0)}),
    ]
    route = PARTLY.judged(told)
    assert route.finding is RouteFinding.NOT_SHOWN
    assert (
        "per the archive's log, the archive sent a C-MOVE to LONGTERM (calling AE title DCM4CHEE, Move Destination "
        "DCM4CHEE): 0000, 3 completed; the archive forwarded none of these instances to WORKSTATION"
    ) in route.reasons
    # Whatever the status: nothing that LONGTERM sent reached the destination.
    assert replace(PARTLY, outcome=SENT_ALL).judged(told).finding is RouteFinding.NOT_SHOWN


def test_two_retrieves_at_a_time_are_told_apart(recordings: Path, tmp_path: Path) -> None:
    """Both come from DCMCFG as message 3; the other is of study 44, on other associations and threads."""
    text = (recordings / "logs" / "B-purged-set.log").read_text()
    other = re.sub(r"\((8\d)\)", r"(1\1)", text.replace(RECALLED.study, f"{ROOT}.44")).replace("Thread-", "Thread-9")
    one, two = (re.split(r"(?m)^(?=2026)", each)[1:] for each in (text, other))
    path = tmp_path / "server.log"
    path.touch()
    mark = get_log_position(path)
    path.write_text("".join(line for pair in zip(one, two, strict=True) for line in pair))
    for scenario in (RECALLED, replace(RECALLED, number=44)):
        told = read_log_evidence(mark, scenario.sought)
        assert [(each.completed, each.forwarded_count) for each in told.move_records or ()] == [(3, 3)]
        assert scenario.judged(told).finding is RouteFinding.SHOWN
        assert [(leg.calling_ae_title, leg.called_ae_title, len(leg.stores)) for leg in told.legs] == [
            ("LONGTERM", "DCM4CHEE", 3),
            ("DCM4CHEE", "WORKSTATION", 3),
        ]
    # Without the instances nobody can tell what was sent for which.
    told = read_log_evidence(mark, replace(RECALLED, listed=0).sought)
    assert [each.forwarded_count for each in told.move_records or ()] == [0]


def test_the_server_log_of_an_external_archive_is_read_the_same_way(recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.touch()
    mark = get_log_position(path)
    path.write_text((recordings / "logs" / "A-local.log").read_text())
    outer = replace(LOCAL.sought, archive_ae_titles=frozenset({"OUTER"}), external_ae_titles=frozenset({"DCM4CHEE"}))
    told = read_log_evidence(mark, outer)
    (record,) = told.move_records or ()
    assert (record.calling_ae_title, record.called_ae_title, record.destination_ae_title) == (
        "DCMCFG",
        "DCM4CHEE",
        "WORKSTATION",
    )
    assert (record.study_uid, record.status, record.completed, record.is_from_archive_log) == (LOCAL.study, 0, 3, False)
    assert [leg.evidence_source for leg in told.legs] == ["DCM4CHEE's log"]


def test_the_log_of_another_caller_or_another_node_tells_nothing(recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.touch()
    mark = get_log_position(path)
    path.write_text((recordings / "logs" / "B-purged-set.log").read_text())
    told = read_log_evidence(mark, replace(RECALLED.sought, calling_ae_title="VIEWER"))
    assert told.move_records is None
    assert "is the archive's own log, but does not show the C-MOVE from VIEWER" in told.reason
    assert read_log_evidence(mark, LOCAL.sought).move_records is None


def test_a_log_that_was_exchanged_counts_by_its_times(recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("\n" * 100_000)
    mark = get_log_position(path)
    text = (recordings / "logs" / "B-purged-set.log").read_text()
    path.write_text(text)  # cut, and begun anew
    assert read_log_evidence(mark, RECALLED.sought).move_records == ()
    now = datetime.now(UTC).replace(microsecond=0)
    path.write_text(re.sub(r"(?m)^2026-11-30 12:02:3\d,\d{3}", f"{now.astimezone():%Y-%m-%d %H:%M:%S},000", text))
    (record,) = read_log_evidence(replace(mark, time=now), RECALLED.sought).move_records or ()
    assert (record.forwarded_count, record.started) == (3, now)


def test_what_the_archive_asked_before_the_mark_is_not_of_this_run(recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text((recordings / "logs" / "B-purged-set.log").read_text())
    told = read_log_evidence(get_log_position(path), RECALLED.sought)
    assert (told.move_records, told.legs) == (None, ())
