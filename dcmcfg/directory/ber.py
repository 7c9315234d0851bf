"""Elements in the Basic Encoding Rules as LDAP uses them: definite lengths only (RFC 4511 §5.1)."""

from __future__ import annotations

from dcmcfg.errors import DirectoryError

SEQUENCE, SET, BOOLEAN, INTEGER, OCTET_STRING, ENUMERATED = 0x30, 0x31, 0x01, 0x02, 0x04, 0x0A
_LONG_FORM = 0x80
#: The largest length that one octet tells, and what stands before one that takes one or two more.
SHORT = 127
ONE_OCTET, TWO_OCTETS = 0x81, 0x82
#: A length in more octets than these is that of nothing that fits in memory.
_MOST_LENGTH_OCTETS = 8


class NotLDAP(DirectoryError):
    """The octets that came are none that an LDAP server may send."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the server's answer cannot be read: {problem}", next_step="is it an LDAP server that answers there?"
        )


def length_at(octets: bytes, at: int) -> tuple[int, int]:
    """Return the length whose octets begin at *at*, and where its contents begin.

    Raises :class:`NotLDAP`, also for the indefinite form; :class:`IndexError` when *octets* end inside the length.
    """
    first = octets[at]
    begin = at + 1
    if first < _LONG_FORM:
        return first, begin
    count = first - _LONG_FORM
    if not 0 < count <= _MOST_LENGTH_OCTETS:
        raise NotLDAP("a length in a form that LDAP does not use")
    if begin + count > len(octets):
        raise IndexError(begin + count)
    return int.from_bytes(octets[begin : begin + count], "big"), begin + count


def contents(octets: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the contents of the element at *at* begin and end; raises :class:`NotLDAP` if it is no *tag*."""
    try:
        if octets[at] != tag:
            raise NotLDAP(f"tag {octets[at]:#04x} where {tag:#04x} belongs")
        length, begin = length_at(octets, at + 1)
    except IndexError:
        raise NotLDAP("it ends too early") from None
    if begin + length > len(octets):
        raise NotLDAP("it ends too early")
    return begin, begin + length


def integer(octets: bytes, at: int, tag: int = INTEGER) -> tuple[int, int]:
    """Return the INTEGER (or ENUMERATED) at *at* and where it ends; raises :class:`NotLDAP`."""
    begin, end = contents(octets, at, tag)
    if not 0 < end - begin <= _MOST_LENGTH_OCTETS:
        raise NotLDAP(f"an integer of {end - begin} octets")
    return int.from_bytes(octets[begin:end], "big", signed=True), end


def octet_string(octets: bytes, at: int, tag: int = OCTET_STRING) -> tuple[bytes, int]:
    """Return the OCTET STRING at *at* and where it ends; raises :class:`NotLDAP`."""
    begin, end = contents(octets, at, tag)
    return octets[begin:end], end
