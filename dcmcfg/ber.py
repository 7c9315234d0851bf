"""BER as LDAP uses it (RFC 4511 §5.1, X.690): elements with a tag of one octet and a definite length."""

from __future__ import annotations

BOOLEAN, INTEGER, OCTET_STRING, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31


def element(tag: int, content: bytes) -> bytes:
    """Return the element of *tag* with *content*, its length in as few octets as it takes."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int) -> bytes:
    """Return the INTEGER *value*, which is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def split(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Return the tag and the content of the element that begins at *at* in *data*, and where the next one begins.

    Raises :class:`ValueError` when *data* holds no whole element there.
    """
    if len(data) < at + 2:
        raise ValueError("an element is cut short")
    tag, length, start = data[at], data[at + 1], at + 2
    if length >= 0x80:
        octets, start = start, start + (length & 0x7F)
        if start == octets:
            raise ValueError("an element has no definite length")
        length = int.from_bytes(data[octets:start], "big")
    end = start + length
    if len(data) < end:
        raise ValueError("an element is cut short")
    return tag, data[start:end], end


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """Return the tag and the content of each element in *content*; raises :class:`ValueError`."""
    found, at = [], 0
    while at < len(content):
        tag, inner, at = split(content, at)
        found.append((tag, inner))
    return found
