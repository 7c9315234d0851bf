"""Answers in octets: whole, in pieces, and such that are none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.directory.messages import InvalidResponse, LdapResponse, ResponseBuffer, parse_response
from tests.directory.ldap_responses import ADDED, DELETED, EXTENDED, MODIFIED, RENAMED, answer

TEXT = st.text(max_size=200)
ANSWERS = st.builds(
    answer,
    st.integers(0, 2**31 - 1),
    st.integers(0, 122),
    kind=st.sampled_from([ADDED, MODIFIED, RENAMED, DELETED, EXTENDED]),
    matched=TEXT,
    message=TEXT,
)


def test_all_parts_of_an_extended_answer_are_read() -> None:
    octets = answer(
        300,
        10,
        kind=EXTENDED,
        matched="dc=x",
        message="elsewhere",
        referrals=("ldap://a", "ldap://b"),
        name="1.2",
        value=b"",
    )
    assert parse_response(octets) == LdapResponse(
        message_id=300,
        result_code=10,
        matched_dn="dc=x",
        message="elsewhere",
        referrals=("ldap://a", "ldap://b"),
        name="1.2",
        value=b"",
    )


def test_controls_after_the_answer_do_not_matter() -> None:
    octets = answer(1)
    with_controls = bytes((0x30, octets[1] + 2)) + octets[2:] + b"\xa0\x00"
    assert parse_response(with_controls) == LdapResponse(message_id=1, result_code=0)


@settings(max_examples=100)
@given(st.lists(ANSWERS, max_size=5), st.integers(1, 40))
def test_answers_are_read_in_whatever_pieces_they_arrive(sent: list[bytes], size: int) -> None:
    stream, incoming, taken = b"".join(sent), ResponseBuffer(), []
    for position in range(0, len(stream), size):
        incoming.add(stream[position : position + size])
        taken += incoming.pop_responses()
    assert taken == [parse_response(each) for each in sent]


@settings(max_examples=500)
@given(st.binary(max_size=40) | ANSWERS, st.integers(0, 400), st.binary(max_size=2))
def test_other_octets_are_refused_or_awaited(octets: bytes, position: int, instead: bytes) -> None:
    incoming = ResponseBuffer()
    incoming.add(octets[:position] + instead + octets[position + 1 :])
    with contextlib.suppress(InvalidResponse):
        incoming.pop_responses()


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x30\x80\x00\x00",
        b"\x30\x88" + b"\xff" * 8,
        b"\x30\x05\x02\x01\x01\x65\x00",  # searchResDone
        b"\x30\x08\x02\x01\x01\x67\x03\x0a\x01\x00",  # no matched DN
        b"\x30\x00",
    ],
)
def test_what_is_no_answer_to_a_change_is_refused(octets: bytes) -> None:
    incoming = ResponseBuffer()
    incoming.add(octets)
    with pytest.raises(InvalidResponse):
        incoming.pop_responses()
