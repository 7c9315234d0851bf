"""Ctrl-C held back while the directory is being written."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class HeldInterrupts:
    """A context in which SIGINT and SIGTERM are only noted; ``asked`` says whether one came.

    A request that has been sent is not taken back by leaving: the answer must be heard, or nobody knows what the
    tree holds. Outside the main thread nothing is held, since signals do not arrive there.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> HeldInterrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 — the signature of a handler
        self.asked = True
