"""The C-MOVE requests of one verification, and what they come to together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.dicom.move import MoveOutcome, MoveProgress
from dcmcfg.dicom.retrieval import Retrieval
from dcmcfg.dicom.status import IDENTIFIER_MISMATCH_RANGE, UNABLE_TO_PROCESS_RANGE
from dcmcfg.verify.selection import split_retrieval


@dataclass(frozen=True)
class SentMove:
    """One request with its outcome; ``list_refused`` where the peer took no list of UIDs and was asked one by one."""

    retrieval: Retrieval
    outcome: MoveOutcome
    list_refused: bool = False


def move_all(retrievals: Sequence[Retrieval], send: Callable[[Retrieval], MoveOutcome]) -> tuple[SentMove, ...]:
    """Have *send* carry out *retrievals* one after the other; return them in that order.

    A list of UIDs that a peer refuses as a whole (A9xx, Cxxx with nothing done) is asked for one by one. After one that
    has no final response, or was cancelled, none follows.
    """
    moves: list[SentMove] = []
    waiting = list(retrievals)
    while waiting:
        retrieval = waiting.pop(0)
        outcome = send(retrieval)
        singly = split_retrieval(retrieval)
        refused = len(singly) > 1 and _is_uid_list_refused(outcome)
        moves.append(SentMove(retrieval, outcome, refused))
        if outcome.status is None or outcome.cancelled:
            break
        if refused:
            waiting[:0] = singly
    return tuple(moves)


def combine_outcomes(moves: Iterable[SentMove]) -> MoveOutcome:
    """Return what *moves* come to: the first status that is not 0000, the numbers added up, the words of each.

    Requests that were repeated one by one count for nothing. *moves* has at least one.
    """
    outcomes = [each.outcome for each in moves if not each.list_refused]
    if len(outcomes) == 1:
        return outcomes[0]
    worst = next((each for each in outcomes if each.status is None), None)
    worst = worst or next((each for each in outcomes if each.status), outcomes[0])
    return replace(
        worst,
        failed_sop_instance_uids=tuple(uid for each in outcomes for uid in each.failed_sop_instance_uids),
        remaining=_sum(each.remaining for each in outcomes),
        completed=_sum(each.completed for each in outcomes),
        failed=_sum(each.failed for each in outcomes),
        warning=_sum(each.warning for each in outcomes),
        cancelled=any(each.cancelled for each in outcomes),
        seconds=sum(each.seconds for each in outcomes),
    )


class ProgressTotal:
    """Adds up the progress of requests that follow each other."""

    def __init__(self, on_progress: Callable[[MoveProgress], None]) -> None:
        self._tell = on_progress
        self._before = MoveProgress()
        self._now = MoveProgress()

    def add_pending(self, progress: MoveProgress) -> None:
        """Tell the progress of all, of which *progress* is that of the request under way."""
        self._now = MoveProgress(
            progress.remaining,
            _sum((self._before.completed, progress.completed)),
            _sum((self._before.failed, progress.failed)),
            _sum((self._before.warning, progress.warning)),
        )
        self._tell(self._now)

    def finish_request(self, outcome: MoveOutcome) -> None:
        """Count a request that has ended."""
        self._before = MoveProgress(
            None,
            _sum((self._before.completed, outcome.completed)),
            _sum((self._before.failed, outcome.failed)),
            _sum((self._before.warning, outcome.warning)),
        )


def _is_uid_list_refused(outcome: MoveOutcome) -> bool:
    status = outcome.status
    done = outcome.completed or outcome.failed or outcome.warning
    return (
        status is not None
        and (status in IDENTIFIER_MISMATCH_RANGE or status in UNABLE_TO_PROCESS_RANGE)
        and not done
        and not outcome.cancelled
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, None where nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
