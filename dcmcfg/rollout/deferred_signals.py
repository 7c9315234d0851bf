"""Ctrl-C held back while the directory is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_DEFERRED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DeferredSignals:
    """A context in which SIGINT, SIGTERM and SIGHUP are only noted; ``is_stop_requested`` says whether one came.

    A request that has been sent is not cancelled by leaving: its response must be read, or it is unknown what the tree
    holds. A nested context passes on to the outer one what it has noted. Outside the main thread nothing is deferred,
    since signals are not delivered there, nor is a signal that is ignored, as with ``nohup``.
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
            outer = getattr(handler, "__self__", None)
            if self.is_stop_requested and isinstance(outer, DeferredSignals):
                outer.is_stop_requested = True

    @contextmanager
    def allow_signals(self) -> Iterator[None]:
        """Let each of them end what is done in here, as Ctrl-C does: :class:`KeyboardInterrupt` in the main thread.

        Where one came before, at once.
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
    """Pass it on as SIGINT, to whoever handles that now."""
    signal.raise_signal(signal.SIGINT)
