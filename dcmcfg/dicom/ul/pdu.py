"""Encode PDUs of requestor and acceptor (PS3.8 Section 9.3).

Messages are split into P-DATA-TF that the peer accepts (Section 9.3.5, Annex E). The implementation UID and version
name are those of dcmcfg (PS3.7 Section D.3.3.2).
"""

from __future__ import annotations

import struct
from enum import IntEnum

#: Type and length at the beginning of each PDU.
HEADER = struct.Struct(">BxL")
#: Bits of a message control header (PS3.8 Annex E).
COMMAND_BIT, LAST_FRAGMENT_BIT = 1, 2
#: Upper limit for incoming PDUs; a request with 128 contexts is long too.
MAX_PDU_OCTETS = 1 << 20
_ABORT = struct.Struct(">BxLxxBB")
RELEASE_RP_PDU = b"\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"
#: A-ABORT by the service user, without a reason code.
ABORT_PDU = b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"


class PduType(IntEnum):
    """The types of PDU (PS3.8 Section 9.3)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class AbortReason(IntEnum):
    """Abort reasons of the upper layer (PS3.8 Table 9-26)."""

    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    INVALID_VALUE = 6


class ProtocolViolation(Exception):
    """The peer violated the protocol, so the association is aborted; *reason* is None for a violation of DIMSE.

    ``abort_pdu`` is the A-ABORT to send: from the service provider with its reason, otherwise from the service user.
    """

    def __init__(self, reason: AbortReason | None, message: str) -> None:
        super().__init__(message)
        self.abort_pdu = _ABORT.pack(PduType.ABORT, 4, 0 if reason is None else 2, reason or 0)


def build_unexpected_pdu_violation(kind: int) -> ProtocolViolation:
    """Return the violation for a PDU of type *kind* in the wrong state."""
    if kind in {each.value for each in PduType}:
        return ProtocolViolation(AbortReason.UNEXPECTED_PDU, "unexpected PDU")
    return ProtocolViolation(AbortReason.UNRECOGNIZED_PDU, "unknown PDU type")


def build_long_pdu_violation() -> ProtocolViolation:
    """Return the violation for a PDU longer than :data:`MAX_PDU_OCTETS`."""
    return ProtocolViolation(AbortReason.INVALID_VALUE, "a PDU is longer than the accepted maximum")


_PDV = struct.Struct(">BxLLBB")
_PDV_OCTETS = 6


def encode_message(command_set: bytes, data_set: bytes | None, context_id: int, maximum_length: int) -> bytes:
    """Return a message in P-DATA-TF of at most *maximum_length*; 0 means no limit."""
    command = split_into_pdus(command_set, COMMAND_BIT, context_id, maximum_length)
    return command if data_set is None else command + split_into_pdus(data_set, 0, context_id, maximum_length)


def split_into_pdus(octets: bytes, kind: int, context_id: int, maximum_length: int) -> bytes:
    """Return *octets* in P-DATA-TF PDUs of at most *maximum_length*; 0 means no limit.

    *kind* is :data:`~dcmcfg.dicom.ul.pdu.COMMAND_BIT`, or 0 for a data set. Fragments have an even length.
    """
    if not maximum_length or len(octets) + _PDV_OCTETS <= maximum_length:
        return _encode_pdu(octets, kind | LAST_FRAGMENT_BIT, context_id) if octets else b""
    max_fragment_octets = (maximum_length - _PDV_OCTETS) & ~1
    pieces = [octets[start : start + max_fragment_octets] for start in range(0, len(octets), max_fragment_octets)]
    return b"".join(
        _encode_pdu(piece, kind | LAST_FRAGMENT_BIT if number == len(pieces) else kind, context_id)
        for number, piece in enumerate(pieces, start=1)
    )


def _encode_pdu(piece: bytes, control: int, context_id: int) -> bytes:
    return _PDV.pack(PduType.P_DATA, len(piece) + _PDV_OCTETS, len(piece) + 2, context_id, control) + piece


#: Derived from a random UUID (PS3.5 Annex B.2).
IMPLEMENTATION_CLASS_UID = "2.25.136206842132771243863784695723854350424"
IMPLEMENTATION_VERSION_NAME = "DCMCFG_1"
