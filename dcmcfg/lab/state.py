"""The state that the supervisor of a lab writes into a file for others to read."""

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
_START_TOLERANCE_S = 0.5  # seconds; between two processes with one number lies a whole round of the numbers


class LabPhase(StrEnum):
    """How far a lab has come."""

    STARTING = "starting"
    UP = "up"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, distinguished by its start from a later one that got its number.

    ``started_after_boot_s`` is in seconds after boot: a time of day would change when the clock is set.
    """

    pid: int
    started_after_boot_s: float

    @staticmethod
    def from_pid(pid: int) -> ProcessIdentity:
        """Return the identity of the running process *pid*; raises :class:`LabError` when there is none."""
        try:
            return ProcessIdentity(pid, _compute_seconds_after_boot(psutil.Process(pid)))
        except (psutil.Error, ValueError, OverflowError) as error:
            raise LabError("there is no such process", subject=f"process {pid}") from error

    def find_process(self) -> psutil.Process | None:
        """Return a handle on the process, or None when it has ended (a zombie has) or is another one by now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_compute_seconds_after_boot(process) - self.started_after_boot_s) < _START_TOLERANCE_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class PartState:
    """One part of the lab; ``process`` is None until it is started, ``started_at`` seconds since the epoch."""

    name: str
    address: str
    process: ProcessIdentity | None = None
    started_at: float | None = None
    _: KW_ONLY
    ready: bool = False


@dataclass(frozen=True)
class LabState:
    """The supervisor with its parts.

    ``reason`` says why the lab ends or ended, ``failed_part`` names the part at fault.
    """

    supervisor: ProcessIdentity
    phase: LabPhase
    parts: tuple[PartState, ...]
    _: KW_ONLY
    reason: str = ""
    failed_part: str = ""

    def with_part(self, part: PartState) -> LabState:
        """Return this state with *part* in the place of the part of the same name."""
        return replace(self, parts=tuple(part if part.name == each.name else each for each in self.parts))

    def is_up(self) -> bool:
        """Tell whether the lab is ready and its supervisor alive."""
        return self.phase is LabPhase.UP and self.supervisor.find_process() is not None

    def processes(self) -> tuple[ProcessIdentity, ...]:
        """Return the supervisor and the parts that were started, the supervisor first."""
        return (self.supervisor, *(part.process for part in self.parts if part.process))

    def save(self, folder: Path) -> None:
        """Write the state into *folder*, whole or not at all."""
        temporary = folder / f"{FILE_NAME}.new"
        temporary.write_text(json.dumps(STATE_FORMAT.add_number(asdict(self)), indent=2) + "\n", "utf-8")
        temporary.replace(folder / FILE_NAME)

    @staticmethod
    def load(folder: Path) -> LabState | None:
        """Return the state stored in *folder*, None when there is none.

        Raises :class:`LabError` if unreadable, and :class:`~dcmcfg.errors.UnknownFormat`.
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
                f"the lab's state cannot be read ({error})",
                subject=str(path),
                next_step="end its processes (their commands name the folder), then remove the folder",
            ) from error


def _parse_part(kept: dict[str, Any], number: int) -> PartState:
    fields = rename_keys(kept, _RENAMED_PART_KEYS, number)
    process = fields.pop("process")
    return PartState(**fields, process=_parse_process(process, number) if process else None)


def _parse_process(kept: dict[str, Any], number: int) -> ProcessIdentity:
    return ProcessIdentity(**rename_keys(kept, _RENAMED_PROCESS_KEYS, number))


def _compute_seconds_after_boot(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
