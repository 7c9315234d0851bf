"""PDUs read straight off a connection that was accepted (PS3.8 Section 9.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dcmcfg.dicom.line import Line
from dcmcfg.dicom.upper_layer import COMMAND, HEADER, LAST, MOST_OF_A_PDU, PduType

_FRAGMENT = struct.Struct(">BxLLBB")
_P_DATA = int(PduType.P_DATA)  # a plain number compares faster
#: Small enough for the memory of a processor, large enough that there are few calls to the system.
_BUFFER_OCTETS = 1 << 19


class PduStream:
    """The octets of one line, in pieces that are read once and copied nowhere."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._buffer = bytearray(_BUFFER_OCTETS)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def header(self) -> tuple[int, int]:
        """Return the type of the next PDU, and the length of the rest of it."""
        kind, length = HEADER.unpack(self.octets(HEADER.size))
        return kind, length

    def octets(self, number: int) -> memoryview:
        """Return the next *number* octets, at most as many as the buffer holds; they are good until the next call."""
        if self._end - self._start < number:
            self._gather(number)
        start = self._start
        self._start += number
        return self._view[start : self._start]

    def fragments(self, context_id: int) -> Iterator[tuple[memoryview, bool]]:
        """Yield pieces of a data set in *context_id*, and whether one is the last, each good until the next one.

        It is the quick way through P-DATA-TF that hold one fragment alone, as nearly all do, and ends before anything
        else, and where the head of the next PDU is not all there.
        """
        view = self._view
        while self._end - self._start >= _FRAGMENT.size:
            kind, length, item, context, control = _FRAGMENT.unpack_from(view, self._start)
            if kind != _P_DATA or context != context_id or control & COMMAND:
                return
            if item + 4 != length or length > MOST_OF_A_PDU or item < 2:
                return
            begin = self._start + _FRAGMENT.size
            end = begin + item - 2
            if end <= self._end:
                self._start = end
                yield view[begin:end], control & LAST != 0
            else:
                self._start = begin
                yield from self._rest_of_fragment(item - 2, control & LAST != 0)

    def _rest_of_fragment(self, left: int, is_last: bool) -> Iterator[tuple[memoryview, bool]]:
        """Yield the next *left* octets as they come, and whether they are the last ones of a data set."""
        for piece in self.pieces(left):
            left -= len(piece)
            yield piece, is_last and not left

    def pieces(self, number: int) -> Iterator[memoryview]:
        """Yield the next *number* octets in pieces as they come; each is good until the next one."""
        while number:
            if self._start == self._end:
                self._start = self._end = 0
                self._receive()
            start = self._start
            self._start = min(self._end, start + number)
            number -= self._start - start
            yield self._view[start : self._start]

    def _gather(self, number: int) -> None:
        """Have *number* octets in one piece."""
        left = self._end - self._start
        self._view[:left] = self._view[self._start : self._end]
        self._start, self._end = 0, left
        while self._end < number:
            self._receive()

    def _receive(self) -> None:
        """Add what has come to the buffer, waiting for it."""
        self._end += self._line.receive_into(self._view[self._end :])
