"""The archive's DICOM side of a recording: the real association, with the responses that the real archive gave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from dcmcfg.lab.listener import QUERY_RETRIEVE_SOP_CLASSES
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace
from dcmcfg.well_known_uids import VERIFICATION
from tests.dicom.dcmtk import LOOPBACK
from tests.patience import PATIENCE_S
from tests.peers import endings
from tests.recorded import stored
from tests.recorded.qido_responses import ARCHIVE
from tests.recorded.recordings import DimseRecording
from tests.recorded.stored import NOBODY, StoredInstance, StoredStudy

TITLES = ("DCM4CHEE", "AS_RECEIVED")
_IDENTIFIER_MISMATCH = 0xA900
_PENDING = 0xFF00
_STALL_S = 60.0
_COUNTERS = ("Remaining", "Completed", "Failed", "Warning")
_PATH = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
#: What the archive adds to every answer, empty for these studies.
_ALWAYS = ("SpecificCharacterSet", "TimezoneOffsetFromUTC")
_EMPTY = frozenset({"IssuerOfPatientID", "StudyDescription", "SeriesDescription", *_ALWAYS})


@dataclass
class Play:
    """A recording while it is played: ``moved`` is set when the C-MOVE was served, ``unanswered`` what was not.

    What has an external archive is said to be of *availability*. ``workstation`` is the port of the receiver, None
    where dcmcfg does not receive. The external archive's record of its C-MOVE is appended to the file ``record``.
    """

    recording: DimseRecording
    availability: str = "ONLINE"
    workstation: int | None = None
    record: Path | None = None
    moved: threading.Event = field(default_factory=threading.Event)
    pending: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    unanswered: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    def present(self) -> StoredStudy | None:
        """Return the study as it is now."""
        return stored.after(self.recording) if self.moved.is_set() else stored.before(self.recording)


def contexts() -> list[Any]:
    """Return the presentation contexts of the archive's default configuration that matter here."""
    return [build_context(uid, ImplicitVRLittleEndian) for uid in (VERIFICATION, *QUERY_RETRIEVE_SOP_CLASSES)]


def find(play: Play, event: evt.Event) -> Iterator[tuple[Any, Dataset | None]]:
    """Answer a C-FIND as the archive does (``dimse/find.json``): each key that was asked for, with its value."""
    asked = event.identifier
    level = str(asked.get("QueryRetrieveLevel", ""))
    play.queries.append(level)
    if level not in ("STUDY", "SERIES", "IMAGE"):
        play.unanswered.append(f"C-FIND at level {level}")
        yield _IDENTIFIER_MISMATCH, None
        return
    study = play.present()
    for values in _matches(study, level, play.availability) if study else ():
        if all(str(asked.get(name, "")) in ("", "*", str(values.get(name, ""))) for name in (*_PATH, "PatientID")):
            yield _PENDING, _answer(play, asked, values)


def _matches(study: StoredStudy, level: str, availability: str) -> Iterator[dict[str, object]]:
    of_study = {
        "StudyInstanceUID": study.study_uid,
        "PatientID": f"P{study.study_uid.rpartition('.')[2]}",
        "StudyDate": "20240101",
        "ModalitiesInStudy": "CT",
        "NumberOfStudyRelatedSeries": str(len(study.series())),
        "NumberOfStudyRelatedInstances": str(len(study.instances)),
    }
    if level == "STUDY":
        yield {**of_study, "QueryRetrieveLevel": level, **_whereabouts(study.external, availability)}
        return
    for series in study.series():
        instances = study.of_series(series)
        of_series = {
            "SeriesInstanceUID": series,
            "Modality": "CT",
            "NumberOfSeriesRelatedInstances": str(len(instances)),
        }
        if level == "SERIES":
            where = _whereabouts(instances[0].external, availability)
            yield {**of_study, **of_series, "QueryRetrieveLevel": level, **where}
            continue
        for each in instances:
            yield {**of_study, **of_series, **_instance(each), **_whereabouts(each.external, availability)}


def _instance(instance: StoredInstance) -> dict[str, object]:
    return {
        "QueryRetrieveLevel": "IMAGE",
        "SOPInstanceUID": instance.sop_instance_uid,
        "SOPClassUID": str(CTImageStorage),
        "InstanceNumber": instance.sop_instance_uid.rpartition(".")[2],
    }


def _whereabouts(external: str, availability: str) -> dict[str, object]:
    if external == NOBODY:
        return {"RetrieveAETitle": ARCHIVE, "InstanceAvailability": "ONLINE"}
    return {"RetrieveAETitle": [ARCHIVE, external], "InstanceAvailability": availability}


def _answer(play: Play, asked: Dataset, values: Mapping[str, object]) -> Dataset:
    answer = Dataset()
    for element in asked:
        keyword = keyword_for_tag(element.tag)
        if keyword in values:
            setattr(answer, keyword, values[keyword])
        elif keyword in _EMPTY:
            setattr(answer, keyword, "")
        elif element.tag.element:  # no group length
            play.unanswered.append(f"C-FIND asks for {keyword or element.tag}")
    for keyword in _ALWAYS:
        setattr(answer, keyword, "")
    return answer


def move(play: Play, exchange: MoveExchange) -> MoveResponse | None:
    """Play what happened after the C-MOVE-RQ, in the order of the recording; return its final response.

    Where none came, the association is left as it was left: silent, or closed. An Error Comment is cut at 64
    characters.
    """
    if trouble := _difference(play, exchange):
        play.unanswered.append(trouble)
        return MoveResponse(0xC000, comment="no such C-MOVE in the recording")
    forwarding: dict[int, _Forwarding] = {}
    final: MoveResponse | None = None
    for connection, message in _events(play.recording):
        if connection is None:
            final = _answer_move(play, exchange, message)
        elif play.workstation:
            _forward(forwarding, connection, message, play.workstation)
    for each in forwarding.values():
        each.close()
    if play.record is not None:
        _write_record(play.recording, play.record)
    play.moved.set()
    if final is None:
        _leave(play.recording, exchange._association)
    return final


def _answer_move(play: Play, exchange: MoveExchange, message: Mapping[str, Any]) -> MoveResponse | None:
    """Send a pending response, or wait for a C-CANCEL; return a final response, which is sent when all is done."""
    if message["what"] == "C-CANCEL-RQ":
        _await_cancel(play, exchange)
        return None
    response = _response(message)
    if response.status != _PENDING:
        return response
    exchange.send(response)
    play.pending.set()
    return None


def _forward(forwarding: dict[int, _Forwarding], connection: int, message: Mapping[str, Any], port: int) -> None:
    if message["what"] == "A-ASSOCIATE-RQ":
        forwarding[connection] = _Forwarding(message["association"]["calling"], port)
    else:
        forwarding[connection].store(message["command"])


def _difference(play: Play, exchange: MoveExchange) -> str:
    """Return how the C-MOVE differs from that of the recording; empty where it does not."""
    recorded = _parse_request(play.recording)
    request, keys = exchange.request, recorded["dataset"]
    asked = (request.destination_ae_title, str(request.identifier.get("QueryRetrieveLevel", "")), request.study_uid)
    expected = (
        recorded["command"]["MoveDestination"],
        keys.get("QueryRetrieveLevel", ""),
        stored.study_uid(play.recording),
    )
    calling = next(
        each["association"]["calling"]
        for each in stored.messages(play.recording, "client-archive")
        if each["what"] == "A-ASSOCIATE-RQ"
    )
    if (*asked, request.calling_ae_title) != (*expected, calling):
        return f"C-MOVE {(*asked, request.calling_ae_title)}, recorded was {(*expected, calling)}"
    return ""


def _parse_request(recording: DimseRecording) -> Mapping[str, Any]:
    return next(each for each in stored.messages(recording, "client-archive") if each["what"] == "C-MOVE-RQ")


def _events(recording: DimseRecording) -> list[tuple[int | None, Mapping[str, Any]]]:
    """Return what the archive sent its client, and what anybody sent to WORKSTATION, with the number of connection."""
    found: list[tuple[int, int | None, Mapping[str, Any]]] = [
        (message["ms"], None, message)
        for message in stored.messages(recording, "client-archive")
        if message["what"] in ("C-MOVE-RSP", "C-CANCEL-RQ")
    ]
    found += [
        (message["ms"], connection["connection"], message)
        for connection in recording.legs("to-workstation")
        for message in connection["messages"]
        if message["by"] == "requestor" and message["what"] in ("A-ASSOCIATE-RQ", "C-STORE-RQ")
    ]
    return [(connection, message) for _, connection, message in sorted(found, key=lambda each: each[0])]


def _response(message: Mapping[str, Any]) -> MoveResponse:
    command = message["command"]
    numbers = {name.lower(): command.get(f"NumberOf{name}Suboperations") for name in _COUNTERS}
    identifier = None
    if message.get("dataset"):
        identifier = Dataset()
        for keyword, value in message["dataset"].items():
            setattr(identifier, keyword, value)
    status = int(command["Status"].removesuffix("H"), 16)
    return MoveResponse(status, comment=command.get("ErrorComment", ""), identifier=identifier, **numbers)


def _await_cancel(play: Play, exchange: MoveExchange) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not exchange.is_cancelled and not exchange.is_abandoned:
        if time.monotonic() > deadline:
            play.unanswered.append("the recording has a C-CANCEL, and none came")
            return
        time.sleep(0.01)
    play.cancelled.set()


def _leave(recording: DimseRecording, association: Association) -> None:
    """Close the connection where the archive did; else say nothing until the client gives up."""
    last = [each for each in stored.messages(recording, "client-archive") if each["what"] != "A-RELEASE-RQ"]
    ends = [each["by"] for each in last if each["what"] in ("TCP end of stream", "A-ABORT")]
    if ends and ends[0] == "acceptor":
        endings.hang_up(association)
    else:
        endings.silence(association)


class _Forwarding:
    """An association to our receiver under the title *calling*; the requests name their originator as recorded."""

    def __init__(self, calling: str, port: int) -> None:
        entity = AE(calling)
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        self._association = entity.associate(
            LOOPBACK, port, ae_title="WORKSTATION", evt_handlers=ConnectionTrace(_STALL_S).handlers
        )
        assert self._association.is_established

    def store(self, command: Mapping[str, Any]) -> None:
        originator = command.get("MoveOriginatorApplicationEntityTitle")
        number = command.get("MoveOriginatorMessageID")
        instance = image(command["AffectedSOPInstanceUID"])
        self._association.send_c_store(instance, originator_aet=originator, originator_id=number)

    def close(self) -> None:
        self._association.release()


def image(sop_instance_uid: str) -> Dataset:
    """Return a small CT image of the recorded studies: its UID is that of its study, with two numbers."""
    study, series, number = sop_instance_uid.rsplit(".", 2)
    patient = study.rpartition(".")[2]
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, sop_instance_uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.{series}"
    dataset.PatientName, dataset.PatientID = f"Test^S{patient}", f"P{patient}"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "O"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20240101", "101010", patient
    dataset.AccessionNumber, dataset.ReferringPhysicianName = f"A{patient}", ""
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "CT", series, number
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 16
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = bytes(512)
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _write_record(recording: DimseRecording, path: Path) -> None:
    """Append what the external archive served, as the JSON lines that ``--external-log`` reads."""
    served = (
        _served(connection["messages"], stored.study_uid(recording))
        for leg in ("archive-longterm", "archive-fallback")
        for connection in recording.legs(leg)
    )
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in served if line)


def _served(messages: list[Mapping[str, Any]], study_uid: str) -> dict[str, object] | None:
    request = next((each for each in messages if each["what"] == "C-MOVE-RQ"), None)
    if request is None:
        return None
    association = next(each for each in messages if each["what"] == "A-ASSOCIATE-RQ")["association"]
    finals = [
        each["command"] for each in messages if each["what"] == "C-MOVE-RSP" and each["command"]["Status"] != "FF00H"
    ]
    final = finals[-1] if finals else {}
    now = datetime.now(UTC).isoformat()
    return {
        "started": now,
        "time": now,
        "calling": association["calling"],
        "called": association["called"],
        "destination": request["command"]["MoveDestination"],
        "study_uid": study_uid,
        "status": int(final["Status"].removesuffix("H"), 16) if final else None,
        "completed": final.get("NumberOfCompletedSuboperations"),
        "failed": final.get("NumberOfFailedSuboperations"),
    }
