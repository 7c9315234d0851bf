"""Encode black JPEG-LS images for the lab (ISO/IEC 14495-1), whose code consists of runs only."""

from __future__ import annotations

import struct

_START, _END = b"\xff\xd8", b"\xff\xd9"
#: Run lengths as powers of two, by run index (ISO/IEC 14495-1 A.2.1, array J).
_RUN_ORDERS = (*[0] * 4, *[1] * 4, *[2] * 4, *[3] * 4, 4, 4, 5, 5, 6, 6, 7, 7, *range(8, 16))


def encode_black_image(rows: int, columns: int, bits: int) -> bytes:
    """Return a lossless JPEG-LS stream of a grey image with all pixels 0.

    *rows* and *columns* are 1 to 65535, *bits* (per pixel) 2 to 16.
    """
    frame = struct.pack(">HHBHHBBBB", 0xFFF7, 11, bits, rows, columns, 1, 1, 0x11, 0)
    scan = struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, 0, 0, 0)
    return _START + frame + scan + _encode_ones(_count_ones(rows, columns)) + _END


def _count_ones(rows: int, columns: int) -> int:
    """Return the number of bits for the runs; each bit is 1, for a whole run or a run cut off at the end of a line."""
    number = index = 0
    for _ in range(rows):
        remaining = columns
        while remaining >= 1 << _RUN_ORDERS[index]:
            remaining -= 1 << _RUN_ORDERS[index]
            number += 1
            index = min(index + 1, len(_RUN_ORDERS) - 1)
        number += remaining > 0
    return number


def _encode_ones(number: int) -> bytes:
    """Return *number* bits 1, padded with 0; a bit 0 is stuffed after an octet FF (A.1)."""
    octets = bytearray()
    while number > 0:
        available = 7 if octets and octets[-1] == 0xFF else 8
        count = min(number, available)
        octets.append(((1 << count) - 1) << (available - count))
        number -= count
    if octets and octets[-1] == 0xFF:
        octets.append(0)
    return bytes(octets)
