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
from dcmcfg.dicom.status import may_pass
from dcmcfg.errors import MalformedInput


class Schedule:
    """Studies in their order, and those that are to be asked for again at a later moment.

    Moments are seconds of one clock. Not safe for several threads at once.
    """

    def __init__(self, uids: Iterable[str]) -> None:
        self._waiting = deque(uids)
        self._later: list[tuple[float, int, str]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._later)

    def ready(self, now: float) -> int:
        """Return how many studies can be taken at *now*."""
        return len(self._waiting) + sum(moment <= now for moment, _, _ in self._later)

    def take(self, now: float, *, another: bool = False) -> str | None:
        """Return the study to ask for at *now*; None when there is none yet.

        One whose moment has come goes first, but with *another* after those that wait.
        """
        if self._later and self._later[0][0] <= now and not (another and self._waiting):
            return heapq.heappop(self._later)[2]
        return self._waiting.popleft() if self._waiting else None

    def due(self) -> float | None:
        """Return the moment at which the next study can be taken; None when there is none."""
        if self._waiting:
            return 0.0
        return self._later[0][0] if self._later else None

    def back(self, uid: str) -> None:
        """Put a study that was taken, and not asked for, in front again."""
        self._waiting.appendleft(uid)

    def last(self, uid: str) -> None:
        """Have a study asked for again after all that wait."""
        self._waiting.append(uid)

    def later(self, uid: str, moment: float) -> None:
        """Have a study asked for again at *moment*."""
        self._number += 1
        heapq.heappush(self._later, (moment, self._number, uid))


_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
#: Seconds between two requests, of whomever, once the archive has said that it is short of something; and at most.
_FIRST_STRAIN_S = 1.0
_LONGEST_STRAIN_S = 30.0
_EASED_BELOW_S = 0.25
_LONGEST_BACK_OFF_S = 120.0
_LARGEST_POWER = 20


def interval_of(rate: str) -> float:
    """Return the seconds between two requests at *rate*: ``5/s``, ``30/min``; raises :class:`MalformedInput`."""
    match = _RATE.fullmatch(rate.strip())
    number = float(match[1]) if match else 0.0
    if match is None or number <= 0:
        raise MalformedInput("not a rate", on=repr(rate), next_step="for example 5/s or 30/min")
    return _SECONDS[match[2]] / number


def back_off(attempt: int, first_s: float, chance: float) -> float:
    """Return the seconds to wait after *attempt* (1 is the first) has failed; *chance* is from 0 to 1.

    Twice as long each time from *first_s* on, two minutes at most; between half and the whole of that by chance, so
    that those who failed together do not come back together.
    """
    longest = min(first_s * float(2 ** min(attempt - 1, _LARGEST_POWER)), _LONGEST_BACK_OFF_S)
    return longest * (0.5 + chance / 2)


class Pace:
    """When the next request may go out. Not safe for several threads at once.

    Two requests are *interval_s* apart at least. An archive that is short of resources is asked ever more slowly by
    all together, up to half a minute apart, and faster again with each request that goes well.
    """

    def __init__(self, interval_s: float = 0.0) -> None:
        self._interval_s = interval_s
        self._strain_s = 0.0
        self._strained_at = float("-inf")
        self._next = float("-inf")
        self._returned = 0

    @property
    def is_strained(self) -> bool:
        """Whether the archive is being spared."""
        return self._strain_s > 0

    def turn(self, now: float) -> float:
        """Return the moment, *now* or later, at which one request may go out; it is taken by that."""
        if self._returned:
            self._returned -= 1
            return now
        moment = max(now, self._next)
        self._next = moment + max(self._interval_s, self._strain_s)
        return moment

    def give_back(self) -> None:
        """Note that a turn was not used: the next who asks has it at once."""
        self._returned += 1

    def strained(self, sent: float, now: float) -> bool:
        """Note that the archive was short of something when it was asked at *sent*; tell whether that is news.

        Requests that were under way together count once.
        """
        if sent < self._strained_at:
            return False
        news = self._strain_s == 0
        self._strain_s = min(self._strain_s * 2 or _FIRST_STRAIN_S, _LONGEST_STRAIN_S)
        self._strained_at = now
        self._next = max(self._next, now + self._strain_s)
        return news

    def eased(self, sent: float) -> None:
        """Note that a request that went out at *sent* went well."""
        if sent >= self._strained_at:
            self._strain_s = self._strain_s / 2 if self._strain_s > _EASED_BELOW_S else 0.0


_NOT_PERFORMED = 0xA702


class Next(Enum):
    """What follows an attempt."""

    NOTHING = "its answer stands"
    AGAIN = "again, after a while"
    AGAIN_GENTLY = "again, and all the others go easy on the archive"
    ANOTHER_RUN = "again when the run is gone on with"


def after(outcome: MoveOutcome, *, accepted: bool) -> Next:
    """Return what follows a C-MOVE that ended in *outcome*, accepted as a yes or not.

    Asked again is that for which the archive was short of something (:func:`~dcmcfg.dicom.status.may_pass`), and what
    was under way when the association broke. An archive that keeps silent until the time is over may still be at it:
    that stands. A702 that names a reason, or counts what failed, is about the destination or another archive: to go
    easy on this one does not help there.
    """
    if accepted:
        return Next.NOTHING
    if outcome.cancelled:
        return Next.ANOTHER_RUN
    if outcome.status is None:
        return Next.NOTHING if outcome.timed_out else Next.AGAIN
    if not may_pass("C-MOVE", outcome.status, outcome.comment):
        return Next.NOTHING
    of_others = outcome.status == _NOT_PERFORMED and (outcome.comment or outcome.failed)
    return Next.AGAIN if of_others else Next.AGAIN_GENTLY
