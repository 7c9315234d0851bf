"""Which study is asked for next.

How fast an archive is asked: a rate, back-off, and going easy on one that is short of resources.

Whether a study is asked for again.
"""

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
    """Studies in their order, and those that are to be asked for again at a later moment.

    Moments are seconds of one clock. Not safe for several threads at once.
    """

    def __init__(self, uids: Iterable[str]) -> None:
        self._waiting = deque(uids)
        self._scheduled: list[tuple[float, int, str]] = []
        self._sequence_number = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._scheduled)

    def count_ready(self, now: float) -> int:
        """Return how many studies can be taken at *now*."""
        return len(self._waiting) + sum(due_time <= now for due_time, _, _ in self._scheduled)

    def take(self, now: float, *, prefer_waiting: bool = False) -> str | None:
        """Return the study to ask for at *now*; None when there is none yet.

        One whose moment has come goes first, but with *prefer_waiting* after those that wait.
        """
        if self._scheduled and self._scheduled[0][0] <= now and not (prefer_waiting and self._waiting):
            return heapq.heappop(self._scheduled)[2]
        return self._waiting.popleft() if self._waiting else None

    def get_next_due_time(self) -> float | None:
        """Return the moment at which the next study can be taken; None when there is none."""
        if self._waiting:
            return 0.0
        return self._scheduled[0][0] if self._scheduled else None

    def put_back(self, uid: str) -> None:
        """Put a study that was taken, and not asked for, in front again."""
        self._waiting.appendleft(uid)

    def put_last(self, uid: str) -> None:
        """Have a study asked for again after all that wait."""
        self._waiting.append(uid)

    def put_at(self, uid: str, due_time: float) -> None:
        """Have a study asked for again at *due_time*."""
        self._sequence_number += 1
        heapq.heappush(self._scheduled, (due_time, self._sequence_number, uid))


_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|min|h)")
_UNIT_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
#: Seconds between two requests, of whomever, once the archive has said that it is short of something; and at most.
_FIRST_THROTTLE_S = 1.0
_MAX_THROTTLE_S = 30.0
_NO_THROTTLE_BELOW_S = 0.25
_MAX_BACK_OFF_S = 120.0
_MAX_EXPONENT = 20


def parse_rate(rate: str) -> float:
    """Return the seconds between two requests at *rate*: ``5/s``, ``30/min``; raises :class:`MalformedInput`."""
    match = _RATE.fullmatch(rate.strip())
    number = float(match[1]) if match else 0.0
    if match is None or number <= 0:
        raise MalformedInput("not a rate", subject=repr(rate), next_step="for example 5/s or 30/min")
    return _UNIT_SECONDS[match[2]] / number


def compute_back_off(attempt: int, first_s: float, jitter: float) -> float:
    """Return the seconds to wait after *attempt* (1 is the first) has failed; *jitter* is from 0 to 1.

    Twice as long each time from *first_s* on, two minutes at most; between half and the whole of that by chance, so
    that those who failed together do not come back together.
    """
    longest = min(first_s * float(2 ** min(attempt - 1, _MAX_EXPONENT)), _MAX_BACK_OFF_S)
    return longest * (0.5 + jitter / 2)


class RateLimiter:
    """When the next request may go out. Not safe for several threads at once.

    Two requests are *interval_s* apart at least. An archive that is short of resources is asked ever more slowly by
    all together, up to half a minute apart, and faster again with each request that goes well.
    """

    def __init__(self, interval_s: float = 0.0) -> None:
        self._interval_s = interval_s
        self._throttle_s = 0.0
        self._throttled_at = float("-inf")
        self._next_slot = float("-inf")
        self._released_slots = 0

    @property
    def is_throttled(self) -> bool:
        """Whether the archive is being spared."""
        return self._throttle_s > 0

    def reserve_slot(self, now: float) -> float:
        """Return the moment, *now* or later, at which one request may go out; it is taken by that."""
        if self._released_slots:
            self._released_slots -= 1
            return now
        slot = max(now, self._next_slot)
        self._next_slot = slot + max(self._interval_s, self._throttle_s)
        return slot

    def release_slot(self) -> None:
        """Note that a turn was not used: the next who asks has it at once."""
        self._released_slots += 1

    def slow_down(self, sent_at: float, now: float) -> bool:
        """Note that the archive was short of something when it was asked at *sent_at*; tell whether that is news.

        Requests that were under way together count once.
        """
        if sent_at < self._throttled_at:
            return False
        is_news = self._throttle_s == 0
        self._throttle_s = min(self._throttle_s * 2 or _FIRST_THROTTLE_S, _MAX_THROTTLE_S)
        self._throttled_at = now
        self._next_slot = max(self._next_slot, now + self._throttle_s)
        return is_news

    def speed_up(self, sent_at: float) -> None:
        """Note that a request that went out at *sent_at* went well."""
        if sent_at >= self._throttled_at:
            self._throttle_s = self._throttle_s / 2 if self._throttle_s > _NO_THROTTLE_BELOW_S else 0.0


class NextAction(Enum):
    """What follows an attempt."""

    ACCEPT_RESULT = "its answer stands"
    RETRY = "again, after a while"
    RETRY_SLOWER = "again, and all the others go easy on the archive"
    RETRY_IN_NEXT_RUN = "again when the run is gone on with"


def decide_next_action(outcome: MoveOutcome, *, accepted: bool) -> NextAction:
    """Return what follows a C-MOVE that ended in *outcome*, accepted as a yes or not.

    Asked again is that for which the archive was short of something
    (:func:`~dcmcfg.dicom.status.is_transient_failure`), and what was under way when the association broke. An archive
    that keeps silent until the time is over may still be at it: that stands. A702 that names a reason, or counts what
    failed, is about the destination or another archive: to go easy on this one does not help there.
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
