"""The state file of a lab, which the supervisor writes and other processes read."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from dcmcfg.errors import LabError
from dcmcfg.format_number import FileFormat, RenamedNames, rename_keys

FILE_NAME = "state.json"
STATE_FORMAT = FileFormat("the state of a lab", 1, {0: {"failed": "failed_part"}})
_RENAMED_PART_KEYS: RenamedNames = {0: {"since": "started_at"}}
_RENAMED_PROCESS_KEYS: RenamedNames = {0: {"started": "started_after_boot_s"}}
_START_TOLERANCE_S = 0.5  # seconds; process numbers are reused only after all others, so a small tolerance is safe


class LabPhase(StrEnum):
    """The phase of a lab."""

    STARTING = "starting"
    UP = "up"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, identified by number and start time, because a later process may get the same number.

    ``started_after_boot_s`` is in seconds after boot, because a time of day changes when the clock is adjusted.
    """

    pid: int
    started_after_boot_s: float

    @staticmethod
    def from_pid(pid: int) -> ProcessIdentity:
        """Return the identity of the running process *pid*; raises :class:`LabError` if there is none."""
        try:
            return ProcessIdentity(pid, _compute_seconds_after_boot(psutil.Process(pid)))
        except (psutil.Error, ValueError, OverflowError) as error:
            raise LabError("the process does not exist", subject=f"process {pid}") from error

    def find_process(self) -> psutil.Process | None:
        """Return a handle of the process; None if it has ended (also as a zombie) or its number is reused."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_compute_seconds_after_boot(process) - self.started_after_boot_s) < _START_TOLERANCE_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class PartState:
    """The state of a part; ``process`` is None until it is started, ``started_at`` is in seconds since the epoch."""

    name: str
    address: str
    process: ProcessIdentity | None = None
    started_at: float | None = None
    _: KW_ONLY
    ready: bool = False


@dataclass(frozen=True)
class LabState:
    """The state of the supervisor and its parts.

    ``reason`` is the reason why the lab ends or ended, ``failed_part`` the name of the part that caused it.
    """

    supervisor: ProcessIdentity
    phase: LabPhase
    parts: tuple[PartState, ...]
    _: KW_ONLY
    reason: str = ""
    failed_part: str = ""

    def with_part(self, part: PartState) -> LabState:
        """Return this state with *part* replacing the part with the same name."""
        return replace(self, parts=tuple(part if part.name == each.name else each for each in self.parts))

    def is_up(self) -> bool:
        """Return whether the lab is ready and its supervisor is running."""
        return self.phase is LabPhase.UP and self.supervisor.find_process() is not None

    @property
    def has_ended(self) -> bool:
        """Whether the lab was stopped or has stopped by itself; False while it starts, runs or stops."""
        return self.phase is LabPhase.ENDED or self.supervisor.find_process() is None

    def processes(self) -> tuple[ProcessIdentity, ...]:
        """Return the processes of the supervisor and of the started parts, the supervisor first."""
        return (self.supervisor, *(part.process for part in self.parts if part.process))

    def save(self, folder: Path) -> None:
        """Write the state into *folder*, atomically."""
        temporary = folder / f"{FILE_NAME}.new"
        temporary.write_text(json.dumps(STATE_FORMAT.add_number(asdict(self)), indent=2) + "\n", "utf-8")
        # Other processes read this file at any time, so it must always be complete.
        temporary.replace(folder / FILE_NAME)

    @staticmethod
    def load(folder: Path) -> LabState | None:
        """Return the state stored in *folder*, or None if there is none.

        Raises :class:`LabError` if it cannot be read, and :class:`~dcmcfg.errors.UnknownFormat`.
        """
        path = folder / FILE_NAME
        try:
            found = json.loads(path.read_text("utf-8"))
            kept = STATE_FORMAT.read_object(found, str(path))
            number = STATE_FORMAT.read_number(found, str(path))
            return LabState(
                supervisor=_parse_process(kept["supervisor"], number),
                phase=LabPhase(kept["phase"]),
                parts=tuple(_parse_part(part, number) for part in kept["parts"]),
                reason=kept["reason"],
                failed_part=kept["failed_part"],
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"cannot read the lab's state ({error})",
                subject=str(path),
                next_step="end all processes that have this folder in their command line, then remove the folder",
            ) from error


def _parse_part(kept: dict[str, Any], number: int) -> PartState:
    fields = rename_keys(kept, _RENAMED_PART_KEYS, number)
    process = fields.pop("process")
    return PartState(**fields, process=_parse_process(process, number) if process else None)


def _parse_process(kept: dict[str, Any], number: int) -> ProcessIdentity:
    return ProcessIdentity(**rename_keys(kept, _RENAMED_PROCESS_KEYS, number))


def _compute_seconds_after_boot(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
