"""Runs whose destination we are, at archives that send as told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context

from dcmcfg.bulk.run import run
from dcmcfg.bulk.run_options import RunOptions, RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.requestor import open_association, send_file
from tests.bulk.archive import GOOD, Archive, OnMove, archive_of, asking, studies
from tests.dicom.dcmtk import LOOPBACK, make_instances
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real
SIX = studies(6)
CT = [build_context(CTImageStorage, ExplicitVRLittleEndian)]


class Received:
    """An archive that sends to us, and what a run made of it."""

    def __init__(self, folder: Path, store: ResultStore, receiver: Receiver) -> None:
        self._store, self._receiver = store, receiver
        self._files = {uid: make_instances(folder / uid, uid, per_series=1).files[0] for uid in SIX}

    def send(self, uid: str, message_id: int) -> None:
        """Send the instance of that study for the C-MOVE of that number."""
        workstation = Peer(self._receiver.ae_title, LOOPBACK, self._receiver.port)
        with open_association("DCM4CHEE", workstation, CT) as association:
            send_file(association, self._files[uid], originator_ae_title="DCMCFG", message_id=message_id)

    def headlines(
        self, uids: Sequence[str], on_exchange: Callable[[Archive, MoveExchange], None], on_move: OnMove
    ) -> dict[str, str]:
        """Ask for *uids*, two at once; return what is said of each."""
        self._store.set_study_list(uids)
        with archive_of(SIX, on_move, on_exchange=lambda each: on_exchange(archive, each)) as archive:
            how = replace(asking(archive, self._store), receiver=self._receiver)
            run(
                self._store.list_unfinished_studies(),
                how,
                RunOptions(parallel=2, first_back_off_s=0.01),
                lambda _: None,
            )
        return {
            each.study_uid: each.final_result.headline if each.final_result else "open"
            for each in self._store.read_results()
        }


@pytest.fixture
def received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    monkeypatch.setattr("dcmcfg.bulk.attempt.LATE_ARRIVAL_WAIT_S", 0.2)
    with ExitStack() as stack:
        store = stack.enter_context(ResultStore.open(tmp_path / "results.sqlite", RunParameters({"archive": "here"})))
        receiver = stack.enter_context(Receiver("STORESCP", LOOPBACK, 0, DicomTimeouts()))
        yield Received(tmp_path, store, receiver)


def test_a_slow_study_keeps_its_number_while_the_others_use_up_all_there_are(
    received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcmcfg.bulk.attempt._MESSAGE_IDS", range(0x1000, 0x1002))
    monkeypatch.setattr("dcmcfg.bulk.attempt.LATE_ARRIVAL_WAIT_S", 5.0)
    all_asked = threading.Event()

    def send(archive: Archive, exchange: MoveExchange) -> None:
        uid = exchange.request.study_uid
        if len(archive.moves) == len(SIX):
            all_asked.set()
        assert uid != SIX[0] or all_asked.wait(PATIENCE_S)
        received.send(uid, exchange.request.message_id)

    headlines = received.headlines(SIX, send, lambda _uid, _number: GOOD)
    assert {uid: each.partition(";")[0] for uid, each in headlines.items()} == dict.fromkeys(
        SIX, "verified: 1 of 1 instance received by STORESCP"
    )


def test_what_comes_late_for_the_first_attempt_does_not_make_the_second_a_yes(received: Received) -> None:
    numbers: list[int] = []

    def send_late(_: Archive, exchange: MoveExchange) -> None:
        numbers.append(exchange.request.message_id)
        if len(numbers) == 2:
            received.send(SIX[0], numbers[0])

    def fail_once(_uid: str, number: int) -> MoveResponse:
        return GOOD if number == 2 else MoveResponse(0xA702, "out of drives", failed=1)

    headlines = received.headlines(SIX[:1], send_late, fail_once)
    assert headlines == {
        SIX[0]: (
            "NOT verified: nothing arrived at STORESCP; 1 instance for an earlier C-MOVE of this study arrived too "
            "late; dcmcfg does not count late instances"
        )
    }
    assert len(numbers) == 2
