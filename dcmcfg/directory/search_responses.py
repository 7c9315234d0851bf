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
    held, needed, count = b"", 1, 0
    while True:
        held = _receive_until(receive, held, needed)
        at = 0
        found: list[bytes] = []
        while True:
            try:
                length = held[at + 1]
                begin = at + 2
                if length == TWO_LENGTH_OCTETS:
                    length, begin = held[begin] << 8 | held[begin + 1], begin + 2
                elif length > SHORT_FORM_MAXIMUM:
                    length, begin = _length_at(held, at + 1)
            except IndexError:
                needed = len(held) - at + 1
                break
            stop = begin + length
            if stop > len(held):
                needed = stop - at
                break
            if held[at] == SEQUENCE and held.startswith(entry, begin):
                found.append(held[begin + skipped : stop])
            else:
                counter.add(messages=1)
                answer = _parse_other_message(held[at:stop], message_id, on_referral)
                if isinstance(answer, SearchResultDone):
                    counter.add(entries=len(found), octets=_estimate_memory(held, stop))
                    yield found
                    return answer._replace(entry_count=count + len(found))
                if answer:
                    found.append(answer)
            at = stop
        held = held[at:]
        count += len(found)
        counter.add(entries=len(found), octets=_estimate_memory(held, at))
        yield found


def _estimate_memory(octets: bytes, end: int) -> int:
    """Return how many *octets* there are before *end*, and what their values take besides.

    Each octet that is the tag of a value counts, so one in 256 of certificates and other binary values does too. This
    takes less than 1 ms for a megabyte; stepping over the values would take as long as reading them.
    """
    return end + _VALUE_OVERHEAD * octets.count(OCTET_STRING, 0, end)


def _receive_until(receive: Receive, held: bytes, needed: int) -> bytes:
    """Return *held* with what comes until there are *needed* octets at least."""
    if held and held[0] != SEQUENCE:
        raise InvalidLdapMessage(f"tag {held[0]:#04x} where a message should begin")
    if needed > _MAXIMUM_MESSAGE:
        raise InvalidLdapMessage(f"a message of {needed} octets")
    pieces, have = [held], len(held)
    while have < needed:
        piece = receive(_CHUNK)
        if not piece:
            raise DirectoryError("the connection to the LDAP server was lost: it ended before the answer did")
        pieces.append(piece)
        have += len(piece)
    return b"".join(pieces)


def _length_at(octets: bytes, at: int) -> tuple[int, int]:
    try:
        return read_length(octets, at)
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _parse_other_message(
    message: bytes, number: int, referred: Callable[[tuple[str, ...]], None]
) -> SearchResultDone | bytes:
    try:
        return _interpret_message(message, number, referred)
    except ValueError as problem:
        raise InvalidLdapMessage(str(problem)) from None


def _interpret_message(
    message: bytes, number: int, referred: Callable[[tuple[str, ...]], None]
) -> SearchResultDone | bytes:
    """Return what the whole *message*, no entry in the usual form, means: the end, an entry, or nothing (no octets)."""
    begin, end = find_contents(message, 0, SEQUENCE)
    their_number, at = read_integer(message, begin)
    tag = message[at] if at < end else 0
    if their_number == 0:
        _handle_unsolicited(message, at)
        return b""
    if their_number != number:
        raise InvalidLdapMessage(f"it answers request {their_number}, asked was {number}")
    match tag:
        case 0x64:
            return message[at:end]
        case 0x65:
            return _parse_done(message, at, end)
        case 0x73:
            at, stop = find_contents(message, at, tag)
            urls = []
            while at < stop:
                url, at = read_octet_string(message, at)
                urls.append(url.decode("utf-8", "replace"))
            referred(tuple(urls))
            return b""
        case 0x79:
            return b""  # none was asked for, so it may be passed over (RFC 4511 §4.13)
        case _:
            raise InvalidLdapMessage(f"operation {tag:#04x} answers no search")


def _handle_unsolicited(message: bytes, at: int) -> None:
    """Raise for a notice of disconnection; other notifications may be passed over (RFC 4511 §4.4)."""
    begin, end = find_contents(message, at, _EXTENDED_RESPONSE)
    code, at = read_integer(message, begin, ENUMERATED)
    _, at = read_octet_string(message, at)
    said, at = read_octet_string(message, at)
    if _NOTICE_OF_DISCONNECTION in message[at:end]:
        words = " ".join(said.decode("utf-8", "replace").split())
        raise DirectoryError(
            f"the LDAP server ended the connection (result {code}{': ' + words if words else ''})",
            next_step="try again",
            result_code=code,
        )


def _parse_done(message: bytes, at: int, end: int) -> SearchResultDone:
    begin, stop = find_contents(message, at, _SEARCH_RESULT_DONE)
    code, at = read_integer(message, begin, ENUMERATED)
    matched, at = read_octet_string(message, at)
    said, _ = read_octet_string(message, at)
    cookie = _parse_cookie(message, stop) if stop < end else b""
    return SearchResultDone(code, matched.decode("utf-8", "replace"), said.decode("utf-8", "replace"), cookie)


def _parse_cookie(message: bytes, at: int) -> bytes:
    """Return the cookie among the controls at *at*, empty when there is none (RFC 2696)."""
    at, end = find_contents(message, at, _CONTROLS)
    while at < end:
        begin, stop = find_contents(message, at, SEQUENCE)
        name, inner = read_octet_string(message, begin)
        if name == PAGED_RESULTS.encode():
            if inner < stop and message[inner] == BOOLEAN:
                inner = find_contents(message, inner, BOOLEAN)[1]
            value, _ = read_octet_string(message, inner)
            _, inner = read_integer(value, find_contents(value, 0, SEQUENCE)[0])
            return read_octet_string(value, inner)[0]
        at = stop
    return b""


def _encode_integer(number: int) -> bytes:
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(octets))) + octets
