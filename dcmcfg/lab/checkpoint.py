"""The place where pynetdicom's thread of an association waits while an answer is waited for elsewhere."""

from __future__ import annotations

import threading
from typing import Protocol


class _Paused(Protocol):
    """An association of pynetdicom, as far as it matters here."""

    _is_paused: bool


class Checkpoint(threading.Event):
    """Takes the place of an association's ``_reactor_checkpoint``, and lets its thread pass only while it is set.

    The thread takes what has arrived off the queue, answers to our requests included, unless it is paused. pynetdicom
    3.0 clears the event and looks whether the thread has paused; the thread may have passed the event by then without
    having said so, and takes the answer: about one request in a thousand on a busy machine loses an answer, or waits
    for it until the time-out. Here the thread has said so before it is past the event.
    """

    def __init__(self, assoc: _Paused) -> None:
        super().__init__()
        self._assoc = assoc
        self._lock = threading.Lock()
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, and say that the thread is not paused while it still is."""
        while super().wait(timeout):
            with self._lock:
                if self.is_set():
                    self._assoc._is_paused = False  # noqa: SLF001 — what pynetdicom does next, too late
                    return True
        return False

    def clear(self) -> None:
        """Have the thread wait from now on: either it is past the event and has said so, or it waits."""
        with self._lock:
            super().clear()
