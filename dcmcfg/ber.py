"""BER as LDAP uses it (RFC 4511 §5.1, X.690): elements with a tag of one octet and a definite length.

Whatever reads here raises :class:`ValueError` for octets that are none of it.
"""

from __future__ import annotations

BOOLEAN, INTEGER, OCTET_STRING, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31
#: The largest length that one octet tells, and what stands before one that takes one or two more.
SHORT = 0x7F
ONE_OCTET, TWO_OCTETS = 0x81, 0x82
_LONG_FORM = 0x80
#: A length in more octets than these is that of nothing that fits in memory.
_MOST_LENGTH_OCTETS = 8


def element(tag: int, content: bytes) -> bytes:
    """Return the element of *tag* with *content*, its length in as few octets as it takes."""
    length = len(content)
    if length <= SHORT:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def integer(value: int) -> bytes:
    """Return the INTEGER *value*, which is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def length_at(octets: bytes, at: int) -> tuple[int, int]:
    """Return the length whose octets begin at *at*, and where its contents begin.

    Raises :class:`ValueError`, also for the indefinite form; :class:`IndexError` when *octets* end inside the length.
    """
    first = octets[at]
    begin = at + 1
    if first <= SHORT:
        return first, begin
    count = first - _LONG_FORM
    if not 0 < count <= _MOST_LENGTH_OCTETS:
        raise ValueError("a length in a form that LDAP does not use (indefinite, or too long)")
    if begin + count > len(octets):
        raise IndexError(begin + count)
    return int.from_bytes(octets[begin : begin + count], "big"), begin + count


def contents(octets: bytes, at: int, tag: int | None = None) -> tuple[int, int]:
    """Return where the contents of the element at *at* begin and end; raises :class:`ValueError` if it is no *tag*."""
    try:
        if tag is not None and octets[at] != tag:
            raise ValueError(f"tag {octets[at]:#04x} where {tag:#04x} belongs")
        length, begin = length_at(octets, at + 1)
    except IndexError:
        raise ValueError("an element is cut short") from None
    if begin + length > len(octets):
        raise ValueError("an element is cut short")
    return begin, begin + length


def integer_at(octets: bytes, at: int, tag: int = INTEGER) -> tuple[int, int]:
    """Return the INTEGER (or ENUMERATED) at *at* and where it ends."""
    begin, end = contents(octets, at, tag)
    if not 0 < end - begin <= _MOST_LENGTH_OCTETS:
        raise ValueError(f"an integer of {end - begin} octets")
    return int.from_bytes(octets[begin:end], "big", signed=True), end


def octet_string_at(octets: bytes, at: int) -> tuple[bytes, int]:
    """Return the OCTET STRING at *at* and where it ends."""
    begin, end = contents(octets, at, OCTET_STRING)
    return octets[begin:end], end


def split(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Return the tag and the content of the element that begins at *at* in *data*, and where the next one begins."""
    begin, end = contents(data, at)
    return data[at], data[begin:end], end


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """Return the tag and the content of each element in *content*."""
    found, at = [], 0
    while at < len(content):
        tag, inner, at = split(content, at)
        found.append((tag, inner))
    return found
