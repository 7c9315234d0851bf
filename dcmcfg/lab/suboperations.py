"""The C-STORE sub-operations of a C-MOVE and their counters (PS3.4 C.4.2.1)."""

from __future__ import annotations

import threading
from dataclasses import replace

from pydicom.dataset import Dataset

from dcmcfg.dicom.status import (
    CANCELLED,
    PENDING,
    SOME_SUB_OPERATIONS_FAILED,
    SUCCESS,
    UNABLE_TO_PERFORM_SUB_OPERATIONS,
    get_category,
)
from dcmcfg.lab.move_scp import MoveResponse


class SubOperations:
    """The outcome of each instance that a C-MOVE should send; thread-safe."""

    def __init__(self, total: int) -> None:
        self._lock = threading.Lock()
        self._total = total
        self.completed = 0
        self.warning = 0
        self.failed_uids: list[str] = []

    def count_store(self, sop_instance_uid: str, status: int | None) -> None:
        """Count one sub-operation by its C-STORE status; None means that no status was received."""
        with self._lock:
            if status == SUCCESS:
                self.completed += 1
            elif status is not None and get_category(status) == "warning":
                self.warning += 1
            else:
                self.failed_uids.append(sop_instance_uid)

    @property
    def failed_count(self) -> int:
        """The number of failed sub-operations."""
        return len(self.failed_uids)

    def make_pending_response(self) -> MoveResponse:
        """Return a pending response with all four counters."""
        with self._lock:
            done_count = self.completed + self.warning + self.failed_count
            return MoveResponse(
                PENDING,
                remaining=max(self._total - done_count, 0),
                completed=self.completed,
                failed=self.failed_count,
                warning=self.warning,
            )

    def make_cancelled_response(self) -> MoveResponse:
        """Return the final response to a C-CANCEL, with the number of remaining sub-operations (PS3.4 C.4.2.3.1)."""
        return replace(self.make_pending_response(), status=CANCELLED)

    def make_final_response(self, *, success_status: int = SUCCESS, comment: str = "") -> MoveResponse:
        """Return the final response; as in the archive, only counters above zero are included.

        The status is A702 if all failed, B000 if some failed or there were warnings, else *success_status*.
        """
        status = success_status
        if self.failed_count:
            status = SOME_SUB_OPERATIONS_FAILED if self.completed or self.warning else UNABLE_TO_PERFORM_SUB_OPERATIONS
        elif self.warning:
            status = SOME_SUB_OPERATIONS_FAILED
        return MoveResponse(
            status,
            comment,
            completed=self.completed or None,
            failed=self.failed_count or None,
            warning=self.warning or None,
            identifier=self._make_failed_list(),
        )

    def _make_failed_list(self) -> Dataset | None:
        if not self.failed_uids:
            return None
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = list(self.failed_uids)
        return identifier
