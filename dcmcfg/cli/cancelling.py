"""The first Ctrl-C asks the archive to stop, the second stops us."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from dcmcfg.dicom.cancel import Cancellation


@contextmanager
def cancelling_on_interrupt(cancellation: Cancellation, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Have the first Ctrl-C call for *cancellation*, once what this yields was called; the next one interrupts.

    *tell* is called with words for the user. Until then, and outside the main thread, where no signal arrives, Ctrl-C
    is what it was.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    interrupts = _Interrupts()
    threading.Thread(target=interrupts.pass_on, args=(cancellation, tell), daemon=True).start()
    interrupts.previous = signal.signal(signal.SIGINT, interrupts.heard)
    try:
        yield interrupts.mind
    finally:
        signal.signal(signal.SIGINT, interrupts.previous)
        interrupts.asked.put("")


class _Interrupts:
    """Takes a Ctrl-C out of the signal handler, where no lock may be waited for, into a thread of its own."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[str] = SimpleQueue()  # may be written to in a signal handler
        self.previous: signal._HANDLER = signal.default_int_handler
        self._minded = False

    def mind(self) -> None:
        self._minded = True

    def heard(self, number: int, frame: FrameType | None) -> None:
        if self._minded:
            signal.signal(signal.SIGINT, self.previous)
            self.asked.put("Ctrl-C")
        else:
            signal.default_int_handler(number, frame)

    def pass_on(self, cancellation: Cancellation, tell: Callable[[str], None]) -> None:
        if self.asked.get():
            tell("asking the archive to stop (C-CANCEL); Ctrl-C again stops at once")
            cancellation.now()
