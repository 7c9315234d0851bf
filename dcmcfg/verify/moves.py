"""Send the C-MOVE requests of one verification, and combine their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.dicom.move import MoveOutcome, MoveProgress
from dcmcfg.dicom.retrieval import Retrieval
from dcmcfg.dicom.status import IDENTIFIER_MISMATCH_RANGE, UNABLE_TO_PROCESS_RANGE
from dcmcfg.verify.selection import split_retrieval


@dataclass(frozen=True)
class SentMove:
    """One request with its outcome; ``list_refused`` if the peer refused a list of UIDs, so each is requested alone."""

    retrieval: Retrieval
    outcome: MoveOutcome
    list_refused: bool = False


def move_all(retrievals: Sequence[Retrieval], send: Callable[[Retrieval], MoveOutcome]) -> tuple[SentMove, ...]:
    """Have *send* send *retrievals* one after the other; return them in that order.

    A list of UIDs that a peer refuses as a whole (A9xx, or Cxxx without sub-operations) is requested one by one. No
    request follows one without a final response, or a cancelled one.
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
            # The single requests replace the refused list, before the remaining requests.
            pending[:0] = split_retrievals
    return tuple(moves)


def combine_outcomes(moves: Iterable[SentMove]) -> MoveOutcome:
    """Return the combined outcome of *moves*: the first status other than 0000, summed counters, and all comments.

    Requests that were repeated one by one are ignored. *moves* has at least one element.
    """
    outcomes = [each.outcome for each in moves if not each.list_refused]
    if len(outcomes) == 1:
        return outcomes[0]
    # A missing final response outweighs every status, because the outcome of that request is unknown.
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
    """Sums the progress of consecutive requests."""

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
        """Add a finished request."""
        self._finished = MoveProgress(
            None,
            _sum_known((self._finished.completed, outcome.completed)),
            _sum_known((self._finished.failed, outcome.failed)),
            _sum_known((self._finished.warning, outcome.warning)),
        )


def _is_uid_list_refused(outcome: MoveOutcome) -> bool:
    """Return whether the peer refused the list of UIDs: peers use A9xx and any Cxxx for this, so each Cxxx counts."""
    status = outcome.status
    any_performed = outcome.completed or outcome.failed or outcome.warning
    return (
        status is not None
        and (status in IDENTIFIER_MISMATCH_RANGE or status in UNABLE_TO_PROCESS_RANGE)
        and not any_performed
        and not outcome.cancelled
    )


def _sum_known(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of the known numbers, None if there are none."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
