"""Split encoded entries (SearchResultEntry, RFC 4511 §4.5.2) without a library.

The octets of each attribute (its name with its values in the order of the server) are returned in one piece. Entries of
a tree share many attributes, so callers that read thousands of entries can cache the result for a piece.

Lengths of one octet are read inline, because a function call for each length takes as long as everything else.
"""

from __future__ import annotations

from dcmcfg.ber import OCTET_STRING, ONE_LENGTH_OCTET, SEQUENCE, SET, SHORT_FORM_MAXIMUM, TWO_LENGTH_OCTETS, read_length
from dcmcfg.errors import DirectoryError


class InvalidLdapMessage(DirectoryError):
    """The received octets are not a valid message of an LDAP server."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the server's response cannot be read: {problem}",
            next_step="check that the URL is the URL of an LDAP server",
        )


#: [APPLICATION 4], the tag of SearchResultEntry.
SEARCH_RESULT_ENTRY = 0x64


def split_entry(octets: bytes) -> tuple[bytes, list[bytes]]:  # noqa: C901  one pass: a call would take as long as a piece
    """Return the name of the entry in *octets*, which start with its tag, and the octets of each of its attributes.

    Octets after the entry are ignored. Raises :class:`InvalidLdapMessage`.
    """
    try:
        length, offset = octets[1], 2
        if length == TWO_LENGTH_OCTETS:
            length, offset = octets[2] << 8 | octets[3], 4
        elif length == ONE_LENGTH_OCTET:
            length, offset = octets[2], 3
        elif length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, 1)
        end = offset + length
        if octets[0] != SEARCH_RESULT_ENTRY or end > len(octets):
            raise InvalidLdapMessage("expected an entry")
        stop, name = _read_string(octets, offset)
        length, offset = octets[stop + 1], stop + 2
        if length == TWO_LENGTH_OCTETS:
            length, offset = octets[stop + 2] << 8 | octets[stop + 3], stop + 4
        elif length == ONE_LENGTH_OCTET:
            length, offset = octets[stop + 2], stop + 3
        elif length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, stop + 1)
        if octets[stop] != SEQUENCE or offset + length != end:
            raise InvalidLdapMessage("the length of an entry does not match the lengths of its attributes")
        pieces = []
        while offset < end:
            length = octets[offset + 1]
            stop = offset + 2 + length
            if length == ONE_LENGTH_OCTET:
                stop = offset + 3 + octets[offset + 2]
            elif length > SHORT_FORM_MAXIMUM:
                length, stop = read_length(octets, offset + 1)
                stop += length
            if octets[offset] != SEQUENCE:
                raise InvalidLdapMessage("expected an attribute")
            pieces.append(octets[offset:stop])
            offset = stop
    except IndexError:
        raise InvalidLdapMessage("an entry ends too early") from None
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None
    if offset != end:
        raise InvalidLdapMessage("an attribute is longer than its entry")
    return name, pieces


def split_attribute(octets: bytes) -> tuple[bytes, list[bytes]]:
    """Return the description and the values of the attribute in *octets*, a piece of an entry.

    Raises :class:`InvalidLdapMessage`.
    """
    try:
        length, offset = octets[1], 2
        if length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, 1)
        end = offset + length
        if octets[0] != SEQUENCE or end != len(octets):
            raise InvalidLdapMessage("expected an attribute")
        stop, name = _read_string(octets, offset)
        length, offset = octets[stop + 1], stop + 2
        if length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, stop + 1)
        if octets[stop] != SET or offset + length != end:
            raise InvalidLdapMessage("the length of an attribute does not match the lengths of its values")
        return name, _read_strings(octets, offset, end)
    except IndexError:
        raise InvalidLdapMessage("an attribute ends too early") from None
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _read_string(octets: bytes, offset: int) -> tuple[int, bytes]:
    """Return the end offset of the OCTET STRING at *offset*, and its content."""
    if octets[offset] != OCTET_STRING:
        raise InvalidLdapMessage("a name is missing")
    length, offset = octets[offset + 1], offset + 2
    if length > SHORT_FORM_MAXIMUM:
        length, offset = read_length(octets, offset - 1)
    stop = offset + length
    return stop, octets[offset:stop]


def _read_strings(octets: bytes, offset: int, end: int) -> list[bytes]:
    """Return the contents of the OCTET STRINGs from *offset* to *end* in *octets*."""
    values = []
    while offset < end:
        if octets[offset] != OCTET_STRING:
            raise InvalidLdapMessage("expected a value")
        length, offset = octets[offset + 1], offset + 2
        if length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, offset - 1)
        stop = offset + length
        values.append(octets[offset:stop])
        offset = stop
    if offset != end:
        raise InvalidLdapMessage("a value extends beyond the end of its attribute in the response")
    return values
