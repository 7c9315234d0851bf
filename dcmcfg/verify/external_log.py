"""The external archive's own log: JSON lines, or that of an Orthanc, told by what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.log_tail import Mark, Tail, UnreadableLog, mark, tail
from dcmcfg.verify.orthanc_log import Sought, is_orthanc_log, moves, tells_of_requests
from dcmcfg.verify.record import parse_records

#: Seconds after the archive's answer in which the external archive may still write.
PATIENCE_S = 1.0
_POLL_S = 0.05
_SILENT = (
    "its log tells of no request: an Orthanc does that with --verbose, or from PUT /tools/log-level-dicom with "
    '"verbose" on, and says how many it sent with "trace"'
)


@dataclass(frozen=True)
class LogMark:
    """How far the log at ``path`` had got at ``moment``, a time to the second."""

    path: Path
    mark: Mark
    moment: datetime


@dataclass(frozen=True)
class Told:
    """The C-MOVEs of the study since a mark; None with a reason where nobody knows whether there were any."""

    records: tuple[MoveRecord, ...] | None
    why: str = ""


def note_where_it_ends(path: Path) -> LogMark:
    """Return a mark at the end of the log."""
    return LogMark(path, mark(path), datetime.now(UTC).replace(microsecond=0))


def is_orthancs(since: LogMark) -> bool:
    """Tell whether the log is an Orthanc's, by what is in it; False where it cannot be read."""
    try:
        found = tail(since.path, since.mark)
    except UnreadableLog:
        return False
    return is_orthanc_log((found.text or found.before).splitlines())


def records_since(since: LogMark, sought: Sought) -> Told:
    """Return what the log tells of the study that is *sought* since the mark.

    Waits a moment for a first C-MOVE. What was appended since the mark counts as later than it; in a log that was
    exchanged the time stamps decide, an Orthanc's being taken for those of this machine's zone.
    """
    deadline = monotonic() + PATIENCE_S
    while True:
        told = _told(since, sought)
        if told.records or monotonic() > deadline:
            return told
        sleep(_POLL_S)


def _told(since: LogMark, sought: Sought) -> Told:
    try:
        found = tail(since.path, since.mark)
    except UnreadableLog as error:
        return Told(None, f"the external archive's log {since.path} cannot be read: {error}")
    lines = found.text.splitlines()
    if is_orthanc_log(lines or found.before.splitlines()):
        return _of_orthanc(since, found, lines, sought)
    if not any(parse_records(lines or found.before.splitlines())) and (lines or found.before):
        return Told(None, f"nothing in {since.path} is a record of a C-MOVE: neither JSON lines nor an Orthanc's log")
    records = (each for each in parse_records(lines) if each.study_uid == sought.study_uid)
    return Told(tuple(each for each in records if each.started >= since.moment))


def _of_orthanc(since: LogMark, found: Tail, lines: list[str], sought: Sought) -> Told:
    if not tells_of_requests(lines):
        return Told(None, f"the external archive's log {since.path}: {_SILENT}")
    now = datetime.now().astimezone()
    records = moves(lines, sought, now)
    return Told(tuple(each for each in records if found.appended or each.started >= since.moment))
