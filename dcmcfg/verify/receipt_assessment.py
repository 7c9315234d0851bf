"""What our own receiver saw, against what was expected: sets of SOP Instance UIDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.verdict import ReceiptAssessment, ReceiptFinding, format_instance_count


def judge_received(evidence: Evidence) -> ReceiptAssessment:
    """Return what arrived, what is missing, what does not belong, and what is not what its UID stands for."""
    if evidence.received is None:
        return ReceiptAssessment(ReceiptFinding.NOT_OBSERVED)
    arrived, meanwhile = _separate_unrelated(evidence)
    counts = Counter(instance.sop_instance_uid for instance in arrived)
    expected = _get_expected_uids(evidence)
    strangers = _UnexpectedInstances.find(arrived, expected, evidence.request)
    reclassed, differing = _find_changed_sop_classes(evidence), _find_differing_content(arrived)
    unsound = tuple(sorted({(each.sop_instance_uid, each.problem) for each in arrived if each.problem}))
    missing = tuple(sorted(expected - counts.keys()))
    number = len(counts.keys() - strangers.uids)
    reasons = (
        *_describe_shortfall(evidence, number, len(expected), missing=missing, strangers=strangers),
        *strangers.format_reasons(),
        *_describe_corrupt(unsound),
        *([f"{format_instance_count(len(reclassed))} arrived as another SOP class than listed"] if reclassed else ()),
        *(
            [f"{format_instance_count(len(differing))} arrived more than once, and not the same each time"]
            if differing
            else ()
        ),
    )
    return ReceiptAssessment(
        finding=_finding(evidence, reasons),
        instance_count=number,
        missing=missing,
        unexpected=tuple(sorted(strangers.uids)),
        altered=tuple(sorted(reclassed | differing)),
        duplicates=tuple(sorted(uid for uid, count in counts.items() if count > 1)),
        corrupt=unsound,
        stored_files=tuple(sorted({each.saved_path for each in arrived if each.saved_path})),
        callers=_distinct(instance.calling_ae_title for instance in arrived),
        move_originators=_distinct(instance.move_originator_ae_title for instance in arrived),
        unrelated_senders=_distinct(each.calling_ae_title for each in meanwhile),
        reasons=reasons,
    )


def _get_expected_uids(evidence: Evidence) -> set[str]:
    """Return the UIDs that must arrive: those listed, none where the user says that it is another number of them."""
    listed = {instance.sop_instance_uid for instance in evidence.expected_instances}
    return listed if evidence.expected_count == len(listed) else set()


def _separate_unrelated(evidence: Evidence) -> tuple[tuple[ReceivedInstance, ...], tuple[ReceivedInstance, ...]]:
    """Return what arrived for us, and what somebody else sent meanwhile, of other studies and on their own account.

    That is told only where all that is expected came: nothing of it from them, and our C-MOVE is not why they sent.
    """
    received = evidence.received or ()
    expected = _get_expected_uids(evidence)
    ours = [each for each in received if each.sop_instance_uid in expected]
    if not expected or len({each.sop_instance_uid for each in ours}) < len(expected):
        return received, ()
    callers = {each.calling_ae_title for each in ours}

    def is_ours(each: ReceivedInstance) -> bool:
        return (
            each.sop_instance_uid in expected
            or each.study_uid == evidence.request.study_uid
            or each.move_originator_ae_title == evidence.request.calling_ae_title
            or each.calling_ae_title in callers
        )

    return tuple(filter(is_ours, received)), tuple(each for each in received if not is_ours(each))


def _finding(evidence: Evidence, reasons: tuple[str, ...]) -> ReceiptFinding:
    if reasons:
        return ReceiptFinding.INCOMPLETE
    return ReceiptFinding.UNCHECKED if evidence.expected_count is None else ReceiptFinding.COMPLETE


@dataclass(frozen=True)
class _UnexpectedInstances:
    """UIDs of what arrived and does not belong: not listed by the archive, or listed and part of another study."""

    unlisted: frozenset[str]
    other_study: frozenset[str]
    is_whole_study: bool

    @staticmethod
    def find(
        arrived: tuple[ReceivedInstance, ...], expected: set[str], request: VerificationRequest
    ) -> _UnexpectedInstances:
        """With an unknown expectation, what is not said to be of the study does not belong."""
        unlisted: set[str] = set()
        elsewhere: set[str] = set()
        for instance in arrived:
            if expected and instance.sop_instance_uid not in expected:
                unlisted.add(instance.sop_instance_uid)
            elif instance.study_uid != request.study_uid and not (expected and instance.study_uid is None):
                (elsewhere if expected else unlisted).add(instance.sop_instance_uid)
        whole = request.selection.is_whole_study
        return _UnexpectedInstances(frozenset(unlisted), frozenset(elsewhere), whole)

    @property
    def uids(self) -> frozenset[str]:
        return self.unlisted | self.other_study

    def format_reasons(self) -> Iterator[str]:
        if self.unlisted:
            why = "the archive did not list for this study" if self.is_whole_study else "were not asked for"
            yield f"{format_instance_count(len(self.unlisted))} arrived that {why}"
        if self.other_study:
            yield f"{format_instance_count(len(self.other_study))} arrived under the right UID as part of another study"


def _find_changed_sop_classes(evidence: Evidence) -> set[str]:
    """Return what arrived as another SOP class than the archive lists, where it lists any."""
    listed = {each.sop_instance_uid: each.sop_class_uid for each in evidence.expected_instances}
    return {
        each.sop_instance_uid
        for each in evidence.received or ()
        if listed.get(each.sop_instance_uid) and each.sop_class_uid != listed[each.sop_instance_uid]
    }


def _find_differing_content(arrived: tuple[ReceivedInstance, ...]) -> set[str]:
    """Return what arrived more than once, not the same each time; octets compare within one transfer syntax."""
    contents = {
        (each.sop_instance_uid, each.transfer_syntax, each.data_set_length, each.fingerprint) for each in arrived
    }
    counts = Counter((uid, syntax) for uid, syntax, *_ in contents)
    return {uid for (uid, _), count in counts.items() if count > 1}


def _describe_corrupt(unsound: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if unsound:
        number = len({uid for uid, _ in unsound})
        said = "is not sound (" if number == 1 else "are not sound (the first: "
        yield f"{format_instance_count(number)} arrived and {said}{unsound[0][1]})"


def _describe_shortfall(
    evidence: Evidence, number: int, listed: int, *, missing: tuple[str, ...], strangers: _UnexpectedInstances
) -> Iterator[str]:
    wanted = evidence.expected_count
    if not evidence.received:
        after = " after the C-MOVE was sent" if evidence.early_instances else ""
        because = " because of this C-MOVE" if evidence.unrelated_instances else after
        yield f"nothing arrived at {evidence.request.destination_ae_title}{because}"
    elif missing:
        yield f"{len(missing)} of {format_instance_count(listed)} did not arrive"
    elif not strangers.uids and wanted is not None and number != wanted:
        yield f"{format_instance_count(number)} arrived, expected: {wanted}"


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
