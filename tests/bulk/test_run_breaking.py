"""Runs at archives that take associations and break them."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import evt

from dcmcfg.bulk.events import ArchiveAvailable, ArchiveUnavailable, RunEvent
from dcmcfg.bulk.run import RunEnding, run
from dcmcfg.bulk.run_options import RunOptions, RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import DicomError
from dcmcfg.lab.listener import build_archive_contexts, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.bulk.archive import GOOD, Archive, archive_of, asking, studies
from tests.dicom.dcmtk import LOOPBACK
from tests.patience import PATIENCE_S
from tests.ports import free_port

pytestmark = pytest.mark.real
SIX = studies(6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    with ResultStore.open(tmp_path / "results.sqlite", RunParameters({"archive": "here"})) as opened:
        opened.set_study_list(SIX)
        yield opened


def make_options(parallel: int, retries: int, patience_s: float) -> RunOptions:
    return RunOptions(parallel, retries, first_back_off_s=0.01, outage_timeout_s=patience_s)


def outcomes(store: ResultStore) -> Counter[str]:
    return Counter(each.final_result.outcome.value if each.final_result else "open" for each in store.read_results())


@pytest.mark.parametrize("parallel", [1, 4])
def test_an_archive_that_breaks_each_association_for_a_while_costs_no_study_its_retries(
    store: ResultStore, parallel: int
) -> None:
    events: list[RunEvent] = []
    broken = 6

    def break_at_first(_uid: str, _number: int) -> MoveResponse | None:
        return None if len(archive.moves) <= broken else GOOD

    with archive_of(SIX, break_at_first) as archive:
        ending = run(
            store.list_unfinished_studies(), asking(archive, store), make_options(parallel, 1, 60), events.append
        )
    assert (ending, outcomes(store)) == (RunEnding.COMPLETED, {"reported": 6})
    assert len(archive.moves) == broken + 6, "nothing was asked again that had its answer"
    (away, back) = [event for event in events if isinstance(event, ArchiveUnavailable | ArchiveAvailable)]
    assert isinstance(away, ArchiveUnavailable)
    assert away.reason.startswith(
        "the archive breaks every association. Last reason: no final response: the peer aborted"
    )
    assert isinstance(back, ArchiveAvailable)


def test_the_others_do_not_wait_for_the_end_of_the_first_c_move_that_it_is_at_again(store: ResultStore) -> None:
    number, at_it = itertools.count(1), []
    answers: dict[int, MoveResponse | None] = {}

    def be_at_it_once_three_have_broken(exchange: MoveExchange) -> None:
        this = next(number)
        answers[threading.get_ident()] = GOOD if this > 3 else None
        if this <= 3:
            return
        at_it.append(this)
        deadline = time.monotonic() + PATIENCE_S
        while len(at_it) < 2 and time.monotonic() < deadline:
            exchange.send(MoveResponse(0xFF00, remaining=1))
            time.sleep(0.02)
        assert len(at_it) >= 2

    with archive_of(
        SIX, lambda _uid, _number: answers[threading.get_ident()], on_exchange=be_at_it_once_three_have_broken
    ) as archive:
        run(store.list_unfinished_studies(), asking(archive, store), make_options(2, 1, 60), lambda _: None)
    assert outcomes(store) == {"reported": 6}
    assert sorted(Counter(archive.moves).values()) == [1, 1, 1, 2, 2, 2]


def test_one_that_goes_on_with_that_ends_the_run_and_leaves_the_studies_open(store: ResultStore) -> None:
    with archive_of(SIX, lambda _uid, _number: None) as archive:
        with pytest.raises(
            DicomError, match=r"for 0\.3 s, the archive broke every association\. Last reason: no final"
        ) as error_info:
            run(store.list_unfinished_studies(), asking(archive, store), make_options(4, 50, 0.3), lambda _: None)
        assert error_info.value.subject == str(archive.peer)
    assert outcomes(store) == {"open": 6}
    tried = sum(len(each.attempts) for each in store.read_results())
    assert 1 <= tried <= 40, "ever more slowly"


def test_one_that_breaks_each_at_the_query_ends_the_run_too(store: ResultStore) -> None:
    associations = []

    def abort(event: evt.Event) -> Iterator[tuple[int, None]]:
        associations.append(event.assoc)
        event.assoc.abort(block=False)
        yield 0x0000, None

    archive = Archive(Peer("DCM4CHEE", LOOPBACK, free_port()))
    with (
        listen("DCM4CHEE", archive.peer.port, [(evt.EVT_C_FIND, abort)], build_archive_contexts()),
        pytest.raises(DicomError, match=r"for 0\.3 s, the archive broke every association"),
    ):
        run(store.list_unfinished_studies(), asking(archive, store), make_options(2, 50, 0.3), lambda _: None)
    assert outcomes(store) == {"open": 6}
    assert len(associations) <= 60


def test_studies_at_which_the_archive_breaks_are_told_apart_from_the_others(store: ResultStore) -> None:
    with archive_of(SIX, lambda uid, _number: None if uid in SIX[:2] else GOOD) as archive:
        run(store.list_unfinished_studies(), asking(archive, store), make_options(1, 2, 60), lambda _: None)
    assert outcomes(store) == {"reported": 4, "not verified": 2}
    assert Counter(archive.moves) == Counter(SIX) + Counter(SIX[:2] * 2)


def test_what_is_left_and_breaks_when_patience_is_over_has_that_for_its_answer(store: ResultStore) -> None:
    with archive_of(SIX, lambda uid, _number: None if uid in SIX[3:] else GOOD) as archive:
        ending = run(store.list_unfinished_studies(), asking(archive, store), make_options(1, 0, 0.3), lambda _: None)
    assert (ending, outcomes(store)) == (RunEnding.COMPLETED, {"reported": 3, "not verified": 3})
