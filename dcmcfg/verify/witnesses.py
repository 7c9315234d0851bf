"""Whoever else can tell of a C-MOVE: the archive's database, the external archive's record, the archive itself again.

None of them can end a verification: what could not be learnt is a warning of the evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from dcmcfg.archive.qido import Qido
from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.verify.asking_again import instances_after, stored_after, stored_before
from dcmcfg.verify.evidence import Evidence, MoveRecord, Stored
from dcmcfg.verify.record import read_records

#: Seconds after the archive's answer in which the external archive may still write its record.
RECORD_S = 1.0
_POLL_S = 0.05


def _ignore(_: str) -> None:
    """Take no notice."""


@dataclass(frozen=True)
class Heard:
    """What was told, or noticed, before the C-MOVE was sent; ``since`` is when that was, to the second."""

    since: datetime
    stored: Stored
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Witnesses:
    """Who is asked; with ``asks_again`` the archive by C-FIND, once more after the move."""

    external_log: Path | None = None
    qido: Qido | None = None
    asks_again: bool = False

    def before(self, study_uid: str, on_step: Callable[[str], None] = _ignore) -> Heard:
        """Hear those that have something to say before the move."""
        stored, warnings = Stored(), tuple[str, ...]()
        if self.qido is not None:
            on_step(f"asking the archive's database where the files are ({self.qido.url})")
            stored, warnings = stored_before(self.qido, study_uid)
        return Heard(datetime.now(UTC).replace(microsecond=0), stored, warnings)  # a record may tell whole seconds only

    def after(self, evidence: Evidence, heard: Heard, opened: OpenAssociation) -> Evidence:
        """Return *evidence* with what they say now; *opened* is asked only where it had an answer to the move."""
        study_uid = evidence.question.study_uid
        stored, after, warnings = heard.stored, evidence.after, heard.warnings
        if self.asks_again and evidence.outcome.status is not None:
            after, more = instances_after(opened, study_uid, evidence.expected)
            warnings += more
        if self.qido is not None:
            stored, more = stored_after(self.qido, study_uid, stored)
            warnings += more
        records = _records(self.external_log, study_uid, heard.since) if self.external_log else None
        return replace(evidence, after=after, stored=stored, records=records, warnings=(*evidence.warnings, *warnings))


NOBODY_ELSE = Witnesses()


def _records(path: Path, study_uid: str, since: datetime) -> tuple[MoveRecord, ...] | None:
    deadline = monotonic() + RECORD_S
    while not (records := read_records(path, study_uid=study_uid, since=since)):
        if monotonic() > deadline:
            break
        sleep(_POLL_S)
    return records
