"""Command sets of requests, and the P-DATA-TF that carry them (PS3.7 Section 6.3 and 9.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum

from dcmcfg.dicom.command_set import (
    AFFECTED_SOP_CLASS_UID,
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    GROUP_LENGTH,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    Command,
)
from dcmcfg.dicom.upper_layer import COMMAND, LAST, PduType

_ELEMENT = struct.Struct("<HHL")
_PDV = struct.Struct(">BxLLBB")
_PDV_OCTETS = 6
_SOME_DATA_SET, _NO_DATA_SET = 0x0001, 0x0101
#: Elements of requests to a Query/Retrieve SCP and of its responses, by the second half of their tags.
MOVE_DESTINATION = 0x0600
PRIORITY = 0x0700
OFFENDING_ELEMENT = 0x0901
REMAINING, COMPLETED, FAILED, WARNING = 0x1020, 0x1021, 0x1022, 0x1023


class Kind(IntEnum):
    """Requests that we make (PS3.7 Table E.1-1)."""

    C_FIND = 0x0020
    C_MOVE = 0x0021
    C_ECHO = 0x0030
    C_CANCEL = 0x0FFF


def request(kind: Kind, sop_class: str, message_id: int, values: Mapping[int, bytes], *, has_data_set: bool) -> bytes:
    """Return the command set that asks for *kind* of *sop_class*, with *values* more."""
    named = {AFFECTED_SOP_CLASS_UID: sop_class.encode(), MESSAGE_ID: us(message_id)}
    return _command_set(kind, named | dict(values), has_data_set=has_data_set)


def cancel_request(message_id: int) -> bytes:
    """Return the C-CANCEL-RQ of the request *message_id*."""
    return _command_set(Kind.C_CANCEL, {MESSAGE_ID_BEING_RESPONDED_TO: us(message_id)}, has_data_set=False)


def us(number: int) -> bytes:
    """Return an unsigned number of two octets."""
    return number.to_bytes(2, "little")


def number_in(command: Command, element: int) -> int | None:
    """Return the value of *element* as an unsigned number of two octets; None where it is none."""
    value = command.elements.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == 2 else None


def message_pdus(command_set: bytes, data_set: bytes | None, context_id: int, maximum_length: int) -> bytes:
    """Return a message in P-DATA-TF, none longer than *maximum_length*; 0 takes any length."""
    return b"".join(
        (
            *_pdus(command_set, context_id, maximum_length, COMMAND),
            *(_pdus(data_set, context_id, maximum_length, 0) if data_set is not None else ()),
        )
    )


def _pdus(octets: bytes, context_id: int, maximum_length: int, kind: int) -> Iterator[bytes]:
    room = ((maximum_length or len(octets) + _PDV_OCTETS) - _PDV_OCTETS) & ~1
    for start in range(0, len(octets), room):
        piece = octets[start : start + room]
        control = kind | (LAST if start + room >= len(octets) else 0)
        yield _PDV.pack(PduType.P_DATA, len(piece) + _PDV_OCTETS, len(piece) + 2, context_id, control) + piece


def _command_set(kind: Kind, values: Mapping[int, bytes], *, has_data_set: bool) -> bytes:
    data_set = _SOME_DATA_SET if has_data_set else _NO_DATA_SET
    everything = {**values, COMMAND_FIELD: us(kind), COMMAND_DATA_SET_TYPE: us(data_set)}
    encoded = b"".join(_element(each, everything[each]) for each in sorted(everything))
    return _element(GROUP_LENGTH, len(encoded).to_bytes(4, "little")) + encoded


def _element(element: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return _ELEMENT.pack(0, element, len(padded)) + padded
