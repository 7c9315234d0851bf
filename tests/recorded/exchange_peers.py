"""The AEs around the archive in a recorded exchange; each does what the recording shows that it did."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association as PynetdicomAssociation
from pynetdicom.dimse_primitives import C_STORE

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import EventHandler, build_archive_contexts, get_called_ae_title, get_calling_ae_title, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, NoFinalResponse, install_move_handler
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace
from tests.patience import PATIENCE_S
from tests.peers import endings
from tests.recorded.exchange import (
    COUNTERS,
    Association,
    ForwardedMove,
    Message,
    Stored,
    association_response,
    comparable_dataset,
    first,
    real,
)
from tests.recorded.recorded_instances import instance
from tests.recorded.recordings import DimseRecording

#: Seconds that the archive gets to read a C-CANCEL.
_CANCEL_S = 2.0
_SILENT_S = 10.0
_PENDING = 0xFF00
#: When, on which connection of the external archive's own if on one, and what.
_Event = tuple[int, Mapping[str, Any] | None, Message]
_CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass
class Observations:
    """What the AEs around the archive saw in one exchange."""

    asked: list[ForwardedMove] = field(default_factory=list)
    came_back: list[Stored] = field(default_factory=list)
    delivered: dict[int, Stored] = field(default_factory=dict)
    late: list[threading.Thread] = field(default_factory=list)


@dataclass
class Script:
    """The recording that the AEs play, with how long the workstation takes for an instance, in seconds.

    ``stores_before_cancel`` is the number of C-STOREs that the workstation has got when the client cancels;
    ``begun`` is set then, and the workstation waits for ``cancelled``. ``answered`` is set when the client has its
    final response.
    """

    recording: DimseRecording
    delay_s: float = 0.0
    stores_before_cancel: int = 0
    begun: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    stores: int = 0
    seen: Observations = field(default_factory=Observations)


class Peers:
    """Listens as LONGTERM, FALLBACK and WORKSTATION; :attr:`script` is what is played now."""

    def __init__(self, peers: Mapping[str, Peer], archive: Peer) -> None:
        self._peers = peers
        self._archive = archive
        self.script: Script | None = None
        self._played: dict[str, int] = {}

    def play(self, script: Script) -> None:
        """Play *script* from now on."""
        self.script = script
        self._played = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        with ExitStack() as stack:
            for title, peer in self._peers.items():
                handlers: list[EventHandler] = [
                    (evt.EVT_REQUESTED, self._requested),
                    (evt.EVT_C_STORE, self._store),
                    (evt.EVT_C_ECHO, lambda _: 0),
                ]
                stack.enter_context(
                    listen(title, peer.port, handlers, build_archive_contexts(), any_called_ae_title=True)
                )
            yield

    def _requested(self, event: evt.Event) -> None:
        """Answer an association request as the AE did in the recording."""
        assert self.script is not None
        assoc = event.assoc
        calling, called = get_calling_ae_title(assoc), get_called_ae_title(assoc)
        messages = self._messages(calling, called)
        answer = association_response(messages)
        association = Association(calling, called, answer)
        if called == "WORKSTATION":
            self.script.seen.delivered[id(assoc)] = Stored(association, ("", None), {})
        elif answer != "accepted":
            self.script.seen.asked.append(ForwardedMove(association))
        match answer.partition(" "):
            case ("rejected", _, numbers):
                assoc.acse.send_reject(*(int(each) for each in numbers.split("/")))
                assoc.kill()
            case ("aborted", _, _):
                assoc.acse.send_abort(0)
                assoc.kill()
            case ("silent", _, _):
                _wait_for_the_end(assoc)
            case ("no", _, _):
                assoc.acceptor.supported_contexts = []
            case _:
                install_move_handler(assoc, lambda exchange: self._move(exchange, association, messages))

    def _messages(self, calling: str, called: str) -> Sequence[Message]:
        """Return the recorded messages of the next association between two AEs."""
        assert self.script is not None
        key = f"{calling} {called}"
        found = [
            each["messages"] for each in real(self.script.recording.connections) if _between(each, calling, called)
        ]
        number = self._played.get(key, 0)
        self._played[key] = number + 1
        assert number < len(found), f"{calling} asked {called} for association {number + 1}, {len(found)} recorded"
        messages: Sequence[Message] = found[number]
        return messages

    def _store(self, event: evt.Event) -> int:
        """Take an instance at the workstation, and answer it as recorded."""
        script = self.script
        assert script is not None
        request = event.request
        assert isinstance(request, C_STORE)
        uid = str(request.AffectedSOPInstanceUID)
        had = script.seen.delivered[id(event.assoc)]
        message_id = request.MoveOriginatorMessageID
        originator = (str(request.MoveOriginatorApplicationEntityTitle or "").strip(), message_id)
        recorded = _recorded_status(script.recording, uid, had.association.calling)
        script.seen.delivered[id(event.assoc)] = Stored(
            had.association, originator, {**had.statuses, uid: recorded or ""}
        )
        script.stores += 1
        if script.stores == script.stores_before_cancel:
            script.begun.set()
            script.cancelled.wait(PATIENCE_S)
            time.sleep(_CANCEL_S)
        time.sleep(script.delay_s)
        if recorded is None:
            event.assoc.abort()
            time.sleep(0.05)
            return 0
        return int(recorded.removesuffix("H"), 16)

    def _move(
        self, exchange: MoveExchange, association: Association, messages: Sequence[Message]
    ) -> MoveResponse | NoFinalResponse:
        """Answer a C-MOVE, and send what was sent, in the recorded order."""
        script, request = self.script, exchange.request
        assert script is not None
        script.seen.asked.append(
            ForwardedMove(
                association, request.destination_ae_title, request.message_id, _identifier(request.identifier)
            )
        )
        requested = first(messages, "C-MOVE-RQ")
        assert requested is not None
        sending = _Sending(script, association.called, self._archive, self._peers["WORKSTATION"])
        events: list[_Event] = [(each["ms"], None, each) for each in messages if each["by"] == "acceptor"]
        for own in real(script.recording.connections):
            if _title(own, "calling") == association.called:
                events += [(each["ms"], own, each) for each in _stores(own)]
        for _, connection, message in sorted(
            (each for each in events if each[0] >= requested["ms"]), key=lambda each: each[0]
        ):
            if connection is not None:
                sending.send(connection, message)
                continue
            match message["what"]:
                case "C-MOVE-RSP" if _status(message) == _PENDING:
                    exchange.send(_response(message))
                case "C-MOVE-RSP":
                    sending.later([each for each in events if each[1] and each[0] > message["ms"]])
                    return _response(message)
                case "A-ABORT":
                    return NoFinalResponse.ABORT
                case "A-RELEASE-RQ":
                    endings.release(exchange._association)
                    return NoFinalResponse.KEEP_ASSOCIATION
                case "TCP end of stream" if not _ended_by_requestor(messages):
                    return NoFinalResponse.CLOSE_CONNECTION
        _wait_for_the_end(exchange._association)
        return NoFinalResponse.KEEP_ASSOCIATION


class _Sending:
    """The C-STOREs of an external archive, each recorded association once."""

    def __init__(self, script: Script, title: str, archive: Peer, workstation: Peer) -> None:
        self._script = script
        self._title = title
        self._peers = {archive.ae_title: archive, workstation.ae_title: workstation}
        self._open: dict[int, PynetdicomAssociation] = {}

    def send(self, connection: Mapping[str, Any], message: Message) -> None:
        """Send the instance of a recorded C-STORE request; release the association after the last one."""
        number = connection["connection"]
        called = _title(connection, "called")
        if number not in self._open:
            self._open[number] = self._associate(called)
        association, command = self._open[number], message["command"]
        uid = command["AffectedSOPInstanceUID"]
        originator = command.get("MoveOriginatorApplicationEntityTitle")
        message_id = command.get("MoveOriginatorMessageID")
        answer = association.send_c_store(instance(uid), originator_aet=originator, originator_id=message_id)
        if called != "WORKSTATION":
            self._came_back(called, (originator or "", message_id), uid, f"{int(answer.get('Status', -1)):04X}H")
        if message is _stores(connection)[-1]:
            association.release()

    def later(self, events: Sequence[_Event]) -> None:
        """Send what was recorded after the final response, once the client has it."""
        if not events:
            return

        def send() -> None:
            self._script.answered.wait(PATIENCE_S)
            for _, connection, message in sorted(events, key=lambda each: each[0]):
                assert connection is not None
                self.send(connection, message)

        thread = threading.Thread(target=send)
        self._script.seen.late.append(thread)
        thread.start()

    def _associate(self, called: str) -> PynetdicomAssociation:
        entity = AE(self._title)
        entity.add_requested_context(_CT, ExplicitVRLittleEndian)
        peer = self._peers[called]
        association = entity.associate(peer.host, peer.port, ae_title=called, evt_handlers=ConnectionTrace(60).handlers)
        assert association.is_established
        return association

    def _came_back(self, called: str, originator: tuple[str, int | None], uid: str, status: str) -> None:
        seen = self._script.seen.came_back
        association = Association(self._title, called, "accepted")
        had = next((each for each in seen if each.association == association), None)
        if had is not None:
            seen.remove(had)
        seen.append(Stored(association, originator, {**(had.statuses if had else {}), uid: status}))


def _between(connection: Mapping[str, Any], calling: str, called: str) -> bool:
    return (_title(connection, "calling"), _title(connection, "called")) == (calling, called)


def _title(connection: Mapping[str, Any], which: str) -> str:
    request = first(connection["messages"], "A-ASSOCIATE-RQ")
    return str(request["association"][which]) if request else ""


def _stores(connection: Mapping[str, Any]) -> list[Message]:
    return [each for each in connection["messages"] if each["what"] == "C-STORE-RQ"]


def _recorded_status(recording: DimseRecording, uid: str, calling: str) -> str | None:
    """Return the status with which the workstation answered an instance; None where it did not answer."""
    for connection in real(recording.legs("to-workstation")):
        if _title(connection, "calling") == calling:
            for each in connection["messages"]:
                if each["what"] == "C-STORE-RSP" and each["command"]["AffectedSOPInstanceUID"] == uid:
                    return str(each["command"]["Status"])
    return None


def _status(message: Message) -> int:
    return int(message["command"]["Status"].removesuffix("H"), 16)


def _response(message: Message) -> MoveResponse:
    command = message["command"]
    counters = {each.lower(): command.get(f"NumberOf{each}Suboperations") for each in COUNTERS}
    identifier = None
    if message.get("dataset"):
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = message["dataset"]["FailedSOPInstanceUIDList"]
    return MoveResponse(_status(message), command.get("ErrorComment", ""), identifier=identifier, **counters)


def _ended_by_requestor(messages: Sequence[Message]) -> bool:
    return any(each["by"] == "requestor" and each["what"] in ("A-RELEASE-RQ", "A-ABORT") for each in messages)


def _identifier(identifier: Dataset) -> object:
    return comparable_dataset(
        {element.keyword: list(element.value) if element.VM > 1 else str(element.value or "") for element in identifier}
    )


def _wait_for_the_end(association: PynetdicomAssociation) -> None:
    deadline = time.monotonic() + _SILENT_S
    while time.monotonic() < deadline and not endings._is_over(association):
        time.sleep(0.02)
