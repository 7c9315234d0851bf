"""Runs against an archive that behaves as told."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pynetdicom import evt

from dcmcfg.bulk.attempt import StudyEvidence
from dcmcfg.bulk.events import (
    ArchiveAvailable,
    ArchiveOverloaded,
    ArchiveUnavailable,
    RetryScheduled,
    RunEvent,
    StudyFinished,
)
from dcmcfg.bulk.run import RunEnding, run
from dcmcfg.bulk.run_options import RunOptions, RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.study_result import VerificationOutcome
from dcmcfg.errors import DcmcfgError, DicomError, Unreachable
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.bulk.archive import GOOD, Archive, archive_of, asking, studies
from tests.patience import PATIENCE_S, comes_true
from tests.ports import free_port

pytestmark = pytest.mark.real
QUICK = RunOptions(parallel=4, retries=2, first_back_off_s=0.01, outage_timeout_s=20)
TWELVE = studies(12)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    with ResultStore.open(tmp_path / "results.sqlite", RunParameters({"archive": "here"})) as opened:
        yield opened


def ran(
    archive: Archive, store: ResultStore, uids: list[str], manner: RunOptions = QUICK
) -> tuple[RunEnding, list[RunEvent]]:
    events: list[RunEvent] = []
    store.set_study_list(uids)
    return run(store.list_unfinished_studies(), asking(archive, store), manner, events.append), events


def outcomes(store: ResultStore) -> dict[str, str]:
    return {
        each.study_uid: each.final_result.outcome.value if each.final_result else "open"
        for each in store.read_results()
    }


def test_each_study_is_asked_once_on_few_associations(store: ResultStore) -> None:
    several = threading.Event()

    def wait_for_another(_: MoveExchange) -> None:
        if archive.under_way > 1:
            several.set()
        assert several.wait(PATIENCE_S)
        time.sleep(0.02)

    with archive_of(TWELVE, on_exchange=wait_for_another) as archive:
        ending, events = ran(archive, store, TWELVE)
    assert ending is RunEnding.COMPLETED
    assert sorted(archive.moves) == sorted(TWELVE)
    assert archive.associations <= 4
    assert 1 < archive.most_at_once <= 4
    assert sorted(event.study_uid for event in events if isinstance(event, StudyFinished)) == sorted(TWELVE)
    assert set(outcomes(store).values()) == {"reported"}


def test_one_at_a_time_keeps_the_order(store: ResultStore) -> None:
    with archive_of(TWELVE) as archive:
        ran(archive, store, TWELVE, RunOptions(parallel=1))
    assert archive.moves == TWELVE
    assert archive.associations == 1


def test_what_the_archive_is_short_of_something_for_is_asked_again_and_all_go_slower(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcmcfg.bulk.schedule._FIRST_THROTTLE_S", 0.05)

    def short_once(uid: str, number: int) -> MoveResponse:
        return MoveResponse(0xA701) if (uid, number) == (TWELVE[0], 1) else GOOD

    with archive_of(TWELVE, short_once) as archive:
        _, events = ran(archive, store, TWELVE[:3], RunOptions(parallel=1, first_back_off_s=0.01))
    assert Counter(archive.moves)[TWELVE[0]] == 2
    assert [event for event in events if isinstance(event, ArchiveOverloaded)] == [ArchiveOverloaded("A701")]
    assert [(event.study_uid, event.reason) for event in events if isinstance(event, RetryScheduled)] == [
        (TWELVE[0], "A701")
    ]
    first = store.read_results()[0]
    assert [(each.result.status, each.is_final) for each in first.attempts if each.result] == [
        (0xA701, False),
        (0, True),
    ]


def test_retries_come_to_an_end_and_the_last_answer_stands(store: ResultStore) -> None:
    with archive_of(TWELVE[:1], lambda _uid, _number: None) as archive:
        ran(archive, store, TWELVE[:1])
    assert archive.moves == TWELVE[:1] * 3
    (result,) = store.read_results()
    assert result.final_result is not None
    assert result.final_result.headline.startswith("NOT verified: no final response: the peer aborted the association")
    assert [each.is_final for each in result.attempts] == [False, False, True]


@pytest.mark.parametrize(
    "response",
    [MoveResponse(0xA801, "Unknown AE: X"), MoveResponse(0xA702, "x: Unknown AE: LONGTERM"), MoveResponse(0xC801)],
)
def test_what_cannot_get_better_is_asked_once(store: ResultStore, response: MoveResponse) -> None:
    with archive_of(TWELVE[:2], lambda _uid, _number: response) as archive:
        ran(archive, store, TWELVE[:2])
    assert sorted(archive.moves) == TWELVE[:2]
    assert set(outcomes(store).values()) == {"not verified"}


def test_an_archive_that_is_restarted_is_waited_for(store: ResultStore) -> None:
    port = free_port()
    with ExitStack() as stack:
        first = stack.enter_context(archive_of(TWELVE, port=port, on_exchange=lambda _: time.sleep(0.05)))
        restarted: list[Archive] = []
        events: list[RunEvent] = []

        def restart() -> None:
            while len(first.moves) < 4:
                time.sleep(0.01)
            stack.close()  # who is connected is cut off
            for association in [each for each in threading.enumerate() if type(each).__name__ == "Association"]:
                if association.is_acceptor:  # type: ignore[attr-defined]
                    association.abort(block=False)  # type: ignore[attr-defined]
            assert comes_true(lambda: any(isinstance(each, ArchiveUnavailable) for each in events))
            restarted.append(later.enter_context(archive_of(TWELVE, port=port)))

        with ExitStack() as later:
            thread = threading.Thread(target=restart)
            thread.start()
            store.set_study_list(TWELVE)
            ending = run(
                store.list_unfinished_studies(),
                asking(first, store),
                replace(QUICK, outage_timeout_s=PATIENCE_S),
                events.append,
            )
            thread.join()
            moves = Counter(first.moves) + Counter(restarted[0].moves)
    assert ending is RunEnding.COMPLETED
    assert {
        each.final_result.headline
        for each in store.read_results()
        if each.final_result and not each.final_result.outcome.is_success
    } == set()
    assert [type(event) for event in events if isinstance(event, ArchiveUnavailable | ArchiveAvailable)] == [
        ArchiveUnavailable,
        ArchiveAvailable,
    ]
    attempts = {each.study_uid: len(each.attempts) for each in store.read_results()}
    assert all(moves[uid] <= attempts[uid] for uid in TWELVE)
    answered_by_first = [
        each.study_uid for each in store.read_results() if len(each.attempts) == 1 and each.study_uid in first.moves
    ]
    assert not set(answered_by_first) & set(restarted[0].moves)


def test_an_archive_that_stays_away_ends_the_run(store: ResultStore) -> None:
    closing = ExitStack()
    archive = closing.enter_context(archive_of(TWELVE, lambda uid, _number: GOOD if uid == TWELVE[0] else None))

    def close_after_the_first(event: RunEvent) -> None:
        if isinstance(event, StudyFinished):
            closing.close()

    store.set_study_list(TWELVE)
    options = RunOptions(parallel=1, retries=50, first_back_off_s=0.01, outage_timeout_s=0.5)
    with pytest.raises(DicomError, match=r"was unavailable for 0\.5 s: connection refused"):
        run(store.list_unfinished_studies(), asking(archive, store), options, close_after_the_first)
    assert Counter(outcomes(store).values()) == {"reported": 1, "open": 11}


def test_nobody_is_waited_for_at_an_address_where_nobody_was(store: ResultStore) -> None:
    with archive_of(TWELVE) as archive:
        pass
    with pytest.raises(Unreachable, match="connection refused"):
        ran(archive, store, TWELVE)
    assert set(outcomes(store).values()) == {"open"}


def test_an_archive_that_takes_few_associations_is_asked_on_those(store: ResultStore) -> None:
    def at_most_two(event: evt.Event, number: int) -> bool:
        if number > 2:
            event.assoc.acse.send_reject(2, 3, 2)
            event.assoc.kill()
        return number <= 2

    with archive_of(TWELVE, on_request=at_most_two, on_exchange=lambda _: time.sleep(0.02)) as archive:
        ending, _ = ran(archive, store, TWELVE)
    assert ending is RunEnding.COMPLETED
    assert sorted(archive.moves) == sorted(TWELVE)


def test_a_permanent_rejection_ends_the_run(store: ResultStore) -> None:
    def reject(event: evt.Event, _number: int) -> bool:
        event.assoc.acse.send_reject(1, 1, 3)
        event.assoc.kill()
        return False

    with archive_of(TWELVE, on_request=reject) as archive, pytest.raises(DicomError, match="1/1/3"):
        ran(archive, store, TWELVE)


def test_ctrl_c_cancels_what_is_under_way_and_leaves_the_rest_open(store: ResultStore) -> None:
    def slow(exchange: MoveExchange) -> None:
        if exchange.request.study_uid == TWELVE[3]:
            os.kill(os.getpid(), signal.SIGINT)
        assert comes_true(lambda: exchange.request.study_uid not in TWELVE[3:] or exchange.is_cancelled)

    with archive_of(TWELVE, on_exchange=slow) as archive:
        ending, _ = ran(archive, store, TWELVE, RunOptions(parallel=1))
    assert ending is RunEnding.STOPPED
    assert archive.moves == TWELVE[:4]
    results = store.read_results()
    assert [each.final_result is not None for each in results] == [True] * 3 + [False] * 9
    (cancelled,) = results[3].attempts
    assert cancelled.result is not None
    assert (cancelled.result.outcome, cancelled.is_final) == (VerificationOutcome.CANCELLED, False)


def test_ctrl_c_ends_the_wait_for_an_archive_that_is_away(store: ResultStore) -> None:
    closing = ExitStack()
    archive = closing.enter_context(archive_of(TWELVE, lambda uid, _number: GOOD if uid == TWELVE[0] else None))

    def close_then_stop(event: RunEvent) -> None:
        match event:
            case StudyFinished():
                closing.close()
            case ArchiveUnavailable():
                os.kill(os.getpid(), signal.SIGINT)

    store.set_study_list(TWELVE)
    options = RunOptions(parallel=1, retries=50, first_back_off_s=0.01, outage_timeout_s=10 * PATIENCE_S)
    assert run(store.list_unfinished_studies(), asking(archive, store), options, close_then_stop) is RunEnding.STOPPED


def test_the_second_ctrl_c_aborts_at_once(store: ResultStore) -> None:
    def stuck(exchange: MoveExchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert comes_true(lambda: exchange.is_cancelled), "the first one was heard"
        os.kill(os.getpid(), signal.SIGINT)
        assert comes_true(lambda: exchange.is_abandoned)

    with archive_of(TWELVE, on_exchange=stuck) as archive:
        ending, _ = ran(archive, store, TWELVE, RunOptions(parallel=1))
    assert ending is RunEnding.STOPPED
    assert archive.moves == TWELVE[:1]
    assert set(outcomes(store).values()) == {"open"}


def test_evidence_is_kept_of_each_answer_that_stands_and_before_it_is_recorded(store: ResultStore) -> None:
    saved: list[tuple[str, str]] = []

    def keep(proven: StudyEvidence) -> None:
        uid = proven.evidence.request.study_uid
        assert [event.description for event in proven.timeline.events].count("C-MOVE sent") == 1
        saved.append((uid, outcomes(store)[uid]))

    def once_short(uid: str, number: int) -> MoveResponse:
        return MoveResponse(0xA701) if uid == TWELVE[0] and number == 1 else GOOD

    with archive_of(TWELVE, once_short) as archive:
        store.set_study_list(TWELVE[:3])
        run(store.list_unfinished_studies(), replace(asking(archive, store), save_evidence=keep), QUICK, lambda _: None)
    assert sorted(saved) == [(uid, "open") for uid in TWELVE[:3]], "none of the attempt that was made again"
    assert set(outcomes(store).values()) >= {"reported"}


def test_where_evidence_cannot_be_kept_the_run_ends_and_the_study_stays_open(store: ResultStore) -> None:
    def full(_: StudyEvidence) -> None:
        raise DcmcfgError("the file cannot be written (No space left on device)", subject="proofs")

    with archive_of(TWELVE) as archive:
        store.set_study_list(TWELVE[:1])
        with pytest.raises(DcmcfgError, match="No space left"):
            run(
                store.list_unfinished_studies(),
                replace(asking(archive, store), save_evidence=full),
                QUICK,
                lambda _: None,
            )
    assert outcomes(store) == {TWELVE[0]: "open"}
