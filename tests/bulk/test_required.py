"""What a run takes for enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.bulk.requirements import NOTHING, Required, may_be_mended
from dcmcfg.bulk.study_result import Answer, Outcome

WITNESSED = Answer(Outcome.VERIFIED, "verified: 1 of 1", route="shown")
REPORTED = Answer(Outcome.REPORTED, "reported, not witnessed", route="not shown", route_why="nobody told")
LOCAL = Answer(Outcome.VERIFIED, "verified: 1 of 1", route="not tried")
NO = Answer(Outcome.NOT_VERIFIED, "NOT verified: status A801", next_step="enter it there")


@pytest.mark.parametrize("answer", [WITNESSED, NO])
def test_what_has_it_all_or_is_a_no_by_itself_stays_as_it_is(answer: Answer) -> None:
    assert Required(route=True).judged(answer) == answer


@pytest.mark.parametrize("answer", [WITNESSED, REPORTED, LOCAL, NO])
def test_nothing_required_changes_nothing(answer: Answer) -> None:
    assert NOTHING.judged(answer) == answer


def test_what_lacks_something_is_a_no_with_reason_and_next_step() -> None:
    judged = Required(route=True).judged(REPORTED)
    assert judged.outcome is Outcome.NOT_VERIFIED
    assert judged.headline == "NOT verified: route not shown, and it is required (nobody told)"
    assert "--external-log FILE" in judged.next_step


def test_a_local_study_is_no_proof_of_the_route_and_asking_again_would_not_help() -> None:
    judged = Required(route=True).judged(LOCAL)
    assert judged.outcome is Outcome.NOT_VERIFIED
    assert judged.next_step == (
        "a local study proves nothing about external retrieve, however often it is sent: dcmcfg verify --recall finds "
        "a purged one"
    )
    named = Required(route=True, recall="dcmcfg verify --recall --dest A").judged(LOCAL)
    assert (named.next_step.endswith(": dcmcfg verify --recall --dest A finds a purged one"), may_be_mended(named)) == (
        True,
        False,
    )
    assert [may_be_mended(each) for each in (judged, NO, LOCAL)] == [False, True, False]


def test_a_yes_of_another_tree_is_outdated_and_a_no_stays_one() -> None:
    now = Required(tree="b")
    judged = now.judged(replace(WITNESSED, tree="a"))
    assert (judged.outcome, judged.outcome.is_yes, may_be_mended(judged)) == (Outcome.OUTDATED, False, False)
    assert judged.headline == "answered before the tree was changed in what decides about it: verified: 1 of 1"
    assert now.judged(WITNESSED).headline.startswith("answered by a dcmcfg that did not keep under which tree: ")
    assert now.judged(replace(NO, tree="a")) == replace(NO, tree="a")
    assert now.judged(replace(WITNESSED, tree="b")) == replace(WITNESSED, tree="b")
