"""Encode and decode command sets (PS3.7 Sections 6.3 and 9.3), always in Implicit VR Little Endian."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from dcmcfg.dicom.ul.pdu import ProtocolViolation

_ELEMENT = struct.Struct("<HHL")
#: Command Data Set Type: 0101 means none, any other value announces a data set (PS3.7 Table E.1-1).
SOME_DATA_SET, NO_DATA_SET = 0x0001, 0x0101
_NUMBERS = struct.Struct("<" + 4 * "HHLH")  # the two-octet elements that every response has
#: The bit that a response adds to the Command Field of its request (PS3.7 Table E.1-1).
RESPONSE_BIT = 0x8000
#: Tags without the group, which is always 0000.
GROUP_LENGTH = 0x0000
AFFECTED_SOP_CLASS_UID = 0x0002
COMMAND_FIELD = 0x0100
MESSAGE_ID = 0x0110
MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
COMMAND_DATA_SET_TYPE = 0x0800
STATUS = 0x0900
ERROR_COMMENT = 0x0902
AFFECTED_SOP_INSTANCE_UID = 0x1000
MOVE_ORIGINATOR_AE_TITLE = 0x1030
MOVE_ORIGINATOR_MESSAGE_ID = 0x1031
#: The VR of Error Comment is LO, which has at most 64 characters (PS3.5 Table 6.2-1).
_ERROR_COMMENT_OCTETS = 64


class CommandField(IntEnum):
    """The DIMSE-C requests that dcmcfg sends or serves (PS3.7 Table E.1-1)."""

    C_STORE = 0x0001
    C_FIND = 0x0020
    C_MOVE = 0x0021
    C_ECHO = 0x0030
    C_CANCEL = 0x0FFF


@dataclass(frozen=True)
class CommandSet:
    """A command set, with the octets of each element by its element number (second half of the tag)."""

    field: int
    message_id: int
    has_data_set: bool
    elements: Mapping[int, bytes]

    @property
    def is_response(self) -> bool:
        """Whether this is a response."""
        return bool(self.field & RESPONSE_BIT)

    @property
    def sop_instance_uid(self) -> str:
        """The Affected SOP Instance UID, empty if absent."""
        return self.text(AFFECTED_SOP_INSTANCE_UID)

    @property
    def sop_class_uid(self) -> str:
        """The Affected SOP Class UID, empty if absent."""
        return self.text(AFFECTED_SOP_CLASS_UID)

    def octets(self, element: int) -> bytes:
        """Return the value of *element* without padding; empty if absent."""
        # UIDs are padded with NUL, other text with a blank (PS3.5 Section 6.2).
        return self.elements.get(element, b"").rstrip(b"\0 ")

    def number(self, element: int) -> int | None:
        """Return the value of *element* as an unsigned number of two octets; None if it is not one."""
        return _get_number(self.elements, element)

    def text(self, element: int) -> str:
        """Return the value of *element* as text, one character per octet; empty if absent."""
        # Latin-1 decodes any octet, so invalid characters of a peer do not raise.
        return self.octets(element).decode("latin-1").lstrip(" ")

    def build_response(self, status: int, comment: str = "") -> bytes:
        """Return the command set of the response to this request, with *status* and an optional *comment*."""
        numbers = _NUMBERS.pack(
            *(0, COMMAND_FIELD, 2, self.field | RESPONSE_BIT),
            *(0, MESSAGE_ID_BEING_RESPONDED_TO, 2, self.message_id),
            *(0, COMMAND_DATA_SET_TYPE, 2, NO_DATA_SET),
            *(0, STATUS, 2, status),
        )
        # Error Comment is text, so its padding is a blank instead of the NUL that _encode_element adds.
        comment_octets = comment.encode("ascii", "replace")[:_ERROR_COMMENT_OCTETS]
        if comment_octets:
            numbers += _encode_element(ERROR_COMMENT, comment_octets + b" " * (len(comment_octets) % 2))
        return _prepend_length(
            # Elements are in ascending order of their numbers (PS3.7 Section 6.3.1).
            self._copy_element(AFFECTED_SOP_CLASS_UID) + numbers + self._copy_element(AFFECTED_SOP_INSTANCE_UID)
        )

    def _copy_element(self, element: int) -> bytes:
        """Return *element* unchanged, for the response; empty if it has no value."""
        value = self.elements.get(element)
        return _encode_element(element, value) if value else b""


def decode_command_set(octets: bytes) -> CommandSet:
    """Return the command set in *octets*; raises :class:`ProtocolViolation`."""
    elements = _read_elements(octets)
    field, message_id = _get_number(elements, COMMAND_FIELD), _get_number(elements, MESSAGE_ID)
    data_set = _get_number(elements, COMMAND_DATA_SET_TYPE)
    if field is None or data_set is None:
        raise ProtocolViolation(None, "the command set has no Command Field or Command Data Set Type")
    # A C-CANCEL names its request in Message ID Being Responded To, and has no Message ID (PS3.7 Section 9.3.2.3).
    if message_id is None and not field & RESPONSE_BIT and field != CommandField.C_CANCEL:
        raise ProtocolViolation(None, "the request has no Message ID")
    return CommandSet(field, message_id or 0, data_set != NO_DATA_SET, elements)


def encode_command_set(elements: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the command set of *elements*, which are sorted by number; those without a value are left out."""
    return _prepend_length(b"".join(_encode_element(element, value) for element, value in elements if value))


def encode_us(number: int) -> bytes:
    """Return an unsigned number of two octets."""
    return number.to_bytes(2, "little")


def _prepend_length(encoded: bytes) -> bytes:
    return _encode_element(GROUP_LENGTH, len(encoded).to_bytes(4, "little")) + encoded


def _read_elements(octets: bytes) -> dict[int, bytes]:
    elements = {}
    position, end = 0, len(octets)
    while position < end:
        if end - position < _ELEMENT.size:
            raise ProtocolViolation(None, "an element of the command set is truncated")
        group, element, length = _ELEMENT.unpack_from(octets, position)
        begin = position + _ELEMENT.size
        position = begin + length
        if group or position > end:
            raise ProtocolViolation(None, "the octets are not a command set")
        elements[element] = octets[begin:position]
    return elements


def _get_number(elements: Mapping[int, bytes], element: int) -> int | None:
    value = elements.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == 2 else None


def _encode_element(element: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return _ELEMENT.pack(0, element, len(padded)) + padded


#: Elements of Query/Retrieve requests and responses, by element number.
MOVE_DESTINATION = 0x0600
PRIORITY = 0x0700
OFFENDING_ELEMENT = 0x0901
REMAINING_SUB_OPERATIONS, COMPLETED_SUB_OPERATIONS, FAILED_SUB_OPERATIONS, WARNING_SUB_OPERATIONS = (
    0x1020,
    0x1021,
    0x1022,
    0x1023,
)


def encode_request(
    kind: CommandField, sop_class: str, message_id: int, values: Mapping[int, bytes], *, has_data_set: bool
) -> bytes:
    """Return the command set of a *kind* request for *sop_class*, with additional *values*."""
    elements = {AFFECTED_SOP_CLASS_UID: sop_class.encode(), MESSAGE_ID: encode_us(message_id)}
    return _encode_request_command(kind, elements | dict(values), has_data_set=has_data_set)


def encode_cancel_request(message_id: int) -> bytes:
    """Return the C-CANCEL-RQ of the request *message_id*."""
    return _encode_request_command(
        CommandField.C_CANCEL, {MESSAGE_ID_BEING_RESPONDED_TO: encode_us(message_id)}, has_data_set=False
    )


def _encode_request_command(kind: CommandField, values: Mapping[int, bytes], *, has_data_set: bool) -> bytes:
    data_set = SOME_DATA_SET if has_data_set else NO_DATA_SET
    return encode_command_set(
        sorted({**values, COMMAND_FIELD: encode_us(kind), COMMAND_DATA_SET_TYPE: encode_us(data_set)}.items())
    )
