"""The stand-in archive configured and filled as in a recorded exchange, and the client that asks it."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pynetdicom import AE, evt
from pynetdicom.association import Association as PynetdicomAssociation
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, InstanceRecord, extract_header
from dcmcfg.lab.archive.service import get_object_store, open_database
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace
from dcmcfg.lab.site import LOOPBACK
from tests.lab.running_site import RunningSite, running_site
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.recorded.exchange import COUNTERS, Exchange, Message, Response, comparable_dataset, first, ordered
from tests.recorded.exchange_peers import Peers, Script
from tests.recorded.recorded_instances import instance, uids_of
from tests.recorded.recordings import DimseRecording, StudyState

_DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
_ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{_DEVICES}"
_WORKSTATION = f"dicomAETitle=WORKSTATION,dicomDeviceName=workstation,{_DEVICES}"
_CHANGED = "LDAP changed for this: "
_WORKSTATION_IS = "WORKSTATION is a scripted SCP: "
_RESTRICTED = "WORKSTATION lists one transfer capability, MR as SCP"
_CHANGE = re.compile(r"(?P<entry>[A-Za-z]+=[^:]*): (?P<attribute>[A-Za-z]+)=(?P<value>.*)")
_MR_ONLY = f"""dn: cn=MR,{_WORKSTATION}
changetype: add
objectClass: dicomTransferCapability
cn: MR
dicomSOPClass: 1.2.840.10008.5.1.4.1.1.4
dicomTransferRole: SCP
dicomTransferSyntax: 1.2.840.10008.1.2.1
"""
_FALLBACK = f"""dn: dicomDeviceName=fallback,{_DEVICES}
changetype: add
objectClass: dicomDevice
dicomDeviceName: fallback
dicomInstalled: TRUE

dn: cn=dicom,dicomDeviceName=fallback,{_DEVICES}
changetype: add
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: {LOOPBACK}
dicomPort: PORT

dn: dicomAETitle=FALLBACK,dicomDeviceName=fallback,{_DEVICES}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: FALLBACK
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
dicomNetworkConnectionReference: cn=dicom,dicomDeviceName=fallback,{_DEVICES}
"""
#: Attributes of the recorded archive that a recording may change, with their values when it does not.
_STOCK: Mapping[tuple[str, str], str | None] = {
    (_ARCHIVE, "dcmExternalRetrieveAEDestination"): "DCM4CHEE",
    (_ARCHIVE, "dcmSendPendingCMoveInterval"): "PT5S",
}
#: Silences are shortened: milliseconds in place of those of the recording.
_SHORTER = {"dcmRetrieveTimeout": "1000"}
_ACCEPT_TIMEOUT = (f"cn=dicom,{_ARCHIVE}", "dcmAAACTimeout")
_SILENT = "(dcmAAACTimeout 5000 ms of the archive)"
#: Seconds that the workstation takes for an instance, for each second of the recording.
_PACE = 0.6
#: Seconds in which no more must come where the recording has no final response.
_SILENCE_S = 2.0
_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_ECHO = "1.2.840.10008.1.1"


class ExchangeSite:
    """A stand-in archive as a process, with its directory, and the AEs around it."""

    def __init__(self, running: RunningSite, fallback_port: int) -> None:
        ports = running.site.ports
        self.running = running
        self.peers = Peers(
            {
                "LONGTERM": Peer("LONGTERM", LOOPBACK, ports.external),
                "WORKSTATION": Peer("WORKSTATION", LOOPBACK, ports.workstation),
                "FALLBACK": Peer("FALLBACK", LOOPBACK, fallback_port),
            },
            running.archive,
        )
        self._stock: dict[tuple[str, str], str | None] = {}
        self._now: dict[tuple[str, str], str | None] = {}
        self._restricted = False

    def run(self, recording: DimseRecording) -> Exchange:
        """Ask the stand-in what the client asked in *recording*, in the same situation, and return what happened."""
        self._configure(recording)
        self._fill(recording)
        script = _script(recording)
        self.peers.play(script)
        association, responses, ending = _Client(self.running.archive, recording, script).ask()
        script.answered.set()
        for each in script.seen.late:
            each.join()
        return Exchange(
            association,
            responses,
            ending,
            ordered(script.seen.asked),
            ordered(script.seen.came_back),
            ordered(script.seen.delivered.values()),
            self._state(recording),
        )

    def _configure(self, recording: DimseRecording) -> None:
        """Put the configuration of *recording* into the directory, and reload where something changes."""
        wanted = dict(_STOCK) | _changes(recording)
        for key in wanted.keys() - self._stock.keys():
            self._stock[key] = self._now[key] = self._value(*key)
        different = {key: value for key, value in (self._stock | wanted).items() if self._now[key] != value}
        for (dn, attribute), value in different.items():
            self.running.put(attribute, *([] if value is None else [value]), dn=dn)
        self._now |= different
        restricted = _RESTRICTED in recording.configured
        if restricted != self._restricted:
            self.running.modify(_MR_ONLY if restricted else f"dn: cn=MR,{_WORKSTATION}\nchangetype: delete\n")
        if different or restricted != self._restricted:
            self.running.reload()
        self._restricted = restricted

    def _value(self, dn: str, attribute: str) -> str | None:
        found = self.running.slapd.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", dn, "-s", "base")
        values = [line.partition(": ")[2] for line in found.stdout.splitlines() if line.startswith(f"{attribute}: ")]
        return values[0] if values else None

    def _fill(self, recording: DimseRecording) -> None:
        """Have the archive know the studies of *recording* and no other."""
        path = self.running.site.archive_folder / "database.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM instance")
            connection.execute("DELETE FROM incomplete_study")
        store = get_object_store(self.running.site)
        instances = _instances_before(recording)
        for each in instances:
            if each.is_local:
                store.save(instance(each.sop_instance_uid))
        with closing(open_database(self.running.site)) as database:
            database.save(instances)

    def _state(self, recording: DimseRecording) -> StudyState | None:
        if recording.after is None:
            return None
        with closing(open_database(self.running.site)) as database:
            found = database.list_study_instances(_study_uids(recording)[-1])
        if not found:
            return StudyState(known=False)
        local = [each for each in found if each.is_local]
        titles = {each.external_aet for each in found}
        return StudyState(
            True,
            len(found),
            len(local),
            tuple(sorted({each.storage_id for each in local})),
            titles.pop() if len(titles) == 1 else NO_EXTERNAL_AET,
        )


@contextmanager
def exchange_site(folder: Path) -> Iterator[ExchangeSite]:
    """A site for all recordings: WORKSTATION lists no transfer capability, FALLBACK is in the directory."""
    fallback_port = free_port()
    with running_site(folder) as running:
        capabilities = ("-b", _WORKSTATION, "(objectClass=dicomTransferCapability)", "dn")
        found = running.slapd.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", *capabilities)
        listed = [line for line in found.stdout.splitlines() if line.startswith("dn: ")]
        running.modify("\n".join(f"{dn}\nchangetype: delete\n" for dn in listed))
        running.modify(_FALLBACK.replace("PORT", str(fallback_port)))
        site = ExchangeSite(running, fallback_port)
        with site.peers.listening():
            running.start("archive")
            yield site


def _changes(recording: DimseRecording) -> dict[tuple[str, str], str | None]:
    parts = [part for part in recording.configured.split(" | ") if part.startswith(_CHANGED)]
    changes: dict[tuple[str, str], str | None] = {}
    for text in (each for part in parts for each in part.removeprefix(_CHANGED).split("; ")):
        found = _CHANGE.fullmatch(text)
        assert found is not None, text
        attribute = found["attribute"]
        value = None if found["value"] == "None" else _SHORTER.get(attribute, found["value"])
        changes[f"{found['entry']},{_DEVICES}", attribute] = value
    if _SILENT in recording.asks:
        changes[_ACCEPT_TIMEOUT] = "300"
    return changes


def _script(recording: DimseRecording) -> Script:
    parts = [part for part in recording.configured.split(" | ") if part.startswith(_WORKSTATION_IS)]
    does: dict[str, Any] = json.loads(parts[0].removeprefix(_WORKSTATION_IS)) if parts else {}
    cancel = first(_client(recording), "C-CANCEL-RQ")
    begun = [each for each in _stores(recording) if cancel is not None and each["ms"] < cancel["ms"]]
    delay_s = 0.0 if cancel is not None else does.get("delay", 0) * _PACE
    return Script(recording, delay_s, len(begun))


def _stores(recording: DimseRecording) -> list[Message]:
    messages = (each for leg in recording.legs("to-workstation") for each in leg["messages"])
    return [each for each in messages if each["what"] == "C-STORE-RQ"]


def _client(recording: DimseRecording) -> list[Message]:
    (client,) = recording.legs("client-archive")
    messages: list[Message] = client["messages"]
    return messages


def _request(recording: DimseRecording) -> Message | None:
    requests = ("C-MOVE-RQ", "C-FIND-RQ", "C-ECHO-RQ")
    return next((each for each in _client(recording) if each["what"] in requests), None)


def _responses_in(recording: DimseRecording) -> int:
    return sum(each["what"] == "C-MOVE-RSP" for each in _client(recording))


def _study_uids(recording: DimseRecording) -> list[str]:
    request = _request(recording)
    named = (request or {}).get("dataset", {}).get("StudyInstanceUID", [])
    return [named] if isinstance(named, str) else list(named)


def _instances_before(recording: DimseRecording) -> list[InstanceRecord]:
    """Return what the database had: of two studies the first is local and was never archived."""
    state = recording.before
    if state is None or not state.known:
        return []
    first_ones = [
        InstanceRecord(_header(uid), is_local=True, retrieve_aets=("DCM4CHEE",))
        for study_uid in _study_uids(recording)[:-1]
        for uid in uids_of(study_uid, 3)
    ]
    uids = uids_of(_study_uids(recording)[-1], state.number)
    sent = [each["command"]["AffectedSOPInstanceUID"] for each in _stores(recording)]
    local = sorted(uids, key=lambda uid: sent.index(uid) if uid in sent else len(sent))[: state.local]
    return first_ones + [
        InstanceRecord(
            _header(uid),
            is_local=uid in local,
            external_aet=state.external,
            retrieve_aets=("DCM4CHEE",),
            storage_id=next(iter(state.storage_ids), "fs1"),
        )
        for uid in uids
    ]


def _header(uid: str) -> Dataset:
    return extract_header(instance(uid))


class _Client:
    """The client of a recording."""

    def __init__(self, archive: Peer, recording: DimseRecording, script: Script) -> None:
        self._archive = archive
        self._recording = recording
        self._script = script
        self._ended: str | None = None  # empty where this client gave up

    def ask(self) -> tuple[str, tuple[Response, ...], str]:
        """Return how the association was answered, the responses, and how the archive ended it, if it did."""
        association = self._associate()
        answer = _answer(association)
        if answer != "accepted":
            return answer, (), ""
        responses = tuple(self._responses(association))
        ending = self._ended or ""
        if association.is_established:
            association.release()
        return answer, responses, ending

    def _associate(self) -> PynetdicomAssociation:
        request = first(_client(self._recording), "A-ASSOCIATE-RQ")
        assert request is not None
        recorded = request["association"]
        entity = AE(recorded["calling"])
        entity.dimse_timeout = PATIENCE_S
        entity.network_timeout = None
        for context in recorded["presentation_contexts"]:
            entity.add_requested_context(context["abstract_syntax"], context["transfer_syntaxes"])
        handlers = [
            *ConnectionTrace(60).handlers,
            (evt.EVT_PDU_RECV, lambda event: self._note_abort(event, "aborted")),
            (evt.EVT_PDU_SENT, lambda event: self._note_abort(event, "")),
            (evt.EVT_CONN_CLOSE, lambda _: self._note("closed")),
        ]
        return entity.associate(
            self._archive.host, self._archive.port, ae_title=recorded["called"], evt_handlers=handlers
        )

    def _note_abort(self, event: evt.Event, ending: str) -> None:
        if type(event.pdu).__name__ == "A_ABORT_RQ":
            self._note(ending)

    def _note(self, ending: str) -> None:
        if self._ended is None:
            self._ended = ending

    def _has_final(self) -> bool:
        return "no_final_response" not in self._recording.summary["client"]

    def _responses(self, association: PynetdicomAssociation) -> Iterator[Response]:
        request = _request(self._recording)
        assert request is not None
        command = request["command"]
        match request["what"]:
            case "C-ECHO-RQ":
                yield Response(f"{association.send_c_echo(msg_id=command['MessageID']).Status:04X}H")
                return
            case "C-FIND-RQ":
                answers = association.send_c_find(_dataset(request), _FIND, msg_id=command["MessageID"])
            case _:
                self._cancel_when_due(association, command["MessageID"])
                answers = association.send_c_move(
                    _dataset(request), command["MoveDestination"], _MOVE, msg_id=command["MessageID"]
                )
        expected = _responses_in(self._recording)
        self._shorten_wait(association, expected)
        for number, (status, dataset) in enumerate(answers, start=1):
            if "Status" in status:
                yield _response(status, dataset)
            self._shorten_wait(association, expected - number)
            if number == 1:
                self._cancel_after_pending(association, command["MessageID"])

    def _shorten_wait(self, association: PynetdicomAssociation, missing: int) -> None:
        """Wait no longer than :data:`_SILENCE_S` once all came that came in a recording without a final response."""
        if missing <= 0 and not self._has_final():
            association.dimse_timeout = _SILENCE_S

    def _cancel_when_due(self, association: PynetdicomAssociation, message_id: int) -> None:
        """Cancel once the workstation has begun with the instance that was under way in the recording."""
        if self._script.stores_before_cancel:

            def cancel() -> None:
                self._script.begun.wait(PATIENCE_S)
                association.send_c_cancel(message_id, query_model=_MOVE)
                self._script.cancelled.set()

            threading.Thread(target=cancel, daemon=True).start()

    def _cancel_after_pending(self, association: PynetdicomAssociation, message_id: int) -> None:
        if first(_client(self._recording), "C-CANCEL-RQ") and not self._script.stores_before_cancel:
            association.send_c_cancel(message_id, query_model=_MOVE)


def _answer(association: PynetdicomAssociation) -> str:
    if association.is_established:
        return "accepted"
    answer = association.acceptor.primitive
    if not isinstance(answer, A_ASSOCIATE):
        return "aborted"
    if answer.result:
        return f"rejected {answer.result}/{answer.result_source}/{answer.diagnostic}"
    return "no context"


def _dataset(request: Message) -> Dataset:
    dataset = Dataset()
    for keyword, value in request["dataset"].items():
        setattr(dataset, keyword, value)
    return dataset


def _response(status: Dataset, dataset: Dataset | None) -> Response:
    elements: dict[str, object] = {}
    if "ErrorComment" in status:
        elements["ErrorComment"] = str(status.ErrorComment)
    if "OffendingElement" in status:
        tag = Tag(status.OffendingElement)
        elements["OffendingElement"] = f"({tag.group:04X},{tag.element:04X})"
    for each in COUNTERS:
        keyword = f"NumberOf{each}Suboperations"
        if keyword in status:
            elements[keyword] = int(status[keyword].value)
    found = {
        element.keyword: [str(each) for each in element.value] if element.VM > 1 else str(element.value or "")
        for element in dataset or ()
    }
    return Response(f"{int(status.Status):04X}H", elements, comparable_dataset(found))
