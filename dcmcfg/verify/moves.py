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
    """Have *send* perform *retrievals* one after the other; return them in that order.

    A list of UIDs that a peer refuses as a whole (A9xx, Cxxx with nothing done) is asked for one by one. After one that
    has no final response, or was cancelled, none follows.
    """
    moves: list[SentMove] = []
    pending = list(retrievals)
    while pending:
        retrieval = pending.pop(0)
        outcome = send(retrieval)
        split_retrievals = split_retrieval(retrieval)
        refused = len(split_retrievals) > 1 and _is_uid_list_refused(outcome)
        moves.append(SentMove(retrieval, outcome, refused))
        if outcome.status is None or outcome.cancelled:
            break
        if refused:
            pending[:0] = split_retrievals
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
        remaining=_sum_known(each.remaining for each in outcomes),
        completed=_sum_known(each.completed for each in outcomes),
        failed=_sum_known(each.failed for each in outcomes),
        warning=_sum_known(each.warning for each in outcomes),
        cancelled=any(each.cancelled for each in outcomes),
        seconds=sum(each.seconds for each in outcomes),
    )


class ProgressTotal:
    """Adds up the progress of requests that follow each other."""

    def __init__(self, on_progress: Callable[[MoveProgress], None]) -> None:
        self._on_progress = on_progress
        self._finished = MoveProgress()
        self._current = MoveProgress()

    def add_pending(self, progress: MoveProgress) -> None:
        """Report the progress of all requests; *progress* is that of the current one."""
        self._current = MoveProgress(
            progress.remaining,
            _sum_known((self._finished.completed, progress.completed)),
            _sum_known((self._finished.failed, progress.failed)),
            _sum_known((self._finished.warning, progress.warning)),
        )
        self._on_progress(self._current)

    def finish_request(self, outcome: MoveOutcome) -> None:
        """Count a request that has ended."""
        self._finished = MoveProgress(
            None,
            _sum_known((self._finished.completed, outcome.completed)),
            _sum_known((self._finished.failed, outcome.failed)),
            _sum_known((self._finished.warning, outcome.warning)),
        )


def _is_uid_list_refused(outcome: MoveOutcome) -> bool:
    status = outcome.status
    any_performed = outcome.completed or outcome.failed or outcome.warning
    return (
        status is not None
        and (status in IDENTIFIER_MISMATCH_RANGE or status in UNABLE_TO_PROCESS_RANGE)
        and not any_performed
        and not outcome.cancelled
    )


def _sum_known(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, None where nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
