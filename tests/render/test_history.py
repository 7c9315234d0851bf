"""The list of changes: one line for each, common values above the table, a long command shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.render.history import print_history
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutHeader, RolloutRecord
from dcmcfg.rollout.site_history import SiteHistory

LONG = "dcmcfg apply " + " ".join(f"file{number}.ldif" for number in range(40))
SITES = ("ldap://127.0.0.1:29423", "ldap://127.0.0.1:29423")


def listed(
    state: Path, urls: tuple[str, str], width: int | None, capsys: pytest.CaptureFixture[str], *, steps: int = 1
) -> str:
    for number, url in enumerate(urls, start=1):
        record = RolloutRecord(state / "rollouts" / str(number))
        record.folder.mkdir(parents=True)
        counts = {"change": 2, "add": 2000} if number == 1 else {"change": 1}
        command = LONG if number == 1 else "dcmcfg undo --yes"
        head = RolloutHeader(
            started_at="2026-11-24T04:00:01Z",
            user="ann",
            host="pacs",
            ldap_url=url,
            site="",
            command=command,
            strategy="in one change",
            counts=counts,
            undo_sizes=(1,) * steps,
            undo_of=None,
            sha256={},
        )
        (record.folder / "head.json").write_text(head.to_json())
        (record.folder / "journal").write_text("begins 1 1\nended 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width)) if width else patch.delenv("COLUMNS", raising=False)
        print_history(make_stdout_console(), SiteHistory(History(state), None))
    return capsys.readouterr().out


def test_user_and_directory_are_above_and_a_long_command_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        listed(tmp_path, SITES, 80, capsys)
        == """\
User:      ann@pacs
Directory: ldap://127.0.0.1:29423

 Change   Time (UTC)         Entries        Result    Command
 ─────────────────────────────────────────────────────────────────────────────
 2        2026-11-24 04:00   1 changed      applied   dcmcfg undo --yes
 1        2026-11-24 04:00   2,000 added…   applied   dcmcfg apply file0.ldif…

Some values are shortened. --wide shows the full values.
"""
    )


def test_a_column_shows_directories_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(tmp_path, (SITES[0], "ldap://pacs.example.org"), 200, capsys)
    assert "Directory: " not in text
    assert "applied   ldap://pacs.example.org   dcmcfg undo --yes\n" in text


def test_a_result_is_never_shortened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    partial = listed(tmp_path, SITES, 100, capsys, steps=12)
    assert "partially applied, 1 of 12   dcmcfg apply file0.ldif" in partial


def test_in_a_pipe_the_command_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"2,000 added, 2 changed   applied   {LONG}\n" in listed(tmp_path, SITES, None, capsys)
