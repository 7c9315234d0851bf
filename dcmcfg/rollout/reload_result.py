"""The result of the reload after a roll-out, in a small file in the folder of the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from dcmcfg.archive.reload_failures import ReloadUnconfirmed
from dcmcfg.errors import ArchiveError, IncompleteChange
from dcmcfg.files.private import write_private
from dcmcfg.format_number import FileFormat, RenamedNames, get_current_name

_NAME = "reload.json"
RELOAD_FORMAT = FileFormat("the result of a reload", 1, {0: {"what": "reason"}})
#: Format → the outcomes that the next format renamed.
_RENAMED_OUTCOMES: RenamedNames = {0: {"not asked for": "not requested"}}


class RecordedReloadOutcome(Enum):
    """The outcome of the reload after a roll-out."""

    NOT_REQUESTED = "not requested"
    UNKNOWN = "unknown"  # requested, but no response arrived, or the process ended before it
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class RecordedReload:
    """The outcome of a reload; ``reason`` is the reason for a failure or a missing response."""

    outcome: RecordedReloadOutcome
    reason: str = ""


def read_reload(folder: Path) -> RecordedReload | None:
    """Return the result of the reload from the record in *folder*, or None if it has none.

    Raises :class:`~dcmcfg.errors.UnknownFormat`.
    """
    path = folder / _NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        content = RELOAD_FORMAT.read_object(found, str(path))
        outcome = get_current_name(content["outcome"], _RENAMED_OUTCOMES, RELOAD_FORMAT.read_number(found, str(path)))
        return RecordedReload(RecordedReloadOutcome(outcome), str(content["reason"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_reload(folder: Path, result: RecordedReload) -> None:
    """Write *result* into the record in *folder*; if the disk is full, the old result remains."""
    new = folder / f".{_NAME}"
    text = json.dumps(RELOAD_FORMAT.add_number(asdict(result) | {"outcome": result.outcome.value})) + "\n"
    # The reload has happened anyway, so a failure to write its result must not hide it.
    with suppress(OSError):
        # A killed process may have left the file, and write_private only creates new ones.
        new.unlink(missing_ok=True)
        write_private(new, text)
        new.replace(folder / _NAME)


@contextmanager
def record_reload(folder: Path) -> Iterator[None]:
    """Note the outcome of the reload in the block in the record in *folder*."""
    # This result remains if the process ends during the reload.
    write_reload(folder, RecordedReload(RecordedReloadOutcome.UNKNOWN))
    try:
        yield
    except (ArchiveError, IncompleteChange) as error:
        is_unconfirmed = isinstance(error, ReloadUnconfirmed) or isinstance(error.__cause__, ReloadUnconfirmed)
        write_reload(
            folder,
            RecordedReload(
                RecordedReloadOutcome.UNKNOWN if is_unconfirmed else RecordedReloadOutcome.FAILED, error.message
            ),
        )
        raise
    write_reload(folder, RecordedReload(RecordedReloadOutcome.LOADED))
