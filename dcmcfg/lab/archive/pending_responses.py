"""Pending responses to a C-MOVE at regular intervals (dcmSendPendingCMoveInterval)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse


class PendingSender:
    """Sends a pending response immediately and then at intervals, from :meth:`start` until :meth:`stop`.

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
        """Start sending; does nothing if it has started or stopped before, or if there is no interval."""
        with self._lock:
            if self._interval_s and self._thread is None and not self._ended.is_set():
                # The counters of the first response are those of now, although the thread may begin later.
                first = self._counters.make_pending_response()
                name = "pending C-MOVE responses"
                self._thread = threading.Thread(target=self._run, args=(first,), name=name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop sending; nothing is sent after this method returns."""
        with self._lock:
            self._ended.set()
        # The caller sends the final response next, so the thread must have ended.
        if self._thread is not None:
            self._thread.join()

    def _run(self, first: MoveResponse | None) -> None:
        # The first response is sent even if the retrieve ends at once.
        self._send(first)
        while not self._ended.wait(self._interval_s):
            self._send(self._counters.make_pending_response())

    def _send(self, response: MoveResponse | None) -> None:
        if response is not None:
            self._exchange.send(response)


@contextmanager
def send_pending_responses(
    exchange: MoveExchange, counters: RetrieveCounters, interval_s: float | None
) -> Iterator[PendingSender]:
    """Return a context manager with a sender of pending responses, which stops at the end."""
    responses = PendingSender(exchange, counters, interval_s)
    try:
        yield responses
    finally:
        responses.stop()
