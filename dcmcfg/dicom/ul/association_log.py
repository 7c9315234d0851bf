"""Associations, DIMSE messages and PDUs as lines of the protocol log, without data sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from dcmcfg.dicom.status import PENDING, PENDING_WITHOUT_OPTIONAL_KEYS
from dcmcfg.dicom.ul.command_set import (
    MESSAGE_ID_BEING_RESPONDED_TO,
    RESPONSE_BIT,
    STATUS,
    CommandField,
    CommandSet,
    decode_command_set,
)
from dcmcfg.dicom.ul.pdu import HEADER, PduType
from dcmcfg.protocol_log import PROTOCOL_LOG

DICOM = "dicom"
_PDU_NAMES = {
    PduType.ASSOCIATE_RQ: "A-ASSOCIATE-RQ",
    PduType.ASSOCIATE_AC: "A-ASSOCIATE-AC",
    PduType.ASSOCIATE_RJ: "A-ASSOCIATE-RJ",
    PduType.P_DATA: "P-DATA-TF",
    PduType.RELEASE_RQ: "A-RELEASE-RQ",
    PduType.RELEASE_RP: "A-RELEASE-RP",
    PduType.ABORT: "A-ABORT",
}


class _AgreedContext(Protocol):
    """A presentation context that both sides agreed on."""

    @property
    def abstract_syntax(self) -> str: ...

    @property
    def transfer_syntax(self) -> str: ...


class MessageLog:
    """Logs the DIMSE messages of one association; *label* names both AEs and the address of the peer."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._started: dict[int, tuple[str, float, int]] = {}  # by Message ID: name, time, pending responses

    def log_sent(self, command_octets: bytes, data_set: bytes | None) -> None:
        """Note the request in *command_octets*; its line comes with the final response."""
        command = decode_command_set(command_octets)
        name = format_command_field(command.field)
        PROTOCOL_LOG.log_detail(DICOM, f"sent {_describe_message(command, data_set)}")
        # A C-CANCEL has no response of its own: the cancelled request ends with its final response.
        if command.field == CommandField.C_CANCEL:
            PROTOCOL_LOG.log(DICOM, f"{name} {self.label}", "sent")
        else:
            self._started[command.message_id] = name, time.monotonic(), 0

    def log_received(self, command: CommandSet, data_set: bytes | None) -> None:
        """Log the response *command*: a final one in a line with its status, a pending one as a detail."""
        PROTOCOL_LOG.log_detail(DICOM, f"received {_describe_message(command, data_set)}")
        message_id, status = command.number(MESSAGE_ID_BEING_RESPONDED_TO) or 0, command.number(STATUS)
        if message_id not in self._started:
            return
        name, started, pending_count = self._started.pop(message_id)
        if status in (PENDING, PENDING_WITHOUT_OPTIONAL_KEYS):
            self._started[message_id] = name, started, pending_count + 1
            return
        responses = "response" if pending_count == 1 else "responses"
        pending = f" after {pending_count} pending {responses}" if pending_count else ""
        PROTOCOL_LOG.log(DICOM, f"{name} {self.label}", f"{format_status(status)}{pending}", started)

    def log_end(self, reason: str) -> None:
        """Log that the association ended, and which requests have no final response."""
        for name, started, _ in self._started.values():
            PROTOCOL_LOG.log(DICOM, f"{name} {self.label}", f"no final response ({reason})", started)
        self._started.clear()
        PROTOCOL_LOG.log(DICOM, f"association {self.label}", f"ended: {reason}")


def log_contexts(
    proposed: Mapping[int, str], accepted: Mapping[int, _AgreedContext], format_uid: Callable[[str], str]
) -> None:
    """Log each *proposed* presentation context (ID to abstract syntax) as a detail, with its result."""
    for context_id, abstract_syntax in proposed.items():
        context = accepted.get(context_id)
        result = "not accepted" if context is None else f"accepted with {format_uid(context.transfer_syntax)}"
        PROTOCOL_LOG.log_detail(DICOM, f"context {context_id} {format_uid(abstract_syntax)}: {result}")


def log_pdus(direction: str, octets: bytes | bytearray | memoryview) -> None:
    """Log the PDUs in *octets*, each with its type and length, as details."""
    if not PROTOCOL_LOG.is_detailed:
        return
    offset = 0
    while len(octets) - offset >= HEADER.size:
        kind, length = HEADER.unpack_from(octets, offset)
        log_pdu(direction, kind, length)
        offset += HEADER.size + length


def log_pdu(direction: str, kind: int, length: int) -> None:
    """Log one PDU of type *kind*, whose content has *length* octets, as a detail."""
    PROTOCOL_LOG.log_detail(DICOM, f"{direction} {format_pdu_type(kind)}, {length} octets")


def format_pdu_type(kind: int) -> str:
    """Return the name of a type of PDU (PS3.8 Section 9.3), or its number."""
    return _PDU_NAMES[PduType(kind)] if kind in _PDU_NAMES else f"PDU type {kind:#04x}"


def log_served(label: str, command: CommandSet, response: bytes | None) -> None:
    """Log the request *command* of a peer to the receiver, with the status of *response*, its answer."""
    status = None if response is None else decode_command_set(response).number(STATUS)
    PROTOCOL_LOG.log(DICOM, f"{format_command_field(command.field)} {label}", format_status(status))
    PROTOCOL_LOG.log_detail(DICOM, f"received {_describe_message(command, None)}")


def format_command_field(field: int) -> str:
    """Return the name of a message, for example ``C-MOVE``."""
    request = field & ~RESPONSE_BIT
    name = CommandField(request).name.replace("_", "-") if request in set(CommandField) else f"message {request:#06x}"
    return f"{name} response" if field & RESPONSE_BIT else name


def format_status(status: int | None) -> str:
    """Return a status as the standard writes it, four hexadecimal digits."""
    return "no status" if status is None else f"status {status:04X}"


def _describe_message(command: CommandSet, data_set: bytes | None) -> str:
    """Return name, Message ID, status, sub-operations and the length of the data set of a message."""
    parts = [format_command_field(command.field)]
    if command.is_response:
        parts.append(
            f"to message {command.number(MESSAGE_ID_BEING_RESPONDED_TO)}, {format_status(command.number(STATUS))}"
        )
        counts = {name: command.number(element) for name, element in _SUB_OPERATIONS.items()}
        parts += [f"{name} {count}" for name, count in counts.items() if count is not None]
    else:
        parts.append(f"message {command.message_id}")
    if data_set is not None:
        parts.append(f"data set of {len(data_set)} octets")
    return ", ".join(parts)


_SUB_OPERATIONS = {"remaining": 0x1020, "completed": 0x1021, "failed": 0x1022, "warning": 0x1023}
