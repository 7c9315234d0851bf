"""The log that ``--external-log`` names, recognised by its content.

It is the external archive's (JSON lines, an Orthanc's, dcmtk's or dcm4che's ``dcmqrscp``, a dcm4chee archive's
``server.log``), or the ``server.log`` of the archive that was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from dcmcfg.verify import dcm4che_log, dcmtk_log
from dcmcfg.verify.dcm4che_lines import is_dcm4che_log
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import Leg
from dcmcfg.verify.log_tail import Mark, Tail, UnreadableLog, mark, tail
from dcmcfg.verify.logged import Logged
from dcmcfg.verify.orthanc_log import is_orthanc_log, moves, tells_of_requests
from dcmcfg.verify.record import parse, parse_records
from dcmcfg.verify.sought import Sought

#: Seconds after the archive's answer in which the external archive may still write.
PATIENCE_S = 1.0
_POLL_S = 0.05
#: How much later than now a time stamp may be, in a log of which nobody knows where this run begins.
_CLOCKS_DIFFER = timedelta(seconds=2)
#: Before any run; of what has no time, in a log of which nobody knows where this run begins.
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
_SILENT = (
    "its log tells of no request: an Orthanc does that with --verbose, or from PUT /tools/log-level-dicom with "
    '"verbose" on, and says how many it sent with "trace"'
)
_KINDS = "JSON lines, an Orthanc's log, dcmtk's, dcm4che's, or the server.log of dcm4chee"


@dataclass(frozen=True)
class LogMark:
    """How far the log at ``path`` had got at ``moment``, a time to the second."""

    path: Path
    mark: Mark
    moment: datetime


@dataclass(frozen=True)
class Told:
    """The C-MOVEs of the study since a mark; None with a reason where nobody knows whether there were any.

    ``legs`` are the C-STOREs of the study that the log shows. ``is_final`` says that each C-MOVE has its final
    response, so that no more is to come; ``by_archive`` that the log is of the archive that was asked. ``is_silent``
    says that nothing was written to it since the mark: it may be a copy.
    """

    records: tuple[MoveRecord, ...] | None
    why: str = ""
    legs: tuple[Leg, ...] = ()
    is_final: bool = True
    by_archive: bool = False
    is_silent: bool = False


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

    Waits a moment for a first C-MOVE, and for the end of one that is not over. What was appended since the mark counts
    as later than it; in a log that was exchanged the time stamps decide, those without a zone as this machine's.
    """
    deadline = monotonic() + PATIENCE_S
    while True:
        told = _told(since, sought)
        if (told.records and told.is_final) or monotonic() > deadline:
            return told
        sleep(_POLL_S)


def _told(since: LogMark, sought: Sought) -> Told:
    try:
        found = tail(since.path, since.mark)
    except UnreadableLog as error:
        return Told(None, f"the external archive's log {since.path} cannot be read: {error}")
    lines = found.text.splitlines()
    known = lines or found.before.splitlines()
    if is_orthanc_log(known):
        return _of_orthanc(since, found, lines, sought)
    if is_dcm4che_log(known):
        return _of_dcm4che(since, found, lines, sought)
    if dcmtk_log.is_dcmtk_log(known):
        return _of_dcmtk(since, found, lines, sought)
    if not any(parse_records(known)) and known:
        return Told(None, f"nothing in {since.path} reports a C-MOVE; expected: {_KINDS}")
    found_here = [
        (record, leg)
        for record, leg in parse(lines)
        if record.study_uid == sought.study_uid and record.started >= since.moment
    ]
    legs = tuple(leg for record, leg in found_here if leg is not None)
    return Told(tuple(record for record, _ in found_here), legs=legs, is_silent=not lines)


def _of_orthanc(since: LogMark, found: Tail, lines: list[str], sought: Sought) -> Told:
    if not tells_of_requests(lines):
        return Told(None, f"the external archive's log {since.path}: {_SILENT}")
    now = datetime.now().astimezone()
    records = moves(lines, sought, now)
    return Told(tuple(each for each in records if found.appended or each.started >= since.moment))


def _of_dcm4che(since: LogMark, found: Tail, lines: list[str], sought: Sought) -> Told:
    now = datetime.now().astimezone()
    logged = dcm4che_log.read(lines, sought, now)
    if not logged.shows_messages:
        return Told(
            None,
            f"the log {since.path} shows no DIMSE message since the C-MOVE was sent: dcm4che logs them at level INFO "
            "of org.dcm4che3.net",
        )
    if logged.is_archives and not logged.has_request:
        return Told(
            None,
            f"{since.path} is the log of the archive, and does not show the C-MOVE from {sought.calling}: the archive "
            "logs it at level INFO of org.dcm4che3.net and org.dcm4chee.arc; in a cluster, name the log of the node "
            "that was asked",
        )
    return _of_this_run(logged, since, found, sought, now)


def _of_dcmtk(since: LogMark, found: Tail, lines: list[str], sought: Sought) -> Told:
    now = datetime.now().astimezone()
    start = since.moment if found.appended else _LONG_AGO
    logged = dcmtk_log.read(lines, sought, start.astimezone(now.tzinfo), found.before.splitlines())
    if not logged.shows_messages:
        return Told(
            None,
            f"the log {since.path} shows no association since the C-MOVE was sent: dcmqrscp logs them with --verbose",
        )
    return _of_this_run(logged, since, found, sought, now)


def _of_this_run(logged: Logged, since: LogMark, found: Tail, sought: Sought, now: datetime) -> Told:
    """Return what *logged* tells of this run; a log without a C-MOVE counts only where it is the right one."""
    records, legs = logged.records, logged.legs
    if not found.appended:
        records = tuple(each for each in records if _in_this_run(each.started, since, now))
        legs = _legs_in_this_run(legs, since, now)
    is_known = logged.is_archives or not sought.external_titles or logged.titles & sought.external_titles
    if not records and not is_known:
        return Told(
            None,
            f"{since.path} is the log of {_names(logged.titles) or 'no server'}, and the archive asks "
            f"{_names(sought.external_titles)}",
        )
    is_final = all(each.status is not None for each in records if each.study_uid)
    return Told(records, legs=legs, is_final=is_final, by_archive=logged.is_archives)


def _names(titles: frozenset[str]) -> str:
    return ", ".join(sorted(titles))


def _in_this_run(moment: datetime, since: LogMark, now: datetime) -> bool:
    return since.moment <= moment <= now + _CLOCKS_DIFFER


def _legs_in_this_run(legs: tuple[Leg, ...], since: LogMark, now: datetime) -> tuple[Leg, ...]:
    """Return *legs* with those C-STOREs whose time is in this run; one without any is left out."""
    kept = (
        replace(leg, stores=tuple(each for each in leg.stores if each.moment and _in_this_run(each.moment, since, now)))
        for leg in legs
    )
    return tuple(leg for leg in kept if leg.stores)
