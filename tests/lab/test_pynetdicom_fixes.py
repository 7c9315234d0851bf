from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from dcmcfg.lab.pynetdicom_fixes import ReactorCheckpoint
from tests.patience import PATIENCE_S


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
