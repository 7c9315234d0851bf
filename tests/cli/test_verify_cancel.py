"""Ctrl-C during ``dcmcfg verify``, at a terminal."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.cli.at_terminal import interrupted_at_terminal
from tests.cli.verifying import STUDY
from tests.dicom import dcmtk
from tests.dicom.dcmtk import Made
from tests.patience import PATIENCE_S
from tests.verify.scripted_archive import scripted_archive

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("verify")]


def _verify(archive: Peer, *options: str) -> tuple[str, ...]:
    where = ("--connect", f"{archive.host}:{archive.port}")
    return ("verify", "--study", STUDY, "--dest", "WORKSTATION", *where, *options)


class _Slow:
    """An archive that sends one of three, and then nothing until it is asked to stop."""

    def __init__(self, answer: MoveResponse | None) -> None:
        self.sent = threading.Event()
        self.cancelled = threading.Event()
        self.gone = threading.Event()
        self._answer = answer

    def __call__(self, exchange: MoveExchange) -> MoveResponse | None:
        exchange.send(MoveResponse(0xFF00, remaining=2, completed=1, failed=0, warning=0))
        self.sent.set()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not exchange.is_abandoned:
            if exchange.is_cancelled:
                self.cancelled.set()
                if self._answer is not None:
                    return self._answer
            time.sleep(0.01)
        self.gone.set()
        return None


def _is_set(event: threading.Event) -> Callable[[], object]:
    def wait() -> None:
        assert event.wait(PATIENCE_S)

    return wait


def test_the_first_ctrl_c_cancels_and_the_partial_verdict_is_told(made: Made) -> None:
    slow = _Slow(MoveResponse(0xFE00, remaining=2, completed=1))
    with scripted_archive(made, slow) as archive:
        code, shown = interrupted_at_terminal(_verify(archive), _is_set(slow.sent))
    assert code == 1
    assert slow.cancelled.is_set()
    assert "NOT verified: cancelled by you; 1 of 3 completed\n" in shown
    assert "Reported  FE00 cancelled\n          completed=1, failed=0, warning=0 (expected: 3)\n" in shown
    assert "Next step" not in shown


def test_the_second_ctrl_c_stops_at_once(made: Made) -> None:
    slow = _Slow(None)
    with scripted_archive(made, slow) as archive:
        code, shown = interrupted_at_terminal(_verify(archive), _is_set(slow.sent), _is_set(slow.cancelled))
        assert slow.gone.wait(PATIENCE_S), "the association was aborted"
    assert code == 1
    assert "dcmcfg: interrupted: the C-MOVE was sent, but dcmcfg did not wait for the result\n" in shown


def test_a_cancel_that_comes_too_late_spoils_nothing(made: Made) -> None:
    slow = _Slow(MoveResponse(0x0000, completed=3))
    with scripted_archive(made, slow) as archive:
        code, shown = interrupted_at_terminal(_verify(archive), _is_set(slow.sent))
    assert code == 0
    assert "reported, not observed: the archive reports 3 of 3 instances as sent to WORKSTATION" in shown


def test_dcmqrscp_stops_and_says_how_far_it_came(
    plain_pacs: Peer, workstation: Peer, tmp_path: Path, made: Made
) -> None:
    stored = tmp_path / "stored"

    def first_has_arrived() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not dcmtk.stored_in(stored):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    slowly = ["--sleep-after", "1"]
    with dcmtk.storescp(stored, ae_title="WORKSTATION", port=workstation.port, options=slowly):
        code, shown = interrupted_at_terminal(_verify(plain_pacs, "--json"), first_has_arrived)
    verdict = json.loads(shown[shown.index("{") :])
    assert (code, verdict["reported"]["status_hex"]) == (1, "FE00")
    assert verdict["reported"]["reasons"][0] == "cancelled by you"
    assert 0 < verdict["reported"]["completed"] < len(made.files)
    assert verdict["request"]["requests"][0]["cancelled"] is True


def test_before_the_move_ctrl_c_is_130(workstation: Peer) -> None:
    with socket.socket() as listener:
        listener.bind((workstation.host, 0))
        listener.listen()
        silent = Peer("DCM4CHEE", workstation.host, listener.getsockname()[1])
        connections: list[socket.socket] = []  # a connection that nobody keeps is closed, which would be an answer
        code, shown = interrupted_at_terminal(_verify(silent), lambda: connections.append(listener.accept()[0]))
        connections[0].close()
    assert code == 130, shown
