"""How long a replica has been behind: the age of the oldest change that it lacks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.nodes.comparison import compute_time_behind

NOW = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def csn(time: str, server: str = "000") -> str:
    return f"20261201{time}.000000Z#000000#{server}#000000"


@pytest.mark.parametrize(
    ("provider", "replica", "versions", "behind_s"),
    [
        ({"000": csn("115900")}, {"000": csn("115900")}, [csn("115900")], 0),
        # The newest change is 10 s old, but an older one is missing as well.
        ({"000": csn("115950")}, {"000": csn("115000")}, [csn("114000"), csn("115500"), csn("115950")], 300),
        # The missing change deleted an entry, so no entry has its CSN.
        ({"000": csn("115950")}, {"000": csn("115000")}, [csn("114000")], 10),
        # The change of another server is not missing.
        (
            {"001": csn("115950", "001"), "002": csn("115900", "002")},
            {"001": csn("115950", "001"), "002": csn("115000", "002")},
            [csn("115500", "001"), csn("115800", "002")],
            120,
        ),
        # A server ID that the replica does not know, as after a change of the ID.
        ({"000": csn("115900"), "001": csn("115900", "001")}, {"000": csn("115900")}, [], 0),
        # The clock of the provider is ahead of the clock of this machine.
        ({"000": csn("120010")}, {"000": csn("115900")}, [csn("120010")], 0),
        ({}, {"000": csn("115900")}, [], None),
        ({"000": csn("115900")}, {}, [], None),
    ],
)
def test_the_age_is_that_of_the_oldest_missing_change(
    provider: dict[str, str], replica: dict[str, str], versions: list[str], behind_s: float | None
) -> None:
    assert compute_time_behind(provider, replica, versions, NOW) == behind_s
