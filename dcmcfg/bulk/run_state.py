"""What the workers of a run share: what is left, how fast, and whether the archive is there."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from dcmcfg.bulk.attempt import Stopped, Tried
from dcmcfg.bulk.availability import Presence
from dcmcfg.bulk.events import Again, Answered, Event, Strained
from dcmcfg.bulk.failure_groups import reason_of
from dcmcfg.bulk.run_options import Manner
from dcmcfg.bulk.schedule import Next, Pace, Schedule, back_off
from dcmcfg.bulk.study_result import Answer
from dcmcfg.errors import DicomError

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
        self._manner, self._clock, self._chance = manner, clock, chance
        self._schedule = Schedule(uids)
        self._pace = Pace(manner.interval_s)
        self._presence = Presence(archive, manner, self.events.put)
        self._tries: Counter[str] = Counter()
        self._given_back: set[str] = set()
        self._changed = threading.Condition()
        self._under_way = 0
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
            self._presence.coming += 1
            return True

    def take(self) -> str | None:
        """Return the next study, None when there is none just now."""
        with self._changed:
            self._end_if_stopping()
            uid = self._schedule.take(self._clock(), another=self._presence.is_in_doubt)
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
            self._presence.opened(self._clock())
            self._changed.notify_all()

    def closed(self) -> None:
        """Note that an association is no more."""
        with self._changed:
            self._presence.closed()
            self._changed.notify_all()

    def not_opened(self, error: DicomError) -> None:
        """Note that there was no association; raises *error* when that is final."""
        with self._changed:
            self._presence.not_opened(error, self._clock(), self._chance())
            self._changed.notify_all()

    def shows_life(self) -> None:
        """Note that the archive says that it is at a C-MOVE."""
        with self._changed:
            self._presence.shows_life()
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
                self._presence.broke(uid)
                return self._is_spent(uid) and not self._presence.is_borne(self._clock())
            if tried.next is Next.ANOTHER_RUN:
                return False
            self._tries.subtract(self._presence.answered(self._clock()))
            return tried.next is Next.NOTHING or self._is_spent(uid)

    def settle(self, uid: str, tried: Tried, sent: float, *, final: bool) -> None:
        """Go on after an attempt at *uid* that began at *sent* and is on record.

        Raises :class:`DicomError` where the archive has broken each association for too long.
        """
        with self._changed:
            now = self._clock()
            self._under_way -= 1
            if tried.next is Next.AGAIN_GENTLY and self._pace.strained(sent, now):
                self.events.put(Strained(_why(tried.answer)))
            if tried.answer.outcome.is_yes:
                self._pace.eased(sent)
            if final:
                self.events.put(Answered(uid, tried.answer))
            elif tried.broke and self._presence.breaks_each:
                self._schedule.last(uid)
                self._presence.wait(reason_of(tried.answer), now, self._chance(), spent=self._is_spent(uid))
            elif tried.next is not Next.ANOTHER_RUN:
                seconds = back_off(self._tries[uid], self._manner.first_back_off_s, self._chance())
                self._schedule.later(uid, now + seconds)
                self.events.put(Again(uid, _why(tried.answer), seconds))
            self._changed.notify_all()

    def _is_spent(self, uid: str) -> bool:
        return self._tries[uid] > self._manner.retries

    def _is_to_open(self) -> bool:
        now = self._clock()
        return self._presence.may_be_tried(now) and self._schedule.ready(now) > self._presence.coming

    def _next_look(self) -> float | None:
        """Return the moment at which there may be work; None when only another worker's news bring any."""
        due, now = self._schedule.due(), self._clock()
        if due is None:
            return None
        moment = max(due, self._presence.next_try)
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
    return answer.headline if answer.status is None else f"{answer.status:04X}{said}"
