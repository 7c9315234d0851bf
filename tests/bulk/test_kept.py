from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dcmcfg.bulk.run_options import Asked
from dcmcfg.bulk.store import Store
from dcmcfg.bulk.store_catalog import KeptStore, kept_stores, named_stores, older_than
from dcmcfg.bulk.study_result import Answer, Outcome
from dcmcfg.errors import Ambiguous, NotFound, Refused

ASKED = Asked({"archive": "DCM4CHEE@here:11112", "destination": "STORESCP"})


def make(path: Path) -> Path:
    """A store of three studies, one of which has its answer."""
    with Store.opened(path, ASKED) as store:
        store.enlist(["1.2.1", "1.2.2", "1.2.3"], "/lists/may.txt")
        store.end(store.begin("1.2.1"), Answer(Outcome.REPORTED, "reported"), final=True)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_store_is_told_by_what_it_is_about_and_nothing_is_changed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    (tmp_path / "thesis.sqlite").write_text("mine")
    before = files(tmp_path)
    (kept,) = kept_stores(tmp_path)
    assert files(tmp_path) == before
    assert (kept.name, kept.path, kept.source, kept.done, kept.left) == ("abc", path, "/lists/may.txt", 1, 2)
    assert (kept.asked, kept.under_way, kept.problem) == (ASKED, False, "")
    assert kept.octets == path.stat().st_size
    assert datetime.now(UTC) - kept.last < timedelta(minutes=10)


def test_one_that_a_run_uses_is_told_as_far_as_it_came_and_is_not_removed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    with Store.opened(path, ASKED) as store:
        store.end(store.begin("1.2.2"), Answer(Outcome.REPORTED, "reported"), final=True)
        (kept,) = kept_stores(tmp_path)
        assert (kept.done, kept.left, kept.under_way) == (2, 1, True)
        with pytest.raises(Refused, match="another run uses this store"):
            kept.remove()
    assert kept_stores(tmp_path)[0].done == 2
    kept.remove()
    assert files(tmp_path) == {}


def test_what_a_kill_left_is_read_with_its_journal_and_removed_with_it(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    copy = tmp_path / "copy" / "abc.sqlite"
    copy.parent.mkdir()
    with Store.opened(path, ASKED) as store:
        store.end(store.begin("1.2.2"), Answer(Outcome.REPORTED, "reported"), final=True)
        for each in tmp_path.glob("abc.sqlite*"):
            (copy.parent / each.name).write_bytes(each.read_bytes())
    (kept,) = kept_stores(copy.parent)
    assert (kept.done, kept.under_way) == (2, False)
    kept.remove()
    assert files(copy.parent) == {}


def test_one_that_a_run_has_used_since_it_was_looked_at_is_not_removed(tmp_path: Path) -> None:
    path = make(tmp_path / "abc.sqlite")
    (looked_at,) = kept_stores(tmp_path)
    with Store.opened(path, ASKED) as store:
        store.end(store.begin("1.2.2"), Answer(Outcome.REPORTED, "reported"), final=True)
    with pytest.raises(Refused, match="a run has used it since it was looked at — look again: dcmcfg results list"):
        looked_at.remove()
    (kept,) = kept_stores(tmp_path)
    assert kept.done == 2
    kept.remove()
    kept.remove()  # somebody was quicker
    assert files(tmp_path) == {}


def test_a_journal_that_was_to_take_back_is_removed_too(tmp_path: Path) -> None:
    """Beside a new store of that name SQLite would take it for its own."""
    path = make(tmp_path / "abc.sqlite")
    journal = path.with_name("abc.sqlite-journal")
    journal.write_bytes(b"half of it")
    (kept,) = kept_stores(tmp_path)
    assert (kept.octets, kept.done) == (path.stat().st_size + 10, 1)
    kept.remove()
    assert files(tmp_path) == {}


def test_a_damaged_one_and_one_of_another_version_are_told(tmp_path: Path) -> None:
    whole = make(tmp_path / "abc.sqlite").read_bytes()
    (tmp_path / "abc.sqlite").write_bytes(whole[:1000])
    newer = make(tmp_path / "new.sqlite")
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    problems = {each.name: each.problem for each in kept_stores(tmp_path)}
    assert problems["abc"].startswith("it cannot be read (")
    assert problems["new"].startswith("the store of results is of version 9")


def test_where_nothing_is_kept_there_is_none(tmp_path: Path) -> None:
    assert kept_stores(tmp_path / "none") == ()


def test_a_name_may_be_cut_short_where_it_is_ones_only() -> None:
    now = datetime.now(UTC)
    stores = [KeptStore(Path(f"/x/{name}.sqlite"), now, 1) for name in ("abc1", "abc2", "abc")]
    assert [each.name for each in named_stores(stores, ["abc", "abc1.sqlite", "abc1"])] == ["abc", "abc1"]
    with pytest.raises(NotFound, match="no results of that name are kept — there are: "):
        named_stores(stores, ["xyz"])
    with pytest.raises(NotFound):
        named_stores(stores, [""])
    with pytest.raises(Ambiguous, match="which of abc1, abc2, abc"):
        named_stores(stores, ["ab"])


def test_age_goes_by_what_was_last_heard() -> None:
    now = datetime.now(UTC)
    old, young = (KeptStore(Path("x"), now - timedelta(days=days), 1) for days in (31, 29))
    assert older_than([old, young], timedelta(days=30), now) == (old,)
