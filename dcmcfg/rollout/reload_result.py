"""What became of the reload after a roll-out: one small file in the record's folder."""

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
    """How the reload after a roll-out ended."""

    NOT_REQUESTED = "not requested"
    UNKNOWN = "unknown"  # requested, and no answer came, or the process ended before it
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class RecordedReload:
    """How the reload ended; ``reason`` is the reason of a failure, or why no answer came."""

    outcome: RecordedReloadOutcome
    reason: str = ""


def read_reload(folder: Path) -> RecordedReload | None:
    """Return what the record in *folder* says of its reload, None where it says nothing.

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
    """Write *result* into the record in *folder*; a disk that takes no more leaves what is there."""
    new = folder / f".{_NAME}"
    text = json.dumps(RELOAD_FORMAT.add_number(asdict(result) | {"outcome": result.outcome.value})) + "\n"
    with suppress(OSError):
        new.unlink(missing_ok=True)
        write_private(new, text)
        new.replace(folder / _NAME)


@contextmanager
def record_reload(folder: Path) -> Iterator[None]:
    """Note in the record in *folder* how the reload in the block ends."""
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
