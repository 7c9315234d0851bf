from __future__ import annotations

from dcmcfg.dicom.move import MoveOutcome, MoveProgress
from dcmcfg.dicom.retrieval import QueryRetrieveLevel, Retrieval
from dcmcfg.verify.moves import ProgressTotal, SentMove, combine_outcomes, move_all

SERIES = Retrieval("1.2", QueryRetrieveLevel.SERIES, ("1.2.1", "1.2.2"))
ONE, OTHER = (Retrieval("1.2", QueryRetrieveLevel.SERIES, (uid,)) for uid in SERIES.series_uids)


def _sending(*outcomes: MoveOutcome) -> tuple[list[Retrieval], tuple[SentMove, ...]]:
    sent: list[Retrieval] = []
    answers = iter(outcomes)

    def send(retrieval: Retrieval) -> MoveOutcome:
        sent.append(retrieval)
        return next(answers)

    return sent, move_all([SERIES], send)


def test_a_list_that_is_refused_is_sent_again_one_by_one_and_counts_for_nothing() -> None:
    good = MoveOutcome(0, completed=1)
    sent, moves = _sending(MoveOutcome(0xC001), good, good)
    assert sent == [SERIES, ONE, OTHER]
    assert [each.list_refused for each in moves] == [True, False, False]
    assert (combine_outcomes(moves).status, combine_outcomes(moves).completed) == (0, 2)


def test_a_refusal_after_something_was_done_is_an_outcome() -> None:
    sent, moves = _sending(MoveOutcome(0xC001, completed=1))
    assert (sent, combine_outcomes(moves).status) == ([SERIES], 0xC001)


def test_what_was_cancelled_is_not_sent_again() -> None:
    sent, _ = _sending(MoveOutcome(0xA900, cancelled=True))
    assert sent == [SERIES]


def test_no_final_response_weighs_more_than_a_failure_and_that_more_than_success() -> None:
    outcomes = (MoveOutcome(0, completed=2), MoveOutcome(0xA702, failed=1), MoveOutcome(None, interruption="gone"))
    for number, status in ((1, 0), (2, 0xA702), (3, None)):
        assert combine_outcomes(SentMove(ONE, each) for each in outcomes[:number]).status == status
    both = combine_outcomes(SentMove(ONE, each) for each in outcomes[:2])
    assert (both.completed, both.failed, both.warning) == (2, 1, None)


def test_progress_goes_on_from_one_request_to_the_next() -> None:
    progress_calls: list[MoveProgress] = []
    tally = ProgressTotal(progress_calls.append)
    tally.add_pending(MoveProgress(1, 1))
    tally.finish_request(MoveOutcome(0, completed=2))
    tally.add_pending(MoveProgress(0, 1, 1))
    assert [(each.completed, each.failed) for each in progress_calls] == [(1, None), (3, 1)]
