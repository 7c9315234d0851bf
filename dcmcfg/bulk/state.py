"""What the workers of a run share: what is left, how fast, and whether the archive is there."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from dcmcfg.bulk.answer import Answer
from dcmcfg.bulk.asking import Stopped, Tried
from dcmcfg.bulk.breaks import Breaks
from dcmcfg.bulk.events import Again, Answered, Away, Back, Event, Strained
from dcmcfg.bulk.grouping import reason_of
from dcmcfg.bulk.manner import Manner
from dcmcfg.bulk.outage import FIRST_S, Outage
from dcmcfg.bulk.pace import Pace, back_off
from dcmcfg.bulk.retrying import Next
from dcmcfg.bulk.schedule import Schedule
from dcmcfg.errors import DicomError, RejectedForNow

#: While others have associations, one that gets none tries again after so many seconds.
_CROWDED_S = 15.0
#: Whoever waits for another worker looks again after so many seconds at most.
_PAUSE_S = 0.2


class State:
    """For several threads; *clock* gives seconds, *chance* a number from 0 to 1, *archive* is who is asked.

    What waits raises :class:`Stopped` when the run is to end.
    """

    def __init__(
        self, uids: Sequence[str], manner: Manner, clock: Callable[[], float], chance: Callable[[], float], archive: str
    ) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._manner, self._clock, self._chance, self._archive = manner, clock, chance, archive
        self._schedule = Schedule(uids)
        self._pace = Pace(manner.interval_s)
        self._outage = Outage(manner.patience_s, min(FIRST_S, manner.first_back_off_s))
        self._breaks = Breaks()
        self._tries: Counter[str] = Counter()
        self._given_back: set[str] = set()
        self._changed = threading.Condition()
        self._under_way = 0
        self._coming = 0  # workers on their way to a study
        self._open = 0
        self._ever_open = False
        self._next_opening = float("-inf")
        self._told_away = False
        self._stopping = False

    def stop(self) -> None:
        """End all waiting."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def has_work(self) -> bool:
        """Wait until an association may be tried for a study that no other worker is on its way to.

        Of an archive that is away one worker at a time tries. False when all studies have their answer.
        """
        with self._changed:
            while not self._is_to_open():
                if not self._schedule and not self._under_way:
                    self._changed.notify_all()
                    return False
                self._wait_until(self._next_look())
            self._coming += 1
            return True

    def take(self) -> str | None:
        """Return the next study, None when there is none just now."""
        with self._changed:
            self._end_if_stopping()
            uid = self._schedule.take(self._clock(), another=self._breaks.are_in_doubt)
            self._under_way += uid is not None
            return uid

    def wait_for_turn(self) -> float:
        """Wait until a request may go out; return that moment."""
        with self._changed:
            moment = self._pace.turn(self._clock())
            while self._clock() < moment:
                self._wait_until(moment)
            self._end_if_stopping()
            return moment

    def opened(self) -> None:
        """Note that there is an association."""
        with self._changed:
            self._ever_open = True
            self._coming -= 1
            self._open += 1
            self._next_opening = float("-inf")
            if not self._breaks.are_of_the_archive:  # one of those is nothing to go by
                self._come_back()
            self._changed.notify_all()

    def closed(self) -> None:
        """Note that an association is no more."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def not_opened(self, error: DicomError) -> None:
        """Note that there was no association; raises *error* when that is final.

        That is after all the patience. At the beginning it is at once, unless it is a rejection for now: the address
        may be wrong.
        """
        with self._changed:
            self._coming -= 1
            if not self._ever_open and not isinstance(error, RejectedForNow):
                raise error
            now = self._clock()
            due = self._outage.failed(now, self._chance())
            if due is None and not self._open:
                raise DicomError(
                    f"the archive could not be had for {self._manner.patience_s:g} s: {error.what}",
                    on=error.on,
                    next_step=error.next_step,
                ) from error
            self._next_opening = now + _CROWDED_S if due is None else due
            if not self._open:
                self._tell_away(error.what)
            self._changed.notify_all()

    def give_back(self, uid: str) -> bool:
        """Put back a study whose association ended before it was asked for; tell whether it was.

        Once is the end of one that was idle for too long. An archive that does so again breaks associations.
        """
        with self._changed:
            if uid in self._given_back:
                return False
            self._given_back.add(uid)
            self._under_way -= 1
            self._pace.give_back()
            self._schedule.back(uid)
            self._changed.notify_all()
            return True

    def is_final(self, uid: str, tried: Tried) -> bool:
        """Count an attempt at *uid*; tell whether its answer stands.

        What an archive did that breaks each association counts for no study, unless it does so for too long.
        """
        with self._changed:
            self._tries[uid] += 1
            self._given_back.discard(uid)
            if tried.broke:
                self._breaks.broke(uid)
            elif tried.next is not Next.ANOTHER_RUN:
                self._tries.subtract(self._breaks.answered())
            excused = self._is_astray(tried) and not self._outage.is_too_long(self._clock())
            is_enough = self._is_spent(uid) and tried.next is not Next.ANOTHER_RUN and not excused
            return tried.next is Next.NOTHING or is_enough

    def settle(self, uid: str, tried: Tried, sent: float, *, final: bool) -> None:
        """Go on after an attempt at *uid* that began at *sent* and is on record.

        Raises :class:`DicomError` where the archive has broken each association for too long.
        """
        with self._changed:
            now = self._clock()
            self._under_way -= 1
            if not tried.broke:
                self._come_back()
            if tried.next is Next.AGAIN_GENTLY and self._pace.strained(sent, now):
                self.events.put(Strained(_why(tried.answer)))
            if tried.answer.outcome.is_yes:
                self._pace.eased(sent)
            if final:
                self.events.put(Answered(uid, tried.answer))
            elif self._is_astray(tried):
                self._schedule.last(uid)
                self._wait_for_archive(now, reason_of(tried.answer), spent=self._is_spent(uid))
            elif tried.next is not Next.ANOTHER_RUN:
                seconds = back_off(self._tries[uid], self._manner.first_back_off_s, self._chance())
                self._schedule.later(uid, now + seconds)
                self.events.put(Again(uid, _why(tried.answer), seconds))
            self._changed.notify_all()

    def _is_astray(self, tried: Tried) -> bool:
        """Tell whether *tried* is one of the archive's own breaks."""
        return tried.broke and self._breaks.are_of_the_archive

    def _is_spent(self, uid: str) -> bool:
        return self._tries[uid] > self._manner.retries

    def _wait_for_archive(self, now: float, why: str, *, spent: bool) -> None:
        """Have the next try wait; raise when it is enough, unless that makes the answer of a *spent* study stand."""
        due = self._outage.failed(now, self._chance())
        if due is None and not spent:
            raise DicomError(
                f"the archive broke each association for {self._manner.patience_s:g} s, the last time: {why}",
                on=self._archive,
                next_step="its own log says why",
            )
        self._next_opening = now if due is None else due
        self._tell_away(f"it breaks each association: {why}")

    def _tell_away(self, why: str) -> None:
        if not self._told_away:
            self._told_away = True
            self.events.put(Away(why, self._manner.patience_s))

    def _come_back(self) -> None:
        """End an outage, if there is one."""
        lasted = self._outage.over(self._clock())
        if self._told_away and lasted is not None:
            self.events.put(Back(lasted))
        self._told_away = False

    def _is_to_open(self) -> bool:
        now = self._clock()
        others = self._coming + (self._open if self._breaks.are_of_the_archive else 0)
        one_tries = self._outage.since is not None and others > 0
        return now >= self._next_opening and not one_tries and self._schedule.ready(now) > self._coming

    def _next_look(self) -> float | None:
        """Return the moment at which there may be work; None when only another worker's news bring any."""
        due, now = self._schedule.due(), self._clock()
        if due is None:
            return None
        moment = max(due, self._next_opening)
        return moment if moment > now else now + _PAUSE_S

    def _wait_until(self, moment: float | None) -> None:
        """Wait for a change, until *moment* at most."""
        self._end_if_stopping()
        self._changed.wait(None if moment is None else max(0.0, moment - self._clock()))
        self._end_if_stopping()

    def _end_if_stopping(self) -> None:
        if self._stopping:
            raise Stopped


def _why(answer: Answer) -> str:
    said = f" {answer.comment}" if answer.comment else ""
    return answer.headline if answer.status is None else f"{answer.status:04X}H{said}"
