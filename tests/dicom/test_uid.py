"""A UID as somebody types it."""

from __future__ import annotations

import pytest

from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput


@pytest.mark.parametrize("uid", ["1.2", "1.2.840.113619.2.55.3", "2.25.0", "2.25." + "9" * 39, "1." + "2" * 62, "0.0"])
def test_a_uid_is_taken_as_it_is(uid: str) -> None:
    assert parse_uid(uid) == uid


def test_blanks_around_it_are_dropped() -> None:
    assert parse_uid(" 1.2.3\n") == "1.2.3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        ("*", "it contains characters other than digits and dots"),
        ("1.2.*", "it contains characters other than digits and dots"),
        ("1.2?", "it contains characters other than digits and dots"),
        ("1.2\\1.3", "it contains characters other than digits and dots"),
        ("1.2 3", "it contains characters other than digits and dots"),
        ("1.2.x", "it contains characters other than digits and dots"),
        ("1.\u0662", "it contains characters other than digits and dots"),
        ("1.2\0", "it contains characters other than digits and dots"),
        ("1", "a component is empty or begins with a zero, or there is only one component"),
        (".1", "a component is empty"),
        ("1.", "a component is empty"),
        ("1..2", "a component is empty"),
        ("1.02.3", "begins with a zero"),
        ("00.1", "begins with a zero"),
        ("1." + "2" * 63, "it has 65 characters, but at most 64 are allowed"),
    ],
)
def test_what_is_no_uid_is_refused_and_why_is_said(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match="not a UID: .*" + problem) as refused:
        parse_uid(text)
    assert refused.value.exit_code == 2
