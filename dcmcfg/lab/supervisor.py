"""The supervisor process of a lab, which starts, watches and ends the parts.

``python -m dcmcfg.lab.supervisor FOLDER [PID]`` starts the parts in ``FOLDER/parts.json`` one after another, each after
the previous part is ready, and maintains ``FOLDER/state.json``. It ends on SIGTERM, when a part ends, and when process
PID ends; it then ends the parts in reverse order. If it is killed, the kernel kills the parts
(``setpriv --pdeathsig``), so that no port stays open.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

import psutil

from dcmcfg.errors import LabError
from dcmcfg.lab.state import LabPhase, LabState, PartState, ProcessIdentity

PARTS_FILE = "parts.json"
LOG_FOLDER = "log"
READY_LINE = b"ready"
#: Maximum time in seconds for a part to get ready, and to end after SIGTERM before it is killed.
READY_TIMEOUT = 60.0
STOP_TIMEOUT = 5.0
_POLL = 0.05


@dataclass(frozen=True)
class LabPart:
    """A part of the lab: a process, and its sign of readiness.

    A part is ready when it listens on ``port`` or, without a port, when it prints the line ``ready``.
    """

    name: str
    address: str
    command: tuple[str, ...]
    port: int | None = None


def save_parts(parts: tuple[LabPart, ...], folder: Path) -> None:
    """Write *parts*, in starting order, for the supervisor of the lab in *folder*."""
    (folder / PARTS_FILE).write_text(json.dumps([asdict(part) for part in parts], indent=2) + "\n", "utf-8")


def load_parts(folder: Path) -> tuple[LabPart, ...]:
    """Return the parts that :func:`save_parts` wrote."""
    content = json.loads((folder / PARTS_FILE).read_text("utf-8"))
    return tuple(LabPart(**(part | {"command": tuple(part["command"])})) for part in content)


def get_log_file(folder: Path, part: str) -> Path:
    """Return the log file of a part of the lab in *folder*."""
    return folder / LOG_FOLDER / f"{part}.log"


class _LabEnded(Exception):
    """The lab must end; ``failed_part`` is the name of the part that caused it, if any."""

    def __init__(self, reason: str, failed_part: str = "") -> None:
        super().__init__(reason)
        self.failed_part = failed_part


class Supervisor:
    """Runs the parts of the lab in *folder* until an event ends it, such as the end of the process *owner*."""

    def __init__(self, folder: Path, parts: tuple[LabPart, ...], owner: ProcessIdentity | None) -> None:
        self.folder = folder
        self.parts = parts
        self.owner = owner
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stop_signal: signal.Signals | None = None
        self.state = LabState(
            ProcessIdentity.from_pid(os.getpid()),
            LabPhase.STARTING,
            tuple(PartState(part.name, part.address) for part in parts),
        )

    def run(self) -> None:
        """Start and watch the parts, and stop them when the lab must end; the state file contains the reason."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        reason, failed = "the supervisor failed", ""
        try:
            self._save_state(self.state)
            for part in self.parts:
                self._start(part)
            self._save_state(replace(self.state, phase=LabPhase.UP))
            while True:
                self._raise_if_ended()
                time.sleep(_POLL)
        except _LabEnded as end:
            reason, failed = str(end), end.failed_part
        finally:
            _log(f"ending: {reason}")
            with suppress(OSError):  # a full disk must not keep the parts running
                self._save_state(replace(self.state, phase=LabPhase.ENDING, reason=reason, failed_part=failed))
            self._stop()
            self._save_state(replace(self.state, phase=LabPhase.ENDED, reason=reason, failed_part=failed))

    def _on_signal(self, number: int, _frame: object) -> None:
        # A handler may interrupt any statement, so it only records the signal.
        self.stop_signal = signal.Signals(number)

    def _save_state(self, state: LabState) -> None:
        self.state = state
        with suppress(FileNotFoundError):  # the lab's folder was removed; the lab must end nevertheless
            state.save(self.folder)

    def _start(self, part: LabPart) -> None:
        """Start *part* and wait until it is ready; raises :class:`_LabEnded` if it does not get ready."""
        with get_log_file(self.folder, part.name).open("wb") as log:
            child = subprocess.Popen(
                _wrap_to_die_with_parent(os.getpid(), part.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        self.children[part.name] = child
        state = PartState(part.name, part.address, ProcessIdentity.from_pid(child.pid), time.time())
        self._save_state(self.state.with_part(state))
        deadline = time.monotonic() + READY_TIMEOUT
        while not self._is_ready(part, child):
            self._raise_if_ended()
            if time.monotonic() > deadline:
                raise _LabEnded(f"{part.name} was not ready after {READY_TIMEOUT:.0f} s", part.name)
            time.sleep(_POLL)
        _log(f"{part.name} is ready: {part.address}, process {child.pid}")
        self._save_state(self.state.with_part(replace(state, ready=True)))

    def _is_ready(self, part: LabPart, child: subprocess.Popen[bytes]) -> bool:
        if part.port is None:
            return READY_LINE in get_log_file(self.folder, part.name).read_bytes().splitlines()
        try:  # check the process, not the port, because another process may listen on the port
            sockets = psutil.Process(child.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == part.port for each in sockets)

    def _raise_if_ended(self) -> None:
        """Raise :class:`_LabEnded` if there is a reason to end."""
        if self.stop_signal is not None:
            raise _LabEnded(f"received {self.stop_signal.name}")
        if self.owner is not None and self.owner.find_process() is None:
            raise _LabEnded(f"the process that owns the lab (PID {self.owner.pid}) has ended")
        if not self.folder.is_dir():
            raise _LabEnded("the lab's folder was removed")
        for name, child in self.children.items():
            if child.poll() is not None:
                raise _LabEnded(f"{name} {_format_exit_status(child.returncode)}", name)

    def _stop(self) -> None:
        """End the child processes in reverse starting order, and wait for each."""
        # The archive ends first: its peers must not disappear while it works with them.
        for name, child in reversed(self.children.items()):
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                _log(
                    f"{name} did not end within {STOP_TIMEOUT:.0f} s after SIGTERM, so the supervisor kills the process"
                )
                child.kill()
                child.wait()


def _wrap_to_die_with_parent(parent: int, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return *command*, wrapped so that the kernel kills it when the thread that started it ends.

    The shell's check covers the gap between fork and prctl(2), in which the parent may already have ended.
    """
    check_parent = '[ "$PPID" = "$0" ] && exec "$@"'
    return ("setpriv", "--pdeathsig", "KILL", "--", "/bin/sh", "-c", check_parent, str(parent), *command)


def _format_exit_status(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"


def _log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
    sys.stderr.flush()


def main() -> NoReturn:
    """Run the supervisor as a separate process."""
    folder, *pid = sys.argv[1:]
    try:
        owner = ProcessIdentity.from_pid(int(pid[0])) if pid else None
        Supervisor(Path(folder), load_parts(Path(folder)), owner).run()
    except (LabError, OSError) as error:
        sys.exit(f"{error}")
    sys.exit(0)


if __name__ == "__main__":
    main()
