"""Render parts of a verify report and of its JSON: the request, and the received instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dcmcfg.dicom.peer_identity import TlsSession
from dcmcfg.dicom.retrieval import InformationModel, QueryRetrieveLevel
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.printable import format_count
from dcmcfg.render.tls_session import tls_session_json
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.moves import SentMove
from dcmcfg.verify.verdict import ReceiptAssessment, format_instance_count

_MODEL_NAMES = {InformationModel.STUDY: "Study Root", InformationModel.PATIENT: "Patient Root"}


def format_request_lines(evidence: Evidence) -> Iterator[str]:
    """Yield lines with the parameters of the request, the implementation of the archive, and the TLS session."""
    yield ", ".join(_format_request_parts(evidence))
    if evidence.archive_identity is None:
        return
    archive = evidence.archive_identity
    if archive.implementation_class_uid or archive.implementation_version_name:
        name = archive.implementation_version_name or "no version name"
        yield f"Implementation: {name} ({archive.implementation_class_uid})"
    if archive.tls_session is not None:
        yield _format_tls_session(archive.tls_session)


def _format_request_parts(evidence: Evidence) -> Iterator[str]:
    request = evidence.request
    yield f"level {request.selection.level.name}"
    series = {each.series_uid for each in evidence.instances_before}
    if request.selection.level is not QueryRetrieveLevel.STUDY:
        yield f"{len(series)} series with {format_instance_count(len(evidence.instances_before))}"
    patient = f" of patient {request.patient.patient_id}" if request.patient else ""
    yield f"{_MODEL_NAMES[request.model]}{patient}"
    yield f"priority {request.priority.name.lower()}"
    if len(evidence.moves) > 1:
        yield f"{len(evidence.moves)} requests"
    if any(each.list_refused for each in evidence.moves):
        yield "the archive refused a list of UIDs, so dcmcfg requested each UID separately"


def _format_tls_session(tls_session: TlsSession) -> str:
    validity = (
        f", valid until {tls_session.certificate_valid_until:%Y-%m-%d}" if tls_session.certificate_valid_until else ""
    )
    subject = tls_session.certificate_subject or "without a subject"
    return f"Connection: {tls_session.version} ({tls_session.cipher}), certificate {subject}{validity}"


def request_json(evidence: Evidence) -> dict[str, Any]:
    """Return for ``--json`` the request, each C-MOVE with its outcome, and the identity reported by the archive."""
    request = evidence.request
    return {
        "level": request.selection.level.value,
        "information_model": request.model.value,
        "patient_id": request.patient.patient_id if request.patient else None,
        "issuer_of_patient_id": (request.patient.issuer_of_patient_id or None) if request.patient else None,
        "priority": request.priority.name.lower(),
        "series_instance_uids": list(request.selection.series_uids) or None,
        "sop_instance_uids": list(request.selection.instance_uids) or None,
        "requests": [_move_json(each) for each in evidence.moves],
        "archive_identity": _archive_json(evidence),
    }


def _move_json(move: SentMove) -> dict[str, Any]:
    outcome = move.outcome
    return {
        "series_instance_uids": list(move.retrieval.series_uids) or None,
        "sop_instance_uids": list(move.retrieval.instance_uids) or None,
        "status": outcome.status,
        "status_hex": None if outcome.status is None else f"{outcome.status:04X}",
        "comment": outcome.comment,
        "completed": outcome.completed,
        "failed": outcome.failed,
        "warning": outcome.warning,
        "interruption": outcome.interruption or None,
        "cancelled": outcome.cancelled,
        "uid_list_refused": move.list_refused,
        "duration_seconds": round(outcome.seconds, 3),
    }


def _archive_json(evidence: Evidence) -> dict[str, Any] | None:
    if evidence.archive_identity is None:
        return None
    return {
        "implementation_class_uid": evidence.archive_identity.implementation_class_uid or None,
        "implementation_version_name": evidence.archive_identity.implementation_version_name or None,
        "tls_session": tls_session_json(evidence.archive_identity.tls_session),
    }


def format_stored_files(received: ReceiptAssessment) -> str:
    """Return the number of stored files, and their folders."""
    folders = sorted({str(path.parent.parent) for path in received.stored_files})
    read_back_note = "" if received.corrupt else ", each read back"
    return f"Stored: {format_count(len(received.stored_files), 'file')} in {', '.join(folders)}{read_back_note}"


def received_instances_json(evidence: Evidence) -> list[dict[str, Any]] | None:
    """Return all received instances for ``--json``, in order of arrival; None if dcmcfg was not the receiver."""
    return None if evidence.received is None else instances_json(evidence.received)


def instances_json(instances: Iterable[ReceivedInstance]) -> list[dict[str, Any]]:
    """Return the details of *instances* for ``--json``."""
    return [
        {
            "sop_instance_uid": each.sop_instance_uid,
            "sop_class_uid": each.sop_class_uid,
            "study_instance_uid": each.study_uid,
            "transfer_syntax_uid": each.transfer_syntax,
            "calling_ae_title": each.calling_ae_title,
            "move_originator_ae_title": each.move_originator_ae_title,
            "octets": each.data_set_length,
            "sha256": each.sha256,
            "file": None if each.saved_path is None else str(each.saved_path),
            "problem": each.problem or None,
        }
        for each in instances
    ]
