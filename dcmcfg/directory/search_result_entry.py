"""An entry in the octets in which a server sends it: SearchResultEntry (RFC 4511 §4.5.2), walked without a library.

The octets of one attribute, its name with its values in the server's order, are handed out in one piece, because the
entries of a tree share many of them: whoever reads thousands of entries keeps what became of a piece and looks it up.

Lengths are read in line here, where one octet holds them, because a call for each takes as long as all the rest.
"""

from __future__ import annotations

from dcmcfg.ber import OCTET_STRING, ONE_LENGTH_OCTET, SEQUENCE, SET, SHORT_FORM_MAXIMUM, TWO_LENGTH_OCTETS, read_length
from dcmcfg.errors import DirectoryError


class InvalidLdapMessage(DirectoryError):
    """The octets that came are none that an LDAP server may send."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the server's answer cannot be read: {problem}", next_step="is it an LDAP server that answers there?"
        )


#: [APPLICATION 4], the tag of SearchResultEntry.
SEARCH_RESULT_ENTRY = 0x64


def split_entry(octets: bytes) -> tuple[bytes, list[bytes]]:  # noqa: C901  one pass, as a call takes as long as a piece
    """Return the name of the entry in *octets*, which begin with its tag, and the octets of each of its attributes.

    What follows the entry is not looked at. Raises :class:`InvalidLdapMessage`.
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
            raise InvalidLdapMessage("no entry where one belongs")
        stop, name = _read_string(octets, offset)
        length, offset = octets[stop + 1], stop + 2
        if length == TWO_LENGTH_OCTETS:
            length, offset = octets[stop + 2] << 8 | octets[stop + 3], stop + 4
        elif length == ONE_LENGTH_OCTET:
            length, offset = octets[stop + 2], stop + 3
        elif length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, stop + 1)
        if octets[stop] != SEQUENCE or offset + length != end:
            raise InvalidLdapMessage("the attributes do not fill the entry")
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
                raise InvalidLdapMessage("no attribute where one belongs")
            pieces.append(octets[offset:stop])
            offset = stop
    except IndexError:
        raise InvalidLdapMessage("an entry ends too early") from None
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None
    if offset != end:
        raise InvalidLdapMessage("an attribute reaches beyond its entry")
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
            raise InvalidLdapMessage("no attribute where one belongs")
        stop, name = _read_string(octets, offset)
        length, offset = octets[stop + 1], stop + 2
        if length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, stop + 1)
        if octets[stop] != SET or offset + length != end:
            raise InvalidLdapMessage("the values do not fill the attribute")
        return name, _read_strings(octets, offset, end)
    except IndexError:
        raise InvalidLdapMessage("an attribute ends too early") from None
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _read_string(octets: bytes, offset: int) -> tuple[int, bytes]:
    """Return where the OCTET STRING at *offset* ends, and what it holds."""
    if octets[offset] != OCTET_STRING:
        raise InvalidLdapMessage("a name is missing")
    length, offset = octets[offset + 1], offset + 2
    if length > SHORT_FORM_MAXIMUM:
        length, offset = read_length(octets, offset - 1)
    stop = offset + length
    return stop, octets[offset:stop]


def _read_strings(octets: bytes, offset: int, end: int) -> list[bytes]:
    """Return what the OCTET STRINGs hold that fill *octets* from *offset* to *end*."""
    values = []
    while offset < end:
        if octets[offset] != OCTET_STRING:
            raise InvalidLdapMessage("no value where one belongs")
        length, offset = octets[offset + 1], offset + 2
        if length > SHORT_FORM_MAXIMUM:
            length, offset = read_length(octets, offset - 1)
        stop = offset + length
        values.append(octets[offset:stop])
        offset = stop
    if offset != end:
        raise InvalidLdapMessage("a value reaches beyond its attribute")
    return values
