"""Records and what they say together; without a server."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.rollout.record import RolloutContext, write_record
from tests.rollout.records import ELSEWHERE, URL, plan, recorded


def numbers(state: Path) -> list[int]:
    return [record.number for record in History(state).records]


def test_a_record_is_private_and_returns_the_recorded_facts(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700
    again = History(tmp_path).get_rollout(1)
    assert again.header == record.header
    assert (again.header.steps, dict(again.header.counts), again.header.command) == (2, {"change": 2}, "dcmcfg test")
    assert again.changes == plan().changes
    assert again.get_undo_changes(2) == plan().undo().changes
    assert again.get_undo_changes(1) == plan().undo(1).changes
    assert again.get_undo_changes(2, 2) + again.get_undo_changes(1) == again.get_undo_changes(2)


def test_the_newest_is_first_and_incomplete_records_are_ignored(tmp_path: Path) -> None:
    for _ in range(11):
        recorded(tmp_path)
    (tmp_path / "rollouts" / ".new-0123").mkdir()
    (tmp_path / "rollouts" / "notes").mkdir()
    assert numbers(tmp_path) == list(range(11, 0, -1))


def test_incomplete_files_of_a_killed_process_are_removed_by_the_next_change(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    record.folder.rename(tmp_path / "rollouts" / f".new-{_lock_name(tmp_path)}")
    assert numbers(tmp_path) == []
    recorded(tmp_path)
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == ["1"]


def _lock_name(state: Path) -> str:
    with lock_directory(state, URL):
        (lock,) = (state / "locks").iterdir()
    return lock.name


@pytest.mark.parametrize(
    ("done", "result"),
    [
        (0, RolloutStatus.NOTHING_CHANGED),
        (1, RolloutStatus.PARTIALLY_APPLIED),
        (2, RolloutStatus.APPLIED),
        (None, RolloutStatus.INTERRUPTED),
    ],
)
def test_the_journal_shows_the_result(tmp_path: Path, done: int | None, result: RolloutStatus) -> None:
    record = recorded(tmp_path, done=done)
    assert determine_status(record) is result
    unfinished = result in (RolloutStatus.PARTIALLY_APPLIED, RolloutStatus.INTERRUPTED)
    assert (History(tmp_path).find_unfinished(URL) is not None) is unfinished
    assert History(tmp_path).find_unfinished(ELSEWHERE) is None


def test_a_head_has_its_format_number_and_how_many_changes_were_left_out(tmp_path: Path) -> None:
    occasion = RolloutContext(tmp_path, "a site")
    records = [
        write_record(each, URL, plan(), "step by step") for each in (occasion, replace(occasion, rejected_count=2))
    ]
    assert [record.header.rejected_count for record in records] == [0, 2]
    heads = [json.loads((record.folder / "head.json").read_text()) for record in records]
    assert [(head["format"], head["rejected_count"]) for head in heads] == [(2, 0), (2, 2)]


def test_an_undone_roll_out_is_not_unfinished_any_more(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1)
    assert History(tmp_path).find_unfinished(URL) is None


def test_only_an_unfinished_change_can_be_closed(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    history = History(tmp_path)
    history.close(history.get_rollout(1))
    assert determine_status(history.get_rollout(1)) is RolloutStatus.CLOSED
    assert History(tmp_path).find_unfinished(URL) is None
    with pytest.raises(Refused, match="already finished"):
        History(tmp_path).close(History(tmp_path).get_rollout(1))


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"when": 1}'])
def test_an_unreadable_header_is_reported_with_the_next_step(tmp_path: Path, damage: str) -> None:
    record = recorded(tmp_path)
    (record.folder / "head.json").write_text(damage)
    with pytest.raises(
        DcmcfgError, match=r"cannot be read; nothing was changed — .*move the folder .*rollouts/1 to another place"
    ):
        History(tmp_path).find_unfinished(URL)


def test_an_edited_undo_file_is_not_applied_by_number(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    record.undo_file.write_text(record.undo_file.read_text().replace("dicomDescription", "dicomStationName"))
    with pytest.raises(DcmcfgError, match="somebody has modified this file of change 1"):
        History(tmp_path).get_rollout(1).get_undo_changes(2)


def test_a_header_with_unknown_keys_is_reported(tmp_path: Path) -> None:
    """As a later version may write it."""
    record = recorded(tmp_path)
    head = json.loads((record.folder / "head.json").read_text()) | {"later": True}
    (record.folder / "head.json").write_text(json.dumps(head))
    with pytest.raises(DcmcfgError, match="cannot be read"):
        History(tmp_path).find_unfinished(URL)


def test_an_undo_file_reverts_changes_on_its_own_directory_only(tmp_path: Path) -> None:
    files = [recorded(tmp_path, done=1).undo_file]
    assert History(tmp_path).find_rollout_by_undo_file(files, URL) == 1
    assert History(tmp_path).find_rollout_by_undo_file(files, ELSEWHERE) is None
    assert History(tmp_path).find_rollout_by_undo_file(files * 2, URL) is None
