"""Ctrl-C held back while the directory is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class HeldInterrupts:
    """A context in which SIGINT, SIGTERM and SIGHUP are only noted; ``asked`` says whether one came.

    A request that has been sent is not taken back by leaving: the answer must be heard, or nobody knows what the
    tree holds. One within another tells it what it has noted. Outside the main thread nothing is held, since signals
    do not arrive there, nor is one that is ignored, as ``nohup`` has it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> HeldInterrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _HELD:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
            outer = getattr(handler, "__self__", None)
            if self.asked and isinstance(outer, HeldInterrupts):
                outer.asked = True

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Let each of them end what is done in here, as Ctrl-C does: :class:`KeyboardInterrupt` in the main thread.

        Where one came before, at once.
        """
        if self.asked:
            raise KeyboardInterrupt
        try:
            for number in self._previous:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _as_ctrl_c)
            yield
        finally:
            for number in self._previous:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 — the signature of a handler
        self.asked = True


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the signature of a handler
    """Pass it on as SIGINT, to whoever handles that now."""
    signal.raise_signal(signal.SIGINT)
