"""When each instance was asked for. What began to arrive before that was sent for another reason.

Kept apart: it is pure, and verify.run sends and waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Retrieval
from dcmcfg.dicom.storage.receiver import ReceivedInstance


class RequestTimes:
    """The times at which the C-MOVE requests of one verification were sent; they can ask for *instances*.

    An instance that is asked for a second time counts from then on.
    """

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._series_uids = {each.sop_instance_uid: each.series_uid for each in instances}
        self._first_request: float | None = None
        self._request_times: dict[str, float] = {}  # by the UID of a series or an instance that a request names

    def record_request(self, retrieval: Retrieval) -> None:
        """Note that the C-MOVE for *retrieval* goes out now."""
        now = time.monotonic()
        if self._first_request is None:
            self._first_request = now
        self._request_times.update(dict.fromkeys(retrieval.instance_uids or retrieval.series_uids, now))

    def is_early(self, instance: ReceivedInstance) -> bool:
        """Return whether the C-STORE of *instance* began before the C-MOVE that asks for it went out.

        An instance that no request names is compared with the first request.
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
