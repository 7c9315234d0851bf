"""``verify --recall`` at an archive that answers as the real one did: it takes a purged study, and no other."""

from __future__ import annotations

import json

import pytest

from tests.recorded import stored
from tests.recorded.conftest import Run
from tests.recorded.recordings import dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.verifying import PATIENCE_S

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]
_RECALL = ("verify", "--recall", "--dest", "WORKSTATION", "--receive", "--json", "--timeout-s", PATIENCE_S)


@pytest.mark.parametrize("name", ["move-purged-set", "move-set-on-ae", "move-purged-unset-longterm-knows"])
def test_a_purged_study_is_found_and_its_route_shown(
    run: Run, replayer: Replayer, recorded_site: Site, name: str
) -> None:
    with replayer.playing(recorded_site, dimse(name)):
        result = run(*_RECALL, "--require-route")
    assert result.exit_code == 0, result.output
    verdict = json.loads(result.stdout)
    assert stored.study_uid(dimse(name)) in result.stdout
    assert (verdict["route"]["finding"], verdict["route"]["instance_count"]) == ("shown", 3)


@pytest.mark.parametrize(
    "name",
    [
        "move-local",
        "move-recalled-again",
        "move-partly-purged-by-recall",
        "move-unconfigured-storage",
        "move-unknown-study",
        "find-study-purged-star",
    ],
)
def test_no_other_study_is_taken(run: Run, replayer: Replayer, recorded_site: Site, name: str) -> None:
    with replayer.playing(recorded_site, dimse(name)) as play:
        result = run(*_RECALL)
        assert not play.moved.is_set()
    assert result.exit_code == 3, result.output


def test_without_the_database_nearline_is_no_purge(run: Run, replayer: Replayer, recorded_site: Site) -> None:
    """A study that is recalled stays NEARLINE: what is moved then must not be called shown."""
    with replayer.playing(recorded_site, dimse("move-recalled-again"), nearline=True):
        result = run(*_RECALL, "--no-qido")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["route"]["finding"] == "not shown"
