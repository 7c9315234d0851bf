"""Record when each instance was requested. An instance that began to arrive earlier was sent for another reason.

Kept apart: it is pure, and verify.run sends and waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Retrieval
from dcmcfg.dicom.storage.receiver import ReceivedInstance


class RequestTimes:
    """The times at which the C-MOVE requests of one verification for *instances* were sent.

    For an instance that is requested a second time, the second time counts.
    """

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._series_uids = {each.sop_instance_uid: each.series_uid for each in instances}
        self._first_request: float | None = None
        self._request_times: dict[str, float] = {}  # by UID of the requested series or instance

    def record_request(self, retrieval: Retrieval) -> None:
        """Record that the C-MOVE for *retrieval* is sent now."""
        # The receiver uses the same clock (started_monotonic), which clock corrections do not affect.
        now = time.monotonic()
        if self._first_request is None:
            self._first_request = now
        self._request_times.update(dict.fromkeys(retrieval.instance_uids or retrieval.series_uids, now))

    def is_early(self, instance: ReceivedInstance) -> bool:
        """Return whether the C-STORE of *instance* began before the C-MOVE for it was sent.

        An instance without its own request is compared with the first request.
        """
        uid = instance.sop_instance_uid
        requested_at = self._request_times.get(
            uid, self._request_times.get(self._series_uids.get(uid, ""), self._first_request)
        )
        return (
            instance.started_monotonic is not None
            and requested_at is not None
            and instance.started_monotonic < requested_at
        )
