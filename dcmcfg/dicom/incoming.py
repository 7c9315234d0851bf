"""Messages put together of the P-DATA-TF in which they come (PS3.8 Section 9.3.5, PS3.7 Section 6.3)."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.command_set import Command, read_command
from dcmcfg.dicom.upper_layer import COMMAND, LAST, Reason, Violation

#: No identifier is longer, nor a command set.
_MOST_OF_A_DATA_SET, _MOST_OF_A_COMMAND_SET = 1 << 24, 1 << 16
_PDV = struct.Struct(">LBB")


@dataclass(frozen=True)
class Message:
    """A command with its data set as encoded, None where there is none; both in that presentation context."""

    command: Command
    data_set: bytes | None
    context_id: int


class Incoming:
    """What has come of the next message, in one of *context_ids*."""

    def __init__(self, context_ids: Collection[int]) -> None:
        self._context_ids = context_ids
        self._command: Command | None = None  # whose data set is on its way
        self._context_id = 0
        self._octets = bytearray()

    def take(self, content: bytes) -> Iterator[Message]:
        """Take the *content* of a P-DATA-TF; yield the messages that it completes. Raises :class:`Violation`."""
        if not content:
            raise Violation(Reason.INVALID_VALUE, "a PDU of data has none, or is longer than we take")
        position = 0
        while position < len(content):
            if len(content) - position < _PDV.size:
                raise Violation(Reason.INVALID_VALUE, "a presentation data value is cut off")
            size, context_id, control = _PDV.unpack_from(content, position)
            start, position = position + _PDV.size, position + size + 4
            if position > len(content) or size < 2:
                raise Violation(Reason.INVALID_VALUE, "a presentation data value is longer than its PDU")
            self._add(content[start:position], context_id, is_command=bool(control & COMMAND))
            if control & LAST and (message := self._completed()) is not None:
                yield message

    def _add(self, octets: bytes, context_id: int, *, is_command: bool) -> None:
        if is_command != (self._command is None):
            raise Violation(None, "a data set came without a command, or a command in a data set")
        if context_id not in self._context_ids:
            raise Violation(Reason.INVALID_VALUE, "the presentation context was not accepted")
        if len(self._octets) + len(octets) > (_MOST_OF_A_COMMAND_SET if is_command else _MOST_OF_A_DATA_SET):
            raise Violation(None, "no message is so long")
        self._context_id = context_id
        self._octets += octets

    def _completed(self) -> Message | None:
        octets = bytes(self._octets)
        self._octets.clear()
        if self._command is not None:
            command, self._command = self._command, None
            return Message(command, octets, self._context_id)
        command = read_command(octets)
        if not command.has_data_set:
            return Message(command, None, self._context_id)
        self._command = command
        return None
