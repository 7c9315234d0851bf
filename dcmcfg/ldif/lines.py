"""Split LDIF octets at empty lines, unfold and number the lines (RFC 2849, notes 2 and 3).

Lines end with LF or CRLF. A line with a blank at the beginning continues the previous line, also if that is a comment
or if the rest is blank (same as OpenLDAP's tools). Only a completely empty line separates records, so the text between
two empty lines can be parsed independently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedIOBase
from typing import NamedTuple

_CHUNK = 64 * 1024


class LogicalLine(NamedTuple):
    """An unfolded line without its line ending; ``number`` is the number of its first physical line, from 1.

    An empty ``text`` separates records. A text with ``#`` at the beginning is a comment, a text with a blank at the
    beginning is a continuation without previous line. ``has_line_ending`` is False for a last line without line ending.
    """

    text: bytes
    number: int
    has_line_ending: bool = True


#: The text between empty lines without its last line ending, the number of its first physical line (from 1), and
#: whether the last line ending existed. The text may begin with empty lines and, with CRLF, contain them. A tuple and
#: not a class, for speed.
Block = tuple[bytes, int, bool]


def split_blocks(source: Iterable[bytes]) -> Iterator[Block]:
    """Yield the blocks of *source*: an open binary file, or chunks of any size.

    Only one chunk and one record are in memory at a time.
    """
    number = 1
    for piece in _split_at_empty_lines(source):
        *complete, rest = piece.split(b"\n\n")
        for text in complete:
            yield text, number, True
            number += text.count(b"\n") + 2
        if rest:
            yield rest.removesuffix(b"\n"), number, rest.endswith(b"\n")
            number += rest.count(b"\n")


def unfold_lines(block: Block) -> Iterator[LogicalLine]:
    """Yield the logical lines of *block*."""
    octets, start, ended = block
    parts: list[bytes] = []
    first = start
    for number, line in enumerate(octets.split(b"\n"), start):
        text = line[:-1] if line[-1:] == b"\r" else line
        # An empty line ends a record, so it cannot be continued.
        if text[:1] == b" " and parts and parts[0]:
            parts.append(text[1:])
            continue
        if parts:
            yield LogicalLine(b"".join(parts), first)
        parts, first = [text], number
    yield LogicalLine(b"".join(parts), first, ended)


def _split_at_empty_lines(source: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *source* in pieces that end with an empty line (except the last), each as soon as it is complete."""
    pending: list[bytes] = []
    end = b""  # the last octets of the pending text, to detect an empty line that the next chunk completes
    for chunk in _iterate_chunks(source):
        seam = end + chunk
        crlf = _find_offset_after(seam, b"\n\r\n") if b"\r" in seam else 0
        cut = max(_find_offset_after(seam, b"\n\n"), crlf) - len(end)
        if cut > 0:
            yield b"".join((*pending, chunk[:cut]))
            pending, end, chunk = [], b"", chunk[cut:]
        pending.append(chunk)
        # The longest mark has three octets, so the last two are enough to complete it.
        end = (end + chunk)[-2:]
    yield b"".join(pending)


def _iterate_chunks(source: Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(source, BufferedIOBase):
        return iter(partial(source.read1, _CHUNK), b"")  # iterating the file would yield single lines, which is slow
    return source


def _find_offset_after(text: bytes, mark: bytes) -> int:
    """Return the offset after the last *mark* in *text*, or 0."""
    offset = text.rfind(mark)
    return offset + len(mark) if offset >= 0 else 0
