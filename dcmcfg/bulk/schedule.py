"""Scheduling of a run: the order of studies, the request rate with back-off, and the decision to retry."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterable
from enum import Enum

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.status import UNABLE_TO_PERFORM_SUB_OPERATIONS, is_transient_failure
from dcmcfg.errors import MalformedInput


class StudyQueue:
    """Studies in their order, and studies that are scheduled for another attempt at a later time.

    Times are seconds of one clock. Not thread-safe.
    """

    def __init__(self, uids: Iterable[str]) -> None:
        self._waiting = deque(uids)
        self._scheduled: list[tuple[float, int, str]] = []
        self._sequence_number = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._scheduled)

    def count_ready(self, now: float) -> int:
        """Return the number of studies that can be taken at *now*."""
        return len(self._waiting) + sum(due_time <= now for due_time, _, _ in self._scheduled)

    def take(self, now: float, *, prefer_waiting: bool = False) -> str | None:
        """Return the study to request at *now*, or None if no study is due.

        Scheduled studies that are due go first; with *prefer_waiting*, they go after the waiting studies.
        """
        if self._scheduled and self._scheduled[0][0] <= now and not (prefer_waiting and self._waiting):
            return heapq.heappop(self._scheduled)[2]
        return self._waiting.popleft() if self._waiting else None

    def get_next_due_time(self) -> float | None:
        """Return the time at which the next study can be taken, or None if there is none."""
        if self._waiting:
            return 0.0
        return self._scheduled[0][0] if self._scheduled else None

    def put_back(self, uid: str) -> None:
        """Put a study that was taken but not requested back to the front."""
        self._waiting.appendleft(uid)

    def put_last(self, uid: str) -> None:
        """Put a study behind all waiting studies."""
        self._waiting.append(uid)

    def put_at(self, uid: str, due_time: float) -> None:
        """Schedule a study for another attempt at *due_time*."""
        # The number keeps the order of studies with equal times.
        self._sequence_number += 1
        heapq.heappush(self._scheduled, (due_time, self._sequence_number, uid))


_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|min|h)")
_UNIT_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
#: Seconds between two requests of all workers after the archive ran out of resources: first value and maximum.
_FIRST_THROTTLE_S = 1.0
_MAX_THROTTLE_S = 30.0
#: Halving never reaches zero, so the throttle ends below this value.
_NO_THROTTLE_BELOW_S = 0.25
_MAX_BACK_OFF_S = 120.0
#: A larger exponent changes nothing above _MAX_BACK_OFF_S, and a very large one overflows a float.
_MAX_EXPONENT = 20


def parse_rate(rate: str) -> float:
    """Return the seconds between two requests for *rate* (``5/s``, ``30/min``); raises :class:`MalformedInput`."""
    match = _RATE.fullmatch(rate.strip())
    number = float(match[1]) if match else 0.0
    if match is None or number <= 0:
        raise MalformedInput("not a valid rate", subject=repr(rate), next_step="for example 5/s or 30/min")
    return _UNIT_SECONDS[match[2]] / number


def compute_back_off(attempt: int, first_s: float, jitter: float) -> float:
    """Return the back-off in seconds after failed *attempt* (1 is the first); *jitter* is from 0 to 1.

    The time starts at *first_s* and doubles each time, up to two minutes. The random part is half of it, so that
    requests that failed together are not repeated together.
    """
    longest = min(first_s * float(2 ** min(attempt - 1, _MAX_EXPONENT)), _MAX_BACK_OFF_S)
    return longest * (0.5 + jitter / 2)


class RateLimiter:
    """The time of the next request. Not thread-safe.

    There are at least *interval_s* seconds between two requests. If the archive is out of resources, all workers
    together slow down, up to half a minute between requests, and speed up again with each successful request.
    """

    def __init__(self, interval_s: float = 0.0) -> None:
        self._interval_s = interval_s
        self._throttle_s = 0.0
        self._throttled_at = float("-inf")
        self._next_slot = float("-inf")
        self._released_slots = 0

    @property
    def is_throttled(self) -> bool:
        """Whether requests are slowed down."""
        return self._throttle_s > 0

    def reserve_slot(self, now: float) -> float:
        """Reserve and return the time, *now* or later, at which one request may be sent."""
        if self._released_slots:
            self._released_slots -= 1
            return now
        slot = max(now, self._next_slot)
        self._next_slot = slot + max(self._interval_s, self._throttle_s)
        return slot

    def release_slot(self) -> None:
        """Release an unused slot; the next reservation gets it immediately."""
        self._released_slots += 1

    def slow_down(self, sent_at: float, now: float) -> bool:
        """Record that the archive was out of resources for a request sent at *sent_at*.

        Return whether the rate limiter was not slowed down before. Requests that were active together count once.
        """
        if sent_at < self._throttled_at:
            return False
        is_news = self._throttle_s == 0
        self._throttle_s = min(self._throttle_s * 2 or _FIRST_THROTTLE_S, _MAX_THROTTLE_S)
        self._throttled_at = now
        self._next_slot = max(self._next_slot, now + self._throttle_s)
        return is_news

    def speed_up(self, sent_at: float) -> None:
        """Record that a request sent at *sent_at* was successful."""
        # The success of a request from before the slowdown does not show that the slower rate is enough.
        if sent_at >= self._throttled_at:
            self._throttle_s = self._throttle_s / 2 if self._throttle_s > _NO_THROTTLE_BELOW_S else 0.0


class NextAction(Enum):
    """The action after an attempt."""

    ACCEPT_RESULT = "accept the result"
    RETRY = "retry after a back-off"
    RETRY_SLOWER = "retry after a back-off, and slow down all requests"
    RETRY_IN_NEXT_RUN = "retry in the next run"


def decide_next_action(outcome: MoveOutcome, *, accepted: bool) -> NextAction:
    """Return the action after a C-MOVE with *outcome*; *accepted* is whether it counts as a success.

    Transient failures (:func:`~dcmcfg.dicom.status.is_transient_failure`) and requests on a broken association are
    retried. A time-out is not retried, because the archive may still be working on the request. A702 with a reason or
    with failed sub-operations is about the destination or another archive, so slowing down this archive does not help.
    """
    if accepted:
        return NextAction.ACCEPT_RESULT
    if outcome.cancelled:
        return NextAction.RETRY_IN_NEXT_RUN
    if outcome.status is None:
        return NextAction.ACCEPT_RESULT if outcome.timed_out else NextAction.RETRY
    if not is_transient_failure("C-MOVE", outcome.status, outcome.comment):
        return NextAction.ACCEPT_RESULT
    is_about_others = outcome.status == UNABLE_TO_PERFORM_SUB_OPERATIONS and (outcome.comment or outcome.failed)
    return NextAction.RETRY if is_about_others else NextAction.RETRY_SLOWER
