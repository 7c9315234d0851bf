from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.store_catalog import StoreInfo, find_stores, select_by_name, select_older_than
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.errors import AmbiguousName, NotFound, Refused

ASKED = RunParameters({"archive": "DCM4CHEE@here:11112", "destination": "STORESCP"})


def make(path: Path) -> Path:
    """A store of three studies, one of which has its answer."""
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.1", "1.2.2", "1.2.3"], "/lists/may.txt")
        store.end_attempt(
            store.begin_attempt("1.2.1"), AttemptResult(VerificationOutcome.REPORTED, "reported"), final=True
        )
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_store_is_told_by_what_it_is_about_and_nothing_is_changed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    (tmp_path / "thesis.sqlite").write_text("mine")
    before = files(tmp_path)
    (store_info,) = find_stores(tmp_path)
    assert files(tmp_path) == before
    assert (
        store_info.name,
        store_info.path,
        store_info.source_name,
        store_info.finished_count,
        store_info.unfinished_count,
    ) == (
        "abc",
        path,
        "/lists/may.txt",
        1,
        2,
    )
    assert (store_info.run_parameters, store_info.in_progress, store_info.problem) == (ASKED, False, "")
    assert store_info.size_bytes == path.stat().st_size
    assert datetime.now(UTC) - store_info.last_used < timedelta(minutes=10)


def test_one_that_a_run_uses_is_told_as_far_as_it_came_and_is_not_removed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    with ResultStore.open(path, ASKED) as store:
        store.end_attempt(
            store.begin_attempt("1.2.2"), AttemptResult(VerificationOutcome.REPORTED, "reported"), final=True
        )
        (store_info,) = find_stores(tmp_path)
        assert (store_info.finished_count, store_info.unfinished_count, store_info.in_progress) == (2, 1, True)
        with pytest.raises(Refused, match="another run uses this result store"):
            store_info.remove()
    assert find_stores(tmp_path)[0].finished_count == 2
    store_info.remove()
    assert files(tmp_path) == {}


def test_what_a_kill_left_is_read_with_its_journal_and_removed_with_it(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    copy = tmp_path / "copy" / "abc.sqlite"
    copy.parent.mkdir()
    with ResultStore.open(path, ASKED) as store:
        store.end_attempt(
            store.begin_attempt("1.2.2"), AttemptResult(VerificationOutcome.REPORTED, "reported"), final=True
        )
        for each in tmp_path.glob("abc.sqlite*"):
            (copy.parent / each.name).write_bytes(each.read_bytes())
    (store_info,) = find_stores(copy.parent)
    assert (store_info.finished_count, store_info.in_progress) == (2, False)
    store_info.remove()
    assert files(copy.parent) == {}


def test_one_that_a_run_has_used_since_it_was_looked_at_is_not_removed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    (looked_at,) = find_stores(tmp_path)
    with ResultStore.open(path, ASKED) as store:
        store.end_attempt(
            store.begin_attempt("1.2.2"), AttemptResult(VerificationOutcome.REPORTED, "reported"), final=True
        )
    with pytest.raises(
        Refused,
        match="a run has used the result store since dcmcfg listed the stores — list the stores again: "
        "dcmcfg results list",
    ):
        looked_at.remove()
    (store_info,) = find_stores(tmp_path)
    assert store_info.finished_count == 2
    store_info.remove()
    store_info.remove()  # somebody was quicker
    assert files(tmp_path) == {}


def test_a_journal_that_was_to_take_back_is_removed_too(tmp_path: Path) -> None:
    """Beside a new store of that name SQLite would take it for its own."""
    path = make(tmp_path / "abc.sqlite")
    journal = path.with_name("abc.sqlite-journal")
    journal.write_bytes(b"half of it")
    (store_info,) = find_stores(tmp_path)
    assert (store_info.size_bytes, store_info.finished_count) == (path.stat().st_size + 10, 1)
    store_info.remove()
    assert files(tmp_path) == {}


def test_a_damaged_one_and_one_of_another_version_are_told(tmp_path: Path) -> None:
    whole = make(tmp_path / "abc.sqlite").read_bytes()
    (tmp_path / "abc.sqlite").write_bytes(whole[:1000])
    newer = make(tmp_path / "new.sqlite")
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    problems = {each.name: each.problem for each in find_stores(tmp_path)}
    assert problems["abc"].startswith("cannot be read (")
    assert problems["new"].startswith("the result store has format 9")


def test_where_nothing_is_kept_there_is_none(tmp_path: Path) -> None:
    assert find_stores(tmp_path / "none") == ()


def test_a_name_may_be_cut_short_where_it_is_ones_only() -> None:
    now = datetime.now(UTC)
    stores = [StoreInfo(Path(f"/x/{name}.sqlite"), now, 1) for name in ("abc1", "abc2", "abc")]
    assert [each.name for each in select_by_name(stores, ["abc", "abc1.sqlite", "abc1"])] == ["abc", "abc1"]
    with pytest.raises(NotFound, match="no result store has this name — existing stores: "):
        select_by_name(stores, ["xyz"])
    with pytest.raises(NotFound):
        select_by_name(stores, [""])
    with pytest.raises(AmbiguousName, match="specify one of abc1, abc2, abc"):
        select_by_name(stores, ["ab"])


def test_age_goes_by_what_was_last_heard() -> None:
    now = datetime.now(UTC)
    old, young = (StoreInfo(Path("x"), now - timedelta(days=days), 1) for days in (31, 29))
    assert select_older_than([old, young], timedelta(days=30), now) == (old,)
