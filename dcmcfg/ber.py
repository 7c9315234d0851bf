"""BER as LDAP uses it (RFC 4511 §5.1, X.690): elements with a tag of one octet and a definite length.

All functions that read raise :class:`ValueError` for octets that are not BER of this kind.
"""

from __future__ import annotations

BOOLEAN, INTEGER, OCTET_STRING, ENUMERATED, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31
#: The largest length in the short form (one octet), and the first octet of lengths that have one or two more octets.
SHORT_FORM_MAXIMUM = 0x7F
ONE_LENGTH_OCTET, TWO_LENGTH_OCTETS = 0x81, 0x82
_LONG_FORM = 0x80
#: No element whose length requires more octets than this fits in memory.
_MAXIMUM_LENGTH_OCTETS = 8


def encode_element(tag: int, content: bytes) -> bytes:
    """Return the encoded element with *tag* and *content*; its length has as few octets as possible."""
    length = len(content)
    if length <= SHORT_FORM_MAXIMUM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def encode_integer(value: int) -> bytes:
    """Return the encoded INTEGER *value*, which must not be negative."""
    # The first bit is the sign, so a value that fills its octets needs one more.
    return encode_element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def read_length(octets: bytes, offset: int) -> tuple[int, int]:
    """Return the length that is encoded at *offset*, and the offset of the contents after it.

    Raises :class:`ValueError` for an invalid length and for the indefinite form, and :class:`IndexError` if *octets*
    end inside the length.
    """
    first = octets[offset]
    begin = offset + 1
    if first <= SHORT_FORM_MAXIMUM:
        return first, begin
    count = first - _LONG_FORM
    # The count is 0 in the indefinite form, which LDAP forbids (RFC 4511 §5.1).
    if not 0 < count <= _MAXIMUM_LENGTH_OCTETS:
        raise ValueError("the length of an element has a form that LDAP does not allow (indefinite, or too long)")
    if begin + count > len(octets):
        raise IndexError(begin + count)
    return int.from_bytes(octets[begin : begin + count], "big"), begin + count


def find_contents(octets: bytes, offset: int, tag: int | None = None) -> tuple[int, int]:
    """Return the start and end offsets of the contents of the element at *offset*.

    Raises :class:`ValueError` if the element has another tag than *tag* (None: any tag) or is truncated.
    """
    try:
        if tag is not None and octets[offset] != tag:
            raise ValueError(f"found tag {octets[offset]:#04x}, expected {tag:#04x}")
        length, begin = read_length(octets, offset + 1)
    except IndexError:
        raise ValueError("an element is truncated") from None
    if begin + length > len(octets):
        raise ValueError("an element is truncated")
    return begin, begin + length


def read_integer(octets: bytes, offset: int, tag: int = INTEGER) -> tuple[int, int]:
    """Return the INTEGER (or ENUMERATED) at *offset*, and the offset of its end."""
    begin, end = find_contents(octets, offset, tag)
    if not 0 < end - begin <= _MAXIMUM_LENGTH_OCTETS:
        raise ValueError(f"an integer has {end - begin} octets; 1 to {_MAXIMUM_LENGTH_OCTETS} octets are allowed")
    return int.from_bytes(octets[begin:end], "big", signed=True), end


def read_octet_string(octets: bytes, offset: int) -> tuple[bytes, int]:
    """Return the OCTET STRING at *offset*, and the offset of its end."""
    begin, end = find_contents(octets, offset, OCTET_STRING)
    return octets[begin:end], end


def read_element(data: bytes, offset: int = 0) -> tuple[int, bytes, int]:
    """Return the tag and the content of the element at *offset* in *data*, and the offset of the next element."""
    begin, end = find_contents(data, offset)
    return data[offset], data[begin:end], end


def read_elements(content: bytes) -> list[tuple[int, bytes]]:
    """Return the tag and the content of each element in *content*."""
    elements, offset = [], 0
    while offset < len(content):
        tag, inner, offset = read_element(content, offset)
        elements.append((tag, inner))
    return elements
