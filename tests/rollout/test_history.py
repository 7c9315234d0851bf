"""Records and what they say together; without a server."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, NotFound, Refused
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.rollout.history import History, Result, result_of
from dcmcfg.rollout.lock import directory_lock
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.recording import Occasion, record_roll_out
from tests.trees import ARCHIVE, STORESCP, site

URL = "ldap://pacs:389"
ELSEWHERE = "ldap://other:389"


def plan() -> Plan:
    def described(dn: str) -> Wanted:
        return Wanted(Modify(DN.parse(dn), (Modification(Operation.ADD, "dicomDescription", (b"x",)),)))

    return make_plan(site(), [described(ARCHIVE), described(STORESCP)])


def recorded(
    state: Path,
    *,
    url: str = URL,
    undoes: int | None = None,
    done: int | None = 2,
    command: str = "dcmcfg test",
) -> Record:
    """A roll-out of two steps that ended with *done* made, or was cut off in the second (None)."""
    record = record_roll_out(Occasion(state, f"admin @ {url}", command, undoes), url, plan(), "step by step")
    with record.journal.opened() as pen:
        if done is None:
            pen.begins(2, 2)
        else:
            pen.ended(done)
    return record


def undo_of_the_first_step(state: Path) -> None:
    record = record_roll_out(Occasion(state, "s", "c", 1), URL, plan().undo(1), "in one change")
    with record.journal.opened() as pen:
        pen.ended(1)


def numbers(state: Path) -> list[int]:
    return [record.number for record in History(state).records]


def test_a_record_is_private_and_tells_what_it_was_told(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700
    again = History(tmp_path).numbered(1)
    assert again.head == record.head
    assert (again.head.steps, dict(again.head.counts), again.head.command) == (2, {"change": 2}, "dcmcfg test")
    assert again.changes == plan().changes
    assert again.undo(2) == plan().undo().changes
    assert again.undo(1) == plan().undo(1).changes
    assert again.undo(2, 2) + again.undo(1) == again.undo(2)


def test_the_newest_comes_first_and_what_was_being_written_is_none(tmp_path: Path) -> None:
    for _ in range(11):
        recorded(tmp_path)
    (tmp_path / "rollouts" / ".new-0123").mkdir()
    (tmp_path / "rollouts" / "notes").mkdir()
    assert numbers(tmp_path) == list(range(11, 0, -1))


def test_what_a_killed_process_had_begun_to_write_goes_with_the_next(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    record.folder.rename(tmp_path / "rollouts" / f".new-{_lock_name(tmp_path)}")
    assert numbers(tmp_path) == []
    recorded(tmp_path)
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == ["1"]


def _lock_name(state: Path) -> str:
    with directory_lock(state, URL):
        (lock,) = (state / "locks").iterdir()
    return lock.name


@pytest.mark.parametrize(
    ("done", "result"), [(0, Result.NOTHING), (1, Result.STOPPED), (2, Result.DONE), (None, Result.CUT_OFF)]
)
def test_the_journal_tells_the_result(tmp_path: Path, done: int | None, result: Result) -> None:
    record = recorded(tmp_path, done=done)
    assert result_of(record) is result
    unfinished = result in (Result.STOPPED, Result.CUT_OFF)
    assert (History(tmp_path).unfinished(URL) is not None) is unfinished
    assert History(tmp_path).unfinished(ELSEWHERE) is None


def test_undo_without_number_goes_back_one_by_one_and_passes_over_undos(tmp_path: Path) -> None:
    def meant() -> int:
        return History(tmp_path).to_take_back(URL, None, None).number

    recorded(tmp_path)
    recorded(tmp_path, url=ELSEWHERE)
    recorded(tmp_path)
    recorded(tmp_path, done=0)
    assert meant() == 3
    recorded(tmp_path, undoes=3)
    assert meant() == 1
    recorded(tmp_path, undoes=5)
    assert meant() == 3, "its undo was undone"
    recorded(tmp_path, undoes=3)
    recorded(tmp_path, undoes=1)
    with pytest.raises(NotFound, match="no roll-out stands"):
        meant()


def test_what_cannot_be_taken_back_is_refused_by_its_number(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path, undoes=1)
    recorded(tmp_path, url=ELSEWHERE)
    recorded(tmp_path, done=0)
    history = History(tmp_path)
    for number, reason in ((1, "undone by roll-out 2"), (3, "was on ldap://other"), (4, "has changed nothing")):
        with pytest.raises(Refused, match=reason):
            history.to_take_back(URL, number, None)
    with pytest.raises(NotFound, match="there is no roll-out 5"):
        history.to_take_back(URL, 5, None)
    assert history.to_take_back(URL, 2, None).number == 2, "an undo can be undone"


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("dcmcfg apply x.ldif", f"--ldap-url {ELSEWHERE}"),
        ("dcmcfg --profile 'my site' apply x.ldif", "--profile 'my site'"),
        ("dcmcfg apply --profile=site x.ldif", "--profile=site"),
        ("dcmcfg apply x.ldif --profile", f"--ldap-url {ELSEWHERE}"),
        ("dcmcfg apply 'x.ldif", f"--ldap-url {ELSEWHERE}"),
    ],
)
def test_a_roll_out_on_another_directory_is_told_with_what_named_that(
    tmp_path: Path, command: str, option: str
) -> None:
    recorded(tmp_path, url=ELSEWHERE, command=command)
    with pytest.raises(Refused) as refused:
        History(tmp_path).to_take_back(URL, 1, None)
    assert refused.value.next_step.startswith(option + " says which")


def test_an_interrupted_roll_out_of_which_nothing_came_is_not_passed_over_for_an_older_one(tmp_path: Path) -> None:
    recorded(tmp_path)
    interrupted = recorded(tmp_path, done=0)
    with pytest.raises(Refused, match="roll-out 2 has changed nothing"):
        History(tmp_path).to_take_back(URL, None, interrupted)


def test_an_interrupted_undo_is_not_guessed_about(tmp_path: Path) -> None:
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=1, done=1)
    with pytest.raises(Refused, match="apply --resume finishes it, dcmcfg undo 2 takes it back"):
        History(tmp_path).to_take_back(URL, None, interrupted)


def test_an_interrupted_undo_of_which_nothing_came_is_done_again(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=1, done=0)
    assert History(tmp_path).to_take_back(URL, None, interrupted).number == 1, "not the newest that stands"


def test_an_interrupted_undo_that_is_complete_is_not_followed_by_another(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=2)
    with pytest.raises(Refused, match="roll-out 3, the undo of 2, was interrupted and is complete") as refused:
        History(tmp_path).to_take_back(URL, None, interrupted)
    assert refused.value.next_step == (
        "dcmcfg undo 3 makes roll-out 2 again; dcmcfg undo 1 reverts the roll-out before it"
    )


@pytest.mark.parametrize(("done", "became"), [(0, "has changed nothing"), (1, "is complete")])
def test_what_is_unfinished_is_not_taken_for_what_was_interrupted(tmp_path: Path, done: int, became: str) -> None:
    """Roll-out 1 is unfinished, and what was interrupted is the undo of its undo, or its undo."""
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1)
    interrupted = recorded(tmp_path, undoes=2) if done else recorded(tmp_path, undoes=1, done=0)
    history = History(tmp_path)
    if not done:
        recorded(tmp_path, undoes=2)
        history = History(tmp_path)
    with pytest.raises(Refused, match=rf"{became}; roll-out 1 of .* is not finished \(1 of 2") as refused:
        history.to_resume(URL, interrupted)
    assert refused.value.next_step == "dcmcfg apply --resume finishes it, dcmcfg undo takes it back"
    assert history.to_resume(URL, None).number == 1


def test_where_nothing_was_changed_the_unfinished_one_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1, done=0)
    with pytest.raises(Refused, match=r"roll-out 2 has changed nothing; roll-out 1 of .* is not finished") as refused:
        History(tmp_path).to_take_back(URL, 2, None)
    assert refused.value.next_step == "dcmcfg apply --resume finishes it, dcmcfg undo takes it back"


def test_a_head_has_what_was_left_out_only_where_something_was(tmp_path: Path) -> None:
    occasion = Occasion(tmp_path, "a site")
    heads = [
        record_roll_out(each, URL, plan(), "step by step").head for each in (occasion, replace(occasion, left_out=2))
    ]
    assert [head.left_out for head in heads] == [0, 2]
    assert ["left_out" in head.text() for head in heads] == [False, True]


def test_an_undo_can_be_undone_where_that_leads_back_to_what_is_unfinished(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    undo_of_the_first_step(tmp_path)
    recorded(tmp_path, undoes=2)
    history = History(tmp_path)
    assert (history.unfinished(URL) or history.records[0]).number == 1
    assert history.to_take_back(URL, 3, None).number == 3


def test_a_roll_out_that_was_resumed_since_is_not_reverted_in_part(tmp_path: Path) -> None:
    """2 reverted the one step that was made, 3 made it again, and then 1 was resumed."""
    first = recorded(tmp_path, done=1)
    undo_of_the_first_step(tmp_path)
    recorded(tmp_path, undoes=2)
    with first.journal.opened() as pen:
        pen.ended(2)
    with pytest.raises(Refused, match="roll-out 1, which roll-out 3 made again, was resumed since") as refused:
        History(tmp_path).to_take_back(URL, 3, None)
    assert refused.value.next_step == "dcmcfg undo 1 reverts all of it"


def test_an_undo_that_another_one_has_overtaken_is_named_with_that_one(tmp_path: Path) -> None:
    for undoes in (None, 1, 2, 1):
        recorded(tmp_path, undoes=undoes)
    history = History(tmp_path)
    for number in (2, 3):
        with pytest.raises(
            Refused, match="roll-out 1, which roll-out 3 made again, was undone by roll-out 4"
        ) as refused:
            history.to_take_back(URL, number, None)
        assert refused.value.next_step == "dcmcfg undo 4 makes it again"


def test_an_undone_roll_out_is_not_unfinished_any_more(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1)
    assert History(tmp_path).unfinished(URL) is None


def test_what_was_put_right_by_hand_can_be_closed_and_nothing_else(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    history = History(tmp_path)
    history.close(history.numbered(1))
    assert result_of(history.numbered(1)) is Result.CLOSED
    assert History(tmp_path).unfinished(URL) is None
    with pytest.raises(Refused, match="not unfinished"):
        History(tmp_path).close(History(tmp_path).numbered(1))


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"when": 1}'])
def test_a_head_that_cannot_be_read_is_told_with_the_way_out(tmp_path: Path, damage: str) -> None:
    record = recorded(tmp_path)
    (record.folder / "head.json").write_text(damage)
    with pytest.raises(DcmcfgError, match=r"cannot be read, nothing was changed — .*move .*rollouts/1 elsewhere"):
        History(tmp_path).unfinished(URL)


def test_an_edited_undo_is_not_taken_by_number(tmp_path: Path) -> None:
    record = recorded(tmp_path)
    record.undo_file.write_text(record.undo_file.read_text().replace("dicomDescription", "dicomStationName"))
    with pytest.raises(DcmcfgError, match="not as roll-out 1 has left it"):
        History(tmp_path).numbered(1).undo(2)


def test_a_head_of_more_facts_than_known_is_told_and_not_guessed(tmp_path: Path) -> None:
    """As a later version may write it."""
    record = recorded(tmp_path)
    head = json.loads((record.folder / "head.json").read_text()) | {"later": True}
    (record.folder / "head.json").write_text(json.dumps(head))
    with pytest.raises(DcmcfgError, match="cannot be read"):
        History(tmp_path).unfinished(URL)


def test_an_undo_file_takes_back_what_was_done_on_its_own_directory_only(tmp_path: Path) -> None:
    files = [recorded(tmp_path, done=1).undo_file]
    assert History(tmp_path).owner_of(files, URL) == 1
    assert History(tmp_path).owner_of(files, ELSEWHERE) is None
    assert History(tmp_path).owner_of(files * 2, URL) is None
