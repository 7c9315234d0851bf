"""Octets changed at random: single ones, runs, lines, and pieces of other inputs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

#: What means something in LDIF, in DNs or in UTF-8, and what programs like to stumble over.
_WORDS = (
    *(b"\n", b"\n\n", b"\r\n", b"\n ", b" ", b"\t", b"\0", b":", b"::", b":<", b": ", b"-\n", b"#", b"dn: ", b"dn:: "),
    *(
        b"version: 1\n",
        b"changetype: ",
        b"add: ",
        b"delete: ",
        b"modrdn",
        b"newrdn: ",
        b"deleteoldrdn: 1\n",
        b"control: ",
    ),
    *(
        b",",
        b"+",
        b"=",
        b"\\",
        b"\\2",
        b"\\20",
        b'"',
        b";",
        b"<",
        b">",
        b"#04",
        b"\xff",
        b"\xc3",
        b"\xc3\xa4",
        b"\xed\xa0\x80",
    ),
    *(b"\x30\x84", b"\x04\x82", b"\x80", b"\x84\xff\xff\xff\xff", b"A" * 100, b" " * 100),
)
_LONGEST = 1 << 16


def mutated(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return *seed* after a few random changes, some of which take pieces from *others*."""
    octets = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        chance.choice(_CHANGES)(octets, others, chance)
    return bytes(octets[:_LONGEST])


def _span(octets: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(octets))
    return start, min(len(octets), start + chance.choice((0, 1, 1, 2, 4, 16, 64)))


def _flip(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:  # noqa: ARG001 — one signature
    if octets:
        octets[chance.randrange(len(octets))] = chance.randrange(256)


def _insert(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:  # noqa: ARG001
    start, _ = _span(octets, chance)
    octets[start:start] = chance.choice(_WORDS)


def _remove(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:  # noqa: ARG001
    start, end = _span(octets, chance)
    del octets[start:end]


def _repeat(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:  # noqa: ARG001
    start, end = _span(octets, chance)
    octets[start:start] = bytes(octets[start:end]) * chance.choice((1, 2, 50))


def _splice(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    start, end = _span(octets, chance)
    other = chance.choice(others)
    at = chance.randint(0, len(other))
    octets[start:end] = other[at : at + chance.choice((1, 8, 64, 1024))]


def _cut(octets: bytearray, others: Sequence[bytes], chance: random.Random) -> None:  # noqa: ARG001
    del octets[chance.randint(0, len(octets)) :]


_CHANGES: tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...] = (
    *(_flip, _flip, _insert, _insert, _remove, _repeat, _splice, _cut),
)
