"""``dcmcfg verify --clean-temporary``: what other runs have left, or still work with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.writer import format_entry
from tests.archive.scripted import scripted_archive as scripted_control
from tests.cli.conftest import Run
from tests.cli.sites import settle_at
from tests.cli.temporary.runs import LOCAL, VERIFY, Silent, add, elsewhere
from tests.lab.running_site import RunningSite
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real


def test_what_a_run_works_with_is_left_alone_by_every_account_that_can_tell(
    run: Run, site: RunningSite, silent: Silent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with silent.started() as process:
        mine = run("verify", "--clean-temporary", "--yes").stdout
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
        theirs = run("verify", "--clean-temporary", "--yes").stdout
        monkeypatch.setattr("socket.gethostname", lambda: "another")
        elsewhere = run("verify", "--clean-temporary", "--yes").stdout
        silent.over.set()
        process.communicate(timeout=PATIENCE_S)
    assert (mine, theirs, elsewhere) == ("No temporary destinations found.\n",) * 3


def test_what_another_machine_may_work_with_is_told_and_left_until_somebody_says_so(
    run: Run, site: RunningSite
) -> None:
    add(site, elsewhere("2999-01-01T00:00:00Z"))
    leftover = "DCMCFG_0A1B2C3D4 (of ann@desk7 (process 4711), 2999-01-01 00:00:00 UTC; the destination may be in use)"
    done = run("verify", "--study", LOCAL, "--dest", "STORESCP")
    assert (
        f"warning: an earlier run of verify has left the temporary destination {leftover}. To remove it: dcmcfg verify "
        "--clean-temporary\n" in done.stderr
    )
    done = run(*VERIFY, "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)["temporary_destination"]["removed_leftovers"]) == (0, [])
    action = "will not be removed (to remove it: dcmcfg verify --clean-temporary)"
    assert f"temporary destination of another run, {action}: {leftover}\n" in done.stderr
    status = run("status", "--directory", "--json")
    assert (status.exit_code, json.loads(status.stdout)["temporary_leftovers"]) == (0, ["DCMCFG_0A1B2C3D4"])
    assert f"warning: an earlier verify might not have removed the temporary destination {leftover}. " in status.stderr
    done = run("verify", "--clean-temporary")
    assert (done.exit_code, done.stdout) == (1, "")
    done = run("verify", "--clean-temporary", "--yes")
    assert (done.exit_code, done.stdout) == (0, "Removed: DCMCFG_0A1B2C3D4\n")
    done = run("verify", "--clean-temporary", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"removed": []})


def test_what_another_machine_has_left_long_ago_goes_first(run: Run, site: RunningSite) -> None:
    add(site, elsewhere("2026-01-01T00:00:00Z"))
    done = run(*VERIFY, "--yes", "--json")
    answer = json.loads(done.stdout)["temporary_destination"]
    assert (done.exit_code, answer["removed_leftovers"], answer["added_by_rollout"]) == (0, ["DCMCFG_0A1B2C3D4"], 2)


def test_what_may_not_be_removed_is_3_with_nothing_changed(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(lab, elsewhere("2026-01-01T00:00:00Z"))
    entries = tmp_path / "entries.ldif"
    entries.write_text("".join(map(format_entry, sorted(lab.slapd.entries(), key=lambda each: len(each.dn.rdns)))))
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_database="readonly on")
    slapd.prepare()
    slapd.load_files([entries])
    with slapd, scripted_control() as control:
        settle_at(monkeypatch, RunningSlapd(slapd), control)
        done = run("verify", "--clean-temporary", "--yes")
        assert (done.exit_code, done.stdout, control.reloads) == (3, "", 0)
        assert "could not remove DCMCFG_0A1B2C3D4: " in done.stderr
        assert "LDAP result 53" in done.stderr
        monkeypatch.setenv("DCMCFG_LDAP_URL", lab.slapd.url)
        assert run("verify", "--clean-temporary", "--yes").exit_code == 0
