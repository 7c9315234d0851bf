"""Test whether many peers answer a C-ECHO, several of them in parallel."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from dcmcfg.connectivity.call import CallResult, CallStage, PeerEndpoint, call_peer
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.ul.association import force_close_all

#: A peer in the same hospital answers in milliseconds; a sleeping one or one behind a VPN may take a second.
PROBE_TIMEOUTS = DicomTimeouts(connect=5, acse=5, dimse=5, network=5)
DEFAULT_PARALLEL = 16


@dataclass(frozen=True)
class ProbeCall:
    """A call of ``endpoint`` as ``calling_ae_title``."""

    endpoint: PeerEndpoint
    calling_ae_title: str


def probe_all(
    endpoints: Sequence[PeerEndpoint],
    calling_ae_title: str,
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = DEFAULT_PARALLEL,
    timeouts: DicomTimeouts = PROBE_TIMEOUTS,
    on_result: Callable[[int, CallResult], None] = lambda _number, _verdict: None,
) -> tuple[CallResult, ...]:
    """Return the result for each of *endpoints*, called as *calling_ae_title*, as :func:`probe_calls` does."""
    calls = [ProbeCall(each, calling_ae_title) for each in endpoints]
    return probe_calls(calls, tls=tls, parallel=parallel, timeouts=timeouts, on_result=on_result)


def probe_calls(
    calls: Sequence[ProbeCall],
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = DEFAULT_PARALLEL,
    timeouts: DicomTimeouts = PROBE_TIMEOUTS,
    on_result: Callable[[int, CallResult], None] = lambda _number, _verdict: None,
) -> tuple[CallResult, ...]:
    """Return the result for each of *calls*, at most *parallel* of them at once.

    *tls* is required if one of them is called over TLS. Each address is called by one probe at a time, because many
    peers accept few associations; if it cannot be reached, the other endpoints with this address are not tried.
    *on_result* is called with the number and result of each as it arrives. Each probe takes at most three connection
    time-outs, two answers to association requests and one echo response, even with a silent name service. On an
    interruption, open associations are aborted.
    """
    run = _ProbeRun(calls, tls=tls, timeouts=timeouts, on_result=on_result)
    try:
        while not run.is_done:
            run.start_probes(parallel)
            run.collect_result()
    except BaseException:
        # The threads end with the process and would leave their associations open at the peers.
        force_close_all()
        raise
    return tuple(run.results[number] for number in range(len(calls)))


class _ProbeRun:
    """The waiting, running and finished probes of one run."""

    def __init__(
        self,
        calls: Sequence[ProbeCall],
        *,
        tls: ssl.SSLContext | None,
        timeouts: DicomTimeouts,
        on_result: Callable[[int, CallResult], None],
    ) -> None:
        self._calls, self._tls, self._timeouts = calls, tls, timeouts
        self._on_result = on_result
        # A probe may connect, do a TLS handshake, and connect again to test the other protocol. It waits for two
        # association answers and one echo response at most.
        self._max_duration_s = 3 * timeouts.connect + 2 * timeouts.acse + timeouts.dimse
        self._waiting = dict.fromkeys(range(len(calls)))
        self._started_at: dict[int, float] = {}
        self._result_queue: SimpleQueue[tuple[int, CallResult]] = SimpleQueue()
        self._unreachable: dict[tuple[str, int], CallResult] = {}
        self.results: dict[int, CallResult] = {}

    @property
    def is_done(self) -> bool:
        return not self._waiting and not self._started_at

    def start_probes(self, parallel: int) -> None:
        """Start as many waiting probes as possible."""
        busy_addresses = {self._calls[number].endpoint.address for number in self._started_at}
        for number in tuple(self._waiting):
            if len(self._started_at) >= parallel:
                return
            endpoint = self._calls[number].endpoint
            if (unreachable := self._unreachable.get(endpoint.address)) is not None:
                del self._waiting[number]
                self._record_result(number, unreachable)
            elif endpoint.address not in busy_addresses:
                del self._waiting[number]
                busy_addresses.add(endpoint.address)
                self._started_at[number] = time.monotonic()
                # A thread that hangs, for example in a name service, is abandoned: a daemon does not block the exit.
                Thread(target=self._probe, args=(number, self._calls[number]), daemon=True).start()

    def collect_result(self) -> None:
        """Wait for the next result, or until a probe times out."""
        if not self._started_at:
            return
        remaining_s = min(self._started_at.values()) + self._max_duration_s - time.monotonic()
        with suppress(Empty):
            number, result = self._result_queue.get(timeout=max(0.0, remaining_s))
            # A probe that has timed out may still report a result later.
            if self._started_at.pop(number, None) is not None:
                self._record_result(number, result)
        now = time.monotonic()
        for number in [
            number for number, started_at in self._started_at.items() if now - started_at >= self._max_duration_s
        ]:
            del self._started_at[number]
            timeout_result = CallResult(
                problem=f"no answer within {self._max_duration_s:g} s", failed_stage=CallStage.TCP
            )
            self._record_result(number, timeout_result)

    def _record_result(self, number: int, result: CallResult) -> None:
        self.results[number] = result
        if not result.is_reached:
            self._unreachable[self._calls[number].endpoint.address] = result
        self._on_result(number, result)

    def _probe(self, number: int, call: ProbeCall) -> None:
        try:
            result = call_peer(call.endpoint, call.calling_ae_title, self._timeouts, self._tls)
        except Exception as error:  # noqa: BLE001 — an exception in a thread would be lost
            result = CallResult(problem=f"internal error ({type(error).__name__}: {error})")
        self._result_queue.put((number, result))
