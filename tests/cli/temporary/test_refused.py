"""``dcmcfg verify --temporary-dest``: what it does not do, and what the archive does not do with it."""

from __future__ import annotations

import json
import re

import pytest

from dcmcfg.lab.studies import get_standard_study
from tests.archive.scripted import scripted_archive as scripted_control
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.temporary.runs import VERIFY, masked
from tests.lab.purging import purge
from tests.lab.running_site import RunningSite
from tests.ports import free_port

pytestmark = pytest.mark.real


def test_the_whole_plan_is_shown_where_that_is_asked_for(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--show-plan")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "\nchangetype: add\n" in done.stderr


def test_a_port_that_is_taken_is_3_before_anything_is_shown(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes", "--temporary-address", f"127.0.0.1:{site.site.ports.archive}")
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"port {site.site.ports.archive} is already in use by " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("  next: specify another port with --temporary-address HOST:PORT")


def test_nobody_to_ask_and_no_are_a_no_with_nothing_changed(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith(
        "dcmcfg: there is no terminal for the confirmation; nothing was changed\n  next: pass --yes to confirm\n"
    )
    question = "for this run? [y/N]: "
    code, shown = at_terminal(VERIFY, [(question, "\x03")])
    assert (code, shown.splitlines()[-1]) == (130, "dcmcfg: interrupted; nothing was changed")
    assert run("history").stdout == "No changes were applied from this account\n"


def test_an_address_that_is_none_is_2(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--temporary-address", "h:x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the address must have the form HOST or HOST:PORT" in done.stderr


def test_an_address_at_which_the_archive_does_not_find_us_is_a_no_that_says_so(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes", "--json", "--temporary-address", f"nowhere.invalid:{free_port()}")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["verified"], answer["temporary_destination"]["removed"]) == (1, False, True)
    assert answer["next_steps"] == [
        "the archive's machine or container cannot resolve nowhere.invalid: specify another name or the address of "
        "this machine with --temporary-address HOST[:PORT]"
    ]


def test_of_many_studies_no_step_that_is_kept_calls_a_command_with_it(run: Run, site: RunningSite) -> None:
    uids = [get_standard_study(name).uid for name in ("local", "one")]
    named = [word for uid in uids for word in ("--study", uid)]
    address = f"nowhere.invalid:{free_port()}"
    done = run("verify", *named, "--temporary-dest", "--temporary-address", address, "--yes", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, len(answer["studies"])) == (1, 2)
    next_steps = [each["next_step"] for each in (*answer["studies"], *answer["failure_groups"])] + answer["next_steps"]
    assert all(next_steps)
    assert not [each for each in next_steps if re.search(r"dcmcfg [^;,]*DCMCFG_", each)]


def test_an_external_archive_that_does_not_know_it_is_not_told_as_the_archive_that_did_not_reload(
    run: Run, site: RunningSite
) -> None:
    purge(site.site, get_standard_study("one").uid)
    done = run("verify", "--study", get_standard_study("one").uid, "--temporary-dest", "--yes", "--json")
    steps = json.loads(done.stdout)["next_steps"]
    assert (done.exit_code, len(steps)) == (1, 1)
    assert steps[0].startswith("the archive passed the request on with the original Move Destination, but the external")


def test_an_archive_that_does_not_reload_costs_nothing_but_says_4_when_it_may_know_it(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_control() as control:
        control.run_as_an_archive_does()
        control.by_path["ctrl/reload"] = (500, b"Address already in use")
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
        done = run(*VERIFY, "--yes", "--json")
        answer = json.loads(done.stdout)
        assert (done.exit_code, answer["error"]["exit_code"]) == (4, 4)
        assert "the LDAP directory is restored, but the archive may still know DCMCFG_" in done.stderr
        assert (
            answer["error"]["next_step"]
            == "to reload the archive when it is available: dcmcfg verify --clean-temporary"
        )
        assert (answer["temporary_destination"]["removed_by_rollout"], answer["temporary_destination"]["removed"]) == (
            2,
            False,
        )
        status = run("status")
        assert masked(status.stderr).startswith(
            "warning: an earlier verify might not have removed the temporary destination DCMCFG_TITLE"
        )
        control.run_as_an_archive_does()
        cleaned = run("verify", "--clean-temporary", "--yes")
        assert (cleaned.exit_code, masked(cleaned.stdout)) == (0, "Removed: DCMCFG_TITLE\n")
        assert run("status").stderr == ""


def test_a_reload_that_fails_once_is_3_with_everything_taken_back(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_control() as control:
        control.run_as_an_archive_does()
        control.once["ctrl/reload"] = (409, b'{"errorMessage":"x"}')
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
        done = run(*VERIFY, "--yes")
    assert (done.exit_code, done.stdout, control.reloads) == (3, "", 2)
    assert "the archive may not know DCMCFG_" in done.stderr
    assert ". dcmcfg reverted the change in LDAP, so the configuration in LDAP is unchanged\n" in done.stderr


def test_an_archive_that_is_away_is_found_out_before_anything_is_asked(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:1/dcm4chee-arc")
    done = run(*VERIFY, "--yes")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "nothing was changed; the archive must reload before it can send to a new destination" in done.stderr
