"""Each recorded association is answered by the stand-in archive as by the real one, and leaves the same state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.recorded.exchange import Exchange, Response, exchange_of
from tests.recorded.exchange_site import ExchangeSite, exchange_site
from tests.recorded.held import DIMSE_DIFFERENCES, difference_of, held_exchanges
from tests.recorded.recordings import DimseRecording, dimse, dimse_names
from tests.sampling import sample

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore:The value length")]
#: Recordings whose number of pending responses depends on times, which are shorter here.
_SHORTENED = frozenset({"pending-1s-set"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Iterator[ExchangeSite]:
    with exchange_site(tmp_path_factory.mktemp("lab")) as running:
        yield running


def comparable(exchange: Exchange, recording: DimseRecording) -> Exchange:
    """Return *exchange* without what depends on time: values in pending responses while instances are on their way."""
    relayed = not any(each.association.calling == "DCM4CHEE" for each in exchange_of(recording).delivered)
    responses = [
        each if relayed or each.status != "FF00H" or recording.name.startswith("find") else _without_values(each)
        for each in exchange.responses
    ]
    if recording.name in _SHORTENED:
        responses = list(dict.fromkeys(map(repr, responses)))  # type: ignore[arg-type]  # several alike are one
    return replace(exchange, responses=tuple(responses))


def _without_values(response: Response) -> Response:
    return replace(response, elements=dict.fromkeys(response.elements))


@pytest.mark.parametrize(
    "name", sample(held_exchanges(), 0.2) or [pytest.param("", marks=pytest.mark.skip("no recordings"))]
)
def test_an_association_is_answered_as_recorded(site: ExchangeSite, name: str) -> None:
    recording = dimse(name)
    assert comparable(site.run(recording), recording) == comparable(exchange_of(recording), recording)


def test_every_exchange_is_held_or_a_difference(recordings: Path) -> None:
    different = [name for name in dimse_names() if difference_of(name) is not None]
    assert sorted([*held_exchanges(), *different]) == sorted(dimse_names())
    assert all(any(name.startswith(begin) for name in different) for begin in DIMSE_DIFFERENCES)
