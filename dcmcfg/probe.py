"""Whether many peers answer: a TCP connection, an association and a C-ECHO with each, some of them at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from dcmcfg.dicom.association import cut_all
from dcmcfg.dicom.echo import echo
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.reach import reach
from dcmcfg.errors import DcmcfgError, Unreachable

#: A peer in the same hospital answers in milliseconds; one that is asleep or behind a VPN may take a second.
PATIENCE = Timeouts(connect=5, acse=5, dimse=5, network=5)
PARALLEL = 16


@dataclass(frozen=True)
class Callee:
    """A peer to be probed; with ``tls`` only the TCP connection is tried, since our associations are without."""

    peer: Peer
    tls: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """Where it is; several may be at one address."""
        return self.peer.host.casefold(), self.peer.port


@dataclass(frozen=True)
class Verdict:
    """``seconds`` until the answer, association included; or the ``problem`` as a phrase, and whether it got so far."""

    seconds: float = 0
    problem: str = ""
    reached: bool = True

    @property
    def answered(self) -> bool:
        """Whether the peer is as it should be, as far as it was tried."""
        return not self.problem


def probe_all(
    callees: Sequence[Callee],
    calling: str,
    *,
    parallel: int = PARALLEL,
    timeouts: Timeouts = PATIENCE,
    on_verdict: Callable[[int, Verdict], None] = lambda _number, _verdict: None,
) -> tuple[Verdict, ...]:
    """Return the verdict on each of *callees*, called as *calling*, at most *parallel* of them at once.

    One address is called by one at a time, since many take few associations; where it cannot be reached the others
    there are not tried. *on_verdict* is told of each as it comes, with its number. None takes longer than all of
    *timeouts* together, a name service that keeps silent included. When it is interrupted the associations under way
    are aborted.
    """
    probing = _Probing(callees, calling, timeouts, on_verdict)
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
        timeouts: Timeouts,
        on_verdict: Callable[[int, Verdict], None],
    ) -> None:
        self._callees, self._calling, self._timeouts, self._on_verdict = callees, calling, timeouts, on_verdict
        self._longest = timeouts.connect + 2 * timeouts.acse + timeouts.dimse
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
            self._settle(number, Verdict(problem=f"no answer within {self._longest:g} s", reached=False))

    def _settle(self, number: int, verdict: Verdict) -> None:
        self.verdicts[number] = verdict
        if not verdict.reached:
            self._unreachable[self._callees[number].address] = verdict
        self._on_verdict(number, verdict)

    def _probe(self, number: int, callee: Callee) -> None:
        peer, timeouts = callee.peer, self._timeouts
        try:
            seconds = reach(peer, timeouts) if callee.tls else echo(peer, self._calling, timeouts)
        except DcmcfgError as error:
            self._coming.put((number, Verdict(problem=error.what, reached=not isinstance(error, Unreachable))))
        except Exception as error:  # noqa: BLE001 — in a thread nobody else would hear of it
            self._coming.put((number, Verdict(problem=f"internal error ({type(error).__name__}: {error})")))
        else:
            self._coming.put((number, Verdict(seconds)))
