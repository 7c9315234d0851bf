"""Logical lines of LDIF: a stream of octets unfolded and numbered (RFC 2849, notes 2 and 3).

Lines end with LF or CRLF. A line that begins with a blank continues the line before it, be that a comment or be
the rest nothing but blanks (OpenLDAP's tools read it so too); only a truly empty line separates records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class LogicalLine(NamedTuple):
    """One unfolded line without its line ending; ``number`` is that of its first physical line, from 1.

    An empty ``text`` separates records, one that begins with ``#`` is a comment, one that begins with a blank is a
    continuation of nothing. ``ended`` is False for a last line that no line ending follows.
    """

    text: bytes
    number: int
    ended: bool = True


def logical_lines(chunks: Iterable[bytes]) -> Iterator[LogicalLine]:
    """Yield the logical lines of *chunks*, which may be cut anywhere (an open binary file, a list of one)."""
    parts: list[bytes] = []
    first = 0
    for number, (text, ended) in enumerate(_physical_lines(chunks), 1):
        if text[:1] == b" " and parts:
            parts.append(text[1:])
            if not ended:
                yield LogicalLine(b"".join(parts), first, ended=False)
                parts = []
            continue
        if parts:
            yield LogicalLine(parts[0] if len(parts) == 1 else b"".join(parts), first)
        parts, first = [text], number
        if not text or not ended:
            yield LogicalLine(text, number, ended)
            parts = []
    if parts:
        yield LogicalLine(b"".join(parts), first)


def _physical_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each physical line without its ending, and whether it had one."""
    begun: list[bytes] = []
    for chunk in chunks:
        head, *lines = chunk.split(b"\n")
        begun.append(head)
        if not lines:
            continue
        rest = lines.pop()
        for line in (b"".join(begun), *lines):
            yield line[:-1] if line[-1:] == b"\r" else line, True
        begun = [rest]
    if last := b"".join(begun):
        yield last.removesuffix(b"\r"), False
