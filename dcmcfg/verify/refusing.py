"""Who refused a move destination: the archive itself, before it looks for the study, or whom it asked for that."""

from __future__ import annotations

from dcmcfg.verify.called import holders
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.passed_on import sends_straight

#: Move Destination unknown (PS3.4 C.4.2.1.5), and the archive's own for one that it does not accept.
DESTINATION_UNKNOWN, NOT_ALLOWED = 0xA801, 0xC801


def refused_by_the_archive(evidence: Evidence) -> bool:
    """Tell whether the archive refused the destination itself: nothing was asked of anybody, nothing sent."""
    if evidence.outcome.status == NOT_ALLOWED:
        return True
    if evidence.outcome.status != DESTINATION_UNKNOWN or refused_elsewhere(evidence) is not None:
        return False
    if not evidence.route.destination_known:
        return True
    return _asked_nobody(evidence) or (_in_own_words(evidence) and not sends_straight(evidence))


def refused_elsewhere(evidence: Evidence) -> MoveRecord | None:
    """Return the external archive's own record that it does not know its Move Destination, if there is one."""
    return next((record for record in evidence.records or () if record.status == DESTINATION_UNKNOWN), None)


def _asked_nobody(evidence: Evidence) -> bool:
    """Tell whether the external archive's record shows that it was not asked.

    Where several hold studies it may be another one's, and words that are not the archive's own were told to it.
    """
    own = _in_own_words(evidence) or not evidence.outcome.comment
    return evidence.records == () and own and len(holders(evidence)) <= 1


def _in_own_words(evidence: Evidence) -> bool:
    comment, title = evidence.outcome.comment, evidence.question.destination
    return comment == f"Unknown AE: {title}" or comment.startswith(f"AE: {title} not installed")
