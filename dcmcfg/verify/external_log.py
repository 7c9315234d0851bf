"""The log that ``--external-log`` names, recognised by its content.

It is the external archive's (JSON lines, an Orthanc's, dcmtk's or dcm4che's ``dcmqrscp``, a dcm4chee archive's
``server.log``), or the ``server.log`` of the archive that was asked.

The end of a log that another program writes: what came since it was last looked at.

The external archive's own record of the C-MOVEs it served, as JSON lines.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from dcmcfg.timestamps import parsed
from dcmcfg.verify import dcm4che_log, dcmtk_log
from dcmcfg.verify.dcm4che_lines import is_dcm4che_log
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import Leg, Store
from dcmcfg.verify.log_query import Sought
from dcmcfg.verify.orthanc_log import is_orthanc_log, moves, tells_of_requests
from dcmcfg.verify.parsed_log import Logged

#: Octets that are read at most; what is older is left out.
MOST = 16 * 1024 * 1024
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Mark:
    """How far a log had got; ``known`` is false where there was none to look at, or it could not be read."""

    device: int = 0
    inode: int = 0
    size: int = 0
    known: bool = False


@dataclass(frozen=True)
class Tail:
    """What is in a log since a mark.

    ``appended`` says that nothing in it is older than the mark: the log was neither exchanged nor cut meanwhile.
    ``before`` is the end of what is older, for telling what kind of log it is; both end with whole lines.
    """

    text: str
    appended: bool
    before: str = ""


class UnreadableLog(Exception):
    """A log that cannot be read; ``str()`` says why."""


def mark(path: Path) -> Mark:
    """Return how far the log has got; never raises."""
    try:
        return _mark(path.stat())
    except OSError:
        return Mark()


def tail(path: Path, since: Mark) -> Tail:
    """Return what was written since: also what is left in a file that was renamed, as logrotate does it.

    Raises :class:`UnreadableLog`, also for what is no plain file: reading it might never end.
    """
    descriptor = _open(path)
    with os.fdopen(descriptor, "rb") as file:
        here = _mark(os.fstat(descriptor))
        same = _goes_on(since, here)
        start = max(since.size if same else 0, here.size - MOST)
        file.seek(max(start - _BLOCK, 0))
        before = file.read(start - file.tell())
        octets = file.read(MOST)
    rest, renamed = (b"", False) if same else _rest(path, since)
    return Tail(_lines(rest) + _lines(octets), same or renamed, _lines(before))


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableLog(error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableLog("not a plain file")
    return descriptor


def _rest(path: Path, since: Mark) -> tuple[bytes, bool]:
    """Return what the file that was marked holds now under another name in the folder, and whether it is there."""
    if not since.known:
        return b"", False
    try:
        for other in path.resolve().parent.iterdir():
            status = other.lstat()
            if stat.S_ISREG(status.st_mode) and _goes_on(since, _mark(status)):
                with other.open("rb") as file:
                    file.seek(since.size)
                    return file.read(MOST), True
    except OSError:
        pass
    return b"", False


def _goes_on(since: Mark, here: Mark) -> bool:
    """Tell whether it is the file that was marked, and not cut meanwhile."""
    return since.known and (here.device, here.inode) == (since.device, since.inode) and here.size >= since.size


def _mark(status: os.stat_result) -> Mark:
    return Mark(status.st_dev, status.st_ino, status.st_size, known=True)


def _lines(octets: bytes) -> str:
    """Return the whole lines; what follows the last end of line is still being written."""
    return octets[: octets.rfind(b"\n") + 1].decode("utf-8", "replace")


_HIGHEST_STATUS = 0xFFFF


def parse_records(lines: Iterable[str]) -> Iterator[MoveRecord]:
    """Yield the C-MOVEs that *lines* record.

    Each line is one JSON object: ``started`` and ``time`` (ISO 8601; UTC unless they say otherwise), ``calling``,
    ``called``, ``destination``, ``study_uid``, ``status``, ``completed``, ``failed``. Lines that are not such an
    object are ignored.
    """
    return (record for record, _ in parse(lines))


def parse(lines: Iterable[str]) -> Iterator[tuple[MoveRecord, Leg | None]]:
    """Yield each C-MOVE that *lines* record, with the C-STOREs that were sent for it; None where none is recorded.

    They are in ``stores``, a list of objects: ``sop_instance_uid``, ``sop_class_uid``, ``transfer_syntax_uid``,
    ``status``.
    """
    for line in lines:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and (record := _record(fields)):
            yield record, _leg(record, fields.get("stores"))


def _leg(record: MoveRecord, stores: object) -> Leg | None:
    found = [_store(each) for each in stores if isinstance(each, dict)] if isinstance(stores, list) else []
    witness = f"{record.called or 'the external archive'}'s record"
    return Leg(record.called, record.destination, witness, tuple(found)) if found else None


def _store(fields: dict[str, object]) -> Store:
    return Store(
        _text(fields.get("sop_instance_uid")),
        _text(fields.get("sop_class_uid")),
        _text(fields.get("transfer_syntax_uid")),
        _status(fields.get("status")),
    )


def _record(fields: dict[str, object]) -> MoveRecord | None:
    started = _instant(fields.get("started")) or _instant(fields.get("time"))
    study_uid = fields.get("study_uid")
    if started is None or not isinstance(study_uid, str):
        return None
    return MoveRecord(
        started=started,
        calling=_text(fields.get("calling")),
        called=_text(fields.get("called")),
        destination=_text(fields.get("destination")),
        study_uid=study_uid,
        status=_status(fields.get("status")),
        completed=_number(fields.get("completed")),
        failed=_number(fields.get("failed")),
    )


def _instant(value: object) -> datetime | None:
    return parsed(value) if isinstance(value, str) else None


def _text(value: object) -> str:
    return value.strip(" ") if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _status(value: object) -> int | None:
    """Return a DIMSE status written as a number or as hexadecimal text (``A801``, ``0xA801``): two octets (PS3.7 C)."""
    if isinstance(value, str):
        try:
            value = int(value.removesuffix("H"), 16)
        except ValueError:
            return None
    number = _number(value)
    return number if number is not None and number <= _HIGHEST_STATUS else None


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
