"""What our own receiver saw, against what was expected: sets of SOP Instance UIDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import Evidence, Question
from dcmcfg.verify.verdict import Received, Witness, counted


def judge_received(evidence: Evidence) -> Received:
    """Return what arrived, what is missing, what does not belong, and what is not what its UID stands for."""
    if evidence.received is None:
        return Received(Witness.NOT_WITNESSED)
    arrived, meanwhile = _apart(evidence)
    counts = Counter(instance.sop_instance_uid for instance in arrived)
    expected = _listed(evidence)
    strangers = _Strangers.among(arrived, expected, evidence.question)
    reclassed, differing = _of_another_class(evidence), _with_differing_content(arrived)
    unsound = tuple(sorted({(each.sop_instance_uid, each.problem) for each in arrived if each.problem}))
    missing = tuple(sorted(expected - counts.keys()))
    number = len(counts.keys() - strangers.uids)
    reasons = (
        *_shortfall(evidence, number, len(expected), missing, strangers),
        *strangers.reasons(),
        *_unsound_in_words(unsound),
        *([f"{counted(len(reclassed))} arrived as another SOP class than listed"] if reclassed else ()),
        *([f"{counted(len(differing))} arrived more than once, and not the same each time"] if differing else ()),
    )
    return Received(
        finding=_finding(evidence, reasons),
        number=number,
        missing=missing,
        foreign=tuple(sorted(strangers.uids)),
        altered=tuple(sorted(reclassed | differing)),
        duplicates=tuple(sorted(uid for uid, count in counts.items() if count > 1)),
        unsound=unsound,
        files=tuple(sorted({each.kept for each in arrived if each.kept})),
        callers=_distinct(instance.calling_ae_title for instance in arrived),
        move_originators=_distinct(instance.move_originator_ae_title for instance in arrived),
        meanwhile=_distinct(each.calling_ae_title for each in meanwhile),
        reasons=reasons,
    )


def _listed(evidence: Evidence) -> set[str]:
    """Return the UIDs that must arrive: those listed, none where the user says that it is another number of them."""
    listed = {instance.sop_instance_uid for instance in evidence.listed}
    return listed if evidence.expected_number == len(listed) else set()


def _apart(evidence: Evidence) -> tuple[tuple[ReceivedInstance, ...], tuple[ReceivedInstance, ...]]:
    """Return what arrived for us, and what somebody else sent meanwhile, of other studies and on their own account.

    That is told only where all that is expected came: nothing of it from them, and our C-MOVE is not why they sent.
    """
    received = evidence.received or ()
    expected = _listed(evidence)
    ours = [each for each in received if each.sop_instance_uid in expected]
    if not expected or len({each.sop_instance_uid for each in ours}) < len(expected):
        return received, ()
    callers = {each.calling_ae_title for each in ours}

    def is_ours(each: ReceivedInstance) -> bool:
        return (
            each.sop_instance_uid in expected
            or each.study_uid == evidence.question.study_uid
            or each.move_originator_ae_title == evidence.question.calling
            or each.calling_ae_title in callers
        )

    return tuple(filter(is_ours, received)), tuple(each for each in received if not is_ours(each))


def _finding(evidence: Evidence, reasons: tuple[str, ...]) -> Witness:
    if reasons:
        return Witness.INCOMPLETE
    return Witness.UNCHECKED if evidence.expected_number is None else Witness.COMPLETE


@dataclass(frozen=True)
class _Strangers:
    """UIDs of what arrived and does not belong: not listed by the archive, or listed and part of another study."""

    unlisted: frozenset[str]
    elsewhere: frozenset[str]
    of_whole_study: bool

    @staticmethod
    def among(arrived: tuple[ReceivedInstance, ...], expected: set[str], question: Question) -> _Strangers:
        """With an unknown expectation, what is not said to be of the study does not belong."""
        unlisted: set[str] = set()
        elsewhere: set[str] = set()
        for instance in arrived:
            if expected and instance.sop_instance_uid not in expected:
                unlisted.add(instance.sop_instance_uid)
            elif instance.study_uid != question.study_uid and not (expected and instance.study_uid is None):
                (elsewhere if expected else unlisted).add(instance.sop_instance_uid)
        whole = question.selection.is_whole_study
        return _Strangers(frozenset(unlisted), frozenset(elsewhere), whole)

    @property
    def uids(self) -> frozenset[str]:
        return self.unlisted | self.elsewhere

    def reasons(self) -> Iterator[str]:
        if self.unlisted:
            why = "the archive did not list for this study" if self.of_whole_study else "were not asked for"
            yield f"{counted(len(self.unlisted))} arrived that {why}"
        if self.elsewhere:
            yield f"{counted(len(self.elsewhere))} arrived under the right UID as part of another study"


def _of_another_class(evidence: Evidence) -> set[str]:
    """Return what arrived as another SOP class than the archive lists, where it lists any."""
    listed = {each.sop_instance_uid: each.sop_class_uid for each in evidence.listed}
    return {
        each.sop_instance_uid
        for each in evidence.received or ()
        if listed.get(each.sop_instance_uid) and each.sop_class_uid != listed[each.sop_instance_uid]
    }


def _with_differing_content(arrived: tuple[ReceivedInstance, ...]) -> set[str]:
    """Return what arrived more than once, not the same each time; octets compare within one transfer syntax."""
    contents = {(each.sop_instance_uid, each.transfer_syntax, each.octets, each.fingerprint) for each in arrived}
    counts = Counter((uid, syntax) for uid, syntax, *_ in contents)
    return {uid for (uid, _), count in counts.items() if count > 1}


def _unsound_in_words(unsound: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if unsound:
        number = len({uid for uid, _ in unsound})
        said = "is not sound (" if number == 1 else "are not sound (the first: "
        yield f"{counted(number)} arrived and {said}{unsound[0][1]})"


def _shortfall(
    evidence: Evidence, number: int, listed: int, missing: tuple[str, ...], strangers: _Strangers
) -> Iterator[str]:
    wanted = evidence.expected_number
    if not evidence.received:
        after = " after the C-MOVE was sent" if evidence.early else ""
        because = " because of this C-MOVE" if evidence.uninvited else after
        yield f"nothing arrived at {evidence.question.destination}{because}"
    elif missing:
        yield f"{len(missing)} of {counted(listed)} did not arrive"
    elif not strangers.uids and wanted is not None and number != wanted:
        yield f"{counted(number)} arrived, expected: {wanted}"


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
