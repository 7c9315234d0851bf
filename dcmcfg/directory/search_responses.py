"""The answers to one search, taken off the connection as octets (RFC 4511 §4.1.1, §4.5.2).

ldap3 decodes a message in some 90 µs, this in less than one: a message is only cut out, by its length, when it holds
an entry. What else may come is looked at closely.
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
#: What a value takes in memory besides its octets.
_VALUE_OVERHEAD = 48
#: An entry of the configuration with its vendor data has some MiB.
_MAXIMUM_MESSAGE = 256 * 1024 * 1024

#: How many octets at most → octets from the server, none once it has closed the connection.
Receive = Callable[[int], bytes]


class SearchResultDone(NamedTuple):
    """What SearchResultDone says, and how many entries came before it.

    ``cookie`` is that of the paged results control (RFC 2696), empty on the last page.
    """

    result_code: int
    matched_dn: str
    message: str
    cookie: bytes
    entry_count: int = 0


@dataclass
class SearchCounter:
    """What has come of the answers to one search, over all its pages."""

    entries: int = 0
    octets: int = 0
    messages: int = 0

    def add(self, *, entries: int = 0, octets: int = 0, messages: int = 0) -> None:
        """Count more; raises :class:`DirectoryError` where it is more than a limit allows."""
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
                    f"the directory server does not come to an end: more than {limit.format_maximum()} "
                    f"{limit.description}",
                    next_step=limit.next_step,
                )


def _ignore_referral(urls: tuple[str, ...]) -> None:
    """Take no note of a reference to other servers."""


def read_search_entries(
    receive: Receive,
    message_id: int,
    counter: SearchCounter | None = None,
    on_referral: Callable[[tuple[str, ...]], None] = _ignore_referral,
) -> Generator[list[bytes], None, SearchResultDone]:
    """Yield the octets of the entries that the search of message ID *message_id* finds; return what ended it.

    They come as they arrive, some at a time. The octets of each begin with the tag of SearchResultEntry; controls may
    follow the entry. *counter* counts what comes. *on_referral* is called with the URLs of other servers that hold a
    part of the tree. Raises :class:`DirectoryError` when the connection ends before that, when more comes than the
    limits allow, and, as :class:`InvalidLdapMessage`, for whatever a server may not send.
    """
    counter = counter or SearchCounter()
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
    """Return how many *octets* there are before *end*, and what their values take besides.

    Each octet that is the tag of a value counts, so one in 256 of certificates and other binary values does too. This
    takes less than 1 ms for a megabyte; stepping over the values would take as long as reading them.
    """
    return end + _VALUE_OVERHEAD * octets.count(OCTET_STRING, 0, end)


def _receive_until(receive: Receive, buffer: bytes, needed: int) -> bytes:
    """Return *buffer* with what comes until there are *needed* octets at least."""
    if buffer and buffer[0] != SEQUENCE:
        raise InvalidLdapMessage(f"tag {buffer[0]:#04x} where a message should begin")
    if needed > _MAXIMUM_MESSAGE:
        raise InvalidLdapMessage(f"a message of {needed} octets")
    pieces, received = [buffer], len(buffer)
    while received < needed:
        piece = receive(_CHUNK)
        if not piece:
            raise DirectoryError("the connection to the LDAP server was lost: it ended before the answer did")
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
    """Return what the whole *message*, no entry in the usual form, means: the end, an entry, or nothing (no octets)."""
    begin, end = find_contents(message, 0, SEQUENCE)
    response_id, offset = read_integer(message, begin)
    tag = message[offset] if offset < end else 0
    if response_id == 0:
        _handle_unsolicited(message, offset)
        return b""
    if response_id != message_id:
        raise InvalidLdapMessage(f"it answers request {response_id}, asked was {message_id}")
    match tag:
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
            return b""  # none was asked for, so it may be passed over (RFC 4511 §4.13)
        case _:
            raise InvalidLdapMessage(f"operation {tag:#04x} answers no search")


def _handle_unsolicited(message: bytes, offset: int) -> None:
    """Raise for a notice of disconnection; other notifications may be passed over (RFC 4511 §4.4)."""
    begin, end = find_contents(message, offset, _EXTENDED_RESPONSE)
    code, offset = read_integer(message, begin, ENUMERATED)
    _, offset = read_octet_string(message, offset)
    message_octets, offset = read_octet_string(message, offset)
    if _NOTICE_OF_DISCONNECTION in message[offset:end]:
        words = " ".join(message_octets.decode("utf-8", "replace").split())
        raise DirectoryError(
            f"the LDAP server ended the connection (result {code}{': ' + words if words else ''})",
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
    """Return the cookie among the controls at *offset*, empty when there is none (RFC 2696)."""
    offset, end = find_contents(message, offset, _CONTROLS)
    while offset < end:
        begin, stop = find_contents(message, offset, SEQUENCE)
        name, inner = read_octet_string(message, begin)
        if name == PAGED_RESULTS.encode():
            if inner < stop and message[inner] == BOOLEAN:
                inner = find_contents(message, inner, BOOLEAN)[1]
            value, _ = read_octet_string(message, inner)
            _, inner = read_integer(value, find_contents(value, 0, SEQUENCE)[0])
            return read_octet_string(value, inner)[0]
        offset = stop
    return b""


def _encode_integer(number: int) -> bytes:
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(octets))) + octets
