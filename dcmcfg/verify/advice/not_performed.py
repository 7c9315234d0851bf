"""What to do where a status came that is no success, or a success that counts failures or warnings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.dicom.retrieval import Model
from dcmcfg.dicom.status import explain
from dcmcfg.verify.advice import partly_purged
from dcmcfg.verify.advice.case import SUCCESS, Case
from dcmcfg.verify.advice.failed_call import step_of_the_called
from dcmcfg.verify.called_ae import DESTINATION_UNKNOWN, NOT_ALLOWED, NOT_PERFORMED, called, either_side_failed, holders
from dcmcfg.verify.file_evidence import Files, recalled

_SOME_FAILED = 0xB000
_PROCESSING_FAILURE = 0x0110
#: The archive itself refuses a destination that is not allowed with C801.
_UNABLE_TO_PROCESS = range(0xC000, 0xC100)


def steps(case: Case) -> Iterator[str]:
    reported = case.reported
    if reported.ok or reported.status in (None, DESTINATION_UNKNOWN, NOT_ALLOWED):
        return
    if reported.status == SUCCESS and not (reported.failed or reported.warning):
        return
    if case.evidence.outcome.cancelled:
        return
    if case.unconfigured or case.asked_fallback or partly_purged.applies(case):
        return
    if case.astray:
        yield case.astray
    elif reported.warning and not reported.failed:
        yield _warned(case)
    elif case.came_back:
        yield _not_all_came_through(case)
    else:
        yield from _by_status(case, reported.status or _SOME_FAILED)


def _by_status(case: Case, status: int) -> Iterator[str]:
    whom = called(case.evidence)
    if status in _UNABLE_TO_PROCESS:
        yield _unable(case)
    elif status == NOT_PERFORMED and whom and (step := step_of_the_called(case, whom)):
        yield step
    elif status == NOT_PERFORMED and not whom and (either := tuple(_of_either(case))):
        yield from either
    elif status == NOT_PERFORMED and _dropped_before(case):
        yield f"the archive dropped the instances before it asked or called anybody: {case.lacking}"
    elif status == NOT_PERFORMED and not _is_telling(case):
        yield from _without_a_reason(case)
    elif status == _SOME_FAILED:
        yield from _some_failed(case)
    elif status == _PROCESSING_FAILURE and case.sent_straight:
        yield _broken_off(case)
    elif case.files.finding is Files.AWAY and not (case.reported.comment and case.back_to):
        yield (
            f"the answer is most likely that of {case.external}, which the archive passed on: its log shows the reason"
        )
    elif status == NOT_PERFORMED and not whom and not case.files.probably_away and not case.evidence.records:
        yield from _at_the_destination(case)
        yield f"if the study is purged, check: {_look_at(case, status)}"
    else:
        yield f"check: {_look_at(case, status)}"


def _of_either(case: Case) -> Iterator[str]:
    """Yield the steps for both AEs that the archive may have called, where only Instance Availability is known."""
    if case.files.finding is not Files.PROBABLY_AWAY or case.evidence.records or case.came_back:
        return
    likely = holders(case.evidence)
    named = (
        ("if the study was purged", next(iter(likely)) if len(likely) == 1 else ""),
        ("if it is local", case.destination),
    )
    for condition, title in named:
        if title and (step := step_of_the_called(case, title)):
            yield f"{condition}: {step}"


def _dropped_before(case: Case) -> bool:
    """Return whether no SOP class of the study may be sent to the destination (``RetrieveServiceImpl``).

    Only then does the archive count all as failed and write out counters that are zero. What an external archive
    answers may look the same, where it is passed on.
    """
    outcome, own = case.evidence.outcome, case.files.finding is Files.HERE or case.back_to is not None
    return own and (outcome.completed, outcome.warning) == (0, 0) and outcome.failed == case.reported.expected


def _is_telling(case: Case) -> bool:
    """Tell whether the Error Comment of A702 says more than the status."""
    return explain("C-MOVE", NOT_PERFORMED, case.reported.comment).look_at != explain("C-MOVE", NOT_PERFORMED).look_at


def _look_at(case: Case, status: int) -> str:
    return explain("C-MOVE", status, case.reported.comment).look_at.replace("the peer's", "the archive's")


def _broken_off(case: Case) -> str:
    if "NoPresentationContextException" in case.reported.comment:
        model = "Study Root" if case.evidence.question.model is Model.STUDY else "Patient Root"
        return (
            f"{case.external} accepted the association, but not its presentation context for C-MOVE ({model}): its "
            "administrator must allow that, for the calling AE title that the archive passes on"
        )
    if case.received.number or case.reported.completed:
        return f"the connection of the archive with {case.external} broke in the middle: the log of either says why"
    model = "Study Root" if case.evidence.question.model is Model.STUDY else "Patient Root"
    return (
        f"{case.external} did not take the archive's request ({model}), or the connection with it broke: its log says "
        "which"
    )


def _not_all_came_through(case: Case) -> str:
    """Return where it failed, of what the external archive sent to the archive: on from there, or before."""
    came, forwarded = recalled(case.evidence), case.reported.completed + case.reported.warning
    if forwarded and (came == forwarded if came else not case.reported.failed):
        return (
            f"{case.external} sent a part of it to {case.back_to}, which was forwarded; the rest never came from "
            "there: its log shows the reason"
        )
    local = ", and it is in the archive's own storage now" if came else ""
    failed = f"could not send it on to {case.destination}" if case.listened else f"{case.destination} did not take it"
    return f"the archive recalled the study from {case.external}{local}, but {failed}: {_reaching(case)}"


def _warned(case: Case) -> str:
    if case.listened:
        return f"this run took all that came without a warning: the log of {case.sender} says what it counts as one"
    return (
        f"{case.destination} took them with a warning: its log says what it changed or left out "
        "(elements coerced or discarded)"
    )


def _unable(case: Case) -> str:
    if not case.files.probably_away:
        return (
            f"the log of {case.archive} says why. Is it an Orthanc? That answers C000 where {case.destination} is "
            "not in its DicomModalities"
        )
    destination = case.back_to or case.destination
    return (
        f"{case.external} most likely answered so, and the archive passed it on: its log says why. An Orthanc "
        f"answers C000 where {destination} is not in its DicomModalities; {case.work_order} --format orthanc "
        "gives the lines"
    )


def _without_a_reason(case: Case) -> Iterator[str]:
    """A702 without a comment: dropped by negotiation, not taken by the destination, or lost on the external side."""
    if case.sent_straight:
        yield (
            f"{case.external} was to send straight to {case.destination}, by the host and port that it has for it: its "
            "log says why it could not"
        )
    elif either_side_failed(case.evidence):
        yield (
            f"either {case.external} could not send to {case.back_to}, which its log tells, or the archive could not "
            f"send it on to {case.destination}: {_reaching(case)}"
        )
    elif case.files.probably_away and case.reported.failed:
        yield (
            f"nothing came back to {case.back_to}: {case.external} could not read the study, or does not reach "
            f"{case.back_to} at the host and port that it has for it. Its log shows which ({case.work_order} has the "
            "right address)"
        )
    elif case.files.probably_away:
        calling = case.evidence.question.calling
        yield (
            f"nothing came back to {case.back_to}, and {case.external} did not say why. Most often it does not know "
            f"the caller: the archive calls it as {calling}, the calling AE title of this run, and it ends the "
            f"association. {case.work_order} --calling {shlex.quote(calling)} lists what its administrator must enter"
        )
        yield (
            f"if it knows {calling}, its log shows why it ended the association, accepted no presentation context for "
            "C-MOVE, or kept silent for longer than dcmRetrieveTimeout of the archive's connection"
        )
    else:
        yield from _at_the_destination(case)
        if case.files.finding is not Files.HERE:
            yield f"if the study is purged: the log of {case.external} says whether it was asked, and why it failed"
    if case.reported.failed and case.files.probably_away:
        yield f"where its log shows no request, the archive dropped the instances before it asked: {case.lacking}"


def _at_the_destination(case: Case) -> Iterator[str]:
    has = case.files.finding is Files.HERE
    condition = "the archive had the study itself, so" if has else "if the study is in the archive's own storage,"
    yield f"{condition} it is {case.destination} that it could not send to: {_reaching(case)}"


def _reaching(case: Case) -> str:
    if case.listened:
        place = case.at_its_place(case.destination)
        return f"this run listened as it; can the archive reach this machine as {place}? {case.lacking}"
    return f"dcmcfg echo {case.quoted} tells whether it answers; its log says what it refused; {case.lacking}"


def _some_failed(case: Case) -> Iterator[str]:
    if case.listened:
        yield (
            f"this run listened as {case.destination} and refused nothing: the log of {case.sender} says what failed "
            f"there, such as a file that it cannot read; {case.lacking}"
        )
    else:
        yield (
            f"the log of {case.destination} says what it refused, that of {case.sender} what it could not send; "
            f"{case.lacking}"
        )
