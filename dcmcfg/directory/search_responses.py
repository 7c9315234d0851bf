"""Read the responses to one search from the connection, as octets (RFC 4511 §4.1.1, §4.5.2).

ldap3 takes about 90 µs to decode a message; this module takes less than 1 µs, because it only cuts out entries by their
length. Other messages are decoded completely.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple

from dcmcfg.ber import (
    BOOLEAN,
    ENUMERATED,
    OCTET_STRING,
    SEQUENCE,
    SHORT_FORM_MAXIMUM,
    TWO_LENGTH_OCTETS,
    find_contents,
    read_integer,
    read_length,
    read_octet_string,
)
from dcmcfg.directory.search_result_entry import SEARCH_RESULT_ENTRY, InvalidLdapMessage
from dcmcfg.errors import DirectoryError
from dcmcfg.limits import LDAP_ENTRIES, LDAP_MESSAGES, LDAP_OCTETS

PAGED_RESULTS = "1.2.840.113556.1.4.319"

_SEARCH_RESULT_DONE, _SEARCH_RESULT_REFERENCE = 0x65, 0x73
_EXTENDED_RESPONSE, _INTERMEDIATE_RESPONSE = 0x78, 0x79
_CONTROLS, _RESPONSE_NAME = 0xA0, 0x8A
_NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"
_CHUNK = 64 * 1024
#: The memory overhead of a value in octets.
_VALUE_OVERHEAD = 48
#: The maximum length of a message; an entry of the configuration with vendor data has some MiB.
_MAXIMUM_MESSAGE = 256 * 1024 * 1024

#: Maximum number of octets → octets from the server; empty after the server has closed the connection.
Receive = Callable[[int], bytes]


class SearchResultDone(NamedTuple):
    """The content of a SearchResultDone, and the number of entries before it.

    ``cookie`` comes from the paged results control (RFC 2696); it is empty on the last page.
    """

    result_code: int
    matched_dn: str
    message: str
    cookie: bytes
    entry_count: int = 0


@dataclass
class SearchCounter:
    """Counts the received responses of one search, over all its pages."""

    entries: int = 0
    octets: int = 0
    messages: int = 0

    def add(self, *, entries: int = 0, octets: int = 0, messages: int = 0) -> None:
        """Add to the counts; raises :class:`DirectoryError` if they exceed a limit."""
        self.entries += entries
        self.octets += octets
        self.messages += messages
        for number, limit in (
            (self.entries, LDAP_ENTRIES),
            (self.octets, LDAP_OCTETS),
            (self.messages, LDAP_MESSAGES),
        ):
            if number > limit.maximum:
                raise DirectoryError(
                    f"the directory server sent too much: more than {limit.format_maximum()} {limit.description}",
                    next_step=limit.next_step,
                )


def _ignore_referral(urls: tuple[str, ...]) -> None:
    """Default no-op callback for references to other servers."""


def read_search_entries(
    receive: Receive,
    message_id: int,
    counter: SearchCounter | None = None,
    on_referral: Callable[[tuple[str, ...]], None] = _ignore_referral,
) -> Generator[list[bytes], None, SearchResultDone]:
    """Yield the octets of the entries of the search *message_id*, some at a time; return its SearchResultDone.

    The octets of each entry start with the tag of SearchResultEntry; controls may follow the entry. *counter* counts
    the responses. *on_referral* is called with the URLs of other servers that have a part of the tree. Raises
    :class:`DirectoryError` if the connection ends too early or the responses exceed a limit, and
    :class:`InvalidLdapMessage` for invalid messages.
    """
    counter = counter or SearchCounter()
    # All entries of one search start with the same octets after the length, so one comparison recognises them.
    identity = _encode_integer(message_id)
    entry = identity + bytes((SEARCH_RESULT_ENTRY,))
    skipped = len(identity)
    buffer, needed, count = b"", 1, 0
    while True:
        buffer = _receive_until(receive, buffer, needed)
        offset = 0
        found: list[bytes] = []
        while True:
            try:
                length = buffer[offset + 1]
                begin = offset + 2
                if length == TWO_LENGTH_OCTETS:
                    length, begin = buffer[begin] << 8 | buffer[begin + 1], begin + 2
                elif length > SHORT_FORM_MAXIMUM:
                    length, begin = _read_length(buffer, offset + 1)
            # The header of the message has not arrived completely; its length is unknown.
            except IndexError:
                needed = len(buffer) - offset + 1
                break
            stop = begin + length
            if stop > len(buffer):
                needed = stop - offset
                break
            if buffer[offset] == SEQUENCE and buffer.startswith(entry, begin):
                found.append(buffer[begin + skipped : stop])
            else:
                counter.add(messages=1)
                outcome = _parse_other_message(buffer[offset:stop], message_id, on_referral)
                if isinstance(outcome, SearchResultDone):
                    counter.add(entries=len(found), octets=_estimate_memory(buffer, stop))
                    yield found
                    return outcome._replace(entry_count=count + len(found))
                if outcome:
                    found.append(outcome)
            offset = stop
        buffer = buffer[offset:]
        count += len(found)
        counter.add(entries=len(found), octets=_estimate_memory(buffer, offset))
        yield found


def _estimate_memory(octets: bytes, end: int) -> int:
    """Return the approximate memory of the first *end* octets, including the overhead of their values.

    Each octet equal to the tag of a value is counted, so one in 256 octets of binary values is counted too. This takes
    less than 1 ms for a megabyte; parsing the values would take as long as reading them.
    """
    return end + _VALUE_OVERHEAD * octets.count(OCTET_STRING, 0, end)


def _receive_until(receive: Receive, buffer: bytes, needed: int) -> bytes:
    """Receive until *buffer* has at least *needed* octets, and return it."""
    if buffer and buffer[0] != SEQUENCE:
        raise InvalidLdapMessage(f"a message starts with the invalid tag {buffer[0]:#04x}")
    if needed > _MAXIMUM_MESSAGE:
        raise InvalidLdapMessage(f"a message of {needed} octets")
    # Pieces are joined once: appending to octets would copy them for each chunk.
    pieces, received = [buffer], len(buffer)
    while received < needed:
        piece = receive(_CHUNK)
        if not piece:
            raise DirectoryError("the connection to the LDAP server was lost before the response was complete")
        pieces.append(piece)
        received += len(piece)
    return b"".join(pieces)


def _read_length(octets: bytes, offset: int) -> tuple[int, int]:
    try:
        return read_length(octets, offset)
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _parse_other_message(
    message: bytes, message_id: int, on_referral: Callable[[tuple[str, ...]], None]
) -> SearchResultDone | bytes:
    try:
        return _interpret_message(message, message_id, on_referral)
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _interpret_message(
    message: bytes, message_id: int, on_referral: Callable[[tuple[str, ...]], None]
) -> SearchResultDone | bytes:
    """Return the meaning of a complete *message* that is not a usual entry: the end, an entry, or nothing (empty)."""
    begin, end = find_contents(message, 0, SEQUENCE)
    response_id, offset = read_integer(message, begin)
    tag = message[offset] if offset < end else 0
    if response_id == 0:
        _handle_unsolicited(message, offset)
        return b""
    if response_id != message_id:
        raise InvalidLdapMessage(
            f"the server sent the response to request {response_id} instead of request {message_id}"
        )
    match tag:
        # The message ID of the entry has an unusual encoding, so the fast path did not recognise it.
        case 0x64:
            return message[offset:end]
        case 0x65:
            return _parse_done(message, offset, end)
        case 0x73:
            offset, stop = find_contents(message, offset, tag)
            urls = []
            while offset < stop:
                url, offset = read_octet_string(message, offset)
                urls.append(url.decode("utf-8", "replace"))
            on_referral(tuple(urls))
            return b""
        case 0x79:
            return b""  # an intermediate response that was not requested may be ignored (RFC 4511 §4.13)
        case _:
            raise InvalidLdapMessage(f"the server sent a message of type {tag:#04x} instead of a search response")


def _handle_unsolicited(message: bytes, offset: int) -> None:
    """Raise for a notice of disconnection; other notifications may be ignored (RFC 4511 §4.4)."""
    begin, end = find_contents(message, offset, _EXTENDED_RESPONSE)
    code, offset = read_integer(message, begin, ENUMERATED)
    _, offset = read_octet_string(message, offset)
    message_octets, offset = read_octet_string(message, offset)
    if _NOTICE_OF_DISCONNECTION in message[offset:end]:
        words = " ".join(message_octets.decode("utf-8", "replace").split())
        raise DirectoryError(
            f"the LDAP server closed the connection (result {code}{': ' + words if words else ''})",
            next_step="try again",
            result_code=code,
        )


def _parse_done(message: bytes, offset: int, end: int) -> SearchResultDone:
    begin, stop = find_contents(message, offset, _SEARCH_RESULT_DONE)
    code, offset = read_integer(message, begin, ENUMERATED)
    matched, offset = read_octet_string(message, offset)
    diagnostic_message, _ = read_octet_string(message, offset)
    cookie = _parse_cookie(message, stop) if stop < end else b""
    return SearchResultDone(
        code, matched.decode("utf-8", "replace"), diagnostic_message.decode("utf-8", "replace"), cookie
    )


def _parse_cookie(message: bytes, offset: int) -> bytes:
    """Return the cookie in the controls at *offset*; empty if there is none (RFC 2696)."""
    offset, end = find_contents(message, offset, _CONTROLS)
    while offset < end:
        begin, stop = find_contents(message, offset, SEQUENCE)
        name, inner = read_octet_string(message, begin)
        if name == PAGED_RESULTS.encode():
            # The criticality of a control is optional (RFC 4511 §4.1.11).
            if inner < stop and message[inner] == BOOLEAN:
                inner = find_contents(message, inner, BOOLEAN)[1]
            value, _ = read_octet_string(message, inner)
            _, inner = read_integer(value, find_contents(value, 0, SEQUENCE)[0])
            return read_octet_string(value, inner)[0]
        offset = stop
    return b""


def _encode_integer(number: int) -> bytes:
    # An INTEGER is signed (X.690 §8.3), so a number whose first bit is set requires one more octet.
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(octets))) + octets
