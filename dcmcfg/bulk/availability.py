"""Whether the archive is there, by the associations that were had, refused and broken.

Associations that break one after the other: of different studies in a row, it is the archive's doing.

An archive that cannot be had for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dcmcfg.bulk.events import Away, Back, Event
from dcmcfg.bulk.run_options import Manner
from dcmcfg.bulk.schedule import back_off
from dcmcfg.errors import DicomError, RejectedForNow

#: Two studies may be such that an archive fails on each; of so many it is taken to fail by itself.
_STUDIES = 3


class Breaks:
    """Which studies were under way when associations broke, since the last answer. Not safe for several threads."""

    def __init__(self) -> None:
        self._in_a_row: Counter[str] = Counter()

    @property
    def are_in_doubt(self) -> bool:
        """Whether the last thing known is a break: another study tells whose doing it was."""
        return bool(self._in_a_row)

    @property
    def are_of_the_archive(self) -> bool:
        """Whether it breaks each association, whatever it is asked for."""
        return len(self._in_a_row) >= _STUDIES

    def broke(self, uid: str) -> None:
        """Note that an association broke while *uid* was under way on it."""
        self._in_a_row[uid] += 1

    def answered(self) -> Counter[str]:
        """Note an answer, of whatever study; return how often studies were under way at breaks of the archive."""
        of_the_archive = self._in_a_row if self.are_of_the_archive else Counter[str]()
        self._in_a_row = Counter()
        return of_the_archive


FIRST_S = 0.5
_LONGEST_S = 15.0


@dataclass
class Outage:
    """Since when there is no association, and when the next is tried. Not safe for several threads at once."""

    patience_s: float
    first_s: float = FIRST_S
    since: float | None = None
    _failures: int = field(default=0, repr=False)

    def failed(self, now: float, chance: float) -> float | None:
        """Note that no association could be had at *now*; return the moment of the next try, None when it is enough."""
        if self.since is None:
            self.since = now
        self._failures += 1
        left = self.since + self.patience_s - now
        if left <= 0:
            return None
        return now + min(back_off(self._failures, self.first_s, chance), _LONGEST_S, left)

    def is_too_long(self, now: float) -> bool:
        """Whether patience is at its end at *now*."""
        return self.since is not None and now - self.since >= self.patience_s

    def over(self, now: float) -> float | None:
        """Note that the archive answers at *now*; return the seconds that it did not, None if it was there."""
        lasted = None if self.since is None else now - self.since
        self.since, self._failures = None, 0
        return lasted


#: While others have associations, one that gets none tries again after so many seconds.
_CROWDED_S = 15.0


class Presence:
    """Of an *archive*, told by *tell* as it changes. Not safe for several threads at once.

    It is away when no association can be had, until one can; and when it breaks each one, until it answers. One worker
    at a time tries then, ever more slowly, until the patience of *manner* is at its end.
    """

    def __init__(self, archive: str, manner: Manner, tell: Callable[[Event], None]) -> None:
        self._archive, self._tell = archive, tell
        self._patience_s = manner.patience_s
        self._outage = Outage(manner.patience_s, min(FIRST_S, manner.first_back_off_s))
        self._breaks = Breaks()
        self._open = 0
        self._ever_open = False
        self._told_away = False
        self._shows_life = False
        self.coming = 0  # workers on their way to a study
        self.next_try = float("-inf")

    @property
    def is_in_doubt(self) -> bool:
        """Whether it did no more than break associations since its last answer: another study tells whose doing."""
        return self._breaks.are_in_doubt

    @property
    def breaks_each(self) -> bool:
        """Whether it breaks each association, whatever it is asked for."""
        return self._breaks.are_of_the_archive

    def may_be_tried(self, now: float) -> bool:
        """Tell whether one more association may be tried at *now*."""
        others = self.coming + (self._open if self.breaks_each and not self._shows_life else 0)
        return now >= self.next_try and not (self._outage.since is not None and others > 0)

    def opened(self, now: float) -> None:
        """Note that whoever was on the way has an association."""
        self._ever_open = True
        self.coming -= 1
        self._open += 1
        self.next_try = float("-inf")
        if not self.breaks_each:  # one of those is nothing to go by
            self._come_back(now)

    def closed(self) -> None:
        """Note that an association is no more."""
        self._open -= 1

    def not_opened(self, error: DicomError, now: float, chance: float) -> None:
        """Note that whoever was on the way got none; raises *error* when that is final.

        That is after all the patience. At the beginning it is at once, unless it is a rejection for now: the address
        may be wrong.
        """
        self.coming -= 1
        if not self._ever_open and not isinstance(error, RejectedForNow):
            raise error
        due = self._outage.failed(now, chance)
        if due is None and not self._open:
            what = f"the archive could not be had for {self._patience_s:g} s: {error.what}"
            raise DicomError(what, on=error.on, next_step=error.next_step) from error
        self.next_try = now + _CROWDED_S if due is None else due
        if not self._open:
            self._go_away(error.what)

    def broke(self, uid: str) -> None:
        """Note that an association broke while *uid* was under way on it."""
        self._shows_life = False
        self._breaks.broke(uid)

    def shows_life(self) -> None:
        """Note that it is at a C-MOVE: no answer yet, but others need not wait for that, which may take long."""
        self._shows_life = True

    def answered(self, now: float) -> Counter[str]:
        """Note an answer; return how often studies were under way when the archive broke what it was asked on."""
        of_the_archive = self._breaks.answered()
        if of_the_archive:
            self._come_back(now)
        return of_the_archive

    def is_borne(self, now: float) -> bool:
        """Tell whether breaks are still the archive's alone: for too long, and they are the answer."""
        return self.breaks_each and not self._outage.is_too_long(now)

    def wait(self, why: str, now: float, chance: float, *, spent: bool) -> None:
        """Have the next try wait after a break of the archive, *why* being what it looked like.

        Raises :class:`DicomError` when it is enough, unless that makes the answer of a *spent* study stand.
        """
        due = self._outage.failed(now, chance)
        if due is None and not spent:
            raise DicomError(
                f"the archive broke each association for {self._patience_s:g} s, the last time: {why}",
                on=self._archive,
                next_step="its own log says why",
            )
        self.next_try = now if due is None else due
        self._go_away(f"it breaks each association: {why}")

    def _go_away(self, why: str) -> None:
        if not self._told_away:
            self._told_away = True
            self._tell(Away(why, self._patience_s))

    def _come_back(self, now: float) -> None:
        lasted = self._outage.over(now)
        if self._told_away and lasted is not None:
            self._tell(Back(lasted))
        self._told_away = False
