"""The answers that ``dcmcfg verify`` of many studies keeps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.bulk.archive import Archive, archive_of
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Verify, command, named
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_kept_answers_are_judged_by_what_this_run_requires(run: Run, site: RunningSlapd) -> None:
    with archive_of(FIVE, availability="ONLINE") as pacs:
        asked = (*command(pacs), *named(FIVE))
        assert run(*asked).exit_code == 0
        done = run(*asked, "--require-route")
        assert done.exit_code == 1
        assert done.stdout.startswith("5 studies: 5 not verified, all for like reasons; nothing asked now")
        assert "why not   5 studies: route not shown, and it is required (" in done.stdout
        assert "          next: only purged studies show the route, by the external archive's own log" in done.stdout
        assert run(*asked).exit_code == 0, "what was required is not kept"
        assert sorted(pacs.moves) == FIVE
        assert run(*asked, "--require-route", "--only-failed").exit_code == 1
        assert len(pacs.moves) == 10
        assert run(*asked).exit_code == 0


def test_a_store_is_for_one_question_and_named_by_the_user(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify(*named(FIVE[:2]), *store).exit_code == 0
    other = verify(*named(FIVE[:2]), *store, "--calling", "OTHER")
    assert other.exit_code == 3
    assert "another question: calling: DCMCFG there, OTHER here" in other.stderr
    longer = verify(*named(FIVE[:3]), *store)
    assert longer.exit_code == 0
    assert "note      2 had their answer before, the oldest of " in longer.stdout
    assert Counter(pacs.moves) == Counter(FIVE[:3])


def test_a_yes_to_a_part_is_none_to_another(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify("--study", FIVE[0], *store).exit_code == 0
    one = verify("--study", FIVE[0], *store, "--image", "1.2.3.4")
    assert one.exit_code == 3
    assert "another question: level: study there, image here; instances: none there, 1.2.3.4 here" in one.stderr
    two = verify("--study", FIVE[0], *store, "--expect", "2")
    assert two.exit_code == 3
    assert "another question: expected: none there, 2 here" in two.stderr
