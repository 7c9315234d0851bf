"""The C-STORE sub-operations of a C-MOVE and their counters (PS3.4 C.4.2.1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pydicom.dataset import Dataset

from dcmcfg.lab.move_scp import PENDING, MoveExchange, MoveResponse

SUCCESS = 0x0000
UNABLE_TO_PERFORM = 0xA702
SOME_FAILED = 0xB000
CANCELLED = 0xFE00


class SubOperations:
    """What became of each instance that a C-MOVE is to send; may be used by several threads."""

    def __init__(self, total: int) -> None:
        self._lock = threading.Lock()
        self._total = total
        self.completed = 0
        self.warning = 0
        self.failed: list[str] = []
        self._failed_unnamed = 0

    def record(self, sop_instance_uid: str, status: int | None) -> None:
        """Count one sub-operation by its C-STORE status; None means that none was received."""
        with self._lock:
            if status == SUCCESS:
                self.completed += 1
            elif status is not None and (status & 0xF000 == 0xB000 or status in (0x0001, 0x0107, 0x0116)):
                self.warning += 1
            else:
                self.failed.append(sop_instance_uid)

    def count(self, response: MoveResponse) -> None:
        """Count what another SCP's final response tells of its own sub-operations."""
        named = response.identifier.get("FailedSOPInstanceUIDList", []) if response.identifier else []
        uids = [named] if isinstance(named, str) else [str(uid) for uid in named]
        with self._lock:
            self.completed += response.completed or 0
            self.warning += response.warning or 0
            self.failed += uids
            self._failed_unnamed += max((response.failed or 0) - len(uids), 0)

    def fail(self, number: int) -> None:
        """Count *number* sub-operations as failed of which nobody says which they are."""
        with self._lock:
            self._failed_unnamed += number

    @property
    def failures(self) -> int:
        """How many have failed."""
        return len(self.failed) + self._failed_unnamed

    def pending(self) -> MoveResponse:
        """Return a pending response with all four counters."""
        with self._lock:
            done = self.completed + self.warning + self.failures
            return MoveResponse(
                PENDING,
                remaining=max(self._total - done, 0),
                completed=self.completed,
                failed=self.failures,
                warning=self.warning,
            )

    def cancelled(self) -> MoveResponse:
        """Return the final response to a C-CANCEL, which tells how many sub-operations remain (PS3.4 C.4.2.3.1)."""
        return replace(self.pending(), status=CANCELLED)

    def final(self, *, otherwise: int = SUCCESS, comment: str = "") -> MoveResponse:
        """Return the final response; counters are written when above zero only, as the archive does.

        A702 when all failed, B000 when some did or there were warnings, else the status *otherwise*.
        """
        status = otherwise
        if self.failures:
            status = SOME_FAILED if self.completed or self.warning else UNABLE_TO_PERFORM
        elif self.warning:
            status = SOME_FAILED
        return MoveResponse(
            status,
            comment,
            completed=self.completed or None,
            failed=self.failures or None,
            warning=self.warning or None,
            identifier=self._failed_list(),
        )

    def _failed_list(self) -> Dataset | None:
        if not self.failed:
            return None
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = list(self.failed)
        return identifier


class PendingResponses:
    """Sends pending responses at an interval, the first at once, from :meth:`start` until the context ends."""

    def __init__(self, exchange: MoveExchange, operations: SubOperations, interval_s: float | None) -> None:
        self._exchange = exchange
        self._operations = operations
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless begun or there is no interval."""
        if self._interval_s and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pending C-MOVE responses", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; nothing is sent after this returns."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._exchange.send(self._operations.pending())
            self._ended.wait(self._interval_s)


@contextmanager
def pending_responses(
    exchange: MoveExchange, operations: SubOperations, interval_s: float | None
) -> Iterator[PendingResponses]:
    """Give pending responses that end with the context."""
    responses = PendingResponses(exchange, operations, interval_s)
    try:
        yield responses
    finally:
        responses.stop()
