"""What a server may answer to a search, and what it may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcmcfg.directory.search_responses import SearchResultDone, read_search_entries
from dcmcfg.directory.search_result_entry import InvalidLdapMessage, split_attribute, split_entry
from dcmcfg.errors import DirectoryError
from dcmcfg.limits import override_limits
from tests.directory.messages import (
    NUMBER,
    contents,
    element,
    entry,
    in_pieces,
    notice_of_disconnection,
    reference,
    search_result_done,
)

FIRST = entry(b"cn=a", [(b"cn", [b"a"])])
SECOND = entry(b"cn=b", [(b"cn", [b"b"]), (b"dicomVendorData", [b"x" * 70_000])])


def answer(octets: bytes, sizes: tuple[int, ...] = ()) -> tuple[list[bytes], SearchResultDone]:
    return read(in_pieces(octets, sizes))


def read(
    receive: Callable[[int], bytes], referred: Callable[[tuple[str, ...]], None] = lambda _: None
) -> tuple[list[bytes], SearchResultDone]:
    found: list[bytes] = []
    answers = read_search_entries(receive, NUMBER, on_referral=referred)
    while True:
        try:
            found += next(answers)
        except StopIteration as end:
            return found, end.value


def test_entries_come_in_order_and_then_what_ended_them() -> None:
    found, end = answer(FIRST + SECOND + search_result_done(cookie=b"next"))
    assert [split_entry(octets)[0] for octets in found] == [b"cn=a", b"cn=b"]
    assert split_attribute(split_entry(found[1])[1][1]) == (b"dicomVendorData", [b"x" * 70_000])
    assert end == SearchResultDone(0, "", message="", cookie=b"next", entry_count=2)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_messages_may_come_in_pieces_of_any_size(size: int) -> None:
    octets = FIRST + SECOND + search_result_done()
    assert answer(octets, (size,) * (len(octets) // size)) == answer(octets)


def test_the_result_is_handed_on_with_the_server_s_words() -> None:
    _, end = answer(FIRST + search_result_done(4, "enough", matched="dc=org"))
    assert end == SearchResultDone(4, "dc=org", message="enough", cookie=b"", entry_count=1)


def test_a_cookie_is_found_after_a_criticality_and_another_control() -> None:
    value = element(0x04, element(0x30, element(0x02, b"\0") + element(0x04, b"more")))
    paged = element(0x30, element(0x04, b"1.2.840.113556.1.4.319") + element(0x01, b"\xff") + value)
    other = element(0x30, element(0x04, b"1.2.3"))
    _, end = answer(element(0x30, contents(search_result_done()) + element(0xA0, other + paged)))
    assert end.cookie == b"more"


def test_a_reference_to_other_servers_is_passed_over_and_handed_out_with_its_urls() -> None:
    urls = ("ldap://other/dc=org??sub", "ldap://third/")
    referred: list[tuple[str, ...]] = []
    octets = FIRST + reference(*urls) + SECOND + search_result_done()
    assert read(in_pieces(octets, ()), referred.append) == answer(FIRST + SECOND + search_result_done())
    assert answer(octets) == answer(FIRST + SECOND + search_result_done())
    assert referred == [urls]


def test_a_reference_that_holds_something_else_than_urls_is_no_ldap() -> None:
    with pytest.raises(InvalidLdapMessage):
        answer(element(0x30, element(0x02, bytes((NUMBER,))) + element(0x73, element(0x02, b"\1"))))


def test_a_notice_of_disconnection_is_told_with_its_words() -> None:
    with pytest.raises(DirectoryError, match=r"closed the connection \(result 52: going down\)"):
        answer(FIRST + notice_of_disconnection(b"going\ndown"))


def test_what_nobody_asked_for_but_may_come_is_passed_over() -> None:
    intermediate = element(0x30, element(0x02, bytes((NUMBER,))) + element(0x79, element(0x80, b"1.2.3")))
    inside = element(0x0A, b"\0") + element(0x04, b"") * 2 + element(0x8A, b"1.2.3")
    unsolicited = element(0x30, element(0x02, b"\0") + element(0x78, inside))
    found, _ = answer(intermediate + FIRST + unsolicited + search_result_done())
    assert len(found) == 1


def test_lengths_need_not_be_in_their_shortest_form() -> None:
    longer = b"\x30\x84" + len(contents(FIRST)).to_bytes(4, "big") + contents(FIRST)
    assert answer(longer + search_result_done()) == answer(FIRST + search_result_done())


def test_a_number_in_more_octets_than_needed_is_the_same_number() -> None:
    rest = contents(FIRST)[3:]
    assert (
        answer(element(0x30, b"\x02\x02\x00\x05" + rest) + search_result_done())[0]
        == answer(FIRST + search_result_done())[0]
    )


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tag 0x48"),
        (b"\x30\x80\x02\x01\x05", "the length of an element has a form that LDAP does not allow"),
        (b"\x30\x89" + b"\xff" * 9, "the length of an element has a form that LDAP does not allow"),
        (b"\x30\x84\x7f\xff\xff\xff", "a message of 2147483653 octets"),
        (b"\x30\x88" + b"\xff" * 8, "a message of"),
        (b"\x30\x00", "an element is truncated"),
        (entry(b"cn=a", [], number=6), "response to request 6 instead of request 5"),
        (
            element(0x30, b"\x02\x01\x05" + element(0x61, b"")),
            "sent a message of type 0x61 instead of a search response",
        ),
        (element(0x30, b"\x02\x01\x05"), "sent a message of type 0x00 instead of a search response"),
        (element(0x30, b"\x02\x01\x05\x65\x00"), "an element is truncated"),
        (element(0x30, b"\x02\x00\x64\x00"), "an integer has 0 octets; 1 to 8 octets are allowed"),
    ],
)
def test_what_is_no_answer_is_told(octets: bytes, problem: str) -> None:
    with pytest.raises(InvalidLdapMessage, match=problem):
        answer(octets)


@pytest.mark.parametrize("octet_count", [0, 1, 5, len(FIRST), len(FIRST) + 3])
def test_an_end_in_the_midst_of_it_is_a_lost_connection(octet_count: int) -> None:
    with pytest.raises(DirectoryError, match="connection to the LDAP server was lost"):
        answer((FIRST + search_result_done())[:octet_count])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x64",
        b"\x64\x05\x04\x01a\x30\x01",
        element(0x64, element(0x04, b"cn=a")),
        element(0x64, element(0x04, b"cn=a") + element(0x30, b"") + b"\0"),
        element(0x64, element(0x04, b"cn=a") + element(0x30, b"\x30\x7f")),
        element(0x64, element(0x04, b"cn=a") + element(0x30, element(0x31, b""))),
        element(0x64, element(0x02, b"1") + element(0x30, b"")),
        element(0x64, b"\x04\x84\xff\xff\xff\xff" + element(0x30, b"")),
    ],
)
def test_an_entry_that_is_none_is_told(octets: bytes) -> None:
    with pytest.raises(InvalidLdapMessage):
        split_entry(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x30",
        element(0x30, element(0x04, b"cn")),
        element(0x30, element(0x04, b"cn") + element(0x30, b"")),
        element(0x30, element(0x04, b"cn") + element(0x31, b"\x04\x09a")),
        element(0x30, element(0x04, b"cn") + element(0x31, element(0x02, b"a"))),
        element(0x30, element(0x04, b"cn") + element(0x31, b"") + b"\0"),
        element(0x30, element(0x04, b"cn") + element(0x31, b"")) + b"\0",
    ],
)
def test_an_attribute_that_is_none_is_told(octets: bytes) -> None:
    with pytest.raises(InvalidLdapMessage):
        split_attribute(octets)


def without_end(message: bytes) -> Callable[[int], bytes]:
    """The answer to the first request, which goes on and on."""
    return lambda size: message * (size // len(message) + 1)


def notice(name: bytes) -> bytes:
    inside = element(0x0A, b"\0") + element(0x04, b"") * 2 + element(0x8A, name)
    return element(0x30, element(0x02, b"\0") + element(0x78, inside))


INTERMEDIATE = element(0x30, element(0x02, bytes((NUMBER,))) + element(0x79, element(0x80, b"1.2.3")))


@pytest.mark.parametrize(
    ("message", "limit", "raise_it"),
    [
        (FIRST, {"ldap-entries": 5000}, "--max ldap-entries=10000"),
        (SECOND, {"ldap-octets": 1 << 20}, "--max ldap-octets=2M"),
        (INTERMEDIATE, {}, "--max ldap-messages=200000"),
        (notice(b"1.2.3"), {}, "--max ldap-messages=200000"),
    ],
)
def test_an_answer_without_end_is_refused_with_the_limit(message: bytes, limit: dict[str, int], raise_it: str) -> None:
    taken = read_search_entries(without_end(message), NUMBER)
    with override_limits(limit), pytest.raises(DirectoryError, match="sent too much") as refused:
        for _ in taken:
            pass
    assert refused.value.next_step.endswith(raise_it)


def test_many_small_values_weigh_more_than_their_octets() -> None:
    """An entry of 500 KB, of which a list of 100,000 values is made."""
    many = entry(b"cn=c", [(b"description", [b"abc"] * 100_000)])
    with override_limits({"ldap-octets": 6_000_000}):
        answer(many + search_result_done())
    with override_limits({"ldap-octets": 4 << 20}), pytest.raises(DirectoryError, match="more than 4M octets"):
        answer(many + search_result_done())
