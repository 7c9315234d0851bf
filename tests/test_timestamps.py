"""One form of a moment for people, another for files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dcmcfg.timestamps import (
    format_iso,
    format_iso_ms,
    format_timestamp,
    make_iso_key,
    reformat_as_iso,
    reformat_timestamp,
)


def test_a_moment_is_told_in_utc_to_the_second() -> None:
    here = datetime(2026, 11, 24, 4, 49, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert (format_iso(here), format_timestamp(here)) == ("2026-11-24T03:49:00Z", "2026-11-24 03:49:00 UTC")
    assert format_iso(here.astimezone(UTC)) == format_iso(here)


@pytest.mark.parametrize("text", ["2026-11-24T03:49:00Z", "2026-11-24T03:49:00+00:00", "2026-11-24T04:49:00+01:00"])
def test_each_form_of_iso_8601_becomes_the_one(text: str) -> None:
    assert (reformat_as_iso(text), reformat_timestamp(text)) == ("2026-11-24T03:49:00Z", "2026-11-24 03:49:00 UTC")


def test_what_is_no_moment_is_left_as_it_is() -> None:
    assert (reformat_as_iso("yesterday"), reformat_timestamp("")) == ("yesterday", "")


def test_times_in_milliseconds_and_in_seconds_sort_together() -> None:
    start = datetime(2026, 11, 24, 3, 49, 0, tzinfo=UTC)
    assert format_iso_ms(start + timedelta(milliseconds=5.9)) == "2026-11-24T03:49:00.005Z"
    times = [start + timedelta(milliseconds=250) * step for step in range(9)]
    texts = [format_iso(each) if each.microsecond == 0 else format_iso_ms(each) for each in times]
    assert sorted(texts, key=make_iso_key) == texts
    assert sorted(texts) != texts
