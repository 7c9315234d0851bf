"""The walker reads what ldap3 encodes, however it is cut, and no octets make it raise errors but its own."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.directory.search_result_entry import InvalidLdapMessage, split_attribute, split_entry
from dcmcfg.errors import DirectoryError
from tests.directory.messages import entry, in_pieces, search_result_done
from tests.directory.test_search_responses import read

names = st.binary(min_size=1, max_size=200)
values = st.lists(st.one_of(st.binary(max_size=20), st.binary(min_size=120, max_size=400)), min_size=1, max_size=5)
found = st.tuples(st.binary(max_size=300), st.lists(st.tuples(names, values), min_size=1, max_size=5))
sizes = st.lists(st.integers(1, 50), max_size=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(found, max_size=4), sizes)
def test_what_ldap3_encodes_is_read_back(
    sent: list[tuple[bytes, list[tuple[bytes, list[bytes]]]]], cut: list[int]
) -> None:
    octets = b"".join(entry(dn, attributes) for dn, attributes in sent) + search_result_done()
    came, end = read(in_pieces(octets, cut))
    assert end.entry_count == len(sent)
    split = [split_entry(each) for each in came]
    assert [(dn, [split_attribute(piece) for piece in pieces]) for dn, pieces in split] == sent


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), sizes)
def test_arbitrary_octets_end_in_an_error_of_ours(octets: bytes, cut: list[int]) -> None:
    with suppress(DirectoryError):
        came, _ = read(in_pieces(octets, cut))
        assert all(came)


@settings(max_examples=200, deadline=None)
@given(st.lists(found, min_size=1, max_size=2), st.data())
def test_an_answer_with_octets_changed_ends_in_an_error_of_ours_or_in_entries(
    sent: list[tuple[bytes, list[tuple[bytes, list[bytes]]]]], data: st.DataObject
) -> None:
    octets = bytearray(b"".join(entry(dn, attributes) for dn, attributes in sent) + search_result_done())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DirectoryError):
        for each in read(in_pieces(bytes(octets)))[0]:
            for piece in split_entry(each)[1]:
                split_attribute(piece)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100))
def test_arbitrary_octets_are_an_entry_or_none(octets: bytes) -> None:
    for read_them in (split_entry, split_attribute):
        for start in (b"", b"\x64", b"\x30"):
            with suppress(InvalidLdapMessage):
                read_them(start + octets)
