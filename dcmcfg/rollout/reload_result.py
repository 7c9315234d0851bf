"""What became of the reload after a roll-out: one small file in the record's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from dcmcfg.archive.reload_failures import ReloadUnconfirmed
from dcmcfg.errors import ArchiveError, ChangedButNotFinished
from dcmcfg.files.private import write_private

_NAME = "reload.json"


class Reloaded(Enum):
    """How the reload after a roll-out ended."""

    NOT_ASKED = "not asked for"
    UNKNOWN = "unknown"  # asked for, and no answer came, or the process ended before it
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class ReloadResult:
    """How the reload ended; ``what`` is the reason of a failure, or why no answer came."""

    outcome: Reloaded
    what: str = ""


def read_result(folder: Path) -> ReloadResult | None:
    """Return what the record in *folder* says of its reload, None where it says nothing."""
    try:
        content = json.loads((folder / _NAME).read_text("utf-8"))
        return ReloadResult(Reloaded(content["outcome"]), str(content["what"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_result(folder: Path, result: ReloadResult) -> None:
    """Write *result* into the record in *folder*; a disk that takes no more leaves what is there."""
    new = folder / f".{_NAME}"
    text = json.dumps(asdict(result) | {"outcome": result.outcome.value}) + "\n"
    with suppress(OSError):
        new.unlink(missing_ok=True)
        write_private(new, text)
        new.replace(folder / _NAME)


@contextmanager
def noted(folder: Path) -> Iterator[None]:
    """Note in the record in *folder* how the reload in the block ends."""
    note_result(folder, ReloadResult(Reloaded.UNKNOWN))
    try:
        yield
    except (ArchiveError, ChangedButNotFinished) as error:
        lost = isinstance(error, ReloadUnconfirmed) or isinstance(error.__cause__, ReloadUnconfirmed)
        note_result(folder, ReloadResult(Reloaded.UNKNOWN if lost else Reloaded.FAILED, error.what))
        raise
    note_result(folder, ReloadResult(Reloaded.LOADED))
