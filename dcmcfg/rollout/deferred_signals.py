"""Defer Ctrl-C and other signals while dcmcfg writes to the directory."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_DEFERRED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DeferredSignals:
    """A context that only notes SIGINT, SIGTERM and SIGHUP: they set ``is_stop_requested``.

    The end of the process would not cancel a request that was sent. Its response must be read, otherwise the state of
    the tree is unknown. A nested context passes a noted signal on to the outer one. Outside the main thread, nothing is
    deferred, because signals are not delivered there. Ignored signals (as with ``nohup``) are not deferred either.
    """

    def __init__(self) -> None:
        self.is_stop_requested = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> DeferredSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _DEFERRED_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._remember_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
            # In a nested context, the previous handler is a method of the outer one.
            outer = getattr(handler, "__self__", None)
            if self.is_stop_requested and isinstance(outer, DeferredSignals):
                outer.is_stop_requested = True

    @contextmanager
    def allow_signals(self) -> Iterator[None]:
        """Let signals end the block, as Ctrl-C does: they raise :class:`KeyboardInterrupt` in the main thread.

        If a signal arrived before, it is raised at once.
        """
        if self.is_stop_requested:
            raise KeyboardInterrupt
        try:
            for number in self._previous:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _raise_sigint)
            yield
        finally:
            for number in self._previous:
                signal.signal(number, self._remember_signal)

    def _remember_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 — the signature of a handler
        self.is_stop_requested = True


def _raise_sigint(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the signature of a handler
    """Raise the signal as SIGINT, for the current handler of SIGINT."""
    signal.raise_signal(signal.SIGINT)
