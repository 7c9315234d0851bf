"""Whether the archive is there, by the associations that were had, refused and broken.

Associations that break one after the other: of different studies in a row, it is the archive's doing.

An archive that cannot be had for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dcmcfg.bulk.events import ArchiveAvailable, ArchiveUnavailable, RunEvent
from dcmcfg.bulk.run_options import RunOptions
from dcmcfg.bulk.schedule import compute_back_off
from dcmcfg.errors import DicomError, RejectedTransient

#: Two studies may be such that an archive fails on each; of so many it is taken to fail by itself.
_STUDIES_TO_BLAME_ARCHIVE = 3


class BrokenAssociations:
    """Which studies were under way when associations broke, since the last answer. Not safe for several threads."""

    def __init__(self) -> None:
        self._breaks_by_study: Counter[str] = Counter()

    @property
    def is_cause_unclear(self) -> bool:
        """Whether the last thing known is a break: another study tells whose doing it was."""
        return bool(self._breaks_by_study)

    @property
    def is_archive_at_fault(self) -> bool:
        """Whether it breaks each association, whatever it is asked for."""
        return len(self._breaks_by_study) >= _STUDIES_TO_BLAME_ARCHIVE

    def record_broken_association(self, study_uid: str) -> None:
        """Note that an association broke while *study_uid* was under way on it."""
        self._breaks_by_study[study_uid] += 1

    def record_response(self) -> Counter[str]:
        """Note an answer, of whatever study; return how often studies were under way at breaks of the archive."""
        archive_breaks = self._breaks_by_study if self.is_archive_at_fault else Counter[str]()
        self._breaks_by_study = Counter()
        return archive_breaks


FIRST_WAIT_S = 0.5
_MAX_WAIT_S = 15.0


@dataclass
class Outage:
    """Since when there is no association, and when the next is tried. Not safe for several threads at once."""

    timeout_s: float
    first_wait_s: float = FIRST_WAIT_S
    started_at: float | None = None
    _failures: int = field(default=0, repr=False)

    def record_failure(self, now: float, jitter: float) -> float | None:
        """Note that no association could be had at *now*; return the moment of the next try, None when it is enough."""
        if self.started_at is None:
            self.started_at = now
        self._failures += 1
        remaining_s = self.started_at + self.timeout_s - now
        if remaining_s <= 0:
            return None
        return now + min(compute_back_off(self._failures, self.first_wait_s, jitter), _MAX_WAIT_S, remaining_s)

    def has_timed_out(self, now: float) -> bool:
        """Whether patience is at its end at *now*."""
        return self.started_at is not None and now - self.started_at >= self.timeout_s

    def end(self, now: float) -> float | None:
        """Note that the archive answers at *now*; return the seconds that it did not, None if it was there."""
        duration_s = None if self.started_at is None else now - self.started_at
        self.started_at, self._failures = None, 0
        return duration_s


#: While others have associations, one that gets none tries again after so many seconds.
_RETRY_WHILE_OTHERS_OPEN_S = 15.0


class ArchiveAvailability:
    """Whether the *archive* is available, reported to *on_event* as it changes. Not safe for several threads at once.

    It is away when no association can be had, until one can; and when it breaks each one, until it answers. One worker
    at a time tries then, ever more slowly, until the time-out of *options* is over.
    """

    def __init__(self, archive: str, options: RunOptions, on_event: Callable[[RunEvent], None]) -> None:
        self._archive, self._on_event = archive, on_event
        self._timeout_s = options.outage_timeout_s
        self._outage = Outage(options.outage_timeout_s, min(FIRST_WAIT_S, options.first_back_off_s))
        self._breaks = BrokenAssociations()
        self._open_associations = 0
        self._was_ever_open = False
        self._unavailable_reported = False
        self._pending_seen = False
        self.connecting_workers = 0  # workers on their way to a study
        self.next_attempt_at = float("-inf")

    @property
    def is_cause_unclear(self) -> bool:
        """Whether it did no more than break associations since its last answer: another study tells whose doing."""
        return self._breaks.is_cause_unclear

    @property
    def breaks_every_association(self) -> bool:
        """Whether it breaks each association, whatever it is asked for."""
        return self._breaks.is_archive_at_fault

    def can_connect(self, now: float) -> bool:
        """Tell whether one more association may be tried at *now*."""
        other_workers = self.connecting_workers + (
            self._open_associations if self.breaks_every_association and not self._pending_seen else 0
        )
        return now >= self.next_attempt_at and not (self._outage.started_at is not None and other_workers > 0)

    def record_opened(self, now: float) -> None:
        """Note that whoever was on the way has an association."""
        self._was_ever_open = True
        self.connecting_workers -= 1
        self._open_associations += 1
        self.next_attempt_at = float("-inf")
        if not self.breaks_every_association:  # one of those is nothing to go by
            self._report_available(now)

    def record_closed(self) -> None:
        """Note that an association is no more."""
        self._open_associations -= 1

    def record_failure(self, error: DicomError, now: float, jitter: float) -> None:
        """Note that whoever was on the way got none; raises *error* when that is final.

        That is after all the patience. At the beginning it is at once, unless it is a rejection for now: the address
        may be wrong.
        """
        self.connecting_workers -= 1
        if not self._was_ever_open and not isinstance(error, RejectedTransient):
            raise error
        next_attempt_at = self._outage.record_failure(now, jitter)
        if next_attempt_at is None and not self._open_associations:
            message = f"the archive could not be had for {self._timeout_s:g} s: {error.message}"
            raise DicomError(message, subject=error.subject, next_step=error.next_step) from error
        self.next_attempt_at = now + _RETRY_WHILE_OTHERS_OPEN_S if next_attempt_at is None else next_attempt_at
        if not self._open_associations:
            self._report_unavailable(error.message)

    def record_broken_association(self, study_uid: str) -> None:
        """Note that an association broke while *study_uid* was under way on it."""
        self._pending_seen = False
        self._breaks.record_broken_association(study_uid)

    def record_pending(self) -> None:
        """Note that it is at a C-MOVE: no answer yet, but others need not wait for that, which may take long."""
        self._pending_seen = True

    def record_response(self, now: float) -> Counter[str]:
        """Note an answer; return how often studies were under way when the archive broke what it was asked on."""
        archive_breaks = self._breaks.record_response()
        if archive_breaks:
            self._report_available(now)
        return archive_breaks

    def is_break_tolerated(self, now: float) -> bool:
        """Tell whether breaks are still the archive's alone: for too long, and they are the answer."""
        return self.breaks_every_association and not self._outage.has_timed_out(now)

    def schedule_retry(self, reason: str, now: float, jitter: float, *, retries_exhausted: bool) -> None:
        """Have the next try wait after a break of the archive, *reason* being what it looked like.

        Raises :class:`DicomError` when the time-out is over, unless the study's answer stands (*retries_exhausted*).
        """
        next_attempt_at = self._outage.record_failure(now, jitter)
        if next_attempt_at is None and not retries_exhausted:
            raise DicomError(
                f"the archive broke each association for {self._timeout_s:g} s, the last time: {reason}",
                subject=self._archive,
                next_step="its own log says why",
            )
        self.next_attempt_at = now if next_attempt_at is None else next_attempt_at
        self._report_unavailable(f"it breaks each association: {reason}")

    def _report_unavailable(self, reason: str) -> None:
        if not self._unavailable_reported:
            self._unavailable_reported = True
            self._on_event(ArchiveUnavailable(reason, self._timeout_s))

    def _report_available(self, now: float) -> None:
        outage_s = self._outage.end(now)
        if self._unavailable_reported and outage_s is not None:
            self._on_event(ArchiveAvailable(outage_s))
        self._unavailable_reported = False
