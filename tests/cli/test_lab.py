"""``dcmcfg lab`` as a user types it: a process of its own, with folders of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from dcmcfg.errors import LabError
from dcmcfg.lab import demo, lifecycle
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Ports, Site
from dcmcfg.lab.state import LabState, ProcessIdentity
from tests.json_schemas import require_schema
from tests.patience import PATIENCE_S
from tests.sampling import LONG

pytestmark = pytest.mark.real
NEW_LAB = "To start a new lab, and delete the configuration of this one: dcmcfg lab up\n"


@dataclass(frozen=True)
class Home:
    """A user's folders; every lab that is started in them ends with the process that runs the test."""

    folder: Path
    environment: dict[str, str]

    @property
    def lab(self) -> Path:
        return self.folder / "state" / "dcmcfg" / "lab"

    @property
    def profile(self) -> Path:
        return self.folder / "config" / "dcmcfg" / "profiles" / "lab.toml"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dcmcfg", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            umask=0,  # which opens everything that is not closed on purpose
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def ports(self) -> Ports:
        return Site.load(self.lab).ports

    def state(self) -> LabState:
        state = LabState.load(self.lab)
        assert state
        return state


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DCMCFG_")}
    environment |= {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "DCMCFG_LAB_WITH_PID": str(os.getpid()),
        "COLUMNS": "120",
    }
    home = Home(tmp_path, environment)
    yield home
    home.run("lab", "down")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def still_listening(ports: Ports) -> list[str]:
    """What still listens after a grace: a killed process is gone a moment before its last thread lets go."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := listening(ports)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def listening(ports: Ports) -> list[str]:
    named = {name: port for name, port in vars(ports).items() if name != "workstation"}
    return [name for name, port in named.items() if listens(port)]


def wait_until_gone(*processes: ProcessIdentity) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while any(process.find_process() for process in processes):
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.05)


def test_a_lab_is_put_up_shown_and_taken_down(home: Home) -> None:
    code, out, err = home.run("lab", "up")
    assert (code, out) == (0, f"The lab is up: profile lab, folder {home.lab}\n"), err
    assert re.findall(r"^  (\w+) +ready", err, re.MULTILINE) == ["slapd", "storage", "external", "archive"]
    ports = home.ports()
    assert listening(ports) == ["ldap", "http", "archive", "external", "storage", "archive_tls"]
    assert not listens(ports.workstation)
    made = [path for name in ("config", "state") for path in (home.folder / name).rglob("*") if path.is_dir()]
    assert home.lab in made
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}
    assert Site.load(home.lab).password_file.stat().st_mode & 0o777 == 0o600

    assert home.run("lab", "up") == (0, f"The lab is already up: profile lab, folder {home.lab}\n", err)
    assert home.ports() == ports

    code, out, err = home.run("lab", "status", "--json")
    assert (code, err) == (0, "")
    status = json.loads(out)
    assert status["running"] is True
    assert {part["name"]: part["ready"] for part in status["parts"]} == {
        "slapd": True,
        "storage": True,
        "external": True,
        "archive": True,
    }
    started = [datetime.fromisoformat(part["started_at"]) for part in status["parts"]]
    assert timedelta() <= datetime.now(UTC) - min(started) < timedelta(minutes=10)
    assert (status["ldap_url"], status["profile"]) == (f"ldap://127.0.0.1:{ports.ldap}", "lab")

    code, out, err = home.run("lab", "status")
    assert (code, err) == (0, "")
    for part in status["parts"]:
        assert f"{part['name']}" in out
        assert f"{part['pid']}" in out
    for study in status["studies"]:
        assert f"    {study['study_instance_uid']}\n" in out

    processes = home.state().processes()
    assert home.run("lab", "down") == (0, "The lab is down.\n", "")
    assert not any(process.find_process() for process in processes)
    assert still_listening(ports) == []
    assert not home.lab.exists()
    assert not home.profile.exists()


def test_the_profile_lab_leads_the_other_commands_to_it(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    code, out, err = home.run("status", "--profile", "lab")
    assert (code, err) == (0, "")
    assert f"http://127.0.0.1:{home.ports().http}/dcm4chee-arc" in out
    code, out, err = home.run("echo", "--profile", "lab", "DCM4CHEE", "--tls")
    assert (code, err) == (0, ""), out
    assert f"127.0.0.1:{home.ports().archive_tls}   TLS" in out
    keys = [key.stat().st_mode & 0o777 for key in (home.lab / "tls").glob("*.key")]
    assert keys == [0o600, 0o600]


def test_without_a_lab_status_says_no_and_down_has_nothing_to_do(home: Home) -> None:
    assert home.run("lab", "status") == (1, "No lab is up. To start a lab: dcmcfg lab up\n", "")
    code, out, err = home.run("lab", "status", "--json")
    assert (code, json.loads(out), err) == (1, {"running": False, "reason": "there is no lab"}, "")
    assert home.run("lab", "down") == (0, "No lab is up.\n", "")


def test_status_and_down_find_the_lab_that_is_in_another_folder(home: Home) -> None:
    folder = home.folder / "elsewhere"
    assert home.run("lab", "up", "--folder", str(folder))[0] == 0
    code, out, err = home.run("lab", "status")
    assert (code, err) == (0, "")
    assert str(folder) in out.replace("\n", "")
    assert home.run("lab", "down") == (0, "The lab is down.\n", "")
    assert not folder.exists()
    assert not home.profile.exists()


def test_of_a_lab_whose_folder_is_gone_status_says_so_and_down_removes_the_profile(home: Home) -> None:
    folder = home.folder / "gone"
    home.profile.parent.mkdir(parents=True)
    home.profile.write_text(
        f'ldap_url = "ldap://127.0.0.1:9"\nbind_password_file = "{folder}/ldap-password"\n'
        f'external_move_log = "{folder}/external/moves.jsonl"\n'
    )
    assert home.run("show", "--profile", "lab") == (
        3,
        "",
        f"dcmcfg: {folder}/ldap-password: the file does not exist (specified by profile lab)\n"
        "  next: to start the lab: dcmcfg lab up\n",
    )
    assert home.run("lab", "status") == (
        1,
        f"The profile lab contains the lab folder {folder}, which no longer exists. "
        "To remove the profile: dcmcfg lab down. To start a new lab: dcmcfg lab up\n",
        "",
    )
    assert home.run("lab", "down") == (
        0,
        (f"The folder {folder} of the lab no longer exists; the profile is removed.\n"),
        "",
    )
    assert not home.profile.exists()
    assert home.run("lab", "down") == (0, "No lab is up.\n", "")


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_down_tells_that_the_removed_profile_was_selected(home: Home, *, as_json: bool, default: bool) -> None:
    folder = home.folder / "gone"
    home.profile.parent.mkdir(parents=True)
    home.profile.write_text(
        f'ldap_url = "ldap://127.0.0.1:9"\nbind_password_file = "{folder}/ldap-password"\n'
        f'external_move_log = "{folder}/external/moves.jsonl"\n'
    )
    assert home.run("config", "use", "lab")[0] == 0
    if default:
        (home.profile.parent / "default.toml").write_text('device = "dcm4chee-arc"\n')
    code, out, err = home.run("lab", "down", *(["--json"] if as_json else []))
    assert (code, home.profile.exists()) == (0, False)
    now = "commands use the profile default now" if default else "no profile is selected now"
    said = f"The profile lab was selected; {now}.\n"
    assert (err == said) if as_json else (out.endswith(said) and err == "")


def test_many_studies_are_verified_in_a_lab_that_has_them(home: Home) -> None:
    code, out, err = home.run("lab", "up", "--studies", "20")
    listed = home.lab / "more-studies.txt"
    up = f"The lab is up: profile lab, folder {home.lab}\n20 more studies: {listed}\n"
    assert (code, out) == (0, up), err
    code, out, err = home.run("verify", "--profile", "lab", "--studies", str(listed), "--dest", "STORESCP")
    assert code == 1, err
    assert out.startswith("20 studies: 18 reported as sent by the archive, 2 not verified\n"), (
        "the purged ones, while no destination is set"
    )
    code, _, err = home.run("lab", "up", "--studies", "30")
    assert code == 3
    assert "a lab with 20 extra studies is already running" in err
    assert home.run("lab", "down")[0] == 0


def test_kill_9_of_the_supervisor_leaves_nothing_listening(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    state, ports = home.state(), home.ports()
    os.kill(state.supervisor.pid, signal.SIGKILL)
    wait_until_gone(*state.processes())
    assert still_listening(ports) == []
    code, out, _ = home.run("lab", "status")
    killed = f"the supervisor, process {state.supervisor.pid}, was killed"
    assert (code, out) == (1, f"The lab in {home.lab} is not up: {killed}.\n{NEW_LAB}")
    assert home.run("lab", "down") == (0, "The lab had already ended; its remaining files are removed.\n", "")
    assert not home.lab.exists()


def test_kill_9_of_whoever_started_it_leaves_nothing_listening(home: Home) -> None:
    del home.environment["DCMCFG_LAB_WITH_PID"]
    text = (
        "import os, subprocess, sys, time\n"
        "subprocess.run([sys.executable, '-m', 'dcmcfg', 'lab', 'up', '--with-pid', str(os.getpid())], check=True)\n"
        "print('started', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, env=home.environment, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout
        assert any(line == "started\n" for line in runner.stdout)
        state, ports = home.state(), home.ports()
        assert len(listening(ports)) == 6
        runner.kill()
    wait_until_gone(*state.processes())
    assert still_listening(ports) == []
    ended = f"the process that owns the lab (PID {runner.pid}) has ended.\n{NEW_LAB}"
    assert home.run("lab", "status")[1].endswith(ended)


def test_a_part_that_dies_ends_the_lab_status_says_why_and_up_starts_anew(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    state, ports = home.state(), home.ports()
    archive = next(part.process for part in state.parts if part.name == "archive")
    assert archive
    os.kill(archive.pid, signal.SIGKILL)
    wait_until_gone(*state.processes())
    assert still_listening(ports) == []
    code, out, _ = home.run("lab", "status")
    assert (code, out) == (1, f"The lab in {home.lab} is not up: archive was killed by SIGKILL.\n{NEW_LAB}")
    code, out, err = home.run("lab", "up")
    assert (code, out) == (0, f"The lab is up: profile lab, folder {home.lab}\n")
    assert err.endswith("The earlier lab in this folder had ended. Its configuration is deleted.\n")
    assert "earlier lab" not in home.run("lab", "up")[2]


@pytest.mark.skipif(not LONG, reason="it takes two labs, one after the other: runs with DCMCFG_LONG")
def test_a_lab_that_is_ending_is_not_up_and_up_starts_another(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    parts = {part.name: part.process.pid for part in home.state().parts if part.process}
    os.kill(parts["storage"], signal.SIGSTOP)  # it will not end on SIGTERM, so the others wait for it
    os.kill(parts["archive"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while "ending" not in (output := home.run("lab", "status")[1]):
        assert time.monotonic() < deadline, output
    assert output == f"The lab in {home.lab} is not up: it is stopping: archive was killed by SIGKILL.\n"
    code, out, err = home.run("lab", "up")
    assert (code, out) == (0, f"The lab is up: profile lab, folder {home.lab}\n"), err
    assert listening(home.ports()) == ["ldap", "http", "archive", "external", "storage", "archive_tls"]


def test_of_two_at_once_one_starts_the_lab_and_the_other_finds_it(home: Home) -> None:
    with home.start("lab", "up") as one, home.start("lab", "up") as other:
        outcomes = sorted((process.communicate(timeout=PATIENCE_S)[0], process.returncode) for process in (one, other))
    place = f"profile lab, folder {home.lab}\n"
    assert outcomes == [(f"The lab is already up: {place}", 0), (f"The lab is up: {place}", 0)]


def test_ctrl_c_takes_a_lab_in_the_foreground_down(home: Home) -> None:
    with home.start("lab", "up", "--foreground") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("The lab is up")
        ports = home.ports()
        assert len(listening(ports)) == 6
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert still_listening(ports) == []
    assert not home.lab.exists()


def test_ctrl_c_while_a_lab_in_the_foreground_reports_takes_it_down(home: Home) -> None:
    reader, writer = os.pipe()
    os.write(writer, bytes(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)))
    with subprocess.Popen(
        [sys.executable, "-m", "dcmcfg", "lab", "up", "--foreground"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,  # this pipe is full, so the command waits when it prints that the lab is up
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        os.close(writer)
        deadline = time.monotonic() + PATIENCE_S
        while not home.profile.exists():
            assert time.monotonic() < deadline, "the lab does not start"
            time.sleep(0.01)
        ports = home.ports()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        with os.fdopen(reader, "rb") as output:
            output.read()
        process.wait(PATIENCE_S)
    assert process.returncode == 130
    assert still_listening(ports) == []
    assert not home.lab.exists()
    assert not home.profile.exists()


def test_ctrl_c_while_the_lab_starts_leaves_nothing_running(home: Home) -> None:
    with home.start("lab", "up") as process:
        assert process.stderr
        assert "slapd" in process.stderr.readline()
        state, ports = home.state(), home.ports()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err.splitlines()[-1]) == (130, "dcmcfg: interrupted")
    wait_until_gone(*state.processes())
    assert still_listening(ports) == []


def test_a_folder_with_other_files_is_refused_and_left_alone(home: Home) -> None:
    (home.folder / "mine").mkdir()
    (home.folder / "mine" / "thesis.txt").write_text("dear")
    folder = str(home.folder / "mine")
    code, out, err = home.run("lab", "up", "--folder", folder)
    assert (code, out) == (3, "")
    assert err == (
        f"dcmcfg: {folder}: the folder contains files that do not belong to a lab (thesis.txt)\n"
        "  next: specify an empty or new folder with --folder\n"
    )
    assert home.run("lab", "down", "--folder", folder) == (0, "No lab is up.\n", "")
    assert (home.folder / "mine" / "thesis.txt").read_text() == "dear"


def test_a_profile_that_no_lab_wrote_is_left_alone(home: Home) -> None:
    home.profile.parent.mkdir(parents=True)
    home.profile.write_text('ldap_url = "ldap://pacs.hospital.example"\n')
    code, _, err = home.run("lab", "up")
    assert (code, str(home.profile) in err) == (3, True)
    assert home.profile.read_text() == 'ldap_url = "ldap://pacs.hospital.example"\n'
    assert not home.lab.exists()


def test_down_ends_no_process_that_got_the_number_of_one_of_its_own(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    state = home.state()
    os.kill(state.supervisor.pid, signal.SIGKILL)
    wait_until_gone(*state.processes())
    with subprocess.Popen(["sleep", "600"]) as bystander:
        replace(state, supervisor=replace(state.supervisor, pid=bystander.pid)).save(home.lab)
        assert home.run("lab", "down") == (0, "The lab had already ended; its remaining files are removed.\n", "")
        assert bystander.poll() is None
        bystander.kill()


def test_a_part_that_cannot_start_is_named_with_the_last_lines_of_its_log(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", home.environment["XDG_CONFIG_HOME"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = replace(choose_ports(), storage=taken.getsockname()[1])
        monkeypatch.setattr(lifecycle, "choose_ports", lambda: ports)
        with pytest.raises(LabError) as raised:
            lifecycle.up(home.lab, lambda _: None, owner_pid=os.getpid())
    assert re.search(r"the lab did not start: storage ended with exit status \d+\n    .*", raised.value.full_message)
    assert str(ports.storage) in raised.value.full_message
    assert raised.value.subject == str(home.lab / "log" / "storage.log")
    assert still_listening(ports) == []
    assert not home.profile.exists()


def test_up_and_down_as_json(home: Home) -> None:
    code, out, err = home.run("lab", "up", "--json", "--studies", "3")
    result = json.loads(out)
    require_schema("lab up", result)
    assert (code, result["started"], result["running"], result["extra_study_count"]) == (0, True, True, 3)
    assert Path(result["study_list_file"]).is_file()
    assert "ready" in err  # the progress, as without --json
    assert [part["name"] for part in result["parts"]] == ["slapd", "storage", "external", "archive"]
    again = json.loads(home.run("lab", "up", "--json")[1])
    assert (again["started"], again["parts"]) == (False, result["parts"])
    down = {"folder": str(home.lab), "result": "stopped"}
    assert home.run("--json", "lab", "down") == (0, json.dumps(down, indent=2) + "\n", "")
    assert json.loads(home.run("lab", "down", "--json")[1])["result"] == "no_lab"


@pytest.mark.skipif(not LONG, reason="another demonstration without --json is run: this one with DCMCFG_LONG")
def test_the_demo_as_json_tells_its_story_on_standard_error(home: Home) -> None:
    home.environment["TMPDIR"] = str(home.folder)
    code, out, err = home.run("lab", "demo", "--json")
    result = json.loads(out)
    assert (code, result["passed"], result["failure"]) == (0, True, None)
    assert f"The demonstration succeeded: {result['check_count']} checks" in err


def test_the_demo_goes_as_told_and_leaves_nothing_behind(home: Home) -> None:
    home.environment["TMPDIR"] = str(home.folder)
    code, out, err = home.run("lab", "demo")
    assert (code, err) == (0, ""), out
    assert re.search(r"^The demonstration succeeded: \d+ checks", out, re.MULTILINE)
    assert "[FAILED]" not in out
    commands = re.findall(r"^\$ dcmcfg (\S+)", out, re.MULTILINE)
    story = ["verify", "verify", "set-external-retrieve", "set-external-retrieve", "verify", "verify", "undo"]
    assert commands == ["lab", "show", "export-ldif", *story, "export-ldif", "verify", "lab"]
    assert list(home.folder.iterdir()) == []  # no profile, no undo, no folder of the story's


def test_a_demo_that_goes_otherwise_says_so_and_takes_its_lab_down(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(home.folder))
    monkeypatch.setattr(demo, "MOVE_DESTINATION_UNKNOWN", 0xA802)
    output_lines: list[str] = []
    result = demo.run_demo(output_lines.append)
    assert (result.passed, result.check_count > 0) == (False, True)
    assert result.failure.startswith("not verified: status A801, nothing received: failed, actual: ")
    not_so = next(line for line in output_lines if "[FAILED]" in line)
    assert "status A801, nothing received: failed" in not_so
    processes = [int(pid) for line in output_lines for pid in re.findall(r"\(process (\d+)\)", line)]
    assert len(processes) == 4
    assert not any(psutil.pid_exists(pid) for pid in processes)
    assert list(home.folder.iterdir()) == []


def test_ctrl_c_ends_the_demo_and_its_lab(home: Home) -> None:
    home.environment["TMPDIR"] = str(home.folder)
    with home.start("lab", "demo") as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("$ dcmcfg verify"):
                break
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all in the foreground
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err.splitlines()[-1]) == (130, "dcmcfg: interrupted")
    processes = [int(pid) for line in lines for pid in re.findall(r"\(process (\d+)\)", line)]
    assert len(processes) == 4
    assert not any(psutil.pid_exists(pid) for pid in processes)
    assert list(home.folder.iterdir()) == []


def test_facts_that_cannot_be_read_are_told_and_down_removes_them(home: Home) -> None:
    assert home.run("lab", "up")[0] == 0
    processes = home.state().processes()
    (home.lab / "site.json").write_text("{")
    code, out, err = home.run("lab", "status")
    assert (code, out) == (3, "")
    assert str(home.lab / "site.json") in err
    assert home.run("lab", "down")[:2] == (0, "The lab is down.\n")
    assert not any(process.find_process() for process in processes)
    assert not home.lab.exists()
