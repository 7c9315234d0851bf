"""BER elements: what is written is read, and what is cut short is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder

from dcmcfg.ber import OCTET_STRING, encode_element, encode_integer, read_element, read_elements


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_an_element_of_any_length_is_read_back_with_what_follows(length: int) -> None:
    written = encode_element(OCTET_STRING, b"x" * length) + b"rest"
    tag, content, end = read_element(written)
    assert (tag, len(content), written[end:]) == (OCTET_STRING, length, b"rest")


@given(st.integers(0, 2**40))
def test_an_integer_is_what_another_decoder_reads(number: int) -> None:
    assert int(decoder.decode(encode_integer(number))[0]) == number


@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=300)), max_size=4))
def test_elements_in_a_row_are_read_one_by_one(parts: list[tuple[int, bytes]]) -> None:
    assert read_elements(b"".join(encode_element(tag, content) for tag, content in parts)) == parts


@given(st.binary(max_size=300), st.data())
def test_an_element_that_is_cut_short_is_refused(content: bytes, data: st.DataObject) -> None:
    written = encode_element(OCTET_STRING, content)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    with pytest.raises(ValueError, match="truncated"):
        read_element(cut)


def test_an_indefinite_length_is_refused() -> None:
    with pytest.raises(ValueError, match="definite"):
        read_element(b"\x30\x80\x04\x00\x00\x00")
