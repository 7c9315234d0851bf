from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.presentation import build_context

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import listen
from dcmcfg.lab.move_scp import MoveExchange, NoFinalResponse, install_move_handler
from dcmcfg.lab.pynetdicom_fixes import ReactorCheckpoint, abort_association
from dcmcfg.lab.requestor import open_association
from dcmcfg.well_known_uids import STUDY_ROOT_MOVE
from tests.patience import PATIENCE_S
from tests.ports import free_port


@dataclass
class Association:
    _is_paused: bool = False


def passing(checkpoint: ReactorCheckpoint, association: Association) -> threading.Thread:
    """A thread at the checkpoint, as pynetdicom's."""

    def run() -> None:
        association._is_paused = True
        checkpoint.wait()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_who_has_not_said_that_it_passed_when_the_checkpoint_is_closed_waits() -> None:
    association = Association()
    checkpoint = ReactorCheckpoint(association)
    with checkpoint._lock:  # the thread has seen that the event is set, and gets no further
        thread = passing(checkpoint, association)
        while not association._is_paused:
            time.sleep(0.001)
        time.sleep(0.05)
        threading.Event.clear(checkpoint)
    thread.join(0.2)
    assert thread.is_alive()
    assert association._is_paused
    checkpoint.set()
    thread.join(PATIENCE_S)
    assert not association._is_paused


def test_who_passes_an_open_checkpoint_has_said_so() -> None:
    association = Association()
    thread = passing(ReactorCheckpoint(association), association)
    thread.join(PATIENCE_S)
    assert not association._is_paused


def test_waiting_may_be_bounded() -> None:
    checkpoint = ReactorCheckpoint(Association())
    checkpoint.clear()
    assert not checkpoint.wait(0.01)


def test_a_local_abort_ends_the_wait_for_a_response() -> None:
    is_asked = threading.Event()

    def keep_silent(_: MoveExchange) -> NoFinalResponse:
        is_asked.set()
        return NoFinalResponse.KEEP_ASSOCIATION

    def answer_never(event: evt.Event) -> None:
        install_move_handler(event.assoc, keep_silent)

    port = free_port()
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    responses: list[Dataset] = []
    with (
        listen("SILENT", port, [(evt.EVT_REQUESTED, answer_never)], [build_context(STUDY_ROOT_MOVE)]),
        open_association("CALLER", Peer("SILENT", "127.0.0.1", port), [build_context(STUDY_ROOT_MOVE)]) as association,
    ):
        moves = association.send_c_move(identifier, "DESTINATION", STUDY_ROOT_MOVE)
        waiting = threading.Thread(target=lambda: responses.extend(status for status, _ in moves), daemon=True)
        waiting.start()
        assert is_asked.wait(PATIENCE_S)
        abort_association(association)
        waiting.join(PATIENCE_S)
        assert not waiting.is_alive()
        assert [dict(each) for each in responses] == [{}]
