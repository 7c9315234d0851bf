"""``dcmcfg verify`` of many studies, stopped in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from junitparser import JUnitXml, Skipped

from dcmcfg.lab.move_scp import MoveExchange
from tests.bulk.archive import Archive
from tests.cli.at_terminal import interrupted_at_terminal
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, Verify, command, named
from tests.patience import PATIENCE_S
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_what_was_not_asked_is_an_error_and_what_is_open_is_skipped_in_junit(
    verify: Verify, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    def stop(exchange: MoveExchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while not exchange.is_cancelled:
            time.sleep(0.01)

    script.on_exchange = stop
    target = tmp_path / "report.xml"
    done = verify(*named(FIVE), "--parallel", "1", "--junit", str(target))
    assert done.exit_code == 1
    assert "5 studies: 5 pending\n" in done.stdout
    assert (
        "Next step To continue, run the same command again. dcmcfg skips studies that already have a result\n"
    ) in done.stdout
    suite = next(iter(JUnitXml.fromfile(str(target))))
    assert all(isinstance(case.result[0], Skipped) for case in suite)
    script.on_exchange = lambda _: None
    assert verify(*named(FIVE)).exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[:1])


def test_at_a_terminal_a_bar_shows_how_it_goes_and_ctrl_c_stops(
    site: RunningSlapd, pacs: Archive, script: Script, run: Run
) -> None:
    third = threading.Event()

    def wait_at_the_third(exchange: MoveExchange) -> None:
        if exchange.request.study_uid == FIVE[2]:
            third.set()
            while not exchange.is_cancelled:
                time.sleep(0.01)

    script.on_exchange = wait_at_the_third
    arguments = (*command(pacs), *named(FIVE), "--parallel", "1")
    code, shown = interrupted_at_terminal(arguments, lambda: third.wait(PATIENCE_S))
    assert code == 1
    assert "2/5" in shown
    assert "/s 0:00:0" in shown
    assert (
        "dcmcfg cancels the active requests (C-CANCEL), then stops. To close the connections immediately, press Ctrl-C "
        "again\n"
    ) in shown
    assert "5 studies: 2 reported as sent by the archive, 3 pending\n" in shown
    script.on_exchange = lambda _: None
    assert run(*arguments).exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[2:3])


def test_what_was_asked_anew_is_gone_on_with_without_saying_so_again(
    verify: Verify, pacs: Archive, script: Script
) -> None:
    assert verify(*named(FIVE[:2])).exit_code == 0

    def stop(exchange: MoveExchange) -> None:
        if len(pacs.moves) > 3:
            os.kill(os.getpid(), signal.SIGINT)
            while not exchange.is_cancelled:
                time.sleep(0.01)

    script.on_exchange = stop
    stopped = verify(*named(FIVE[:2]), "--again", "--parallel", "1")
    assert (
        "To continue, run the same command without --again. dcmcfg skips studies that already have a result\n"
    ) in stopped.stdout
    script.on_exchange = lambda _: None
    assert verify(*named(FIVE[:2])).exit_code == 0
    assert len(pacs.moves) == 5


def test_a_run_that_was_killed_is_gone_on_with(
    site: RunningSlapd, pacs: Archive, script: Script, tmp_path: Path, run: Run
) -> None:
    arguments = (*command(pacs), *named(FIVE), "--parallel", "1")

    def kill_at_the_third(exchange: MoveExchange) -> None:
        if exchange.request.study_uid == FIVE[2] and process.poll() is None:
            process.kill()
            process.wait()

    script.on_exchange = kill_at_the_third
    process = subprocess.Popen([sys.executable, "-m", "dcmcfg", *arguments], stdout=subprocess.DEVNULL)
    process.wait(PATIENCE_S)
    assert process.returncode == -signal.SIGKILL
    done = run(*arguments, "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[2:3])
    assert report["attempts"] == {"count": 6, "interrupted_count": 1, "retry_count": 0}
    assert [[each["outcome"] for each in study["attempts"]] for study in report["studies"]] == [
        ["reported"],
        ["reported"],
        [None, "reported"],
        ["reported"],
        ["reported"],
    ]
