"""Pending responses to a C-MOVE at an interval (dcmSendPendingCMoveInterval)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.move_scp import MoveExchange


class PendingSender:
    """Sends a pending response at once and then at an interval, from :meth:`start` until :meth:`stop`.

    Nothing is sent while no sub-operation remains.
    """

    def __init__(self, exchange: MoveExchange, counters: RetrieveCounters, interval_s: float | None) -> None:
        self._exchange = exchange
        self._counters = counters
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; does nothing where it has begun, where it has ended, or where there is no interval."""
        with self._lock:
            if self._interval_s and self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="pending C-MOVE responses", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End; nothing is sent after this returns."""
        with self._lock:
            self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        first = True
        while first or not self._ended.is_set():
            first = False
            response = self._counters.make_pending_response()
            if response is not None:
                self._exchange.send(response)
            self._ended.wait(self._interval_s)


@contextmanager
def send_pending_responses(
    exchange: MoveExchange, counters: RetrieveCounters, interval_s: float | None
) -> Iterator[PendingSender]:
    """Give pending responses that end with the context."""
    responses = PendingSender(exchange, counters, interval_s)
    try:
        yield responses
    finally:
        responses.stop()
