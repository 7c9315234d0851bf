"""One form of a moment for people, another for files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dcmcfg.timestamps import iso, iso_text, readable, readable_text


def test_a_moment_is_told_in_utc_to_the_second() -> None:
    here = datetime(2026, 11, 24, 4, 49, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert (iso(here), readable(here)) == ("2026-11-24T03:49:00Z", "2026-11-24 03:49:00 UTC")
    assert iso(here.astimezone(UTC)) == iso(here)


@pytest.mark.parametrize("text", ["2026-11-24T03:49:00Z", "2026-11-24T03:49:00+00:00", "2026-11-24T04:49:00+01:00"])
def test_each_form_of_iso_8601_becomes_the_one(text: str) -> None:
    assert (iso_text(text), readable_text(text)) == ("2026-11-24T03:49:00Z", "2026-11-24 03:49:00 UTC")


def test_what_is_no_moment_is_left_as_it_is() -> None:
    assert (iso_text("yesterday"), readable_text("")) == ("yesterday", "")
