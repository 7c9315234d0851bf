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
    SHORT,
    TWO_OCTETS,
    contents,
    integer_at,
    length_at,
    octet_string_at,
)
from dcmcfg.directory.search_result_entry import SEARCH_RESULT_ENTRY, NotLDAP
from dcmcfg.errors import DirectoryError
from dcmcfg.limits import LDAP_ENTRIES, LDAP_MESSAGES, LDAP_OCTETS

PAGED_RESULTS = "1.2.840.113556.1.4.319"

_SEARCH_RESULT_DONE, _SEARCH_RESULT_REFERENCE = 0x65, 0x73
_EXTENDED_RESPONSE, _INTERMEDIATE_RESPONSE = 0x78, 0x79
_CONTROLS, _RESPONSE_NAME = 0xA0, 0x8A
_NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"
_CHUNK = 64 * 1024
#: What a value takes in memory besides its octets.
_OF_A_VALUE = 48
#: An entry of the configuration with its vendor data has some MiB.
_MAXIMUM_MESSAGE = 256 * 1024 * 1024

#: How many octets at most → octets from the server, none once it has closed the connection.
Receive = Callable[[int], bytes]


class SearchDone(NamedTuple):
    """What SearchResultDone says, and how many entries came before it.

    ``cookie`` is that of the paged results control (RFC 2696), empty on the last page.
    """

    code: int
    matched_dn: str
    message: str
    cookie: bytes
    found: int = 0


@dataclass
class Taken:
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
            if number > limit.most:
                raise DirectoryError(
                    f"the directory server does not come to an end: more than {limit.spelt()} {limit.what}",
                    next_step=limit.next_step,
                )


def _pass_over(urls: tuple[str, ...]) -> None:
    """Take no note of a reference to other servers."""


def entries(
    receive: Receive,
    number: int,
    taken: Taken | None = None,
    referred: Callable[[tuple[str, ...]], None] = _pass_over,
) -> Generator[list[bytes], None, SearchDone]:
    """Yield the octets of the entries that the search of message ID *number* finds; return what ended it.

    They come as they arrive, some at a time. The octets of each begin with the tag of SearchResultEntry; controls may
    follow the entry. *taken* counts what comes. *referred* is called with the URLs of other servers that hold a part of
    the tree. Raises :class:`DirectoryError` when the connection ends before that, when more comes than the limits
    allow, and, as :class:`NotLDAP`, for whatever a server may not send.
    """
    taken = taken or Taken()
    identity = _encoded_integer(number)
    entry = identity + bytes((SEARCH_RESULT_ENTRY,))
    skipped = len(identity)
    held, needed, count = b"", 1, 0
    while True:
        held = _received(receive, held, needed)
        at = 0
        found: list[bytes] = []
        while True:
            try:
                length = held[at + 1]
                begin = at + 2
                if length == TWO_OCTETS:
                    length, begin = held[begin] << 8 | held[begin + 1], begin + 2
                elif length > SHORT:
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
                taken.add(messages=1)
                answer = _understood(held[at:stop], number, referred)
                if isinstance(answer, SearchDone):
                    taken.add(entries=len(found), octets=_weight(held, stop))
                    yield found
                    return answer._replace(found=count + len(found))
                if answer:
                    found.append(answer)
            at = stop
        held = held[at:]
        count += len(found)
        taken.add(entries=len(found), octets=_weight(held, at))
        yield found


def _weight(octets: bytes, end: int) -> int:
    """Return how many *octets* there are before *end*, and what their values take besides.

    Each octet that is the tag of a value counts, so one in 256 of certificates and other binary values does too. This
    takes less than 1 ms for a megabyte; stepping over the values would take as long as reading them.
    """
    return end + _OF_A_VALUE * octets.count(OCTET_STRING, 0, end)


def _received(receive: Receive, held: bytes, needed: int) -> bytes:
    """Return *held* with what comes until there are *needed* octets at least."""
    if held and held[0] != SEQUENCE:
        raise NotLDAP(f"tag {held[0]:#04x} where a message should begin")
    if needed > _MAXIMUM_MESSAGE:
        raise NotLDAP(f"a message of {needed} octets")
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
        return length_at(octets, at)
    except ValueError as problem:
        raise NotLDAP(str(problem)) from None


def _understood(message: bytes, number: int, referred: Callable[[tuple[str, ...]], None]) -> SearchDone | bytes:
    try:
        return _other(message, number, referred)
    except ValueError as problem:
        raise NotLDAP(str(problem)) from None


def _other(message: bytes, number: int, referred: Callable[[tuple[str, ...]], None]) -> SearchDone | bytes:
    """Return what the whole *message*, no entry in the usual form, means: the end, an entry, or nothing (no octets)."""
    begin, end = contents(message, 0, SEQUENCE)
    their_number, at = integer_at(message, begin)
    tag = message[at] if at < end else 0
    if their_number == 0:
        _unsolicited(message, at)
        return b""
    if their_number != number:
        raise NotLDAP(f"it answers request {their_number}, asked was {number}")
    match tag:
        case 0x64:
            return message[at:end]
        case 0x65:
            return _done(message, at, end)
        case 0x73:
            at, stop = contents(message, at, tag)
            urls = []
            while at < stop:
                url, at = octet_string_at(message, at)
                urls.append(url.decode("utf-8", "replace"))
            referred(tuple(urls))
            return b""
        case 0x79:
            return b""  # none was asked for, so it may be passed over (RFC 4511 §4.13)
        case _:
            raise NotLDAP(f"operation {tag:#04x} answers no search")


def _unsolicited(message: bytes, at: int) -> None:
    """Raise for a notice of disconnection; other notifications may be passed over (RFC 4511 §4.4)."""
    begin, end = contents(message, at, _EXTENDED_RESPONSE)
    code, at = integer_at(message, begin, ENUMERATED)
    _, at = octet_string_at(message, at)
    said, at = octet_string_at(message, at)
    if _NOTICE_OF_DISCONNECTION in message[at:end]:
        words = " ".join(said.decode("utf-8", "replace").split())
        raise DirectoryError(
            f"the LDAP server ended the connection (result {code}{': ' + words if words else ''})",
            next_step="try again",
            result_code=code,
        )


def _done(message: bytes, at: int, end: int) -> SearchDone:
    begin, stop = contents(message, at, _SEARCH_RESULT_DONE)
    code, at = integer_at(message, begin, ENUMERATED)
    matched, at = octet_string_at(message, at)
    said, _ = octet_string_at(message, at)
    cookie = _cookie(message, stop) if stop < end else b""
    return SearchDone(code, matched.decode("utf-8", "replace"), said.decode("utf-8", "replace"), cookie)


def _cookie(message: bytes, at: int) -> bytes:
    """Return the cookie among the controls at *at*, empty when there is none (RFC 2696)."""
    at, end = contents(message, at, _CONTROLS)
    while at < end:
        begin, stop = contents(message, at, SEQUENCE)
        name, inner = octet_string_at(message, begin)
        if name == PAGED_RESULTS.encode():
            if inner < stop and message[inner] == BOOLEAN:
                inner = contents(message, inner, BOOLEAN)[1]
            value, _ = octet_string_at(message, inner)
            _, inner = integer_at(value, contents(value, 0, SEQUENCE)[0])
            return octet_string_at(value, inner)[0]
        at = stop
    return b""


def _encoded_integer(number: int) -> bytes:
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(octets))) + octets
