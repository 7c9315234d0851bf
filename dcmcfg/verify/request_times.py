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
    """The moments at which the C-MOVE requests of one verification went out; *listed* is what they can ask for.

    An instance that is asked for a second time counts from then on.
    """

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._series = {each.sop_instance_uid: each.series_uid for each in instances}
        self._first: float | None = None
        self._asked: dict[str, float] = {}  # by the UID of a series or an instance that a request names

    def record_request(self, retrieval: Retrieval) -> None:
        """Note that the C-MOVE for *retrieval* goes out now."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        self._asked.update(dict.fromkeys(retrieval.instance_uids or retrieval.series_uids, now))

    def is_early(self, instance: ReceivedInstance) -> bool:
        """Return whether the C-STORE of *instance* began before the C-MOVE that asks for it went out.

        An instance that no request names is compared with the first request.
        """
        uid = instance.sop_instance_uid
        asked = self._asked.get(uid, self._asked.get(self._series.get(uid, ""), self._first))
        return instance.started_monotonic is not None and asked is not None and instance.started_monotonic < asked
