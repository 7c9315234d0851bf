"""A run over many studies, on several parallel associations; each association serves one study after another."""

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

from dcmcfg.bulk.attempt import RunStopped, StudyRequester
from dcmcfg.bulk.events import RunEvent, RunStopping
from dcmcfg.bulk.run_options import RunOptions
from dcmcfg.bulk.run_state import RunState
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.ul.association import force_close_all
from dcmcfg.errors import TransientDicomError, Unreachable

_POLL_S = 0.1
#: Seconds to wait for each worker after its association was closed by force.
_ABORT_TIMEOUT_S = 3.0


class RunEnding(Enum):
    """How a run ended."""

    COMPLETED = "every study has a result"
    STOPPED = "the run was stopped"


@dataclass
class _StopRequests:
    """The number of stop signals."""

    count: int = 0


def run(
    uids: Sequence[str], requester: StudyRequester, options: RunOptions, on_event: Callable[[RunEvent], None]
) -> RunEnding:
    """Request each of *uids* until it has a final result; *on_event* is called in this thread.

    The first Ctrl-C or SIGTERM stops the run: active requests are cancelled (C-CANCEL), and their results are recorded
    if they arrive. The second aborts. Raises :class:`~dcmcfg.errors.DicomError` if the archive is unavailable at the
    start or for longer than the time-out, and :class:`~dcmcfg.errors.DcmcfgError` if the store fails. All known results
    are recorded then.
    """
    return _Run(uids, requester, options).run(on_event)


class _AssociationUnusable(Exception):
    """The association cannot be used any more."""


@contextmanager
def _count_stop_signals() -> Iterator[_StopRequests]:
    """Count SIGINT and SIGTERM while the block runs. Outside the main thread, Python does not deliver signals."""
    stop_requests = _StopRequests()

    def count(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the signature of a handler
        # A handler may interrupt code that holds a lock, so it only counts.
        stop_requests.count += 1

    if threading.current_thread() is not threading.main_thread():
        yield stop_requests
        return
    previous = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop_requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Run:
    def __init__(self, uids: Sequence[str], requester: StudyRequester, options: RunOptions) -> None:
        self._requester = requester
        self._state = RunState(
            uids,
            options=options,
            clock=time.monotonic,
            random_fraction=random.random,
            archive_name=str(requester.request.archive),
        )
        self._errors: list[BaseException] = []
        worker_count = min(options.parallel, max(len(uids), 1))
        # Daemon threads do not keep the process alive after an abort.
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(worker_count)]

    def run(self, on_event: Callable[[RunEvent], None]) -> RunEnding:
        with _count_stop_signals() as stop_requests:
            for worker in self._workers:
                worker.start()
            handled_count = 0
            while any(worker.is_alive() for worker in self._workers):
                if stop_requests.count > handled_count:
                    handled_count = stop_requests.count
                    if handled_count == 1:
                        on_event(RunStopping())
                    self._stop(abort=handled_count > 1)
                    if handled_count > 1:
                        break
                self._deliver_events(on_event, _POLL_S)
            # The workers may have put events after the last poll.
            self._deliver_events(on_event, 0)
        if self._errors:
            # The first error stopped the run, so the others may be its consequences.
            raise self._errors[0]
        return RunEnding.STOPPED if stop_requests.count else RunEnding.COMPLETED

    def _deliver_events(self, on_event: Callable[[RunEvent], None], timeout_s: float) -> None:
        try:
            while True:
                on_event(self._state.events.get(timeout=timeout_s) if timeout_s else self._state.events.get_nowait())
                timeout_s = 0
        except Empty:
            pass

    def _stop(self, *, abort: bool) -> None:
        self._state.stop()
        threading.Thread(
            target=self._requester.cancellation.request, daemon=True
        ).start()  # the peer may not read the request, so sending can block
        if abort:
            force_close_all()
            for worker in self._workers:
                worker.join(_ABORT_TIMEOUT_S)

    def _work(self) -> None:
        try:
            while self._state.wait_for_work():
                self._work_on_one_association()
        except RunStopped:
            pass
        except BaseException as error:  # noqa: BLE001 — nothing else reports errors of a thread
            self._errors.append(error)
            self._stop(abort=False)

    def _work_on_one_association(self) -> None:
        try:
            with self._requester.open_association() as association:
                self._state.record_opened()
                try:
                    self._work_through_studies(association)
                finally:
                    self._state.record_closed()
        except (Unreachable, TransientDicomError) as error:
            self._state.record_failure(error)
        except _AssociationUnusable:
            pass

    def _work_through_studies(self, association: OpenAssociation) -> None:
        while (uid := self._state.take_study()) is not None:
            sent_at = self._state.wait_for_turn()
            if not association.is_open and self._state.return_study(uid):
                raise _AssociationUnusable
            attempt = self._requester.request_study(association, uid, self._state.record_pending)
            final = self._state.count_attempt(uid, attempt)
            # The result is stored before an event reports it, so that a crash loses no reported result.
            self._requester.record_attempt(uid, attempt, final=final)
            self._state.finish_attempt(uid, attempt, sent_at, final=final)
            if not attempt.is_association_usable:
                raise _AssociationUnusable
