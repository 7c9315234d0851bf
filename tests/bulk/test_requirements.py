"""What a run takes for enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.bulk.requirements import NO_REQUIREMENTS, ResultRequirements, is_fixable
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome

WITNESSED = AttemptResult(VerificationOutcome.VERIFIED, "verified: 1 of 1", route_finding="shown")
REPORTED = AttemptResult(
    VerificationOutcome.REPORTED, "reported, not observed", route_finding="not shown", route_reasons="nobody told"
)
LOCAL = AttemptResult(VerificationOutcome.VERIFIED, "verified: 1 of 1", route_finding="not tried")
NO = AttemptResult(VerificationOutcome.NOT_VERIFIED, "NOT verified: status A801", next_step="enter it there")


@pytest.mark.parametrize("answer", [WITNESSED, NO])
def test_what_has_it_all_or_is_a_no_by_itself_stays_as_it_is(answer: AttemptResult) -> None:
    assert ResultRequirements(require_route=True).apply_to_result(answer) == answer


@pytest.mark.parametrize("answer", [WITNESSED, REPORTED, LOCAL, NO])
def test_nothing_required_changes_nothing(answer: AttemptResult) -> None:
    assert NO_REQUIREMENTS.apply_to_result(answer) == answer


def test_what_lacks_something_is_a_no_with_reason_and_next_step() -> None:
    judged = ResultRequirements(require_route=True).apply_to_result(REPORTED)
    assert judged.outcome is VerificationOutcome.NOT_VERIFIED
    assert (
        judged.headline
        == "NOT verified: delivered (according to the archive): route not shown, but --require-route is set. Reasons: "
        "nobody told"
    )
    assert "--external-log FILE" in judged.next_step
    assert not is_fixable(judged)


def test_a_study_whose_route_was_not_shown_may_be_local_now_so_the_step_names_another_one() -> None:
    required = ResultRequirements(require_route=True, recall_command="dcmcfg verify --recall --dest A")
    judged = required.apply_to_result(REPORTED)
    assert judged.next_step.endswith(
        ". If the study is local now, it shows no route any more: specify another purged study, or run dcmcfg verify "
        "--recall --dest A"
    )


def test_a_run_that_reads_the_database_or_the_log_is_told_of_no_other_source() -> None:
    judged = ResultRequirements(require_route=True, has_route_source=True).apply_to_result(REPORTED)
    assert judged.next_step.startswith(
        "to verify the route of a purged study, run the same command with --again. If the study is local now, "
    )
    assert not is_fixable(judged)


def test_a_local_study_is_no_proof_of_the_route_and_asking_again_would_not_help() -> None:
    judged = ResultRequirements(require_route=True).apply_to_result(LOCAL)
    assert judged.outcome is VerificationOutcome.NOT_VERIFIED
    assert judged.headline == (
        "NOT verified: delivered from the archive's own storage: route not tried, but --require-route is set"
    )
    assert judged.next_step == (
        "a local study does not prove external retrieve. To verify a purged study: dcmcfg verify --recall"
    )
    named = ResultRequirements(require_route=True, recall_command="dcmcfg verify --recall --dest A").apply_to_result(
        LOCAL
    )
    assert (
        named.next_step.endswith(": dcmcfg verify --recall --dest A"),
        is_fixable(named),
    ) == (
        True,
        False,
    )
    assert [is_fixable(each) for each in (judged, NO, LOCAL)] == [False, True, False]


def test_a_yes_of_another_tree_is_outdated_and_a_no_stays_one() -> None:
    now = ResultRequirements(configuration_checksum="b")
    judged = now.apply_to_result(replace(WITNESSED, configuration_checksum="a"))
    assert (judged.outcome, judged.outcome.is_success, is_fixable(judged)) == (
        VerificationOutcome.OUTDATED,
        False,
        False,
    )
    assert (
        judged.headline == 'the relevant configuration has changed since this result. Stored result: "verified: 1 of 1"'
    )
    assert now.apply_to_result(WITNESSED).headline.startswith(
        "the result comes from a dcmcfg version that did not record the configuration. Stored result: "
    )
    assert now.apply_to_result(replace(NO, configuration_checksum="a")) == replace(NO, configuration_checksum="a")
    assert now.apply_to_result(replace(WITNESSED, configuration_checksum="b")) == replace(
        WITNESSED, configuration_checksum="b"
    )
