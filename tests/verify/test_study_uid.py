"""The Study Instance UID on the command line."""

from __future__ import annotations

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.verify.study_uid import parse_study_uid


@pytest.mark.parametrize("uid", ["1.2", "1.2.840.113619.2.55.3", "2.25.0", "1." + "2" * 62, "0.0"])
def test_a_uid_is_taken_as_it_is(uid: str) -> None:
    assert parse_study_uid(uid) == uid


def test_blanks_around_it_are_dropped() -> None:
    assert parse_study_uid(" 1.2.3\n") == "1.2.3"


@pytest.mark.parametrize(
    "text",
    ["", " ", "1", ".1", "1.", "1..2", "1.02.3", "1.2.3*", "1.2?", "1.2\\1.3", "1.a", "1.٢", "1.2 3", "1." + "2" * 63],
)
def test_what_is_no_uid_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        parse_study_uid(text)
    assert refused.value.exit_code == 2
