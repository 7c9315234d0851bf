"""Messages cut into P-DATA-TF that the peer takes (PS3.8 Section 9.3.5, Annex E)."""

from __future__ import annotations

import struct

from dcmcfg.dicom.upper_layer import COMMAND, LAST, PduType

_PDV = struct.Struct(">BxLLBB")
_PDV_OCTETS = 6


def message_pdus(command_set: bytes, data_set: bytes | None, context_id: int, maximum_length: int) -> bytes:
    """Return a message in P-DATA-TF, none longer than *maximum_length*; 0 takes any length."""
    command = in_pdus(command_set, COMMAND, context_id, maximum_length)
    return command if data_set is None else command + in_pdus(data_set, 0, context_id, maximum_length)


def in_pdus(octets: bytes, kind: int, context_id: int, maximum_length: int) -> bytes:
    """Return *octets* in as many P-DATA-TF as PDUs of *maximum_length* need; 0 takes any length.

    *kind* is :data:`~dcmcfg.dicom.upper_layer.COMMAND`, or 0 for a data set. A fragment has an even length.
    """
    if not maximum_length or len(octets) + _PDV_OCTETS <= maximum_length:
        return _in_pdu(octets, kind | LAST, context_id) if octets else b""
    room = (maximum_length - _PDV_OCTETS) & ~1
    pieces = [octets[start : start + room] for start in range(0, len(octets), room)]
    return b"".join(
        _in_pdu(piece, kind | LAST if number == len(pieces) else kind, context_id)
        for number, piece in enumerate(pieces, start=1)
    )


def _in_pdu(piece: bytes, control: int, context_id: int) -> bytes:
    return _PDV.pack(PduType.P_DATA, len(piece) + _PDV_OCTETS, len(piece) + 2, context_id, control) + piece
