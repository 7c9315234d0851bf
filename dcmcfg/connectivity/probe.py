"""Whether many peers answer a C-ECHO, some of them called at once."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

from dcmcfg.connectivity.call import Callee, Stage, Verdict, call
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.dicom.ul.association import cut_all

#: A peer in the same hospital answers in milliseconds; one that is asleep or behind a VPN may take a second.
PATIENCE = Timeouts(connect=5, acse=5, dimse=5, network=5)
PARALLEL = 16


def probe_all(
    callees: Sequence[Callee],
    calling: str,
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = PARALLEL,
    timeouts: Timeouts = PATIENCE,
    on_verdict: Callable[[int, Verdict], None] = lambda _number, _verdict: None,
) -> tuple[Verdict, ...]:
    """Return the verdict on each of *callees*, called as *calling*, at most *parallel* of them at once.

    *tls* is needed where one of them is called over TLS. One address is called by one at a time, since many take few
    associations; where it cannot be reached the others there are not tried. *on_verdict* is told of each as it comes,
    with its number. None takes longer than connecting three times, two answers to association requests and the answer
    to the echo, a name service that keeps silent included. When it is interrupted the associations under way are
    aborted.
    """
    probing = _Probing(callees, calling, tls, timeouts, on_verdict)
    try:
        while not probing.done:
            probing.begin(parallel)
            probing.hear()
    except BaseException:
        cut_all()
        raise
    return tuple(probing.verdicts[number] for number in range(len(callees)))


class _Probing:
    """What is waiting, under way and known."""

    def __init__(
        self,
        callees: Sequence[Callee],
        calling: str,
        tls: ssl.SSLContext | None,
        timeouts: Timeouts,
        on_verdict: Callable[[int, Verdict], None],
    ) -> None:
        self._callees, self._calling, self._tls, self._timeouts = callees, calling, tls, timeouts
        self._on_verdict = on_verdict
        self._longest = 3 * timeouts.connect + 2 * timeouts.acse + timeouts.dimse
        self._waiting = dict.fromkeys(range(len(callees)))
        self._begun: dict[int, float] = {}
        self._coming: SimpleQueue[tuple[int, Verdict]] = SimpleQueue()
        self._unreachable: dict[tuple[str, int], Verdict] = {}
        self.verdicts: dict[int, Verdict] = {}

    @property
    def done(self) -> bool:
        return not self._waiting and not self._begun

    def begin(self, parallel: int) -> None:
        """Begin what can be begun."""
        busy = {self._callees[number].address for number in self._begun}
        for number in tuple(self._waiting):
            if len(self._begun) >= parallel:
                return
            callee = self._callees[number]
            if (known := self._unreachable.get(callee.address)) is not None:
                del self._waiting[number]
                self._settle(number, known)
            elif callee.address not in busy:
                del self._waiting[number]
                busy.add(callee.address)
                self._begun[number] = time.monotonic()
                # One that hangs, in a name service, is left behind; nobody has to wait for it.
                Thread(target=self._probe, args=(number, callee), daemon=True).start()

    def hear(self) -> None:
        """Wait for the next verdict, or until somebody's time is over."""
        if not self._begun:
            return
        left = min(self._begun.values()) + self._longest - time.monotonic()
        with suppress(Empty):
            number, verdict = self._coming.get(timeout=max(0.0, left))
            if self._begun.pop(number, None) is not None:
                self._settle(number, verdict)
        now = time.monotonic()
        for number in [number for number, since in self._begun.items() if now - since >= self._longest]:
            del self._begun[number]
            silent = Verdict(problem=f"no answer within {self._longest:g} s", failed_at=Stage.TCP)
            self._settle(number, silent)

    def _settle(self, number: int, verdict: Verdict) -> None:
        self.verdicts[number] = verdict
        if not verdict.reached:
            self._unreachable[self._callees[number].address] = verdict
        self._on_verdict(number, verdict)

    def _probe(self, number: int, callee: Callee) -> None:
        try:
            verdict = call(callee, self._calling, self._timeouts, self._tls)
        except Exception as error:  # noqa: BLE001 — in a thread nobody else would hear of it
            verdict = Verdict(problem=f"internal error ({type(error).__name__}: {error})")
        self._coming.put((number, verdict))
