"""Track the availability of the archive by associations that were opened, refused and broken.

If associations of several different studies break in a row, the archive is the cause, not a study. The archive may
also be unavailable for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dcmcfg.bulk.events import ArchiveAvailable, ArchiveUnavailable, RunEvent
from dcmcfg.bulk.run_options import RunOptions
from dcmcfg.bulk.schedule import compute_back_off
from dcmcfg.errors import DicomError, RejectedTransient

#: Two studies may each cause the archive to fail. With so many in a row, the failure is attributed to the archive.
_STUDIES_TO_BLAME_ARCHIVE = 3


class BrokenAssociations:
    """The studies that were active when associations broke, since the last response. Not thread-safe."""

    def __init__(self) -> None:
        self._breaks_by_study: Counter[str] = Counter()

    @property
    def is_cause_unclear(self) -> bool:
        """Whether the last event was a break. Another study shows whether the archive or the study caused it."""
        return bool(self._breaks_by_study)

    @property
    def is_archive_at_fault(self) -> bool:
        """Whether the archive breaks every association, for any study."""
        return len(self._breaks_by_study) >= _STUDIES_TO_BLAME_ARCHIVE

    def record_broken_association(self, study_uid: str) -> None:
        """Record that an association broke while *study_uid* was active on it."""
        self._breaks_by_study[study_uid] += 1

    def record_response(self) -> Counter[str]:
        """Record a response for any study; return the number of breaks per study that the archive caused."""
        archive_breaks = self._breaks_by_study if self.is_archive_at_fault else Counter[str]()
        self._breaks_by_study = Counter()
        return archive_breaks


#: Seconds before the second attempt of an outage, and the longest wait between two attempts.
FIRST_WAIT_S = 0.5
_MAX_WAIT_S = 15.0


@dataclass
class Outage:
    """A period without associations, with the time of the next attempt. Not thread-safe."""

    timeout_s: float
    first_wait_s: float = FIRST_WAIT_S
    started_at: float | None = None
    _failures: int = field(default=0, repr=False)

    def record_failure(self, now: float, jitter: float) -> float | None:
        """Record a failed association at *now*; return the time of the next attempt, or None after the time-out."""
        if self.started_at is None:
            self.started_at = now
        self._failures += 1
        remaining_s = self.started_at + self.timeout_s - now
        if remaining_s <= 0:
            return None
        return now + min(compute_back_off(self._failures, self.first_wait_s, jitter), _MAX_WAIT_S, remaining_s)

    def has_timed_out(self, now: float) -> bool:
        """Return whether the time-out has expired at *now*."""
        return self.started_at is not None and now - self.started_at >= self.timeout_s

    def end(self, now: float) -> float | None:
        """Record that the archive responds at *now*; return the length of the outage in seconds, or None."""
        duration_s = None if self.started_at is None else now - self.started_at
        self.started_at, self._failures = None, 0
        return duration_s


#: Seconds before the next attempt of a worker without association while other workers have one.
_RETRY_WHILE_OTHERS_OPEN_S = 15.0


class ArchiveAvailability:
    """The availability of *archive*; changes are reported to *on_event*. Not thread-safe.

    The archive is unavailable if no association can be opened, until one can be opened, or if it breaks every
    association, until it responds. During this time one worker at a time tries, with increasing back-off, until the
    time-out of *options* expires.
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
        self.connecting_workers = 0  # workers that are opening an association
        self.next_attempt_at = float("-inf")

    @property
    def is_cause_unclear(self) -> bool:
        """Whether the archive only broke associations since its last response, so that the cause is not known yet."""
        return self._breaks.is_cause_unclear

    @property
    def breaks_every_association(self) -> bool:
        """Whether the archive breaks every association, for any study."""
        return self._breaks.is_archive_at_fault

    def can_connect(self, now: float) -> bool:
        """Return whether one more association may be tried at *now*."""
        # If the archive breaks every association, an open one counts as an attempt until its first pending response.
        other_workers = self.connecting_workers + (
            self._open_associations if self.breaks_every_association and not self._pending_seen else 0
        )
        return now >= self.next_attempt_at and not (self._outage.started_at is not None and other_workers > 0)

    def record_opened(self, now: float) -> None:
        """Record that a connecting worker has opened an association."""
        self._was_ever_open = True
        self.connecting_workers -= 1
        self._open_associations += 1
        self.next_attempt_at = float("-inf")
        if not self.breaks_every_association:  # otherwise an open association proves nothing
            self._report_available(now)

    def record_closed(self) -> None:
        """Record that an association has ended."""
        self._open_associations -= 1

    def record_failure(self, error: DicomError, now: float, jitter: float) -> None:
        """Record that a connecting worker failed; raises *error* if the failure is final.

        It is final after the time-out. Before the first association it is final immediately, unless it is a transient
        rejection, because the address may be wrong.
        """
        self.connecting_workers -= 1
        if not self._was_ever_open and not isinstance(error, RejectedTransient):
            raise error
        next_attempt_at = self._outage.record_failure(now, jitter)
        # While another worker has an association, the archive is available: it only limits their number.
        if next_attempt_at is None and not self._open_associations:
            message = f"the archive was unavailable for {self._timeout_s:g} s: {error.message}"
            raise DicomError(message, subject=error.subject, next_step=error.next_step) from error
        self.next_attempt_at = now + _RETRY_WHILE_OTHERS_OPEN_S if next_attempt_at is None else next_attempt_at
        if not self._open_associations:
            self._report_unavailable(error.message)

    def record_broken_association(self, study_uid: str) -> None:
        """Record that an association broke while *study_uid* was active on it."""
        self._pending_seen = False
        self._breaks.record_broken_association(study_uid)

    def record_pending(self) -> None:
        """Record a pending response: not a result, but the archive works, so other workers need not wait."""
        self._pending_seen = True

    def record_response(self, now: float) -> Counter[str]:
        """Record a response; return the number of breaks per study that the archive caused."""
        archive_breaks = self._breaks.record_response()
        if archive_breaks:
            self._report_available(now)
        return archive_breaks

    def is_break_tolerated(self, now: float) -> bool:
        """Return whether breaks are attributed to the archive. After the time-out they are the studies' results."""
        return self.breaks_every_association and not self._outage.has_timed_out(now)

    def schedule_retry(self, reason: str, now: float, jitter: float, *, retries_exhausted: bool) -> None:
        """Delay the next attempt after a break by the archive; *reason* describes the break.

        Raises :class:`DicomError` after the time-out, unless the study has a final result (*retries_exhausted*).
        """
        next_attempt_at = self._outage.record_failure(now, jitter)
        if next_attempt_at is None and not retries_exhausted:
            raise DicomError(
                f"for {self._timeout_s:g} s, the archive broke every association. Last reason: {reason}",
                subject=self._archive,
                next_step="check the archive's log for the reason",
            )
        self.next_attempt_at = now if next_attempt_at is None else next_attempt_at
        self._report_unavailable(f"the archive breaks every association. Last reason: {reason}")

    def _report_unavailable(self, reason: str) -> None:
        if not self._unavailable_reported:
            self._unavailable_reported = True
            self._on_event(ArchiveUnavailable(reason, self._timeout_s))

    def _report_available(self, now: float) -> None:
        outage_s = self._outage.end(now)
        if self._unavailable_reported and outage_s is not None:
            self._on_event(ArchiveAvailable(outage_s))
        self._unavailable_reported = False
