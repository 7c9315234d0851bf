"""Many peers called at once, against real SCPs, refusing ports and silent ones."""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import replace

import pytest
from pynetdicom import evt
from pynetdicom.dul import DULServiceProvider

from dcmcfg.connectivity import probe
from dcmcfg.connectivity.call import CallResult, CallStage, PeerEndpoint, call_peer
from dcmcfg.connectivity.probe import probe_all
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from tests.dicom.dcmtk import LOOPBACK
from tests.echo_scps import UNKNOWN_HOST, echo_scp, silent_listener
from tests.patience import PATIENCE_S, PATIENT, comes_true
from tests.ports import free_port

pytestmark = pytest.mark.real


def loopback(number: int) -> str:
    return f"127.0.0.{number}"


def test_each_peer_gets_its_verdict() -> None:
    refusing = free_port()
    with echo_scp("CT1", only=True) as ct, silent_listener() as silent:
        verdicts = probe_all(
            [
                PeerEndpoint(Peer("CT1", LOOPBACK, ct)),
                PeerEndpoint(Peer("CT2", LOOPBACK, ct)),
                PeerEndpoint(Peer("CT1", LOOPBACK, refusing)),
                PeerEndpoint(Peer("CT1", UNKNOWN_HOST, 104)),
                PeerEndpoint(Peer("CT1", LOOPBACK, silent)),
            ],
            "DCM4CHEE",
            timeouts=replace(PATIENT, acse=5),
        )
    assert [result.problem.partition(" (")[0] for result in verdicts] == [
        "",
        "the association was rejected permanently by the application: called AE title not recognised",
        "connection refused: nothing listens at this address",
        f"the host name {UNKNOWN_HOST} cannot be resolved",
        "no answer to the association request within 5 s",
    ]
    assert [result.is_reached for result in verdicts] == [True, True, False, False, True]
    assert verdicts[0].seconds > 0


def test_no_more_are_called_at_once_than_is_said_and_one_address_by_one_at_a_time() -> None:
    lock, now, most, together = threading.Lock(), [0], [0], threading.Event()
    addresses = [loopback(number) for number in range(1, 9)]

    def echoed(_event: evt.Event) -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == 3:
                together.set()
        try:
            together.wait(PATIENCE_S)
            return respond_late()
        finally:
            with lock:
                now[0] -= 1

    handlers = [(evt.EVT_C_ECHO, echoed)]
    with echo_scp("X", addresses=addresses, handlers=handlers) as port:
        endpoints = [PeerEndpoint(Peer(f"X{number}", addresses[number % 8], port)) for number in range(24)]
        assert all(result.is_success for result in probe_all(endpoints, "ME", parallel=3, timeouts=PATIENT))
        assert most[0] == 3
        most[0] = 0
        same = [PeerEndpoint(Peer(f"X{number}", LOOPBACK, port)) for number in range(5)]
        assert all(result.is_success for result in probe_all(same, "ME", parallel=8, timeouts=PATIENT))
        assert most[0] == 1


def respond_late() -> int:
    time.sleep(0.1)
    return 0x0000


def test_an_address_that_cannot_be_reached_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def noting(endpoint: PeerEndpoint, calling: str, timeouts: DicomTimeouts, tls: ssl.SSLContext | None) -> CallResult:
        called.append(endpoint.peer.ae_title)
        return call_peer(endpoint, calling, timeouts, tls)

    monkeypatch.setattr(probe, "call_peer", noting)
    port = free_port()
    verdicts = probe_all([PeerEndpoint(Peer(f"X{n}", LOOPBACK, port)) for n in range(4)], "ME", timeouts=PATIENT)
    assert called == ["X0"]
    assert {result.problem for result in verdicts} == {"connection refused: nothing listens at this address"}


def test_a_name_service_that_keeps_silent_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(probe, "call_peer", lambda *_: CallResult(released.wait(PATIENCE_S)))
    hurry = DicomTimeouts(connect=0.1, acse=0.1, dimse=0.1, network=0.1)
    (result,) = probe_all([PeerEndpoint(Peer("X", "slow.example.org", 104))], "ME", timeouts=hurry)
    released.set()
    assert result == CallResult(problem="no answer within 0.6 s", failed_stage=CallStage.TCP)


def test_what_is_wrong_with_the_probe_itself_is_a_verdict_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> CallResult:
        raise ValueError("out of order")

    monkeypatch.setattr(probe, "call_peer", broken)
    (result,) = probe_all([PeerEndpoint(Peer("X", LOOPBACK, 104))], "ME", timeouts=PATIENT)
    assert result.problem == "internal error (ValueError: out of order)"


def test_an_interruption_ends_what_is_under_way() -> None:
    def interrupt(_number: int, _verdict: CallResult) -> None:
        raise KeyboardInterrupt

    with silent_listener() as silent, silent_listener() as other:
        endpoints = [PeerEndpoint(Peer("X", LOOPBACK, port)) for port in (silent, other, free_port())]
        with pytest.raises(KeyboardInterrupt):
            probe_all(endpoints, "ME", timeouts=PATIENT, on_result=interrupt)
        none_left = comes_true(lambda: not any(isinstance(each, DULServiceProvider) for each in threading.enumerate()))
        assert none_left, "a thread would keep the process alive"


def test_nobody_to_probe_is_no_verdict() -> None:
    assert probe_all([], "ME") == ()
