"""Compare the instances that the receiver of dcmcfg got with the expected ones, as sets of SOP Instance UIDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.verdict import ReceiptAssessment, ReceiptFinding, format_instance_count


def judge_receipt(evidence: Evidence) -> ReceiptAssessment:
    """Return which instances arrived, and which are missing, unexpected, altered or corrupt."""
    if evidence.received is None:
        return ReceiptAssessment(ReceiptFinding.NOT_OBSERVED)
    received, unrelated = _separate_unrelated(evidence)
    counts = Counter(instance.sop_instance_uid for instance in received)
    expected = _get_expected_uids(evidence)
    unexpected = _UnexpectedInstances.find(received, expected, evidence.request)
    changed_sop_class, differing_content = _find_changed_sop_classes(evidence), _find_differing_content(received)
    corrupt = tuple(sorted({(each.sop_instance_uid, each.problem) for each in received if each.problem}))
    missing = tuple(sorted(expected - counts.keys()))
    number = len(counts.keys() - unexpected.uids)
    reasons = (
        *_describe_shortfall(evidence, number, len(expected), missing=missing, unexpected=unexpected),
        *unexpected.format_reasons(),
        *_describe_corrupt(corrupt),
        *(
            [
                (
                    f"the SOP class of {format_instance_count(len(changed_sop_class))} differs from the SOP class in "
                    "the archive's list"
                )
            ]
            if changed_sop_class
            else ()
        ),
        *(
            [f"{format_instance_count(len(differing_content))} arrived more than once with different content"]
            if differing_content
            else ()
        ),
    )
    return ReceiptAssessment(
        finding=_find_receipt_finding(evidence, reasons),
        instance_count=number,
        missing=missing,
        unexpected=tuple(sorted(unexpected.uids)),
        altered=tuple(sorted(changed_sop_class | differing_content)),
        duplicates=tuple(sorted(uid for uid, count in counts.items() if count > 1)),
        corrupt=corrupt,
        stored_files=tuple(sorted({each.saved_path for each in received if each.saved_path})),
        callers=_distinct(instance.calling_ae_title for instance in received),
        move_originators=_distinct(instance.move_originator_ae_title for instance in received),
        unrelated_senders=_distinct(each.calling_ae_title for each in unrelated),
        reasons=reasons,
    )


def _get_expected_uids(evidence: Evidence) -> set[str]:
    """Return the UIDs that must arrive: the listed ones; none if the user expects another number."""
    listed = {instance.sop_instance_uid for instance in evidence.expected_instances}
    # With another number from the user, it is unknown which instances must arrive.
    return listed if evidence.expected_count == len(listed) else set()


def _separate_unrelated(evidence: Evidence) -> tuple[tuple[ReceivedInstance, ...], tuple[ReceivedInstance, ...]]:
    """Return the instances of this verification, and those of other studies that other senders sent.

    They are separated only if all expected instances arrived: then the other senders sent none of them, and the C-MOVE
    was not the reason for the others.
    """
    received = evidence.received or ()
    expected = _get_expected_uids(evidence)
    expected_instances = [instance for instance in received if instance.sop_instance_uid in expected]
    if not expected or len({instance.sop_instance_uid for instance in expected_instances}) < len(expected):
        return received, ()
    callers = {instance.calling_ae_title for instance in expected_instances}

    def is_related(instance: ReceivedInstance) -> bool:
        return (
            instance.sop_instance_uid in expected
            or instance.study_uid == evidence.request.study_uid
            or instance.move_originator_ae_title == evidence.request.calling_ae_title
            # The sender of the expected instances may have sent the others for the C-MOVE too.
            or instance.calling_ae_title in callers
        )

    return tuple(filter(is_related, received)), tuple(instance for instance in received if not is_related(instance))


def _find_receipt_finding(evidence: Evidence, reasons: tuple[str, ...]) -> ReceiptFinding:
    if reasons:
        return ReceiptFinding.INCOMPLETE
    return ReceiptFinding.UNCHECKED if evidence.expected_count is None else ReceiptFinding.COMPLETE


@dataclass(frozen=True)
class _UnexpectedInstances:
    """UIDs of unexpected instances: not listed by the archive, or listed but part of another study."""

    unlisted: frozenset[str]
    other_study: frozenset[str]
    is_whole_study: bool

    @staticmethod
    def find(
        received: tuple[ReceivedInstance, ...], expected: set[str], request: VerificationRequest
    ) -> _UnexpectedInstances:
        """Return the unexpected instances; without known expectation, those that do not belong to the study."""
        unlisted: set[str] = set()
        other_study: set[str] = set()
        for instance in received:
            if expected and instance.sop_instance_uid not in expected:
                unlisted.add(instance.sop_instance_uid)
            elif instance.study_uid != request.study_uid and not (expected and instance.study_uid is None):
                (other_study if expected else unlisted).add(instance.sop_instance_uid)
        is_whole_study = request.selection.is_whole_study
        return _UnexpectedInstances(frozenset(unlisted), frozenset(other_study), is_whole_study)

    @property
    def uids(self) -> frozenset[str]:
        return self.unlisted | self.other_study

    def format_reasons(self) -> Iterator[str]:
        if self.unlisted:
            verb = "was" if len(self.unlisted) == 1 else "were"
            phrase = "listed by the archive for this study" if self.is_whole_study else "requested"
            yield f"{format_instance_count(len(self.unlisted))} arrived, but {verb} not {phrase}"
        if self.other_study:
            yield f"{format_instance_count(len(self.other_study))} arrived with the expected UID, but in another study"


def _find_changed_sop_classes(evidence: Evidence) -> set[str]:
    """Return the UIDs of instances with another SOP class than listed."""
    listed = {each.sop_instance_uid: each.sop_class_uid for each in evidence.expected_instances}
    return {
        each.sop_instance_uid
        for each in evidence.received or ()
        # SOP Class UID is an optional key of C-FIND (PS3.4 C.6.1.1.5), so the archive may not list it.
        if listed.get(each.sop_instance_uid) and each.sop_class_uid != listed[each.sop_instance_uid]
    }


def _find_differing_content(received: tuple[ReceivedInstance, ...]) -> set[str]:
    """Return the UIDs that arrived with different content; octets are comparable within one transfer syntax."""
    contents = {
        (each.sop_instance_uid, each.transfer_syntax, each.data_set_length, each.fingerprint) for each in received
    }
    counts = Counter((uid, syntax) for uid, syntax, *_ in contents)
    return {uid for (uid, _), count in counts.items() if count > 1}


def _describe_corrupt(corrupt: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if corrupt:
        number = len({uid for uid, _ in corrupt})
        phrase = "is corrupt (" if number == 1 else "are corrupt (the first: "
        yield f"{format_instance_count(number)} arrived and {phrase}{corrupt[0][1]})"


def _describe_shortfall(
    evidence: Evidence,
    number: int,
    expected_uid_count: int,
    *,
    missing: tuple[str, ...],
    unexpected: _UnexpectedInstances,
) -> Iterator[str]:
    expected = evidence.expected_count
    if not evidence.received:
        cause_if_early = " after the C-MOVE was sent" if evidence.early_instances else ""
        cause = " for this C-MOVE" if evidence.unrelated_instances else cause_if_early
        yield f"nothing arrived at {evidence.request.destination_ae_title}{cause}"
    elif missing:
        yield f"{len(missing)} of {format_instance_count(expected_uid_count)} did not arrive"
    elif not unexpected.uids and expected is not None and number != expected:
        yield f"{format_instance_count(number)} arrived, expected: {expected}"


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
