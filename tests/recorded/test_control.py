"""``dcmcfg status`` and ``dcmcfg reload`` against the recorded answers of the real archive's control service."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dcmcfg.archive.control import StatusPolling
from dcmcfg.archive.http_client import HttpTimeouts
from dcmcfg.cli.main import program
from tests.ports import free_port
from tests.recorded.control_replay import (
    PORTS,
    RELOAD,
    STATUS,
    Played,
    Replay,
    Step,
    ctrl,
    played,
    polled,
    replaying,
    status_response,
)
from tests.recorded.control_truth import (
    FAILED_STARTS,
    NEVER_SENT,
    POLLED,
    REPLAYED,
    ExpectedOutput,
    read_expected_outputs,
    write_expected_outputs,
)
from tests.recorded.recordings import http, http_names

pytestmark = pytest.mark.usefixtures("recordings")


@pytest.fixture(autouse=True)
def short_silences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wait for tenths of a second where the commands wait for seconds; no settings of an account."""
    monkeypatch.setattr(
        "dcmcfg.archive.control.StatusPolling",
        partial(StatusPolling, retry_period_s=0.2, retry_interval_s=0.05, slow_after_s=0.1),
    )
    monkeypatch.setattr("dcmcfg.archive.http_client.HttpTimeouts", partial(HttpTimeouts, connect=2, response=0.4))
    for kind in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))


def run(command: str, url: str) -> tuple[Result, dict[str, Any]]:
    """Run *command* as people do, then with ``--json``; both must end in the same exit code."""
    told = CliRunner().invoke(program, [command, "--archive-url", url], prog_name="dcmcfg")
    as_json = CliRunner().invoke(program, [command, "--archive-url", url, "--json"], prog_name="dcmcfg")
    assert told.exit_code == as_json.exit_code
    assert "Traceback" not in told.output + as_json.output
    return told, json.loads(as_json.stdout)


@pytest.fixture
def replay() -> Any:
    """Return what runs a command against recorded answers: ``replay("status", {STATUS: [...]})``."""

    def played_to(command: str, answers: Mapping[str, list[Step]]) -> tuple[Result, dict[str, Any], Replay]:
        with replaying({request: list(steps) for request, steps in answers.items()}) as server:
            told, content = run(command, server.url)
        return told, content, server

    return played_to


def closed_ports(afterwards: Mapping[str, Any]) -> set[str]:
    return {name for name, state in afterwards["ports"].items() if state == "refused"}


# -- status


@pytest.mark.parametrize("name", ["status-started", "status-started-again"])
def test_started(replay: Any, name: str) -> None:
    told, content, _ = replay("status", {STATUS: [ctrl(name)]})
    assert (told.exit_code, content["reported_status"], content["state"]) == (0, "STARTED", "started")
    assert told.stdout.startswith("STARTED: archive ")
    assert not closed_ports(http("ctrl", name).more["afterwards"])


@pytest.mark.parametrize("name", ["status-stopped", "status-stopped-after-reload"])
def test_stopped_names_the_closed_ports_and_the_command_that_starts_it(replay: Any, name: str) -> None:
    told, content, server = replay("status", {STATUS: [ctrl(name)]})
    assert (told.exit_code, content["reported_status"], content["state"]) == (1, "STOPPED", "stopped")
    assert "its DICOM and HL7 ports are closed. A reload does not open the ports." in told.stdout
    assert f"or run: curl -X POST {server.url}/ctrl/start\n" in told.stdout
    assert closed_ports(http("ctrl", name).more["afterwards"]) == set(PORTS)


@pytest.mark.parametrize(
    "name", [f"{each}-{when}" for each in FAILED_STARTS for when in ("status", "status-after-reload")]
)
def test_start_that_failed(replay: Any, name: str) -> None:
    told, content, server = replay("status", {STATUS: [ctrl(name)]})
    assert (told.exit_code, content["state"], told.stdout) == (3, "failed to deploy", "")
    assert "The archive failed to start, or it is still starting (HTTP 500" in told.stderr
    assert "restart the server, because a reload does not start the archive." in told.stderr
    assert "C-ECHO, with status 0122" in told.stderr
    assert len(server.asked) > 2, "a 500 that passes would have passed"


@pytest.mark.parametrize("name", ["status-post", "reload-get", "unknown"])
def test_another_path_or_method_of_the_archive_is_a_wrong_path(replay: Any, name: str) -> None:
    told, content, _ = replay("status", {STATUS: [ctrl(name)]})
    assert (told.exit_code, content["state"]) == (3, "wrong path")
    assert "The archive answers, but it has no status and reload service at this path" in told.stderr
    assert "Check the archive's base URL" in told.stderr


#: (phase, what was answered) → the state that status shows when that answer stays.
SHOWN = {
    ("running", 200): "started",
    ("started", 200): "started",
    ("deployed", 200): "started",
    ("starting", 200): "started",
    ("deploying", 200): "started",
    ("stopping", 503): "stopping",
    ("stopping", 404): "not deployed",
    ("stopping", "ConnectionRefusedError"): "not running",
    ("starting", "TimeoutError"): "no response",
    ("undeploying", 400): "stopping",
    ("undeploying", 404): "not deployed",
    ("deploying", 500): "failed to deploy",
}


def answers() -> list[tuple[str, int]]:
    """Each answer of the polls that there are, by recording and place."""
    names = [name for name in POLLED if name in http_names("ctrl")]
    return [(name, place) for name in names for place in range(len(polled(name)))]


@pytest.mark.parametrize(("name", "place"), answers())
def test_each_answer_while_the_archive_comes_and_goes_has_its_state(replay: Any, name: str, place: int) -> None:
    recorded, step = polled(name)[place]
    if step is None:
        url = f"http://127.0.0.1:{free_port()}/dcm4chee-arc"
        told, content = run("status", url)
    else:
        told, content, _ = replay("status", {STATUS: [step]})
    state = SHOWN[recorded["phase"], recorded["answer"][1]]
    assert content["state"] == state
    assert told.exit_code == (0 if state == "started" else 3)
    assert ("next: " in told.stderr) == (state != "started")


def test_deployment_that_ends_while_status_asks_again_is_started(replay: Any) -> None:
    steps = [step for each, step in polled("undeploy-and-deploy") if each["phase"] == "deploying" and step]
    assert [step.status for step in steps if isinstance(step, Played)] == [500, 500, 200]
    told, content, _ = replay("status", {STATUS: steps})
    assert (told.exit_code, content["state"]) == (0, "started")
    assert told.stderr == "HTTP 500 from the web server; dcmcfg retries for up to 0.2 s …\n"


def test_server_that_stops_while_status_asks_again_is_not_called_stopping(replay: Any) -> None:
    steps = [step for each, step in polled("stop-and-start") if each["phase"] == "stopping" and step]
    _, content, _ = replay("status", {STATUS: steps})
    assert content["state"] == "not deployed"


# -- reload


def test_reload_that_is_clean(replay: Any) -> None:
    told, content, server = replay("reload", {RELOAD: [ctrl("reload")], STATUS: [ctrl("status-started")]})
    assert (told.exit_code, content["reloaded"], content["configuration_active"]) == (0, True, True)
    assert told.stdout.startswith("reloaded: archive ")
    assert server.asked == [RELOAD, STATUS] * 2


def test_reload_of_a_stopped_archive_says_that_its_ports_are_closed(replay: Any) -> None:
    told, content, server = replay(
        "reload", {RELOAD: [ctrl("reload-when-stopped")], STATUS: [ctrl("status-stopped-after-reload")]}
    )
    assert (told.exit_code, told.stdout, content["state"], content["configuration_active"]) == (4, "", "stopped", True)
    assert "the archive is STOPPED: its DICOM and HL7 ports are closed" in told.stderr
    assert f"or run: curl -X POST {server.url}/ctrl/start\n" in told.stderr
    assert closed_ports(http("ctrl", "reload-when-stopped").more["afterwards"]) == set(PORTS)


@pytest.mark.parametrize("name", FAILED_STARTS)
def test_reload_after_a_start_that_failed_reloads_nothing(replay: Any, name: str) -> None:
    told, content, server = replay(
        "reload", {RELOAD: [ctrl(f"{name}-reload")], STATUS: [ctrl(f"{name}-status-after-reload")]}
    )
    assert (told.exit_code, content["reloaded"], content["configuration_active"]) == (3, False, False)
    assert "The archive did not reload. The archive failed to start" in told.stderr
    assert "restart the server" in told.stderr
    assert server.asked.count(RELOAD) == 2, "one for each run"


@pytest.mark.parametrize("name", ["unknown", "reload-get"])
def test_reload_at_a_wrong_path_reloads_nothing(replay: Any, name: str) -> None:
    told, content, _ = replay("reload", {RELOAD: [ctrl(name)]})
    assert (told.exit_code, content["reloaded"], content["state"]) == (3, False, "wrong path")


def in_force(name: str) -> bool:
    """What facts.md says of the recording: binding fails after the configuration is in force, loading before."""
    recording = http("ctrl-broken", name)
    return recording.status == 204 or bool(closed_ports(recording.more["afterwards"]))


@pytest.mark.parametrize("name", http_names("ctrl-broken"))
def test_reload_of_a_broken_configuration(replay: Any, name: str) -> None:
    recording = http("ctrl-broken", name)
    afterwards = recording.more["afterwards"]
    told, content, server = replay(
        "reload", {RELOAD: [played(recording)], STATUS: [status_response(afterwards["status"])]}
    )
    closed = closed_ports(afterwards)
    assert content["configuration_active"] is in_force(name)
    assert content["has_closed_listener"] is bool(closed)
    assert content["reloaded"] is (recording.status == 204)
    assert told.exit_code == (0 if recording.status == 204 else 4 if closed else 3)
    repeats = content["has_closed_listener"] and content["closed_listener"] is not None
    assert server.asked.count(RELOAD) == (4 if repeats else 2), "a listener that was not opened is tried once more"
    if recording.status == 204:
        return
    assert "reloaded: archive" not in told.stdout
    first_line = recording.text.splitlines()[0].removeprefix('{"errorMessage":"').removesuffix('"}')
    assert first_line.rpartition(": ")[2].split(".")[-1] in told.stderr
    said = "The new configuration is in force, but" if closed else "The archive keeps its previous configuration"
    assert said in told.stderr
    if content["closed_listener"] is not None:
        port = int(content["closed_listener"].rpartition(":")[2])
        moved = "the port of cn=dicom" in recording.configured
        assert moved or port in {PORTS[each] for each in closed}


@pytest.mark.parametrize("name", http_names("ctrl-broken"))
def test_reload_after_the_repair(replay: Any, name: str) -> None:
    """As the second reload of the same run where dcmcfg repeats it, else as a run of its own."""
    recording = http("ctrl-broken", name)
    second = second_response(recording.more["after_repair_and_second_reload"])
    closed = closed_ports(recording.more["after_repair_and_second_reload"])
    status = status_response(recording.more["after_repair_and_second_reload"]["status"])
    repeats = b"Unable to start TCPListener" in recording.body
    steps: list[Step] = [played(recording), second] if repeats else [second]
    with replaying({RELOAD: steps, STATUS: [status]}) as server:
        result = CliRunner().invoke(program, ["reload", "--archive-url", server.url, "--json"], prog_name="dcmcfg")
    content = json.loads(result.stdout)
    assert result.exit_code == (4 if closed else 0)
    assert (content["configuration_active"], content["has_closed_listener"]) == (True, bool(closed))
    if closed:
        assert {int(content["closed_listener"].rpartition(":")[2])} == {PORTS[each] for each in closed}
    elif repeats:
        assert content["reopened_listener"] is not None


def second_response(recorded: Mapping[str, Any]) -> Played:
    """Return the answer to the reload after the repair, of which the recording has status and body."""
    if recorded["http"] == 204:
        return ctrl("reload")
    body = recorded["body"].encode()
    headers = (("Content-Type", "text/plain;charset=UTF-8"), ("Content-Length", str(len(body))))
    return Played(recorded["http"], "Internal Server Error", headers, body)


def test_every_recording_is_replayed_or_never_asked_for() -> None:
    assert {*REPLAYED, *POLLED, *NEVER_SENT} == set(http_names("ctrl"))


# -- what docs/project/fidelity-control.md says


def test_what_is_said_at_each_recording_is_what_the_page_has(replay: Any) -> None:
    """``WRITE_ANSWERS=1`` writes it anew; then ``python -m tests.recorded.table``."""
    rows = [row(replay, name, command, http("ctrl", name).more["asks"]) for name, command in REPLAYED.items()]
    rows += [polled_row(replay, name, place) for name, place in answers()]
    rows += [broken_row(replay, name) for name in http_names("ctrl-broken")]
    if os.environ.get("WRITE_ANSWERS"):
        write_expected_outputs(rows)
    assert tuple(rows) == read_expected_outputs()


def row(replay: Any, name: str, command: str, does: str) -> ExpectedOutput:
    recording = http("ctrl", name)
    state = ctrl("status-stopped-after-reload" if name == "reload-when-stopped" else "status-started")
    if name.startswith("failed-start"):
        state = ctrl(f"{name.removesuffix('-reload')}-status-after-reload") if command == "reload" else ctrl(name)
    given = {STATUS: [ctrl(name) if command == "status" else state], RELOAD: [ctrl(name)]}
    told, _, server = replay(command, given)
    ports = recording.more.get("afterwards", {}).get("ports")
    return ExpectedOutput(name, command, does, ports_in_words(ports), first_line(told, server.url), told.exit_code)


def polled_row(replay: Any, name: str, place: int) -> ExpectedOutput:
    recorded, step = polled(name)[place]
    url = f"http://127.0.0.1:{free_port()}/dcm4chee-arc"
    if step is None:
        told, _ = run("status", url)
    else:
        told, _, server = replay("status", {STATUS: [step]})
        url = server.url
    answer = str(recorded["answer"][1])
    opened = sum(each.endswith(" open") for each in recorded["dicom_ports"])
    true = f"{opened} of {len(recorded['dicom_ports'])} DICOM and HL7 ports open"
    does = f"the server is {recorded['phase']}" if recorded["phase"] != "deployed" else "the archive is deployed"
    return ExpectedOutput(
        f"{name}: {place + 1}", "status", f"{does} ({answer})", true, first_line(told, url), told.exit_code
    )


def broken_row(replay: Any, name: str) -> ExpectedOutput:
    recording = http("ctrl-broken", name)
    afterwards = recording.more["afterwards"]
    told, _, server = replay("reload", {RELOAD: [played(recording)], STATUS: [status_response(afterwards["status"])]})
    force = "in force" if in_force(name) else "not in force"
    true = f"{force}; {ports_in_words(afterwards['ports'])}"
    return ExpectedOutput(name, "reload", recording.configured, true, first_line(told, server.url), told.exit_code)


def ports_in_words(ports: Mapping[str, str] | None) -> str:
    closed = sorted(name for name, state in (ports or {}).items() if state == "refused")
    if ports is None:
        return "-"
    if len(closed) == len(ports):
        return "all ports closed"
    return f"closed: {', '.join(closed)}" if closed else "all ports open"


def first_line(told: Result, url: str) -> str:
    """Return the first line for people, without the URL, the seconds and ports of the test."""
    lines = [line for line in (told.stdout + told.stderr).splitlines() if not line.endswith("…")]
    line = lines[0].removeprefix("dcmcfg: ").replace(f"{url}/ctrl/", "").replace(url, "URL")
    line = line.removeprefix("status: ").removeprefix("reload: ").removeprefix("URL: ")
    return re.sub(r"127\.0\.0\.1:\d+", "HOST:PORT", re.sub(r" \(\d+\.\d+ s\)$", "", line))
