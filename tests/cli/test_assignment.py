"""``ATTR=VALUE``, ``ATTR+=VALUE`` and ``ATTR-=VALUE``: where the attribute ends and the value begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.cli.options.assignment import split_assignment, split_sign

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(;[a-z]+-[a-z]+)?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A=x", ("A", "=", "x")),
        ("A+=x", ("A", "+=", "x")),
        ("A-=x", ("A", "-=", "x")),
        ("A==x", ("A", "=", "=x")),
        ("A=+=x", ("A", "=", "+=x")),
        ("A+=x-=y=z", ("A", "+=", "x-=y=z")),
        ("A;lang-de-=x", ("A;lang-de", "-=", "x")),
        ("A+", ("A+", "", "")),
        ("A", ("A", "", "")),
        ("=x", ("", "=", "x")),
        ("+=x", ("", "+=", "x")),
        ("A=", ("A", "=", "")),
    ],
)
def test_the_first_equals_sign_ends_the_attribute(text: str, parts: tuple[str, str, str]) -> None:
    assert split_assignment(text) == parts


@given(NAMES, st.sampled_from(("=", "+=", "-=")), st.text())
def test_any_value_is_kept_whole(name: str, operator: str, value: str) -> None:
    assert split_assignment(f"{name}{operator}{value}") == (name, operator, value)


def test_a_sign_without_equals_belongs_to_the_operator_to_come() -> None:
    assert [split_sign(text) for text in ("A", "A+", "A-")] == [("A", ""), ("A", "+"), ("A", "-")]
