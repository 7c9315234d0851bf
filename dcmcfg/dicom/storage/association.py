"""One association with a storage SCP, from its request to its end (PS3.8 Section 9.2)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from dcmcfg.dicom.storage.incoming_data_set import ArrivingDataSet
from dcmcfg.dicom.storage.service import Origin, StorageScp, takes
from dcmcfg.dicom.ul.accepted_connection import ConnectionOver, Line, PduStream
from dcmcfg.dicom.ul.command_set import Command, read_command
from dcmcfg.dicom.ul.negotiation import TOO_MANY, agreed, refusal, rejection_pdu
from dcmcfg.dicom.ul.pdu import (
    ABORT,
    COMMAND,
    LAST,
    MOST_OF_A_PDU,
    RELEASE_REPLY,
    PduType,
    Reason,
    Violation,
    in_pdus,
    not_expected,
    too_long,
)

#: The longest PDU that we take.
MAXIMUM_LENGTH = 1 << 18
_MOST_OF_A_COMMAND_SET = 1 << 14
_PDV = struct.Struct(">LBB")


class StorageAssociation:
    """Serves one connection, from *address*."""

    def __init__(self, scp: StorageScp, line: Line, address: str) -> None:
        self._scp = scp
        self._line = line
        self._stream = PduStream(line)
        self._peer = address
        self._calling = ""
        self._maximum_length = 0
        self._origins: Mapping[int, Origin] = {}  # by presentation context
        self._context_id = 0  # of the message on its way
        self._command_set = bytearray()
        self._command: Command | None = None  # whose data set is on its way
        self._data_set: ArrivingDataSet | None = None

    def serve(self, *, too_many: bool = False) -> bytes:
        """Serve until the association ends, and return what is left to say before the connection is closed."""
        last_words: bytes | None = b""
        try:
            last_words = self._negotiate(too_many=too_many)
            while last_words is None and not self._line.is_over():
                last_words = self._next_pdu()
        except Violation as violation:
            self._scp.on_trouble(f"{self._peer} broke the protocol: {violation}")
            return violation.pdu
        except ConnectionOver as end:
            if last_words is None and not self._line.is_over():
                self._scp.on_trouble(f"{self._peer} {end}")
        finally:
            if self._data_set is not None:
                self._data_set.discard()
        return ABORT if last_words is None else last_words

    def _negotiate(self, *, too_many: bool) -> bytes | None:
        """Take the association request; return the rejection, None where it is accepted."""
        self._line.hurry(self._scp.timeouts.acse)
        kind, length = self._stream.header()
        match kind:
            case PduType.ABORT:
                return b""
            case PduType.ASSOCIATE_RQ if length <= MOST_OF_A_PDU:
                octets = b"".join(bytes(piece) for piece in self._stream.pieces(length))
            case PduType.ASSOCIATE_RQ:
                raise too_long()
            case _:
                raise not_expected(kind)
        request, contexts, answer = agreed(octets, takes, MAXIMUM_LENGTH)
        self._calling, self._maximum_length = request.calling_title, request.maximum_length
        self._peer = f"{self._calling} ({self._peer})"
        rejection = TOO_MANY if too_many else refusal(request, self._scp.ae_title)
        if rejection is not None:
            self._scp.on_trouble(f"{self._peer} called {request.called_title}: {rejection}")
            return rejection_pdu(rejection)
        self._origins = {each: Origin(self._calling, of.transfer_syntax) for each, of in contexts.items()}
        self._line.send(answer)
        self._line.take_time()
        return None

    def _next_pdu(self) -> bytes | None:
        """Take one PDU of the established association; return what is left to say where that ends it."""
        self._take_fragments()
        kind, length = self._stream.header()
        match kind:
            case PduType.P_DATA if length <= MOST_OF_A_PDU:
                self._take_values(length)
            case PduType.P_DATA:
                raise too_long()
            case PduType.RELEASE_RQ:
                return RELEASE_REPLY
            case PduType.ABORT:
                return b""
            case _:
                raise not_expected(kind)
        return None

    def _take_values(self, length: int) -> None:
        """Take the presentation data values of one P-DATA-TF (PS3.8 Section 9.3.5.1)."""
        while length:
            if length < _PDV.size:
                raise Violation(Reason.INVALID_VALUE, "a presentation data value is cut off")
            item, context_id, control = _PDV.unpack(self._stream.octets(_PDV.size))
            length -= item + 4
            if length < 0 or item < 2:
                raise Violation(Reason.INVALID_VALUE, "a presentation data value is longer than its PDU")
            if control & COMMAND:
                self._take_command(context_id, item - 2, is_last=bool(control & LAST))
            else:
                self._take_data(context_id, item - 2, is_last=bool(control & LAST))

    def _take_command(self, context_id: int, length: int, *, is_last: bool) -> None:
        if self._command is not None:
            raise Violation(None, "a command came where the rest of a data set was expected")
        if context_id not in self._origins:
            raise Violation(Reason.INVALID_VALUE, "the presentation context was not accepted")
        if self._command_set and context_id != self._context_id:
            raise Violation(None, "a command came in two presentation contexts")
        if len(self._command_set) + length > _MOST_OF_A_COMMAND_SET:
            raise Violation(None, "a command set is not so long")
        self._context_id = context_id
        for piece in self._stream.pieces(length):
            self._command_set += piece
        if is_last:
            command = read_command(bytes(self._command_set))
            self._command_set.clear()
            self._begin(command)

    def _take_data(self, context_id: int, length: int, *, is_last: bool) -> None:
        if self._command is None or self._data_set is None or context_id != self._context_id:
            raise Violation(None, "a data set came where none was expected")
        for piece in self._stream.pieces(length):
            self._data_set.add(piece)
        if is_last:
            self._end_data_set(self._command, self._data_set)

    def _take_fragments(self) -> None:
        """Take what there is of the data set on its way, up to its end."""
        command, data_set = self._command, self._data_set
        if command is None or data_set is None:
            return
        for piece, is_last in self._stream.fragments(self._context_id):
            data_set.add(piece)
            if is_last:
                self._end_data_set(command, data_set)
                return

    def _end_data_set(self, command: Command, data_set: ArrivingDataSet) -> None:
        self._command = self._data_set = None
        self._answer(command, data_set)

    def _begin(self, command: Command) -> None:
        """Take *command*: answer it where nothing more comes with it, else be ready for its data set."""
        if command.is_response:
            raise Violation(None, "a response came, and nothing was asked")
        if command.has_data_set:
            self._command, self._data_set = command, self._scp.expect(command, self._origins[self._context_id])
        else:
            self._answer(command, None)

    def _answer(self, command: Command, data_set: ArrivingDataSet | None) -> None:
        response = self._scp.answer(command, data_set, self._origins[self._context_id])
        if response is not None:
            self._line.send(in_pdus(response, COMMAND, self._context_id, self._maximum_length))
