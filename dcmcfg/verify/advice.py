"""What to do next when a verification did not go well: the setting to look at, or whom to ask."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.dicom.retrieval import Patient
from dcmcfg.dicom.status import explain
from dcmcfg.dicom.storage_service import NOT_KEPT
from dcmcfg.verify.called import called, came_back
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.files import Files, files_before, recalled
from dcmcfg.verify.recall_advice import not_received, nothing_forwarded, too_few, unable_to_process
from dcmcfg.verify.reported import whose
from dcmcfg.verify.stored_route import external_archives
from dcmcfg.verify.verdict import Received, Reported, Route, RouteFinding, Witness

DESTINATION_UNKNOWN = 0xA801
SUCCESS = 0x0000
NOT_PERFORMED = 0xA702
SOME_FAILED = 0xB000
#: The archive itself refuses a destination that is not allowed with C801.
UNABLE_TO_PROCESS = range(0xC000, 0xC100)
NO_EXTERNAL_ARCHIVE = (
    "the archive does not know who holds the study: only a storage commitment by the external archive records that "
    "(dcmStgCmtSCP on the exporter), dcmExternalRetrieveAET on the storage does not; export the study again with it"
)


def next_steps(evidence: Evidence, reported: Reported, received: Received, route: Route) -> tuple[str, ...]:
    """Return the steps to take, the most promising first; empty when nothing went wrong."""
    if any(problem.startswith(NOT_KEPT) for _, problem in received.unsound):
        return ("the folder of --keep needs room, and this user must be able to write there; then verify again",)
    steps = []
    if "" in external_archives(evidence) and files_before(evidence).away and not reported.ok:
        steps.append(NO_EXTERNAL_ARCHIVE)
    steps += _unknown_at_orthanc(evidence)
    if route.finding is RouteFinding.CONTRADICTED:
        steps.append(_contradicted(evidence))
    elif reported.status == DESTINATION_UNKNOWN:
        steps.append(_destination_unknown(evidence))
    if not reported.ok and reported.status != DESTINATION_UNKNOWN:
        steps.append(_not_reported(evidence, reported))
    if reported.ok and received.finding is Witness.INCOMPLETE:
        steps.append(_not_received(evidence, received))
    if route.finding is RouteFinding.NOT_TRIED and reported.status != DESTINATION_UNKNOWN:
        where = shlex.quote(evidence.question.destination)
        steps.append(f"dcmcfg verify --recall --dest {where} takes a study that is really purged")
    return tuple(dict.fromkeys(step for step in steps if step))


def _unknown_at_orthanc(evidence: Evidence) -> Iterator[str]:
    for record in evidence.records or ():
        if record.failure.endswith(f"Unknown modality for AET: {record.destination}"):
            yield (
                f"the external archive, an Orthanc, does not know {record.destination}: its administrator must enter "
                f"it in DicomModalities; dcmcfg work-order --external {record.called} --format orthanc gives the lines"
            )


def _contradicted(evidence: Evidence) -> str:
    relayed = [record for record in evidence.records or () if record.destination != evidence.route.destination]
    if relayed or evidence.records is None or recalled(evidence):
        return "the archive may not have loaded what the tree says: dcmcfg reload, then verify with another study"
    if not evidence.records:
        return "see that the record is that of the external archive which holds the study"
    return "see in the external archive's log whom it sent the study to"


def _destination_unknown(evidence: Evidence) -> str:
    """Say to whom the destination is unknown; the archive answers A801 itself, or relays it."""
    question, route = evidence.question, evidence.route
    asked = _refused_by_the_external_archive(evidence)
    if asked is None and _by_the_archive(evidence):
        if not route.destination_known:
            if route.near_destination:
                near = ", ".join(route.near_destination)
                return f"the tree has no AE {question.destination} (case counts); did you mean {near}?"
            return f"the tree has no AE {question.destination}: create it with host and port, then dcmcfg reload"
        words = f"Unknown AE: {question.destination}"
        look_at = explain("C-MOVE", DESTINATION_UNKNOWN, words).look_at
        if route.destination is None and files_before(evidence).away:  # an external dcm4chee archive says the same
            return f"check both archives, the external one is asked to send there too: {look_at}"
        return f"check: {look_at}"
    if route.destination is None:
        return (
            "the archive passed the request on with its original destination, and the external archive does not "
            f"know {question.destination}: dcmcfg set-external-retrieve {question.archive.ae_title} has the "
            "external archive send to the archive instead"
        )
    if route.astray:
        return _astray(evidence)
    return (
        f"the external archive does not know {route.destination} (dcmExternalRetrieveAEDestination on "
        f"{route.source}): its administrator must enter {route.destination} there, with the archive's host and "
        "DICOM port"
    )


def refused_by_the_archive(evidence: Evidence) -> bool:
    """Tell whether A801 came from the archive itself, and not from an external archive that may have to send."""
    straight = evidence.route.destination is None and bool(files_before(evidence).away)
    return _refused_by_the_external_archive(evidence) is None and _by_the_archive(evidence) and not straight


def _astray(evidence: Evidence) -> str:
    """Return what mends a way that does not lead back; "" where it does, or the study need not have gone it."""
    route = evidence.route
    away = evidence.expected and files_before(evidence).finding is not Files.HERE
    return f"{route.astray}; {route.mending}" if route.astray and away else ""


def _refused_by_the_external_archive(evidence: Evidence) -> MoveRecord | None:
    return next((record for record in evidence.records or () if record.status == DESTINATION_UNKNOWN), None)


def _by_the_archive(evidence: Evidence) -> bool:
    """Tell whether the archive itself refused: by its comment, the external archive's record, or the tree."""
    comment = evidence.outcome.comment
    title = evidence.question.destination
    own_words = comment == f"Unknown AE: {title}" or comment.startswith(f"AE: {title} not installed")
    return own_words or evidence.records == () or not evidence.route.destination_known


def _not_reported(evidence: Evidence, reported: Reported) -> str:
    if evidence.outcome.cancelled:
        return ""
    if reported.status is None:
        return _no_answer(evidence)
    if astray := _astray(evidence):
        return astray
    if reported.status != SUCCESS or reported.failed or reported.warning:
        return _failed(evidence, reported)
    if reported.completed:
        return _wrong_number(evidence, reported)
    return _nothing_completed(evidence)


def _no_answer(evidence: Evidence) -> str:
    if evidence.outcome.timed_out:
        return (
            "the archive may still be at it: look for its answer in its log; a slow recall needs a longer "
            "dcmRetrieveTimeout on the archive's connection, and --timeout-s here"
        )
    return (
        "the archive's log says why it ended the association; was it restarted? A dcm4chee archive gives no answer "
        f"when a value in LDAP of the device of {evidence.question.destination}, or of the external archive, cannot "
        "be read: dicomPort, dcmProtocol, the role of a dicomTransferCapability"
    )


def _failed(evidence: Evidence, reported: Reported) -> str:
    if evidence.route.destination in evidence.route.archive_titles and came_back(evidence):
        return (
            "the archive got the study from the external archive, and could not send it on to "
            f"{evidence.question.destination}: does that listen at its address in LDAP, and accept the archive and "
            "these SOP classes?"
        )
    if reported.warning and not reported.failed:
        return (
            f"{evidence.question.destination} took them with a warning: its log says what it changed or left out "
            "(elements coerced or discarded)"
        )
    if reported.status is not None and reported.status in UNABLE_TO_PROCESS and unable_to_process(evidence):
        return unable_to_process(evidence)
    look_at = f"check: {explain('C-MOVE', reported.status or SOME_FAILED, reported.comment).look_at}"
    files = files_before(evidence)
    whom = called(evidence)
    if reported.status == NOT_PERFORMED and whom and "Connection refused" in reported.comment:
        return (
            f"dcmcfg echo {shlex.quote(whom)} tells whether it can be reached from here: does it run? Else correct "
            "dicomHostname and dicomPort of its connection in LDAP, as seen from the archive"
        )
    if reported.status == NOT_PERFORMED and whom and "UnknownHostException" in reported.comment:
        return f"correct dicomHostname of {whom} in LDAP: a name that the archive's machine or container resolves"
    if reported.status == NOT_PERFORMED and files.finding is Files.HERE:
        return (
            f"the archive had the study itself, so it is {evidence.question.destination} that it could not send to: "
            "does it listen at its address in LDAP, and accept the archive?"
        )
    if reported.status == NOT_PERFORMED and not files.away and not evidence.records:
        # The archive answers the same for its own storage and for a retrieve from elsewhere.
        return (
            f"if the study is in the archive's own storage, it is {evidence.question.destination} that the archive "
            f"could not send to: does it listen at its address in LDAP, and accept the archive? Else {look_at}"
        )
    return look_at


def _nothing_completed(evidence: Evidence) -> str:
    """Explain 0000 with zero completed (CommonCMoveSCP, RetrieveServiceImpl)."""
    study, patient = evidence.question.study_uid, evidence.question.patient
    if not evidence.expected and patient is not None:
        return _not_this_patients(evidence, patient)
    if not evidence.expected:
        return (
            f"the archive's database has no study {study} (for {evidence.question.archive.ae_title}): check the "
            "UID; studies that only the external archive knows need dcmFallbackCMoveSCP"
        )
    return nothing_forwarded(evidence) or (
        "the archive lists the study but dropped its instances: dcmRestrictRetrieveSilently with a missing "
        "transfer capability, or instances whose external retrieve AE title is unknown; for a mix of "
        "local and purged ones dcmCStoreSCUOfCMoveSCP"
    )


def _not_this_patients(evidence: Evidence, patient: Patient) -> str:
    return (
        f"the archive lists no study {evidence.question.study_uid} for {whose(patient)}: check --patient-id and "
        "--patient-id-issuer; without them and --model patient it is asked for by its UID alone"
    )


def _wrong_number(evidence: Evidence, reported: Reported) -> str:
    if evidence.expected_number is None and evidence.question.patient is not None:
        return _not_this_patients(evidence, evidence.question.patient)
    if evidence.expected_number is None:
        return "say how many instances the study has: --expect N"
    if evidence.question.expected_number is not None and reported.completed == len(evidence.expected):
        return f"the archive lists {reported.completed} and sent as many: is --expect {evidence.expected_number} right?"
    fewer = reported.completed < evidence.expected_number
    return (fewer and too_few(evidence)) or (
        "compare with what the archive lists (--expect N overrides it): the query/retrieve view of the AE hides "
        "rejected instances, and a study that is only partly purged needs dcmCStoreSCUOfCMoveSCP"
    )


def _not_received(evidence: Evidence, received: Received) -> str:
    if received.unsound:
        return (
            "look at the same instances at the archive and the external archive (dcmdump, or another viewer): either "
            "holds them like that, or they are changed on their way"
        )
    if received.altered:
        return "one UID stands for several objects: compare them at the archive, the external archive and here"
    if received.foreign and not evidence.question.selection.is_whole_study:
        return (
            "the peer that sent them does not heed the level of the request, or the UIDs in it: verify at STUDY level"
        )
    if received.foreign:
        return "another sender may have called the receiver meanwhile: see who called it, and verify again"
    return not_received(evidence) or (
        f"another storage SCP may be reached under {evidence.question.destination}: compare dicomHostname and "
        "dicomPort in LDAP with where this machine is, as seen from the archive; after a change: dcmcfg reload"
    )
