"""The state that the workers of a run share: remaining studies, rate, and availability of the archive."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from dcmcfg.bulk.attempt import CompletedAttempt, RunStopped
from dcmcfg.bulk.availability import ArchiveAvailability
from dcmcfg.bulk.events import ArchiveOverloaded, RetryScheduled, RunEvent, StudyFinished
from dcmcfg.bulk.failure_groups import get_failure_reason
from dcmcfg.bulk.run_options import RunOptions
from dcmcfg.bulk.schedule import NextAction, RateLimiter, StudyQueue, compute_back_off
from dcmcfg.bulk.study_result import AttemptResult
from dcmcfg.errors import DicomError

#: The maximum time in seconds until a waiting worker checks the state again.
_RECHECK_S = 0.2


class RunState:
    """The shared state; thread-safe. *clock* returns seconds, *random_fraction* a number from 0 to 1.

    Waiting methods raise :class:`RunStopped` if the run stops.
    """

    def __init__(
        self,
        uids: Sequence[str],
        *,
        options: RunOptions,
        clock: Callable[[], float],
        random_fraction: Callable[[], float],
        archive_name: str,
    ) -> None:
        # Events are put while the lock is held, and SimpleQueue.put never blocks.
        self.events: SimpleQueue[RunEvent] = SimpleQueue()
        self._options, self._clock, self._random_fraction = options, clock, random_fraction
        self._schedule = StudyQueue(uids)
        self._rate_limiter = RateLimiter(options.min_interval_s)
        self._availability = ArchiveAvailability(archive_name, options, self.events.put)
        self._attempts: Counter[str] = Counter()
        self._returned_studies: set[str] = set()
        self._changed = threading.Condition()
        self._in_progress = 0
        self._stopping = False

    def stop(self) -> None:
        """End all waiting."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def wait_for_work(self) -> bool:
        """Wait until an association may be opened for a study; return False if all studies have a final result.

        While the archive is unavailable, only one worker at a time tries.
        """
        with self._changed:
            while not self._can_open_association():
                # A study in progress may have to be requested again, so the worker waits for its result.
                if not self._schedule and not self._in_progress:
                    # The other waiting workers must see that nothing is left.
                    self._changed.notify_all()
                    return False
                self._wait_until(self._get_next_check_time())
            self._availability.connecting_workers += 1
            return True

    def take_study(self) -> str | None:
        """Return the next study, or None if no study is due."""
        with self._changed:
            self._raise_if_stopping()
            uid = self._schedule.take(self._clock(), prefer_waiting=self._availability.is_cause_unclear)
            self._in_progress += uid is not None
            return uid

    def wait_for_turn(self) -> float:
        """Wait until the next request may be sent; return that time."""
        with self._changed:
            slot = self._rate_limiter.reserve_slot(self._clock())
            while self._clock() < slot:
                self._wait_until(slot)
            self._raise_if_stopping()
            return slot

    def record_opened(self) -> None:
        """Record that an association was opened."""
        with self._changed:
            self._availability.record_opened(self._clock())
            self._changed.notify_all()

    def record_closed(self) -> None:
        """Record that an association has ended."""
        with self._changed:
            self._availability.record_closed()
            self._changed.notify_all()

    def record_failure(self, error: DicomError) -> None:
        """Record that opening an association failed; raises *error* if the failure is final."""
        with self._changed:
            self._availability.record_failure(error, self._clock(), self._random_fraction())
            self._changed.notify_all()

    def record_pending(self) -> None:
        """Record a pending response of the archive."""
        with self._changed:
            self._availability.record_pending()
            self._changed.notify_all()

    def return_study(self, uid: str) -> bool:
        """Put back a study whose association ended before the request; return False if this happened to it before.

        Once is normal for an association that was idle for too long. A second time, the archive breaks associations.
        """
        with self._changed:
            if uid in self._returned_studies:
                return False
            self._returned_studies.add(uid)
            self._in_progress -= 1
            self._rate_limiter.release_slot()
            self._schedule.put_back(uid)
            self._changed.notify_all()
            return True

    def count_attempt(self, uid: str, attempt: CompletedAttempt) -> bool:
        """Count an attempt at *uid*; return whether its result is final.

        Breaks by an archive that breaks every association do not count for a study, until the time-out expires.
        """
        with self._changed:
            self._attempts[uid] += 1
            self._returned_studies.discard(uid)
            if attempt.is_association_broken:
                self._availability.record_broken_association(uid)
                return self._has_no_retries_left(uid) and not self._availability.is_break_tolerated(self._clock())
            if attempt.next_action is NextAction.RETRY_IN_NEXT_RUN:
                return False
            self._attempts.subtract(self._availability.record_response(self._clock()))
            return attempt.next_action is NextAction.ACCEPT_RESULT or self._has_no_retries_left(uid)

    def finish_attempt(self, uid: str, attempt: CompletedAttempt, sent_at: float, *, final: bool) -> None:
        """Schedule the next action after a recorded attempt at *uid* that was sent at *sent_at*.

        Raises :class:`DicomError` if the archive has broken every association until the time-out.
        """
        with self._changed:
            now = self._clock()
            self._in_progress -= 1
            if attempt.next_action is NextAction.RETRY_SLOWER and self._rate_limiter.slow_down(sent_at, now):
                self.events.put(ArchiveOverloaded(_format_reason(attempt.result)))
            if attempt.result.outcome.is_success:
                self._rate_limiter.speed_up(sent_at)
            if final:
                self.events.put(StudyFinished(uid, attempt.result))
            elif attempt.is_association_broken and self._availability.breaks_every_association:
                self._schedule.put_last(uid)
                self._availability.schedule_retry(
                    get_failure_reason(attempt.result),
                    now,
                    self._random_fraction(),
                    retries_exhausted=self._has_no_retries_left(uid),
                )
            elif attempt.next_action is not NextAction.RETRY_IN_NEXT_RUN:
                delay_s = compute_back_off(self._attempts[uid], self._options.first_back_off_s, self._random_fraction())
                self._schedule.put_at(uid, now + delay_s)
                self.events.put(RetryScheduled(uid, _format_reason(attempt.result), delay_s))
            self._changed.notify_all()

    def _has_no_retries_left(self, uid: str) -> bool:
        return self._attempts[uid] > self._options.retries

    def _can_open_association(self) -> bool:
        now = self._clock()
        return (
            self._availability.can_connect(now)
            # Each connecting worker takes one study, so one more association needs one more study.
            and self._schedule.count_ready(now) > self._availability.connecting_workers
        )

    def _get_next_check_time(self) -> float | None:
        """Return the time of the next possible work; None if only another worker can create work."""
        due_time, now = self._schedule.get_next_due_time(), self._clock()
        if due_time is None:
            return None
        check_time = max(due_time, self._availability.next_attempt_at)
        return check_time if check_time > now else now + _RECHECK_S

    def _wait_until(self, deadline: float | None) -> None:
        """Wait for a change of the state, at most until *deadline*."""
        self._raise_if_stopping()
        self._changed.wait(None if deadline is None else max(0.0, deadline - self._clock()))
        self._raise_if_stopping()

    def _raise_if_stopping(self) -> None:
        if self._stopping:
            raise RunStopped


def _format_reason(result: AttemptResult) -> str:
    comment = f" {result.comment}" if result.comment else ""
    return result.headline if result.status is None else f"{result.status:04X}{comment}"
