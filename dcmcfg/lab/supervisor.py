"""The process above a lab's parts, whose end is the end of them all.

``python -m dcmcfg.lab.supervisor FOLDER [PID]`` starts the parts listed in ``FOLDER/parts.json`` one after the
other, each when the one before is ready, and keeps ``FOLDER/state.json``. It ends, and the parts with it in
reverse order, on SIGTERM, when a part ends, and when process PID ends. When it is killed, the kernel kills the
parts (``setpriv --pdeathsig``), so nothing is left listening.
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
#: Seconds that a part may take to get ready, and to end after SIGTERM before it is killed.
READY_TIMEOUT = 60.0
STOP_TIMEOUT = 5.0
_POLL = 0.05


@dataclass(frozen=True)
class LabPart:
    """A part of the lab: a process, and how one knows that it is ready.

    Ready is listening on ``port``, or without a port the line ``ready`` on its standard output.
    """

    name: str
    address: str
    command: tuple[str, ...]
    port: int | None = None


def save_parts(parts: tuple[LabPart, ...], folder: Path) -> None:
    """Write *parts*, in the order in which they are to start, for the supervisor of the lab in *folder*."""
    (folder / PARTS_FILE).write_text(json.dumps([asdict(part) for part in parts], indent=2) + "\n", "utf-8")


def load_parts(folder: Path) -> tuple[LabPart, ...]:
    """Return what :func:`save_parts` wrote."""
    content = json.loads((folder / PARTS_FILE).read_text("utf-8"))
    return tuple(LabPart(**(part | {"command": tuple(part["command"])})) for part in content)


def get_log_file(folder: Path, part: str) -> Path:
    """Return where the output of a part of the lab in *folder* goes."""
    return folder / LOG_FOLDER / f"{part}.log"


class _LabEnded(Exception):
    """The lab has to end; ``failed_part`` names the part at fault, if one is."""

    def __init__(self, reason: str, failed_part: str = "") -> None:
        super().__init__(reason)
        self.failed_part = failed_part


class Supervisor:
    """Runs the parts of the lab in *folder* until something ends it, which the end of the process *owner* does."""

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
        """Start the parts, watch them, and when something ends the lab stop them; the state file says why."""
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
        self.stop_signal = signal.Signals(number)

    def _save_state(self, state: LabState) -> None:
        self.state = state
        with suppress(FileNotFoundError):  # somebody removed the lab's folder: the lab is to end all the same
            state.save(self.folder)

    def _start(self, part: LabPart) -> None:
        """Start *part* and wait until it is ready; raises :class:`_LabEnded` when it does not get so."""
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
        try:  # asking the process, not the port, for somebody else may be listening there
            sockets = psutil.Process(child.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == part.port for each in sockets)

    def _raise_if_ended(self) -> None:
        """Raise :class:`_LabEnded` when there is a reason to end."""
        if self.stop_signal is not None:
            raise _LabEnded(f"asked to end ({self.stop_signal.name})")
        if self.owner is not None and self.owner.find_process() is None:
            raise _LabEnded(f"process {self.owner.pid}, which it was started with, has ended")
        if not self.folder.is_dir():
            raise _LabEnded("its folder is gone")
        for name, child in self.children.items():
            if child.poll() is not None:
                raise _LabEnded(f"{name} {_format_exit_status(child.returncode)}", name)

    def _stop(self) -> None:
        """End the children, the last started first, and wait for each."""
        for name, child in reversed(self.children.items()):
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                _log(f"{name} did not end within {STOP_TIMEOUT:.0f} s of SIGTERM and is killed")
                child.kill()
                child.wait()


def _wrap_to_die_with_parent(parent: int, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return *command* so wrapped that the kernel kills it when the thread that starts it ends.

    The shell's question closes the gap between fork and prctl(2), in which the parent may have died already.
    """
    check_parent = '[ "$PPID" = "$0" ] && exec "$@"'
    return ("setpriv", "--pdeathsig", "KILL", "--", "/bin/sh", "-c", check_parent, str(parent), *command)


def _format_exit_status(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"


def _log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
    sys.stderr.flush()


def main() -> NoReturn:
    """Run as a process of its own."""
    folder, *pid = sys.argv[1:]
    try:
        owner = ProcessIdentity.from_pid(int(pid[0])) if pid else None
        Supervisor(Path(folder), load_parts(Path(folder)), owner).run()
    except (LabError, OSError) as error:
        sys.exit(f"{error}")
    sys.exit(0)


if __name__ == "__main__":
    main()
