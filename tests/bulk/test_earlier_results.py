"""The results from before a change of the route, for a run that repeats only the failed studies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dcmcfg.bulk.earlier_results import choose_store, select_earlier_store
from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.store_catalog import StoreInfo
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.errors import Refused

ROUTE = "dcmExternalRetrieveAEDestination"
BEFORE = RunParameters({"archive": "DCM4CHEE@here:11112", "destination": "STORESCP", ROUTE: ""})
NOW = RunParameters({**BEFORE.values, ROUTE: "DCM4CHEE"})
NO = AttemptResult(VerificationOutcome.NOT_VERIFIED, "NOT verified: status A801")
SOURCE = "/lists/may.txt"


def make(path: Path, run_parameters: RunParameters = BEFORE) -> Path:
    with ResultStore.open(path, run_parameters) as store:
        store.set_study_list(["1.2.1", "1.2.2"], SOURCE)
        store.end_attempt(store.begin_attempt("1.2.1"), NO, final=True)
    return path


def test_the_last_used_store_that_differs_only_in_the_route_is_chosen() -> None:
    then = datetime(2026, 1, 2, tzinfo=UTC)
    old = StoreInfo(Path("old"), then, 1, run_parameters=BEFORE, source_name=SOURCE, finished_count=1)
    new = replace(old, path=Path("new"), last_used=then + timedelta(hours=1))
    others = (
        replace(new, run_parameters=RunParameters({**BEFORE.values, "destination": "OTHER"})),
        replace(new, run_parameters=NOW),
        replace(new, source_name="/lists/june.txt"),
        replace(new, finished_count=0),
    )
    assert select_earlier_store([old, new], NOW, SOURCE) == new
    assert select_earlier_store(others, NOW, SOURCE) is None


def test_the_earlier_results_are_copied_and_the_earlier_store_is_unchanged(tmp_path: Path) -> None:
    earlier, path = make(tmp_path / "before.sqlite"), tmp_path / "now.sqlite"
    content = earlier.read_bytes()
    choice = choose_store(path, NOW, SOURCE)
    assert (choice.path, choice.readable_path, path.exists()) == (path, earlier, False)
    choice.copy_earlier_results()
    assert earlier.read_bytes() == content
    with ResultStore.open(path, NOW, accepts_other_route=True) as store:
        assert [each.final_result for each in store.read_results()] == [NO, None]
        assert store.route_change == (f"{ROUTE}: none in the store, DCM4CHEE in this run",)
    with ResultStore.open(path, NOW) as store:
        assert (store.route_change, len(store.read_results())) == ((), 2)
    assert choose_store(path, NOW, SOURCE).earlier is None, "its own results have priority"


def test_another_difference_is_refused_also_if_another_route_is_accepted(tmp_path: Path) -> None:
    path = make(tmp_path / "before.sqlite")
    listed_at = ResultStore.read_listing_time(path, NOW, SOURCE, accepts_other_route=True)
    assert listed_at is not None
    with pytest.raises(Refused):
        ResultStore.read_listing_time(path, NOW, SOURCE)
    other = RunParameters({**NOW.values, "destination": "OTHER"})
    with pytest.raises(Refused, match="destination"), ResultStore.open(path, other, accepts_other_route=True):
        pass


def test_an_earlier_store_that_another_run_uses_is_not_copied(tmp_path: Path) -> None:
    earlier = make(tmp_path / "before.sqlite")
    choice = choose_store(tmp_path / "now.sqlite", NOW, SOURCE)
    with ResultStore.open(earlier, BEFORE), pytest.raises(Refused, match="another run uses"):
        choice.copy_earlier_results()
