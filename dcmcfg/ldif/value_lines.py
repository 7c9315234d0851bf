"""The line on which a value of a record stands, found again for whoever has to mend it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Sequence


class ValueLines:
    """The physical lines of a file, without their ends; each record is read once, for any number of values."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._records: dict[int, dict[tuple[str, bytes | None], int]] = {}

    def line(self, first: int, names: Collection[str], value: bytes | None) -> int:
        """Return the number of the line where the record that begins on line *first* gives *value*.

        Lines are numbered from 1; *names* are those of the attribute, in small letters. The last line that gives the
        value is the one, since a value given twice is wrong the second time; without *value* it is the attribute's last
        line. Where there is none it is *first*.
        """
        if first not in self._records:
            fields = _fields(self._lines, first)
            self._records[first] = {(name, each): number for number, name, octets in fields for each in (octets, None)}
        places = self._records[first]
        return max((places.get((name, value), first) for name in names), default=first)


def _fields(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, str, bytes]]:
    """Yield line number, attribute type in small letters without options, and value of each line of the record."""
    for number, text in _unfolded(lines, first):
        before, colon, after = text.partition(b":")
        if colon and not text.startswith(b"#"):
            name = before.partition(b";")[0].decode("utf-8", "replace").lower()
            yield number, name, _value(after)


def _value(after: bytes) -> bytes:
    if not after.startswith(b":"):
        return after.lstrip(b" ")
    try:
        return base64.b64decode(after[1:].strip())
    except binascii.Error:
        return after


def _unfolded(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, bytes]]:
    """Yield the unfolded lines from *first* to the end of the record, each with the number of its first line."""
    number, parts = first, list[bytes]()
    for at in range(first, len(lines) + 1):
        text = lines[at - 1].removesuffix(b"\r")
        if parts and text.startswith(b" "):
            parts.append(text[1:])
            continue
        if parts:
            yield number, b"".join(parts)
        if not text:
            return
        number, parts = at, [text]
    if parts:
        yield number, b"".join(parts)
