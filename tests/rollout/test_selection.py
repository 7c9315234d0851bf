"""Which roll-out ``undo`` and ``apply --resume`` mean, by the records alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.errors import NotFound, Refused
from dcmcfg.rollout.history import History
from dcmcfg.rollout.selection import select_rollout_to_resume, select_rollout_to_undo
from tests.rollout.records import ELSEWHERE, URL, recorded, undo_of_the_first_step


def test_undo_without_number_goes_back_one_by_one_and_passes_over_undos(tmp_path: Path) -> None:
    def meant() -> int:
        return select_rollout_to_undo(History(tmp_path), URL, None, None).number

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
    with pytest.raises(NotFound, match="no change to revert"):
        meant()


def test_changes_that_cannot_be_reverted_are_refused_by_number(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path, undoes=1)
    recorded(tmp_path, url=ELSEWHERE)
    recorded(tmp_path, done=0)
    history = History(tmp_path)
    for number, reason in ((1, "reverted by change 2"), (3, "was made on ldap://other"), (4, "has changed nothing")):
        with pytest.raises(Refused, match=reason):
            select_rollout_to_undo(history, URL, number, None)
    with pytest.raises(NotFound, match="there is no change 5"):
        select_rollout_to_undo(history, URL, 5, None)
    assert select_rollout_to_undo(history, URL, 2, None).number == 2, "an undo can be undone"


def test_a_redo_is_suggested_with_a_condition_where_a_later_change_is_in_effect(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path, undoes=1)
    recorded(tmp_path)
    with pytest.raises(Refused) as refused:
        select_rollout_to_undo(History(tmp_path), URL, 1, None)
    assert (
        refused.value.next_step == "to redo change 1 (this may conflict with change 3), revert its undo: dcmcfg undo 2"
    )


@pytest.mark.parametrize(
    ("left_out", "rejects", "expected"),
    [
        (
            1,
            "/home/admin/my rejects.ldif",
            "1 rejected step (to revert this part too: dcmcfg apply '/home/admin/my rejects.ldif')",
        ),
        (2, "", "2 rejected steps (to revert this part too: dcmcfg apply undo-1.rejects.ldif)"),
    ],
)
def test_changes_rejected_by_an_undo_are_reported_with_their_file(
    tmp_path: Path, left_out: int, rejects: str, expected: str
) -> None:
    recorded(tmp_path)
    recorded(tmp_path, undoes=1, left_out=left_out, rejects=rejects)
    with pytest.raises(Refused) as refused:
        select_rollout_to_undo(History(tmp_path), URL, 1, None)
    assert refused.value.message == f"change 1 was reverted by change 2, except for {expected}"
    assert refused.value.next_step == "to redo change 1, revert its undo: dcmcfg undo 2"


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
def test_a_change_on_another_directory_is_reported_with_the_source_of_its_url(
    tmp_path: Path, command: str, option: str
) -> None:
    recorded(tmp_path, url=ELSEWHERE, command=command)
    with pytest.raises(Refused) as refused:
        select_rollout_to_undo(History(tmp_path), URL, 1, None)
    assert refused.value.next_step.partition("; ")[0] == f"select that directory: {option}"


def test_an_interrupted_roll_out_of_which_nothing_came_is_not_passed_over_for_an_older_one(tmp_path: Path) -> None:
    recorded(tmp_path)
    interrupted = recorded(tmp_path, done=0)
    with pytest.raises(Refused, match="change 2 has changed nothing"):
        select_rollout_to_undo(History(tmp_path), URL, None, interrupted)


def test_an_interrupted_undo_is_not_guessed_about(tmp_path: Path) -> None:
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=1, done=1)
    with pytest.raises(Refused, match="apply --resume; to revert the change: dcmcfg undo 2"):
        select_rollout_to_undo(History(tmp_path), URL, None, interrupted)


def test_an_interrupted_undo_of_which_nothing_came_is_done_again(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=1, done=0)
    assert select_rollout_to_undo(History(tmp_path), URL, None, interrupted).number == 1, "not the newest that stands"


def test_an_interrupted_undo_that_is_complete_is_not_followed_by_another(tmp_path: Path) -> None:
    recorded(tmp_path)
    recorded(tmp_path)
    interrupted = recorded(tmp_path, undoes=2)
    with pytest.raises(
        Refused, match=r"change 3 \(the undo of change 2\) was interrupted, but is now complete"
    ) as refused:
        select_rollout_to_undo(History(tmp_path), URL, None, interrupted)
    assert refused.value.next_step == (
        "to redo change 2, revert its undo: dcmcfg undo 3; to revert the previous change: dcmcfg undo 1"
    )


@pytest.mark.parametrize(("done", "became"), [(0, "and has changed nothing"), (1, "but is now complete")])
def test_an_unfinished_change_is_not_treated_as_the_interrupted_one(tmp_path: Path, done: int, became: str) -> None:
    """Roll-out 1 is unfinished, and what was interrupted is the undo of its undo, or its undo."""
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1)
    interrupted = recorded(tmp_path, undoes=2) if done else recorded(tmp_path, undoes=1, done=0)
    history = History(tmp_path)
    if not done:
        recorded(tmp_path, undoes=2)
        history = History(tmp_path)
    with pytest.raises(Refused, match=rf"{became}; change 1 .* is unfinished: 1 of 2") as refused:
        select_rollout_to_resume(history, URL, interrupted)
    assert refused.value.next_step == "to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo"
    assert select_rollout_to_resume(history, URL, None).number == 1


def test_where_nothing_was_changed_the_unfinished_one_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    recorded(tmp_path, undoes=1, done=0)
    with pytest.raises(Refused, match=r"change 2 has changed nothing; change 1 .* is unfinished") as refused:
        select_rollout_to_undo(History(tmp_path), URL, 2, None)
    assert refused.value.next_step == "to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo"


def test_an_undo_can_be_undone_where_that_leads_back_to_what_is_unfinished(tmp_path: Path) -> None:
    recorded(tmp_path, done=1)
    undo_of_the_first_step(tmp_path)
    recorded(tmp_path, undoes=2)
    history = History(tmp_path)
    assert (history.find_unfinished(URL) or history.records[0]).number == 1
    assert select_rollout_to_undo(history, URL, 3, None).number == 3


def test_a_roll_out_that_was_resumed_since_is_not_reverted_in_part(tmp_path: Path) -> None:
    """2 reverted the one step that was made, 3 made it again, and then 1 was resumed."""
    first = recorded(tmp_path, done=1)
    undo_of_the_first_step(tmp_path)
    recorded(tmp_path, undoes=2)
    with first.journal.open_for_writing() as pen:
        pen.write_ended(2)
    with pytest.raises(Refused, match="change 3 has redone change 1, but change 1 was later resumed") as refused:
        select_rollout_to_undo(History(tmp_path), URL, 3, None)
    assert refused.value.next_step == "to revert all steps of change 1: dcmcfg undo 1"


def test_an_undo_that_another_one_has_overtaken_is_named_with_that_one(tmp_path: Path) -> None:
    for undoes in (None, 1, 2, 1):
        recorded(tmp_path, undoes=undoes)
    history = History(tmp_path)
    for number in (2, 3):
        with pytest.raises(
            Refused, match="change 3 has redone change 1, but change 1 was later reverted by change 4"
        ) as refused:
            select_rollout_to_undo(history, URL, number, None)
        assert refused.value.next_step == "to redo change 1, revert its undo: dcmcfg undo 4"
