"""The file with the last recall: it limits the rate of recalls, and has the result for later runs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dcmcfg.errors import DcmcfgError
from dcmcfg.format_number import FileFormat
from dcmcfg.private_folders import create_private_folder, require_ownership

RECALL_FORMAT = FileFormat("the record of the last recall", 1)
FOLDER = "monitor"


@dataclass(frozen=True, kw_only=True)
class RecallResult:
    """The result of a recall that ended.

    ``started`` is in UTC (ISO 8601). ``is_sent`` is false if no C-MOVE was sent. ``is_local`` is true if the archive
    had the files itself, so that nothing was recalled. ``message`` is the headline of the verdict, or the problem, and
    ``next_steps`` are those after a failure.
    """

    started: str
    duration_seconds: float
    study_instance_uid: str
    is_sent: bool
    is_successful: bool
    is_local: bool
    message: str
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecallRecord:
    """The last recall: ``result`` is that of the last one that ended.

    ``unfinished_since`` is the start of a later one that has not ended, in UTC (ISO 8601); empty if there is none.
    """

    unfinished_since: str = ""
    result: RecallResult | None = None

    @property
    def last_start(self) -> datetime | None:
        """The start of the last recall, None if there was none."""
        text = self.unfinished_since or (self.result.started if self.result is not None else "")
        return datetime.fromisoformat(text) if text else None


class RecallFile:
    """The record of the recalls of one study, or of any purged study, to one destination."""

    def __init__(self, state_folder: Path, *identity: str) -> None:
        self._state_folder = state_folder
        self._folder = state_folder / FOLDER
        key = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        self.path = self._folder / f"recall-{key}.json"

    def read(self) -> RecallRecord:
        """Return the record, an empty one without a file.

        Raises :class:`DcmcfgError` for a file that cannot be read, :class:`~dcmcfg.errors.UnknownFormat` for one of a
        later dcmcfg, and :class:`~dcmcfg.errors.Refused` if others can write to it.
        """
        require_ownership(self._folder, parent_folder=self._state_folder)
        require_ownership(self.path, parent_folder=self._state_folder)
        try:
            content = RECALL_FORMAT.read_object(json.loads(self.path.read_bytes()), str(self.path))
            return _parse_record(content)
        except FileNotFoundError:
            return RecallRecord()
        except OSError as error:
            raise DcmcfgError(f"cannot read the file ({error.strerror})", subject=str(self.path)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise DcmcfgError(
                "the file is not a record of a recall",
                subject=str(self.path),
                next_step=f"remove the file, so that the next run starts a recall: rm {self.path}",
            ) from error

    def write(self, record: RecallRecord) -> None:
        """Write *record*, whole or not at all, readable by its owner only; raises :class:`DcmcfgError`."""
        text = json.dumps(RECALL_FORMAT.add_number(asdict(record)))
        try:
            create_private_folder(self._folder)
            handle, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self._folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self.path)
            except BaseException:
                with suppress(FileNotFoundError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise self._make_write_error(error) from error

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the lock of the record inside the block; yields whether this succeeded.

        The kernel releases the lock when the process ends. Raises :class:`DcmcfgError` if the folder is not writable.
        """
        try:
            create_private_folder(self._folder)
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._make_write_error(error) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def _make_write_error(self, error: OSError) -> DcmcfgError:
        return DcmcfgError(
            f"the record of the recall cannot be written ({error.strerror}), so no recall was started",
            subject=str(self._folder),
        )


def _parse_record(content: dict[str, Any]) -> RecallRecord:
    """Return the record in *content*; raises ValueError, TypeError or KeyError for content of another form."""
    found = content["result"]
    result = None
    if found is not None:
        # Older records have no next steps.
        values = {"next_steps": (), **found}
        result = RecallResult(**{each.name: values[each.name] for each in fields(RecallResult)})
        result = replace(result, next_steps=tuple(map(str, result.next_steps)))
    record = RecallRecord(unfinished_since=content["unfinished_since"], result=result)
    if record.last_start is not None and record.last_start.tzinfo is None:
        raise ValueError("a time without a time zone")
    return record
