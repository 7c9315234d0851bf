"""Serve one association with a storage SCP, from its request to its end (PS3.8 Section 9.2)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from dcmcfg.dicom.storage.incoming_data_set import IncomingDataSet
from dcmcfg.dicom.storage.service import RequestOrigin, StorageScp, accepts_abstract_syntax
from dcmcfg.dicom.uid_registry import format_uid_name
from dcmcfg.dicom.ul.accepted_connection import AcceptedConnection, ConnectionEnded, PduReader
from dcmcfg.dicom.ul.association_log import DICOM, format_pdu_type, log_contexts, log_served
from dcmcfg.dicom.ul.command_set import CommandSet, decode_command_set
from dcmcfg.dicom.ul.negotiation import LOCAL_LIMIT_EXCEEDED, encode_rejection, find_rejection, negotiate
from dcmcfg.dicom.ul.pdu import (
    ABORT_PDU,
    COMMAND_BIT,
    LAST_FRAGMENT_BIT,
    MAX_PDU_OCTETS,
    RELEASE_RP_PDU,
    AbortReason,
    PduType,
    ProtocolViolation,
    build_long_pdu_violation,
    build_unexpected_pdu_violation,
    split_into_pdus,
)
from dcmcfg.protocol_log import PROTOCOL_LOG

#: The longest PDU that the receiver accepts.
MAXIMUM_LENGTH = 1 << 18
_MAX_COMMAND_SET_OCTETS = 1 << 14
_PDV = struct.Struct(">LBB")


class StorageAssociation:
    """Serves one connection, from *address*."""

    def __init__(self, scp: StorageScp, connection: AcceptedConnection, address: str) -> None:
        self._scp = scp
        self._connection = connection
        self._reader = PduReader(connection)
        self._peer = address
        self._calling = ""
        self._maximum_length = 0
        self._origins: Mapping[int, RequestOrigin] = {}  # by presentation context
        self._context_id = 0  # of the incoming message
        self._command_set = bytearray()
        self._command: CommandSet | None = None  # whose data set is incoming
        self._data_set: IncomingDataSet | None = None

    def serve(self, *, is_over_limit: bool = False) -> bytes:
        """Serve until the association ends; return the final octets to send before the connection is closed."""
        final_pdu: bytes | None = b""
        try:
            final_pdu = self._negotiate(is_over_limit=is_over_limit)
            while final_pdu is None and not self._connection.is_stopping():
                final_pdu = self._take_pdu()
        except ProtocolViolation as violation:
            self._scp.on_problem(f"{self._peer} violated the protocol: {violation}")
            return violation.abort_pdu
        except ConnectionEnded as end:
            if final_pdu is None and not self._connection.is_stopping():
                self._scp.on_problem(f"{self._peer} {end}")
        finally:
            if self._data_set is not None:
                # An interrupted data set must leave no file.
                self._data_set.discard()
        return ABORT_PDU if final_pdu is None else final_pdu

    def _negotiate(self, *, is_over_limit: bool) -> bytes | None:
        """Read the association request; return the rejection, None if the request is accepted."""
        self._connection.set_deadline(self._scp.timeouts.acse)
        kind, length = self._reader.read_header()
        match kind:
            case PduType.ABORT:
                return b""
            case PduType.ASSOCIATE_RQ if length <= MAX_PDU_OCTETS:
                # The pieces are views of the buffer, which the next piece overwrites.
                octets = b"".join(bytes(piece) for piece in self._reader.iterate_pieces(length))
            case PduType.ASSOCIATE_RQ:
                raise build_long_pdu_violation()
            case _:
                raise build_unexpected_pdu_violation(kind)
        request, contexts, response = negotiate(octets, accepts_abstract_syntax, MAXIMUM_LENGTH)
        self._calling, self._maximum_length = request.calling_ae_title, request.maximum_length
        self._peer = f"{self._calling} ({self._peer})"
        rejection = LOCAL_LIMIT_EXCEEDED if is_over_limit else find_rejection(request, self._scp.ae_title)
        if PROTOCOL_LOG.level:
            result = "accepted" if rejection is None else str(rejection)
            PROTOCOL_LOG.log(DICOM, f"A-ASSOCIATE {self._label}", result)
            proposed = {number: each.abstract_syntax for number, each in request.contexts.items()}
            log_contexts(proposed, contexts, format_uid_name)
        if rejection is not None:
            self._scp.on_problem(f"{self._peer} called {request.called_ae_title}: {rejection}")
            return encode_rejection(rejection)
        self._origins = {
            context_id: RequestOrigin(self._calling, context.transfer_syntax)
            for context_id, context in contexts.items()
        }
        self._connection.send(response)
        self._connection.clear_deadline()
        return None

    @property
    def _label(self) -> str:
        return f"{self._peer} → {self._scp.ae_title}"

    def _take_pdu(self) -> bytes | None:
        """Read one PDU of the established association; return the final octets if it ends the association."""
        self._take_fragments()
        kind, length = self._reader.read_header()
        if PROTOCOL_LOG.level and kind != PduType.P_DATA:
            PROTOCOL_LOG.log(DICOM, f"association {self._label}", f"ended by {format_pdu_type(kind)}")
        match kind:
            case PduType.P_DATA if length <= MAX_PDU_OCTETS:
                self._take_values(length)
            case PduType.P_DATA:
                raise build_long_pdu_violation()
            case PduType.RELEASE_RQ:
                return RELEASE_RP_PDU
            case PduType.ABORT:
                return b""
            case _:
                raise build_unexpected_pdu_violation(kind)
        return None

    def _take_values(self, length: int) -> None:
        """Read the presentation data values of one P-DATA-TF (PS3.8 Section 9.3.5.1)."""
        while length:
            if length < _PDV.size:
                raise ProtocolViolation(AbortReason.INVALID_VALUE, "a presentation data value is truncated")
            item_length, context_id, control = _PDV.unpack(self._reader.read_octets(_PDV.size))
            length -= item_length + 4
            if length < 0 or item_length < 2:
                raise ProtocolViolation(AbortReason.INVALID_VALUE, "a presentation data value is longer than its PDU")
            if control & COMMAND_BIT:
                self._take_command(context_id, item_length - 2, is_last=bool(control & LAST_FRAGMENT_BIT))
            else:
                self._take_data(context_id, item_length - 2, is_last=bool(control & LAST_FRAGMENT_BIT))

    def _take_command(self, context_id: int, length: int, *, is_last: bool) -> None:
        if self._command is not None:
            raise ProtocolViolation(None, "the peer sent a command instead of the rest of a data set")
        if context_id not in self._origins:
            raise ProtocolViolation(AbortReason.INVALID_VALUE, "the presentation context was not accepted")
        if self._command_set and context_id != self._context_id:
            raise ProtocolViolation(None, "the peer sent one command in two presentation contexts")
        if len(self._command_set) + length > _MAX_COMMAND_SET_OCTETS:
            raise ProtocolViolation(None, "the command set is too long")
        self._context_id = context_id
        for piece in self._reader.iterate_pieces(length):
            self._command_set += piece
        if is_last:
            command = decode_command_set(bytes(self._command_set))
            self._command_set.clear()
            self._begin(command)

    def _take_data(self, context_id: int, length: int, *, is_last: bool) -> None:
        if self._command is None or self._data_set is None or context_id != self._context_id:
            raise ProtocolViolation(None, "the peer sent an unexpected data set")
        for piece in self._reader.iterate_pieces(length):
            self._data_set.add(piece)
        if is_last:
            self._end_data_set(self._command, self._data_set)

    def _take_fragments(self) -> None:
        """Read the available part of the incoming data set, up to its end."""
        command, data_set = self._command, self._data_set
        if command is None or data_set is None:
            return
        for piece, is_last in self._reader.iterate_fragments(self._context_id):
            data_set.add(piece)
            if is_last:
                self._end_data_set(command, data_set)
                return

    def _end_data_set(self, command: CommandSet, data_set: IncomingDataSet) -> None:
        self._command = self._data_set = None
        self._respond(command, data_set)

    def _begin(self, command: CommandSet) -> None:
        """Answer *command* if it has no data set, otherwise prepare to receive the data set."""
        if command.is_response:
            raise ProtocolViolation(None, "received a response without a request")
        if command.has_data_set:
            self._command, self._data_set = (
                command,
                self._scp.prepare_data_set(command, self._origins[self._context_id]),
            )
        else:
            self._respond(command, None)

    def _respond(self, command: CommandSet, data_set: IncomingDataSet | None) -> None:
        response = self._scp.handle_request(command, data_set, self._origins[self._context_id])
        if PROTOCOL_LOG.level:
            log_served(self._label, command, response)
        if response is not None:
            self._connection.send(split_into_pdus(response, COMMAND_BIT, self._context_id, self._maximum_length))
