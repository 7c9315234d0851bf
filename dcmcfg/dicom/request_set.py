"""Command sets of requests (PS3.7 Section 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from dcmcfg.dicom.command_set import (
    AFFECTED_SOP_CLASS_UID,
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    NO_DATA_SET,
    SOME_DATA_SET,
    us,
    written,
)

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


def _command_set(kind: Kind, values: Mapping[int, bytes], *, has_data_set: bool) -> bytes:
    data_set = SOME_DATA_SET if has_data_set else NO_DATA_SET
    return written(sorted({**values, COMMAND_FIELD: us(kind), COMMAND_DATA_SET_TYPE: us(data_set)}.items()))
