"""Command sets: read of requests, written of responses (PS3.7 Section 6.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from dcmcfg.dicom.upper_layer import PduType, Violation

_ELEMENT = struct.Struct("<HHL")
_PDV = struct.Struct(">BxLLBB")
_PDV_OCTETS = 6
_NO_DATA_SET = 0x0101
_RESPONSE = 0x8000
#: Tags, without the group, which is 0000 for all.
GROUP_LENGTH = 0x0000
AFFECTED_SOP_CLASS_UID = 0x0002
COMMAND_FIELD = 0x0100
MESSAGE_ID = 0x0110
MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
COMMAND_DATA_SET_TYPE = 0x0800
STATUS = 0x0900
ERROR_COMMENT = 0x0902
AFFECTED_SOP_INSTANCE_UID = 0x1000
MOVE_ORIGINATOR = 0x1030
_ERROR_COMMENT_OCTETS = 64


class CommandField(IntEnum):
    """Requests that are told apart here (PS3.7 Table E.1-1)."""

    C_STORE = 0x0001
    C_ECHO = 0x0030
    C_CANCEL = 0x0FFF


@dataclass(frozen=True)
class Command:
    """A command set: the octets of each element by the second half of its tag."""

    field: int
    message_id: int
    has_data_set: bool
    elements: Mapping[int, bytes]

    @property
    def is_response(self) -> bool:
        """Whether it answers a request."""
        return bool(self.field & _RESPONSE)

    def octets(self, element: int) -> bytes:
        """Return the value of *element* without padding; empty where it is not there."""
        return self.elements.get(element, b"").rstrip(b"\0 ")

    def text(self, element: int) -> str:
        """Return the value of *element* as text, each octet one character; empty where it is not there."""
        return self.octets(element).decode("latin-1").lstrip(" ")

    def response(self, status: int, comment: str = "") -> bytes:
        """Return the command set that answers this request with *status*, and with *comment* where there is one."""
        words = comment.encode("ascii", "replace")[:_ERROR_COMMENT_OCTETS]
        answered = {
            AFFECTED_SOP_CLASS_UID: self.elements.get(AFFECTED_SOP_CLASS_UID, b""),
            COMMAND_FIELD: _us(self.field | _RESPONSE),
            MESSAGE_ID_BEING_RESPONDED_TO: _us(self.message_id),
            COMMAND_DATA_SET_TYPE: _us(_NO_DATA_SET),
            STATUS: _us(status),
            ERROR_COMMENT: words + b" " * (len(words) % 2),
            AFFECTED_SOP_INSTANCE_UID: self.elements.get(AFFECTED_SOP_INSTANCE_UID, b""),
        }
        encoded = b"".join(_element(each, value) for each, value in answered.items() if value)
        return _element(GROUP_LENGTH, struct.pack("<L", len(encoded))) + encoded


def read_command(octets: bytes) -> Command:
    """Return the command set in *octets*, always Implicit VR Little Endian; raises :class:`Violation`."""
    elements = dict(_elements(octets))
    field, message_id, data_set = (
        _number(elements, each) for each in (COMMAND_FIELD, MESSAGE_ID, COMMAND_DATA_SET_TYPE)
    )
    if field is None or data_set is None:
        raise Violation(None, "the command set does not say what is asked")
    if message_id is None and not field & _RESPONSE and field != CommandField.C_CANCEL:
        raise Violation(None, "the request has no number")
    return Command(field, message_id or 0, data_set != _NO_DATA_SET, elements)


def in_pdus(command_set: bytes, context_id: int, maximum_length: int) -> bytes:
    """Return *command_set* in as many P-DATA-TF as PDUs of *maximum_length* need; 0 takes any length."""
    room = ((maximum_length or len(command_set) + _PDV_OCTETS) - _PDV_OCTETS) & ~1
    pieces = [command_set[start : start + room] for start in range(0, len(command_set), room)]
    return b"".join(
        _PDV.pack(
            PduType.P_DATA, len(piece) + _PDV_OCTETS, len(piece) + 2, context_id, 3 if number == len(pieces) else 1
        )
        + piece
        for number, piece in enumerate(pieces, start=1)
    )


def _elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(octets):
        if len(octets) - position < _ELEMENT.size:
            raise Violation(None, "an element of the command set is cut off")
        group, element, length = _ELEMENT.unpack_from(octets, position)
        position += _ELEMENT.size + length
        if group or position > len(octets):
            raise Violation(None, "that is no command set")
        yield element, octets[position - length : position]


def _number(elements: Mapping[int, bytes], element: int) -> int | None:
    value = elements.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == 2 else None


def _us(number: int) -> bytes:
    return struct.pack("<H", number)


def _element(element: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return _ELEMENT.pack(0, element, len(padded)) + padded
