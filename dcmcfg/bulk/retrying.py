"""Whether a study is asked for again."""

from __future__ import annotations

from enum import Enum

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.status import may_pass

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
