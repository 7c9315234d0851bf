"""What an archive's answer tells of a token."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from dcmcfg.archive.http_client import Answer, Web
from dcmcfg.archive.token_check import Verdict, examine


class Refusing(Web):
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
    ) -> Answer:
        return Answer(401, {"date": self.date}, "")


@pytest.mark.parametrize("date", ["", "soon", "Wed, 25 Nov 99999999999 10:00:00 GMT", "Wed, 99 Nov 2026 10:00:00 GMT"])
def test_a_date_that_is_none_leaves_the_archives_clock_unknown(date: str) -> None:
    found = examine("http://archive/dcm4chee-arc", "token", "", Refusing(date))
    assert (found.verdict, found.clock, found.archive_time) == (Verdict.REFUSED, None, found.now)
