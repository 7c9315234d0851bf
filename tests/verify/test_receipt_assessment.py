"""What our receiver saw, against what was expected: one thing is wrong in each case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.receipt_assessment import judge_receipt
from dcmcfg.verify.verdict import ReceiptAssessment, ReceiptFinding
from tests.verify.evidence import GOOD, UIDS, received_instances

MR = "1.2.840.10008.5.1.4.1.1.4"
JPEG = "1.2.840.10008.1.2.4.50"


def _judged(*instances: ReceivedInstance) -> ReceiptAssessment:
    return judge_receipt(replace(GOOD, received=instances))


def test_the_right_uid_in_another_study_is_foreign_and_does_not_count() -> None:
    first, *rest = received_instances()
    assessment = _judged(replace(first, study_uid="1.2.4"), *rest)
    assert (assessment.finding, assessment.instance_count, assessment.unexpected) == (
        ReceiptFinding.INCOMPLETE,
        2,
        UIDS[:1],
    )
    assert assessment.reasons == ("1 instance arrived with the expected UID, but in another study",)


def test_what_was_not_listed_does_not_count() -> None:
    assessment = _judged(*received_instances(), *received_instances(("1.9",)))
    assert (assessment.finding, assessment.instance_count, assessment.unexpected) == (
        ReceiptFinding.INCOMPLETE,
        3,
        ("1.9",),
    )


def test_another_sop_class_than_listed_is_another_object() -> None:
    first, *rest = received_instances()
    assessment = _judged(replace(first, sop_class_uid=MR), *rest)
    assert (assessment.finding, assessment.altered) == (ReceiptFinding.INCOMPLETE, UIDS[:1])
    assert assessment.reasons == ("the SOP class of 1 instance differs from the SOP class in the archive's list",)


def test_a_second_copy_must_be_the_same_in_the_same_transfer_syntax() -> None:
    same = tuple(replace(each, fingerprint=b"aa") for each in received_instances())
    assert _judged(*same, *same).finding is ReceiptFinding.COMPLETE
    assert _judged(*same, replace(same[0], fingerprint=b"bb", transfer_syntax=JPEG)).finding is ReceiptFinding.COMPLETE
    assert _judged(*same, replace(same[0], fingerprint=b"bb")).altered == UIDS[:1]


def test_what_is_not_sound_speaks_against_it_and_is_told_with_its_uid() -> None:
    first, *rest = received_instances()
    assessment = _judged(replace(first, problem="the file could not be written: No space left on device"), *rest)
    assert (assessment.finding, assessment.instance_count) == (ReceiptFinding.INCOMPLETE, 3)
    assert assessment.corrupt == ((UIDS[0], "the file could not be written: No space left on device"),)
    assert assessment.reasons == (
        "1 instance arrived and is corrupt (the file could not be written: No space left on device)",
    )


def test_kept_files_are_listed_once_each() -> None:
    path = Path("kept/1.2.3/1.dcm")
    assert _judged(*(replace(each, saved_path=path) for each in received_instances())).stored_files == (path,)


def test_what_somebody_else_sent_meanwhile_on_their_own_account_counts_for_nothing() -> None:
    other = replace(*received_instances(("1.9",), calling="MODALITY"), study_uid="1.9.9", move_originator_ae_title=None)
    assessment = _judged(*received_instances(), other)
    assert (assessment.finding, assessment.instance_count, assessment.unexpected, assessment.unrelated_senders) == (
        ReceiptFinding.COMPLETE,
        3,
        (),
        ("MODALITY",),
    )
    for suspect in (
        replace(other, calling_ae_title="DCM4CHEE"),  # ours came from there
        replace(other, move_originator_ae_title="DCMCFG"),  # our C-MOVE is why
        replace(other, study_uid="1.2.3"),
    ):
        assert _judged(*received_instances(), suspect).finding is ReceiptFinding.INCOMPLETE
    assert _judged(*received_instances()[1:], other).unexpected == ("1.9",), (
        "while something of ours is missing, nothing is excused"
    )


def test_a_number_that_the_user_gives_counts_in_place_of_what_is_listed() -> None:
    for number, uids in ((4, (*UIDS, "1.9")), (2, UIDS[:2])):
        evidence = replace(GOOD, request=replace(GOOD.request, expected_count=number))
        assessment = judge_receipt(replace(evidence, received=received_instances(uids)))
        assert (assessment.finding, assessment.instance_count, assessment.unexpected, assessment.missing) == (
            ReceiptFinding.COMPLETE,
            number,
            (),
            (),
        )
        strangers = (
            *received_instances(uids[:-1]),
            *(replace(each, study_uid="1.9.9") for each in received_instances(uids[-1:])),
        )
        assert judge_receipt(replace(evidence, received=strangers)).finding is ReceiptFinding.INCOMPLETE, (
            "must be of the study"
        )
