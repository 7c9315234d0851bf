"""What an archive's answer tells of a token."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from dcmcfg.archive.http_client import HttpClient, HttpResponse
from dcmcfg.archive.token_check import TokenOutcome, check_token


class Refusing(HttpClient):
    """An archive that refuses everything at a *date* of its own."""

    def __init__(self, date: str) -> None:
        super().__init__()
        self.date = date

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
    ) -> HttpResponse:
        return HttpResponse(401, {"date": self.date}, "")


@pytest.mark.parametrize("date", ["", "soon", "Wed, 25 Nov 99999999999 10:00:00 GMT", "Wed, 99 Nov 2026 10:00:00 GMT"])
def test_a_date_that_is_none_leaves_the_archives_clock_unknown(date: str) -> None:
    found = check_token("http://archive/dcm4chee-arc", "token", "", Refusing(date))
    assert (found.outcome, found.archive_clock, found.archive_time) == (TokenOutcome.REFUSED, None, found.checked_at)
