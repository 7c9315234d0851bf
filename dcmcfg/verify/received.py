"""What our own receiver saw, against what was expected: sets of SOP Instance UIDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dcmcfg.dicom.receive import ReceivedInstance
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Received, Witness, counted


def judge_received(evidence: Evidence) -> Received:
    """Return what arrived, what is missing and what does not belong."""
    if evidence.received is None:
        return Received(Witness.NOT_WITNESSED)
    arrived = evidence.received
    counts = Counter(instance.sop_instance_uid for instance in arrived)
    expected = {instance.sop_instance_uid for instance in evidence.expected}
    missing = tuple(sorted(expected - counts.keys()))
    foreign = _foreign(arrived, expected, evidence.question.study_uid)
    reasons = _reasons(evidence, len(counts), len(expected), missing, foreign)
    return Received(
        finding=_finding(evidence, reasons),
        number=len(counts),
        missing=missing,
        foreign=foreign,
        duplicates=tuple(sorted(uid for uid, count in counts.items() if count > 1)),
        callers=_distinct(instance.calling_ae_title for instance in arrived),
        move_originators=_distinct(instance.move_originator_ae_title for instance in arrived),
        reasons=reasons,
    )


def _finding(evidence: Evidence, reasons: tuple[str, ...]) -> Witness:
    if reasons:
        return Witness.INCOMPLETE
    return Witness.UNCHECKED if evidence.expected_number is None else Witness.COMPLETE


def _foreign(arrived: tuple[ReceivedInstance, ...], expected: set[str], study_uid: str) -> tuple[str, ...]:
    """Return what arrived without being expected; with an unknown expectation, what is not said to be of the study."""

    def is_foreign(instance: ReceivedInstance) -> bool:
        if not expected:
            return instance.study_uid != study_uid
        return instance.sop_instance_uid not in expected or instance.study_uid not in (None, study_uid)

    return tuple(sorted({instance.sop_instance_uid for instance in arrived if is_foreign(instance)}))


def _reasons(
    evidence: Evidence, number: int, listed: int, missing: tuple[str, ...], foreign: tuple[str, ...]
) -> tuple[str, ...]:
    wanted = evidence.expected_number
    reasons = []
    if not number:
        reasons.append(f"nothing arrived at {evidence.question.destination}")
    elif missing:
        reasons.append(f"{len(missing)} of {counted(listed)} did not arrive")
    if foreign:
        reasons.append(f"{counted(len(foreign))} arrived that the archive did not list for this study")
    if number and not missing and not foreign and wanted is not None and number != wanted:
        reasons.append(f"{counted(number)} arrived, expected: {wanted}")
    return tuple(reasons)


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
