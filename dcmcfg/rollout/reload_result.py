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

_NAME = "reload.json"


class RecordedReloadOutcome(Enum):
    """How the reload after a roll-out ended."""

    NOT_REQUESTED = "not asked for"
    UNKNOWN = "unknown"  # asked for, and no answer came, or the process ended before it
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class RecordedReload:
    """How the reload ended; ``reason`` is the reason of a failure, or why no answer came."""

    outcome: RecordedReloadOutcome
    reason: str = ""


def read_reload(folder: Path) -> RecordedReload | None:
    """Return what the record in *folder* says of its reload, None where it says nothing."""
    try:
        content = json.loads((folder / _NAME).read_text("utf-8"))
        return RecordedReload(
            RecordedReloadOutcome(content["outcome"]), str(content.get("reason", content.get("what", "")))
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_reload(folder: Path, result: RecordedReload) -> None:
    """Write *result* into the record in *folder*; a disk that takes no more leaves what is there."""
    new = folder / f".{_NAME}"
    text = json.dumps(asdict(result) | {"outcome": result.outcome.value}) + "\n"
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
