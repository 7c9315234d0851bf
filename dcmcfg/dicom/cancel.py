"""The wish to end C-MOVEs that are under way (C-CANCEL, PS3.7 §9.3.2.3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds that a peer has for its final response once it was asked to end.
ANSWER_S = 10.0


class Cancellation:
    """Asked for from any thread, once; who moves meanwhile, or later, sends a C-CANCEL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._under_way: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether the end was asked for."""
        return self._asked

    def now(self) -> None:
        """Ask for the end of what is under way."""
        with self._lock:
            self._asked = True
            callbacks = tuple(self._under_way)
        for callback in callbacks:
            callback()

    @contextmanager
    def heard_by(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call *callback* when the end is asked for while the block runs, or was before."""
        with self._lock:
            asked = self._asked
            self._under_way.append(callback)
        try:
            if asked:
                callback()
            yield
        finally:
            with self._lock:
                self._under_way.remove(callback)
