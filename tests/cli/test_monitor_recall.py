"""The recall of ``dcmcfg monitor``: one C-MOVE at most in an interval, with its result for later runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.studies import get_standard_study
from dcmcfg.monitoring.recall_record import RecallFile
from dcmcfg.monitoring.state import State
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.lab.running_site import DEVICE, RunningSite
from tests.plugin_output import PluginOutput, read_plugin_output
from tests.ports import free_port
from tests.sampling import LONG

pytestmark = pytest.mark.real
OK, WARNING, CRITICAL, UNKNOWN = State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN
ONE = get_standard_study("one").uid


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "external", "storage", "archive") as lab:
        yield lab


@pytest.fixture
def site(running: RunningSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """The lab, whose archive knows afterwards again what it knew before."""
    name_in_environment(running, monkeypatch)
    database = open_database(running.site)
    before = database.list_instances()
    yield running
    database.save(before)
    database.close()


def recall(run: Run, *options: str) -> PluginOutput:
    """Run the part with a time that is long enough on a busy machine."""
    result = run("monitor", "--only", "recall", "--recall", "STORESCP", "--timeout-s", "60", *options)
    assert result.stderr == ""
    return read_plugin_output(result.stdout, result.exit_code)


def get_file(site: RunningSite, study: str = "") -> RecallFile:
    state = Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg"
    return RecallFile(state, site.slapd.url, "dcm4chee-arc", "STORESCP", study)


def edit(file: RecallFile, **changes: Any) -> None:
    """Change keys of the result in the record."""
    content = json.loads(file.path.read_text())
    content["result"] |= changes
    file.path.write_text(json.dumps(content))


def test_a_second_run_reports_the_stored_result_and_recalls_nothing(run: Run, site: RunningSite) -> None:
    before = len(site.external_moves()) if site.site.external_move_log.exists() else 0
    assert recall(run, "--recall-stored").states == {"recall": UNKNOWN}
    found = recall(run)
    assert found.states == {"recall": OK}
    assert found.details == (f"study {ONE}",)
    for options in ((), ("--recall-stored",), ("--recall-interval-h", "1")):
        assert recall(run, *options).states == {"recall": OK}
        assert len(site.external_moves()) == before + 1
    assert get_file(site).path.stat().st_mode & 0o777 == 0o600
    # A person who has fixed a problem does not wait for the end of the interval.
    assert recall(run, "--recall-interval-h", "0").states == {"recall": OK}
    assert len(site.external_moves()) == before + 2


def test_the_next_recall_comes_after_the_interval_and_the_age_has_a_limit(run: Run, site: RunningSite) -> None:
    assert recall(run).states == {"recall": OK}
    count = len(site.external_moves())
    file = get_file(site)
    edit(file, started=(datetime.now(UTC) - timedelta(hours=50)).isoformat())
    assert recall(run, "--recall-stored").states == {"recall": WARNING}
    assert recall(run, "--recall-stored", "--critical", "recall=49").states == {"recall": CRITICAL}
    assert len(site.external_moves()) == count
    assert recall(run).states == {"recall": OK}
    assert len(site.external_moves()) == count + 1
    edit(file, started=(datetime.now(UTC) + timedelta(hours=50)).isoformat())
    assert recall(run).states == {"recall": OK}
    assert len(site.external_moves()) == count + 2


def test_a_local_study_proves_no_recall(run: Run, site: RunningSite) -> None:
    assert recall(run, "--recall-study", ONE).states == {"recall": OK}
    found = recall(run, "--recall-study", ONE, "--recall-interval-h", "0")
    assert found.states == {"recall": WARNING}
    assert found.details[0] == "the archive already had the files, so nothing was recalled"


def test_a_destination_that_the_tree_does_not_have_is_unknown_and_nothing_is_sent(run: Run, site: RunningSite) -> None:
    count = len(site.external_moves()) if site.site.external_move_log.exists() else 0
    for title, hint in (
        ("STORESCPP", "did you mean STORESCP?"),
        ("XQZ", "to list the AEs: dcmcfg ae list"),
    ):
        result = run("monitor", "--only", "recall", "--recall", title, "--timeout-s", "60")
        found = read_plugin_output(result.stdout, result.exit_code)
        assert (found.states, found.details) == ({"recall": UNKNOWN}, (hint,))
        assert f"the tree has no AE {title}, so no recall was started" in result.stdout
    assert (len(site.external_moves()) if site.site.external_move_log.exists() else 0) == count
    folder = Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg" / "monitor"
    assert not [*folder.glob("recall-*.json")], "no record, so the right title is recalled at once"


def test_two_runs_at_once_make_one_recall(run: Run, site: RunningSite) -> None:
    count = len(site.external_moves())
    with get_file(site).lock() as is_locked:
        assert is_locked
        assert recall(run).states == {"recall": OK}
    assert len(site.external_moves()) == count
    assert recall(run).states == {"recall": OK}
    with get_file(site).lock():
        found = recall(run, "--recall-interval-h", "0")
    assert (found.states, found.details[0]) == ({"recall": OK}, "a recall is in progress")
    assert len(site.external_moves()) == count + 1


def test_a_run_that_was_killed_is_not_followed_by_a_recall_in_each_run(run: Run, site: RunningSite) -> None:
    assert recall(run).states == {"recall": OK}
    count, file = len(site.external_moves()), get_file(site)
    content = json.loads(file.path.read_text())
    started = datetime.now(UTC).isoformat(timespec="seconds")
    file.path.write_text(json.dumps(content | {"unfinished_since": started}))
    found = recall(run)
    problem = f"the recall that started at {started} did not end"
    assert (found.states, found.details[0]) == ({"recall": UNKNOWN}, problem)
    file.path.write_text(json.dumps({"format": 1, "unfinished_since": started, "result": None}))
    assert recall(run).states == {"recall": UNKNOWN}
    assert len(site.external_moves()) == count


def test_a_failed_recall_has_the_next_step_also_in_later_runs(run: Run, site: RunningSite) -> None:
    options = ("monitor", "--only", "recall", "--recall", "WORKSTATION", "--timeout-s", "60")
    for _ in range(2):
        result = run(*options)
        found = read_plugin_output(result.stdout, result.exit_code)
        assert found.states == {"recall": CRITICAL}
        assert found.details[0].startswith("NOT verified: status A702, refused: ")
        assert found.details[1].startswith(
            "next: the archive recalled the study from the external archive LONGTERM into the archive's own storage, "
            "but WORKSTATION did not accept the study: to check whether the destination answers, run dcmcfg echo "
            "WORKSTATION"
        )


def test_a_record_without_next_steps_is_read(run: Run, site: RunningSite) -> None:
    assert recall(run).states == {"recall": OK}
    file = get_file(site)
    content = json.loads(file.path.read_text())
    del content["result"]["next_steps"]
    content["result"] |= {"is_successful": False, "message": "NOT verified"}
    file.path.write_text(json.dumps(content))
    assert recall(run).details == ("NOT verified", f"study {ONE}")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2}', '{"format": 1, "result": 5}'])
def test_a_damaged_record_starts_no_recall(run: Run, site: RunningSite, text: str) -> None:
    file = get_file(site)
    file.path.parent.mkdir(parents=True, mode=0o700)
    file.path.write_text(text)
    count = len(site.external_moves())
    assert recall(run).states == {"recall": UNKNOWN}
    assert len(site.external_moves()) == count
    assert file.path.read_text() == text


def test_a_state_folder_that_others_can_write_starts_no_recall(run: Run, site: RunningSite) -> None:
    file = get_file(site)
    file.path.parent.mkdir(parents=True)
    file.path.parent.chmod(0o777)
    count = len(site.external_moves())
    assert recall(run).states == {"recall": UNKNOWN}
    assert len(site.external_moves()) == count


def test_a_recall_without_an_archive_is_tried_again_sooner(run: Run, site: RunningSite) -> None:
    port = site.site.ports.archive
    site.put("dicomPort", str(free_port()), dn=f"cn=dicom,{DEVICE}")
    try:
        found = recall(run, "--recall-study", ONE)
        assert found.states == {"recall": UNKNOWN}
        assert "refused" in found.details[0]
    finally:
        site.put("dicomPort", str(port), dn=f"cn=dicom,{DEVICE}")
    assert recall(run, "--recall-study", ONE).states == {"recall": UNKNOWN}
    edit(get_file(site, ONE), started=(datetime.now(UTC) - timedelta(minutes=16)).isoformat())
    assert recall(run, "--recall-study", ONE).states == {"recall": OK}


@pytest.mark.skipif(not LONG, reason="waits for the end of a check, 6 s: run with DCMCFG_LONG")
def test_a_recall_that_takes_too_long_is_cancelled_and_critical(run: Run, site: RunningSite) -> None:
    with site.standing_still("external"):
        result = run("monitor", "--recall", "STORESCP", "--timeout-s", "6")
    found = read_plugin_output(result.stdout, result.exit_code)
    assert (found.states["recall"], result.exit_code) == (CRITICAL, 2)
    assert "no result within 6 s; to wait longer: --timeout-s" in found.details
    assert found.states["check"] is OK
