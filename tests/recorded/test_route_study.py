"""``route --study`` at an archive that answers as the real one did: the state it names is that of the database."""

from __future__ import annotations

import json

import pytest

from tests.recorded import stored
from tests.recorded.conftest import Run
from tests.recorded.recordings import dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.stored import StoredStudy
from tests.recorded.truth import TRUTH
from tests.sampling import sample

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]

#: Recordings whose outcome is a matter of the tree and of where the study is, not of what others do.
_BY_THE_TREE = (
    "move-destination-dangling",
    "move-destination-not-accepted",
    "move-destination-not-installed",
    "move-destination-port-missing",
    "move-destination-unknown",
    "move-purged-recorded-aet-unknown",
    "move-partly-purged-by-recall",
    "move-unconfigured-storage",
    "move-unknown-study",
    "external-set-not-installed",
    "external-set-tls-only",
    "external-unset-not-installed",
    "external-unset-tls-only",
    "fallback-unknown-ae",
    "restricted-local",
    "restricted-purged",
    "restricted-silently-local",
    "restricted-silently-purged",
)
_FIND = ("find-study-local", "find-study-purged", "find-study-purged-star", "find-study-unknown")


@pytest.mark.parametrize("name", [*sample(list(TRUTH), 0.1), *_FIND])
def test_the_state_is_that_of_the_database(run: Run, replayer: Replayer, recorded_site: Site, name: str) -> None:
    told, _ = _route(run, replayer, recorded_site, name, "--json")
    study = stored.before(dimse(name))
    assert told["study"]["states"] == [_state(study)]
    assert told["study"]["external_ae_title"] in (study.external if study else None, None)


@pytest.mark.parametrize("name", sample(list(TRUTH), 0.1))
def test_what_arrived_is_not_called_impossible(run: Run, replayer: Replayer, recorded_site: Site, name: str) -> None:
    told, code = _route(run, replayer, recorded_site, name, "--json")
    if TRUTH[name].success:
        assert code == 0, told


@pytest.mark.parametrize("name", _BY_THE_TREE)
def test_what_the_tree_keeps_from_arriving_is_named(
    run: Run, replayer: Replayer, recorded_site: Site, name: str
) -> None:
    recording = dimse(name)
    with replayer.playing(recorded_site, recording):
        result = run(*_arguments(name))
    assert result.exit_code == 1, result.output
    assert recording.summary["client"]["final"]["Status"].removesuffix("H") in result.output


@pytest.mark.parametrize("nearline", [False, True], ids=["ONLINE", "NEARLINE"])
@pytest.mark.parametrize("name", sample(list(TRUTH), 0.1))
def test_without_the_database_the_state_is_open(
    run: Run, replayer: Replayer, recorded_site: Site, name: str, *, nearline: bool
) -> None:
    with replayer.playing(recorded_site, dimse(name), nearline=nearline):
        replayer.http.is_away = True
        try:
            result = run(*_arguments(name), "--json")
        finally:
            replayer.http.is_away = False
    told, state = json.loads(result.stdout)["study"], _state(stored.before(dimse(name)))
    if state == "unknown":
        assert told["states"] == ["unknown"]
        return
    assert any("so the state of the study is not certain" in note for note in told["notes"])
    assert state in told["states"]


def _route(run: Run, replayer: Replayer, site: Site, name: str, *more: str) -> tuple[dict[str, dict[str, object]], int]:
    with replayer.playing(site, dimse(name)):
        result = run(*_arguments(name), *more)
    return json.loads(result.stdout), result.exit_code


def _arguments(name: str) -> tuple[str, ...]:
    study = ("route", "--study", stored.study_uid(dimse(name)))
    truth = TRUTH.get(name)
    if truth is None:
        return (*study, "--dest", "WORKSTATION")
    own = truth.arguments if "--image" not in truth.arguments else ()
    return (*study, "--dest", truth.destination, *own)


def _state(study: StoredStudy | None) -> str:
    if study is None:
        return "unknown"
    if set(study.storage_ids) - {"fs1"}:
        return "unconfigured-storage"
    local = sum(bool(each.storage) for each in study.instances)
    return {0: "purged", len(study.instances): "local"}.get(local, "partial")
