"""A run over many studies: some associations at once, each used for one study after the other."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from queue import Empty
from types import FrameType

from dcmcfg.bulk.attempt import Asking, Stopped
from dcmcfg.bulk.events import Event, Stopping
from dcmcfg.bulk.run_options import Manner
from dcmcfg.bulk.run_state import State
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.ul.association import cut_all
from dcmcfg.errors import TryLater, Unreachable

_POLL_S = 0.1
_ABORT_S = 3.0


class Ending(Enum):
    """How a run ended."""

    DONE = "every study has its answer"
    STOPPED = "it was asked to stop"


@dataclass
class _Asked:
    """How often the end was asked for."""

    times: int = 0


def run(uids: Sequence[str], asking: Asking, manner: Manner, on_event: Callable[[Event], None]) -> Ending:
    """Ask for each of *uids* until it has its answer; *on_event* is called in this thread.

    The first Ctrl-C, or SIGTERM, stops that: what is under way is cancelled (C-CANCEL), and its answer recorded as far
    as one comes. The second aborts. Raises :class:`DicomError` when the archive cannot be had, or not for longer than
    is bearable, and :class:`~dcmcfg.errors.DcmcfgError` when the store does not work; what is known is on record then.
    """
    return _Run(uids, asking, manner).go(on_event)


class _Spent(Exception):
    """The association is of no more use."""


@contextmanager
def _asked_to_stop() -> Iterator[_Asked]:
    """Count SIGINT and SIGTERM while the block runs; outside the main thread they do not arrive."""
    asked = _Asked()

    def count(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the signature of a handler
        asked.times += 1

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    previous = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Run:
    def __init__(self, uids: Sequence[str], asking: Asking, manner: Manner) -> None:
        self._asking = asking
        self._state = State(uids, manner, time.monotonic, random.random, str(asking.question.archive))
        self._errors: list[BaseException] = []
        number = min(manner.parallel, max(len(uids), 1))
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(number)]

    def go(self, on_event: Callable[[Event], None]) -> Ending:
        with _asked_to_stop() as asked:
            for worker in self._workers:
                worker.start()
            heeded = 0
            while any(worker.is_alive() for worker in self._workers):
                if asked.times > heeded:
                    heeded = asked.times
                    if heeded == 1:
                        on_event(Stopping())
                    self._stop(at_once=heeded > 1)
                    if heeded > 1:
                        break
                self._hear(on_event, _POLL_S)
            self._hear(on_event, 0)
        if self._errors:
            raise self._errors[0]
        return Ending.STOPPED if asked.times else Ending.DONE

    def _hear(self, on_event: Callable[[Event], None], patience_s: float) -> None:
        try:
            while True:
                on_event(self._state.events.get(timeout=patience_s) if patience_s else self._state.events.get_nowait())
                patience_s = 0
        except Empty:
            pass

    def _stop(self, *, at_once: bool) -> None:
        self._state.stop()
        threading.Thread(target=self._asking.cancellation.now, daemon=True).start()  # a peer may not take it off
        if at_once:
            cut_all()
            for worker in self._workers:
                worker.join(_ABORT_S)

    def _work(self) -> None:
        try:
            while self._state.has_work():
                self._work_on_one_association()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 — in a thread nobody else would hear of it
            self._errors.append(error)
            self._stop(at_once=False)

    def _work_on_one_association(self) -> None:
        try:
            with self._asking.associated() as opened:
                self._state.opened()
                try:
                    self._work_on(opened)
                finally:
                    self._state.closed()
        except (Unreachable, TryLater) as error:
            self._state.not_opened(error)
        except _Spent:
            pass

    def _work_on(self, opened: OpenAssociation) -> None:
        while (uid := self._state.take()) is not None:
            sent = self._state.wait_for_turn()
            if not opened.is_open and self._state.give_back(uid):
                raise _Spent
            tried = self._asking.ask(opened, uid, self._state.shows_life)
            final = self._state.is_final(uid, tried)
            self._asking.record(uid, tried, final=final)
            self._state.settle(uid, tried, sent, final=final)
            if not tried.usable:
                raise _Spent
