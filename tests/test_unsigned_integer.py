"""Numbers in what peers and directories hold: no text makes the conversion fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.unsigned_integer import parse_unsigned_integer


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("12", 12), ("", None), ("-1", None), ("²", None)])
def test_a_text_of_digits_is_a_number(text: str, number: int | None) -> None:
    assert parse_unsigned_integer(text) == number


def test_of_thousands_of_digits_the_first_count() -> None:
    assert parse_unsigned_integer("9" * 5000) == 10**20 - 1


@given(st.integers(min_value=0, max_value=10**20 - 1))
def test_a_number_is_read_back(number: int) -> None:
    assert parse_unsigned_integer(str(number)) == number
