"""``dcmcfg verify --temporary-dest`` that is interrupted during the C-MOVE takes back what it has added."""

from __future__ import annotations

import json
import os
import pty
import select
import sys

import pytest

from dcmcfg.settings.folders import get_state_folder
from dcmcfg.temporary.title_claims import read_title_claims
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.temporary.runs import LOCAL, MADE, VERIFY, Silent, masked, octets
from tests.lab.running_site import RunningSite
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real


def test_sigterm_during_a_run_over_many_studies_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    with silent.started("--study", LOCAL) as process:
        process.terminate()
        silent.over.set()
        _, problem = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (1, 130), problem
    assert "removed DCMCFG_TITLE (change 2)\nthe archive has reloaded\n" in masked(problem)


def test_ctrl_c_at_a_terminal_during_the_move_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    arguments = [*VERIFY, "--connect", silent.place]
    code, shown = at_terminal(arguments, [("run? [y/N]: ", "y"), ("the archive has reloaded\r\n", "\x03")])
    assert code in (1, 130), shown
    assert "removed DCMCFG_TITLE (change 2)" in masked(shown)


def test_a_terminal_that_is_closed_during_the_move_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    """The hang-up arrives as SIGHUP, and nothing can be said any more."""
    pid, terminal = pty.fork()
    if pid == 0:
        asking = ("verify", "--study", MADE, "--temporary-dest", "--yes", "--connect", silent.place)
        os.execv(sys.executable, [sys.executable, "-m", "dcmcfg", *asking])
    while not silent.asked.is_set():
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 65536)
    os.close(terminal)
    silent.over.set()
    os.waitpid(pid, 0)
    assert [str(dn) for dn in octets(site) if "dcmcfg_" in dn] == []
    assert read_title_claims(get_state_folder()) == ()


def test_a_directory_that_is_away_at_the_end_is_4_with_the_command_that_does_it(
    run: Run, site: RunningSite, silent: Silent
) -> None:
    with silent.started("--json") as process:
        site.slapd.slapd.stop()
        silent.over.set()
        out, _ = process.communicate(timeout=PATIENCE_S)
        site.slapd.slapd.start()
    answer = json.loads(out)
    assert (process.returncode, answer["verified"], answer["temporary_destination"]["removed"]) == (4, False, False)
    assert masked(answer["error"]["message"]).startswith("could not remove DCMCFG_TITLE: ")
    assert answer["error"]["next_step"].endswith("; then run dcmcfg verify --clean-temporary")
    assert run("verify", "--clean-temporary", "--yes").exit_code == 0
