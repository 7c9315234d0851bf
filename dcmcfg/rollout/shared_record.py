"""The record of a change in the shared history: what other accounts may see of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.format_number import FileFormat
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.record import HEADER_FILE, JOURNAL_FILE, RolloutRecord
from dcmcfg.rollout.recorded_steps import VENDOR_DATA_NAMES, RecordedStep, parse_step, record_step
from dcmcfg.rollout.reload_result import RecordedReloadOutcome, read_reload
from dcmcfg.secret_values import redact_command
from dcmcfg.timestamps import format_iso_ms

SHARED_FORMAT = FileFormat("the shared record of a change", 1)
_ID_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class SharedRecord:
    """A change of any account, without secrets and vendor data, and without the files that revert it.

    - ``record_id`` identifies the change; ``number`` is its number in the history of its ``account``.
    - ``uid`` is the owner of the file of the record.
    - ``ended_at`` is the time of the last progress, in UTC (RFC 3339).
    - ``identity`` is the bind DN that made the change.
    - ``steps`` are all planned steps; the first ``applied_step_count`` of them were applied.

    The other fields are those of :class:`~dcmcfg.rollout.record.RolloutHeader`.
    """

    record_id: str
    number: int
    account: str
    host: str
    uid: int
    started_at: str
    ended_at: str
    ldap_url: str
    site: str
    identity: str
    command: str
    strategy: str
    counts: Mapping[str, int]
    applied_step_count: int
    status: RolloutStatus
    undo_of: int | None
    rejected_count: int
    reload: RecordedReloadOutcome | None
    steps: tuple[RecordedStep, ...]

    @property
    def applied_steps(self) -> tuple[RecordedStep, ...]:
        """The steps that were certainly applied."""
        return self.steps[: self.applied_step_count]

    @property
    def owner(self) -> tuple[str, str]:
        """The account and the host of the change: its number is unique for them."""
        return self.account, self.host

    def to_json(self) -> str:
        """Return the record as JSON; :func:`parse_shared_record` reads it."""
        content = {
            **vars(self),
            "counts": dict(self.counts),
            "status": self.status.value,
            "reload": self.reload.value if self.reload is not None else None,
            "steps": [step.to_json() for step in self.steps],
        }
        return json.dumps(SHARED_FORMAT.add_number(content)) + "\n"


def parse_shared_record(text: str, file: str) -> SharedRecord:
    """Return the record in *text*, the content of the file at path *file*.

    Raises :class:`DcmcfgError` if the text is damaged, and :class:`~dcmcfg.errors.UnknownFormat`.
    """
    try:
        content = SHARED_FORMAT.read_object(json.loads(text), file)
        record = SharedRecord(
            **content
            | {
                "status": RolloutStatus(content["status"]),
                "reload": RecordedReloadOutcome(content["reload"]) if content["reload"] is not None else None,
                "steps": tuple(map(parse_step, content["steps"])),
            }
        )
        _require_types(record)
    # In a damaged file, any key may be missing or have a value of another type.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DcmcfgError("the shared record of a change is damaged", subject=file) from error
    return record


def _require_types(record: SharedRecord) -> None:
    """Raise :class:`TypeError` if a field of *record* has another type than its annotation."""
    texts = (
        *(record.record_id, record.account, record.host, record.started_at, record.ended_at, record.ldap_url),
        *(record.site, record.identity, record.command, record.strategy, *record.counts),
    )
    numbers = (record.number, record.uid, record.applied_step_count, record.rejected_count, *record.counts.values())
    optional = () if record.undo_of is None else (record.undo_of,)
    if not all(isinstance(each, str) for each in texts) or not all(
        isinstance(each, int) and each >= 0 for each in (*numbers, *optional)
    ):
        raise TypeError("a field has a wrong type")


def list_recorded_steps(record: RolloutRecord) -> tuple[RecordedStep, ...]:
    """Return the steps of *record* without secrets and vendor data; raises as :func:`make_shared_record` does."""
    return tuple(
        record_step(change, record.get_undo_changes(position, position))
        for position, change in enumerate(record.changes, 1)
    )


def make_shared_record(record: RolloutRecord, account: str, uid: int) -> SharedRecord:
    """Return *record*, which the account *account* made, for the shared history.

    Raises :class:`DcmcfgError` if a file of the record cannot be read.
    """
    header, progress = record.header, record.read_progress()
    result = read_reload(record.folder)
    return SharedRecord(
        record_id=compute_record_id(record),
        number=record.number,
        account=account,
        host=header.host,
        uid=uid,
        started_at=header.started_at,
        ended_at=_read_time(record.folder / JOURNAL_FILE),
        ldap_url=header.ldap_url,
        site=header.site,
        identity=header.site.partition(" @ ")[0],
        command=redact_command(header.command, VENDOR_DATA_NAMES),
        strategy=header.strategy,
        counts=dict(header.counts),
        applied_step_count=progress.applied,
        status=determine_status(record),
        undo_of=header.undo_of,
        rejected_count=header.rejected_count,
        reload=result.outcome if result is not None else None,
        steps=list_recorded_steps(record),
    )


def compute_record_id(record: RolloutRecord) -> str:
    """Return the identifier of *record*: the digest of its header, which never changes.

    Raises :class:`DcmcfgError` if the header cannot be read.
    """
    path = record.folder / HEADER_FILE
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:_ID_LENGTH]
    except OSError as error:
        raise DcmcfgError(f"the record of a change cannot be read ({error.strerror})", subject=str(path)) from error


def _read_time(path: Path) -> str:
    """Return the time of the last write of the file *path* (RFC 3339)."""
    try:
        return format_iso_ms(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except OSError as error:
        raise DcmcfgError(f"the journal cannot be read ({error.strerror})", subject=str(path)) from error
