"""Lines of LDIF: octets cut at empty lines, unfolded, numbered (RFC 2849, notes 2 and 3).

Lines end with LF or CRLF. A line that begins with a blank continues the line before it, be that a comment or be
the rest nothing but blanks (OpenLDAP's tools read it so too); only a truly empty line separates records. What
stands between two of those can therefore be read by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedIOBase
from typing import NamedTuple

_CHUNK = 64 * 1024


class LogicalLine(NamedTuple):
    """One unfolded line without its line ending; ``number`` is that of its first physical line, from 1.

    An empty ``text`` separates records, one that begins with ``#`` is a comment, one that begins with a blank is a
    continuation of nothing. ``has_line_ending`` is False for a last line that no line ending follows.
    """

    text: bytes
    number: int
    has_line_ending: bool = True


#: What stands between empty lines without its last line ending, the number of its first physical line (from 1), and
#: whether there was that ending. Empty lines may begin it and, with CRLF, stand inside. No class, for speed.
Block = tuple[bytes, int, bool]


def split_blocks(source: Iterable[bytes]) -> Iterator[Block]:
    """Yield the blocks of *source*: an open binary file, or chunks that may be cut anywhere.

    Held in memory are a chunk and a record.
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
        if text[:1] == b" " and parts and parts[0]:
            parts.append(text[1:])
            continue
        if parts:
            yield LogicalLine(b"".join(parts), first)
        parts, first = [text], number
    yield LogicalLine(b"".join(parts), first, ended)


def _split_at_empty_lines(source: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *source* in pieces that end with an empty line, each as soon as it is there; the last may not."""
    pending: list[bytes] = []
    end = b""  # of what is pending, enough of it to see an empty line that the next chunk completes
    for chunk in _iterate_chunks(source):
        seam = end + chunk
        crlf = _find_offset_after(seam, b"\n\r\n") if b"\r" in seam else 0
        cut = max(_find_offset_after(seam, b"\n\n"), crlf) - len(end)
        if cut > 0:
            yield b"".join((*pending, chunk[:cut]))
            pending, end, chunk = [], b"", chunk[cut:]
        pending.append(chunk)
        end = (end + chunk)[-2:]
    yield b"".join(pending)


def _iterate_chunks(source: Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(source, BufferedIOBase):
        return iter(partial(source.read1, _CHUNK), b"")  # iterating would give it line by line
    return source


def _find_offset_after(text: bytes, mark: bytes) -> int:
    """Return the place after the last *mark* in *text*, or 0."""
    offset = text.rfind(mark)
    return offset + len(mark) if offset >= 0 else 0
