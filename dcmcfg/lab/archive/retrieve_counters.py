"""The counters of a C-MOVE, and the responses derived from them.

Simulates ``RetrieveContextImpl``, ``RetrieveTaskImpl`` and ``ForwardRetrieveTask.ForwardCStoreRQ``.
"""

from __future__ import annotations

import threading

from pydicom.dataset import Dataset

from dcmcfg.dicom.status import (
    CANCELLED,
    PENDING,
    SOME_SUB_OPERATIONS_FAILED,
    SUCCESS,
    UNABLE_TO_PERFORM_SUB_OPERATIONS,
    WARNING_RANGE,
)
from dcmcfg.lab.move_scp import MoveResponse

_WARNING = WARNING_RANGE.start


class RetrieveCounters:
    """The outcome of each instance that a C-MOVE requests; thread-safe.

    ``total`` is the number of matching instances in the archive's database.
    """

    def __init__(self, total: int) -> None:
        # Reentrant, because count_store calls count_failed.
        self._lock = threading.RLock()
        self.total = total
        self.completed = 0
        self._warning = 0
        self._failed = 0
        self._failed_uids: list[str] = []
        self._external_response: MoveResponse | None = None
        self._announced_total = 0

    def count_store(self, sop_instance_uid: str, status: int) -> None:
        """Count a C-STORE by its *status*."""
        with self._lock:
            if status == SUCCESS:
                self.completed += 1
            # The archive tests the bits of B000 and not the range, so a status such as F000 counts as a warning too.
            elif status & _WARNING == _WARNING:
                self._warning += 1
            else:
                self.count_failed(sop_instance_uid)

    def count_failed(self, sop_instance_uid: str) -> None:
        """Count an instance that was not sent, or whose C-STORE failed."""
        with self._lock:
            self._failed += 1
            self._failed_uids.append(sop_instance_uid)

    def count_dropped(self, number: int) -> None:
        """Count *number* instances as failed without listing their UIDs in the final response."""
        with self._lock:
            self._failed += number

    def set_external_response(self, response: MoveResponse) -> None:
        """Record a response of the AE that sends to this archive: its failures and its status are used."""
        with self._lock:
            if self._external_response is None:
                # The first response announces how many objects the external archive will send.
                self._announced_total = sum(
                    each or 0 for each in (response.remaining, response.completed, response.failed, response.warning)
                )
            self._external_response = response

    def count_external_progress(self, response: MoveResponse, previous: MoveResponse | None) -> None:
        """Add the progress from *previous* to *response* of the AE that sends to the destination directly."""
        with self._lock:
            self.completed += (response.completed or 0) - ((previous and previous.completed) or 0)
            self._warning += (response.warning or 0) - ((previous and previous.warning) or 0)
            self._failed += (response.failed or 0) - ((previous and previous.failed) or 0)
            self._failed_uids += _read_failed_uids(response.identifier)

    @property
    def failed(self) -> int:
        """The number of failures counted here and by the other AE."""
        return self._failed + ((self._external_response and self._external_response.failed) or 0)

    @property
    def remaining(self) -> int:
        """The number of instances without outcome."""
        # In a fallback the database has no instance, so only the external archive's announcement counts.
        return max(0, max(self.total, self._announced_total) - self.completed - self._warning - self.failed)

    def make_pending_response(self) -> MoveResponse | None:
        """Return a pending response with all four counters, or None if nothing remains."""
        with self._lock:
            if self.remaining == 0:
                return None
            return MoveResponse(
                PENDING,
                remaining=self.remaining,
                completed=self.completed,
                failed=self.failed,
                warning=self._warning,
            )

    def make_final_response(self, *, cancelled: bool) -> MoveResponse:
        """Return the final response of a retrieve with local instances.

        Remaining instances count as failed in the status but not in the counters. After a C-CANCEL they are counted.
        """
        with self._lock:
            remaining, failed = self.remaining, self.failed
            if not cancelled:
                self._failed += remaining
                remaining = 0
            return self._make_response(CANCELLED if remaining else self._compute_status(), failed, remaining)

    def make_external_final_response(self) -> MoveResponse:
        """Return the final response of a retrieve that depends on the last response of another AE.

        Without local matches and completed sub-operations, that response is forwarded unchanged. Otherwise its status
        is used without its comment, even a pending status; then the requester never receives a final response.
        """
        with self._lock:
            external = self._external_response
            if self.total == 0 and external is not None and not external.completed and not external.warning:
                return external
            status = external.status if external is not None else UNABLE_TO_PERFORM_SUB_OPERATIONS
            return self._make_response(self._get_failure_status() if self.failed else status, self.failed)

    def _compute_status(self) -> int:
        if self.failed or (self._external_response is not None and self._external_response.status != SUCCESS):
            return self._get_failure_status()
        return SUCCESS

    def _get_failure_status(self) -> int:
        return SOME_SUB_OPERATIONS_FAILED if self.completed or self._warning else UNABLE_TO_PERFORM_SUB_OPERATIONS

    def _make_response(self, status: int, failed: int, remaining: int = 0) -> MoveResponse:
        """Return a response with those counters that are above zero."""
        return MoveResponse(
            status,
            remaining=remaining or None,
            completed=self.completed or None,
            failed=failed or None,
            warning=self._warning or None,
            identifier=self._make_failed_list(),
        )

    def _make_failed_list(self) -> Dataset | None:
        uids = self._failed_uids + (
            _read_failed_uids(self._external_response.identifier) if self._external_response else []
        )
        if not uids or not self.failed:
            return None
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = uids
        return identifier


def _read_failed_uids(identifier: Dataset | None) -> list[str]:
    uids = identifier.get("FailedSOPInstanceUIDList", []) if identifier else []
    return [uids] if isinstance(uids, str) else [str(uid) for uid in uids or ()]
