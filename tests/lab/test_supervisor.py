"""The supervisor with parts that stand for any server: real processes, real signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.state import LabPhase, LabState, ProcessIdentity
from dcmcfg.lab.supervisor import LOG_FOLDER, LabPart, _wrap_to_die_with_parent, get_log_file, save_parts
from tests.patience import PATIENCE_S, comes_true

pytestmark = pytest.mark.real

LISTENER = """
import signal, socket, sys
def end(*_):
    open(sys.argv[2], "a").write(sys.argv[3] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.pause()
"""
SAYS_READY = "import signal; print('ready', flush=True); signal.pause()"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab" / LOG_FOLDER).mkdir(parents=True)
    return tmp_path / "lab"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts the supervisor on parts; it ends with the test, and with the process that runs the test."""
    started = []

    def run(*parts: LabPart, watched: int | None = None) -> subprocess.Popen[bytes]:
        save_parts(parts, folder)
        command = [sys.executable, "-m", "dcmcfg.lab.supervisor", str(folder), str(watched or os.getpid())]
        with (folder / "supervisor.log").open("wb") as log:
            started.append(subprocess.Popen(command, stderr=log))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.wait(PATIENCE_S)


def listener(folder: Path, name: str, port: int) -> LabPart:
    ended = folder.parent / "ended"
    return LabPart(name, f"127.0.0.1:{port}", (sys.executable, "-c", LISTENER, str(port), str(ended), name), port)


def program(name: str, text: str, port: int | None = None) -> LabPart:
    return LabPart(name, "", (sys.executable, "-c", text), port)


def wait_for(folder: Path, phase: LabPhase) -> LabState:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        state = LabState.load(folder)
        if state and state.phase is phase:
            return state
        time.sleep(0.02)
    raise AssertionError(f"never {phase}: {state}")


def wait_until_gone(*processes: ProcessIdentity) -> None:
    assert comes_true(lambda: not any(process.find_process() for process in processes)), "still there"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_parts_start_in_order_each_when_the_one_before_is_ready(folder: Path, start: Start) -> None:
    ports = choose_ports()
    asks_the_first = f"import socket; socket.create_connection(('127.0.0.1', {ports.ldap}))\n{SAYS_READY}"
    start(listener(folder, "first", ports.ldap), program("second", asks_the_first))
    state = wait_for(folder, LabPhase.UP)
    assert [(part.name, part.ready) for part in state.parts] == [("first", True), ("second", True)]
    assert state.is_up()
    assert listens(ports.ldap)


def test_sigterm_ends_the_parts_in_reverse_order(folder: Path, start: Start) -> None:
    ports = choose_ports()
    supervisor = start(listener(folder, "first", ports.ldap), listener(folder, "second", ports.http))
    before = wait_for(folder, LabPhase.UP)
    supervisor.terminate()
    assert supervisor.wait(PATIENCE_S) == 0
    assert (folder.parent / "ended").read_text() == "second\nfirst\n"
    after = LabState.load(folder)
    assert after
    assert (after.phase, after.reason, after.failed_part) == (LabPhase.ENDED, "received SIGTERM", "")
    assert not any(process.find_process() for process in before.processes())


def test_kill_9_of_the_supervisor_leaves_nothing_listening(folder: Path, start: Start) -> None:
    ports = choose_ports()
    supervisor = start(listener(folder, "first", ports.ldap), listener(folder, "second", ports.http))
    state = wait_for(folder, LabPhase.UP)
    assert listens(ports.ldap)
    assert listens(ports.http)
    supervisor.kill()
    supervisor.wait(PATIENCE_S)
    wait_until_gone(*state.processes())
    assert not listens(ports.ldap)
    assert not listens(ports.http)
    assert not state.is_up()


def test_kill_9_of_the_process_it_was_started_with_ends_the_lab(folder: Path, start: Start) -> None:
    port = choose_ports().ldap
    with subprocess.Popen(["sleep", "600"]) as runner:
        start(listener(folder, "first", port), watched=runner.pid)
        wait_for(folder, LabPhase.UP)
        runner.kill()
    state = wait_for(folder, LabPhase.ENDED)
    assert state.reason == f"the process that owns the lab (PID {runner.pid}) has ended"
    assert not listens(port)


def test_a_part_that_is_killed_ends_the_lab_and_is_named(folder: Path, start: Start) -> None:
    port = choose_ports().ldap
    start(listener(folder, "first", port), program("second", SAYS_READY))
    up = wait_for(folder, LabPhase.UP)
    assert up.parts[1].process
    os.kill(up.parts[1].process.pid, signal.SIGKILL)
    state = wait_for(folder, LabPhase.ENDED)
    assert (state.reason, state.failed_part) == ("second was killed by SIGKILL", "second")
    wait_until_gone(*up.processes())
    assert not listens(port)


def test_a_part_that_ends_before_it_is_ready_ends_the_lab_and_its_log_says_why(folder: Path, start: Start) -> None:
    port = choose_ports().ldap
    start(listener(folder, "first", port), program("second", "raise SystemExit('no disk')"))
    state = wait_for(folder, LabPhase.ENDED)
    assert (state.reason, state.failed_part) == ("second ended with exit status 1", "second")
    assert get_log_file(folder, "second").read_text() == "no disk\n"
    assert not listens(port)


def test_a_port_that_somebody_else_listens_on_makes_no_part_ready(folder: Path, start: Start) -> None:
    port = choose_ports().ldap
    with socket.create_server(("127.0.0.1", port)):
        supervisor = start(program("first", "import time; time.sleep(600)", port))
        wait_for(folder, LabPhase.STARTING)
        time.sleep(1)
        state = LabState.load(folder)
        assert state
        assert (state.phase, state.parts[0].ready) == (LabPhase.STARTING, False)
        supervisor.terminate()
        assert supervisor.wait(PATIENCE_S) == 0


def test_a_part_that_ignores_sigterm_is_killed(folder: Path, start: Start) -> None:
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SAYS_READY}"
    supervisor = start(program("first", deaf))
    state = wait_for(folder, LabPhase.UP)
    supervisor.terminate()
    ending = wait_for(folder, LabPhase.ENDING)  # not up any more, although the part still runs
    assert (ending.is_up(), ending.reason) == (False, "received SIGTERM")
    assert ending.processes()[1].find_process()
    assert supervisor.wait(PATIENCE_S) == 0
    wait_until_gone(*state.processes())


def test_the_lab_ends_when_its_folder_is_removed(folder: Path, start: Start) -> None:
    supervisor = start(program("first", SAYS_READY))
    state = wait_for(folder, LabPhase.UP)
    folder.rename(folder.parent / "elsewhere")
    assert supervisor.wait(PATIENCE_S) == 0
    wait_until_gone(*state.processes())


def test_a_part_whose_parent_died_before_the_kernel_was_told_does_not_run(tmp_path: Path) -> None:
    written = tmp_path / "written"
    somebody_else = os.getppid()
    subprocess.run(_wrap_to_die_with_parent(somebody_else, ("touch", str(written))), check=False)
    assert not written.exists()
    subprocess.run(_wrap_to_die_with_parent(os.getpid(), ("touch", str(written))), check=True)
    assert written.exists()


def test_a_process_that_got_the_number_of_one_of_ours_is_not_ours() -> None:
    this = ProcessIdentity.from_pid(os.getpid())
    assert this.find_process() == psutil.Process()
    assert ProcessIdentity(this.pid, this.started_after_boot_s - 10).find_process() is None


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        identity = ProcessIdentity.from_pid(child.pid)
        assert identity.find_process()
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert identity.find_process() is None
