"""Read the log in ``--external-log``, recognised by its content.

It is the log of the external archive (JSON lines, an Orthanc's, ``dcmqrscp`` of dcmtk or dcm4che, ``server.log`` of a
dcm4chee archive), or the ``server.log`` of the archive that received the C-MOVE. Only the part written since a position
is read. JSON lines are the external archive's own records of the C-MOVEs that it served.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from dcmcfg.timestamps import parse_timestamp
from dcmcfg.verify import dcm4che_log, dcmtk_log
from dcmcfg.verify.dcm4che_lines import is_dcm4che_log
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.orthanc_log import is_orthanc_log, read_orthanc_log, shows_requests
from dcmcfg.verify.parsed_log import ParsedLog

#: Maximum of octets read; older text is ignored.
MAX_TAIL_OCTETS = 16 * 1024 * 1024
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class FilePosition:
    """The size of a log at one time; ``known`` is False if there was no log, or it could not be read."""

    device: int = 0
    inode: int = 0
    size: int = 0
    known: bool = False


@dataclass(frozen=True)
class LogTail:
    """The part of a log after a position.

    ``is_continued`` is True if nothing in it is older than the position: the log was neither replaced nor truncated.
    ``preceding_text`` is the end of the older part, to recognise the kind of log; both end with whole lines.
    """

    text: str
    is_continued: bool
    preceding_text: str = ""


class UnreadableLog(Exception):
    """A log that cannot be read; ``str()`` is the reason."""


def get_file_position(path: Path) -> FilePosition:
    """Return the present end of the log; never raises."""
    try:
        return _to_position(path.stat())
    except OSError:
        return FilePosition()


def read_tail(path: Path, position: FilePosition) -> LogTail:
    """Return the text written since *position*, including the rest of a renamed file (logrotate).

    Raises :class:`UnreadableLog`, also if it is not a regular file, because reading might never end.
    """
    descriptor = _open(path)
    with os.fdopen(descriptor, "rb") as file:
        current_position = _to_position(os.fstat(descriptor))
        is_same_file = _is_continued(position, current_position)
        # A log that was replaced or truncated is read from its beginning.
        start = max(position.size if is_same_file else 0, current_position.size - MAX_TAIL_OCTETS)
        file.seek(max(start - _BLOCK, 0))
        before = file.read(start - file.tell())
        octets = file.read(MAX_TAIL_OCTETS)
    renamed_octets, is_renamed = (b"", False) if is_same_file else _read_renamed(path, position)
    return LogTail(
        _decode_whole_lines(renamed_octets) + _decode_whole_lines(octets),
        is_same_file or is_renamed,
        _decode_whole_lines(before),
    )


def _open(path: Path) -> int:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableLog(error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableLog("not a regular file")
    return descriptor


def _read_renamed(path: Path, position: FilePosition) -> tuple[bytes, bool]:
    """Return new text of the file of *position* under another name in the folder, and whether it exists."""
    if not position.known:
        return b"", False
    try:
        for sibling in path.resolve().parent.iterdir():
            # A symbolic link may lead back to the log itself, so links are not followed.
            status = sibling.lstat()
            if stat.S_ISREG(status.st_mode) and _is_continued(position, _to_position(status)):
                with sibling.open("rb") as file:
                    file.seek(position.size)
                    return file.read(MAX_TAIL_OCTETS), True
    # A file that cannot be read is treated like one that does not exist.
    except OSError:
        pass
    return b"", False


def _is_continued(position: FilePosition, current_position: FilePosition) -> bool:
    """Return whether it is the file of *position*, and was not truncated."""
    return (
        position.known
        and (current_position.device, current_position.inode) == (position.device, position.inode)
        and current_position.size >= position.size
    )


def _to_position(status: os.stat_result) -> FilePosition:
    return FilePosition(status.st_dev, status.st_ino, status.st_size, known=True)


def _decode_whole_lines(octets: bytes) -> str:
    """Return the whole lines; the part after the last end of line is still being written."""
    return octets[: octets.rfind(b"\n") + 1].decode("utf-8", "replace")


_MAX_STATUS = 0xFFFF


def parse_records(lines: Iterable[str]) -> Iterator[MoveRecord]:
    """Yield the C-MOVEs recorded in *lines*.

    Each line is one JSON object: ``started`` and ``time`` (ISO 8601; UTC by default), ``calling``, ``called``,
    ``destination``, ``study_uid``, ``status``, ``completed``, ``failed``. Other lines are ignored.
    """
    return (record for record, _ in parse_records_with_legs(lines))


def parse_records_with_legs(lines: Iterable[str]) -> Iterator[tuple[MoveRecord, TransferLeg | None]]:
    """Yield each C-MOVE recorded in *lines*, with its C-STOREs; None if none are recorded.

    They are in ``stores``, a list of objects: ``sop_instance_uid``, ``sop_class_uid``, ``transfer_syntax_uid``,
    ``status``.
    """
    for line in lines:
        try:
            fields = json.loads(line)
        # Deeply nested JSON exceeds Python's recursion limit.
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and (record := _parse_record(fields)):
            yield record, _parse_leg(record, fields.get("stores"))


def _parse_leg(record: MoveRecord, stores: object) -> TransferLeg | None:
    parsed_stores = (
        [_parse_store(each) for each in stores if isinstance(each, dict)] if isinstance(stores, list) else []
    )
    evidence_source = f"{record.called_ae_title or 'the external archive'}'s record"
    return (
        TransferLeg(record.called_ae_title, record.destination_ae_title, evidence_source, tuple(parsed_stores))
        if parsed_stores
        else None
    )


def _parse_store(fields: dict[str, object]) -> StoreRecord:
    return StoreRecord(
        _parse_text(fields.get("sop_instance_uid")),
        _parse_text(fields.get("sop_class_uid")),
        _parse_text(fields.get("transfer_syntax_uid")),
        _parse_status(fields.get("status")),
    )


def _parse_record(fields: dict[str, object]) -> MoveRecord | None:
    started = _parse_time(fields.get("started")) or _parse_time(fields.get("time"))
    study_uid = fields.get("study_uid")
    if started is None or not isinstance(study_uid, str):
        return None
    return MoveRecord(
        started=started,
        calling_ae_title=_parse_text(fields.get("calling")),
        called_ae_title=_parse_text(fields.get("called")),
        destination_ae_title=_parse_text(fields.get("destination")),
        study_uid=study_uid,
        status=_parse_status(fields.get("status")),
        completed=_parse_count(fields.get("completed")),
        failed=_parse_count(fields.get("failed")),
    )


def _parse_time(value: object) -> datetime | None:
    return parse_timestamp(value) if isinstance(value, str) else None


def _parse_text(value: object) -> str:
    return value.strip(" ") if isinstance(value, str) else ""


def _parse_count(value: object) -> int | None:
    # In Python, True and False are integers.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _parse_status(value: object) -> int | None:
    """Return a DIMSE status written as a number or as hexadecimal text (``A801``, ``0xA801``): two octets (PS3.7 C)."""
    if isinstance(value, str):
        try:
            value = int(value.removesuffix("H"), 16)
        except ValueError:
            return None
    number = _parse_count(value)
    return number if number is not None and number <= _MAX_STATUS else None


#: Seconds after the archive's response in which the external archive may still write; a brief wait costs less for many
#: local studies, about which the external archive writes nothing.
LOG_WAIT_S, BRIEF_LOG_WAIT_S = 1.0, 0.2
_POLL_S = 0.05
#: Tolerance for time stamps after now, in a replaced log without a known start of this run.
_CLOCK_TOLERANCE = timedelta(seconds=2)
#: A time before any run, for lines without a time in a replaced log.
_EARLIEST_TIME = datetime(1970, 1, 2, tzinfo=UTC)
_NO_REQUESTS = (
    "the log shows no request. An Orthanc logs requests if it runs with --verbose, or after PUT "
    '/tools/log-level-dicom with "verbose". With "trace" instead of "verbose", an Orthanc also logs the number of sent '
    "instances"
)
_KINDS = "JSON lines, a log of Orthanc, dcmtk or dcm4che, or the server.log of dcm4chee"


@dataclass(frozen=True)
class LogPosition:
    """The end of the log at ``path`` at ``time``, to the second."""

    path: Path
    file_position: FilePosition
    time: datetime


@dataclass(frozen=True)
class LogEvidence:
    """The C-MOVEs of the study since a position; None, with a reason, if they are unknown.

    ``legs`` are the C-STOREs of the study in the log. ``is_complete`` is True if each C-MOVE has its final response, so
    that nothing follows. ``is_from_archive_log`` is True for the log of the archive that received the C-MOVE.
    ``is_unchanged`` is True if nothing was written since the position: the file may be a copy.
    """

    move_records: tuple[MoveRecord, ...] | None
    reason: str = ""
    _: KW_ONLY
    legs: tuple[TransferLeg, ...] = ()
    is_complete: bool = True
    is_from_archive_log: bool = False
    is_unchanged: bool = False


def get_log_position(path: Path) -> LogPosition:
    """Return the position of the end of the log."""
    # Some logs have times in whole seconds, so the time is rounded down.
    return LogPosition(path, get_file_position(path), datetime.now(UTC).replace(microsecond=0))


def is_written_by_orthanc(position: LogPosition) -> bool:
    """Return whether the log is an Orthanc's, by its content; False if it cannot be read."""
    try:
        tail = read_tail(position.path, position.file_position)
    except UnreadableLog:
        return False
    return is_orthanc_log((tail.text or tail.preceding_text).splitlines())


def read_log_evidence(
    position: LogPosition, query: LogQuery, *, is_shared: bool = False, waits_briefly: bool = False
) -> LogEvidence:
    """Return the evidence of the log on the study in *query* since *position*.

    Waits a moment for a first C-MOVE (shorter with *waits_briefly*), and for the end of an unfinished one. Text
    appended since *position* counts as later. In a replaced log, the time stamps decide; those without a zone are in
    this machine's zone. With *is_shared*, other studies of the run may have changed the log.
    """
    started = monotonic()
    while True:
        evidence = _read_once(position, query, is_shared=is_shared)
        wait_s = BRIEF_LOG_WAIT_S if waits_briefly and not evidence.move_records else LOG_WAIT_S
        if (evidence.move_records and evidence.is_complete) or monotonic() > started + wait_s:
            return evidence
        sleep(_POLL_S)


def _read_once(position: LogPosition, query: LogQuery, *, is_shared: bool) -> LogEvidence:
    try:
        tail = read_tail(position.path, position.file_position)
    except UnreadableLog as error:
        return LogEvidence(None, f"the external archive's log {position.path} cannot be read: {error}")
    lines = tail.text.splitlines()
    known_lines = lines or tail.preceding_text.splitlines()
    if is_shared and not lines and _is_known_format(known_lines):
        # With a line about another study, the log would show no C-MOVE either.
        return LogEvidence((), is_unchanged=True)
    if is_orthanc_log(known_lines):
        return _read_orthanc_log(position, tail, lines, query)
    if is_dcm4che_log(known_lines):
        return _read_dcm4che_log(position, tail, lines, query)
    if dcmtk_log.is_dcmtk_log(known_lines):
        return _read_dcmtk_log(position, tail, lines, query)
    if not any(parse_records(known_lines)) and known_lines:
        return LogEvidence(None, f"the format of the log {position.path} is unknown. Known formats: {_KINDS}")
    records = [
        (record, leg)
        for record, leg in parse_records_with_legs(lines)
        if record.study_uid == query.study_uid and record.started >= position.time
    ]
    legs = tuple(leg for record, leg in records if leg is not None)
    return LogEvidence(tuple(record for record, _ in records), legs=legs, is_unchanged=not lines)


def _is_known_format(lines: list[str]) -> bool:
    return is_orthanc_log(lines) or is_dcm4che_log(lines) or dcmtk_log.is_dcmtk_log(lines) or any(parse_records(lines))


def _read_orthanc_log(position: LogPosition, tail: LogTail, lines: list[str], query: LogQuery) -> LogEvidence:
    if not shows_requests(lines):
        return LogEvidence(None, f"the external archive's log {position.path}: {_NO_REQUESTS}")
    now = datetime.now().astimezone()
    records = read_orthanc_log(lines, query, now)
    return LogEvidence(tuple(each for each in records if tail.is_continued or each.started >= position.time))


def _read_dcm4che_log(position: LogPosition, tail: LogTail, lines: list[str], query: LogQuery) -> LogEvidence:
    now = datetime.now().astimezone()
    parsed_log = dcm4che_log.read_dcm4che_log(lines, query, now)
    if not parsed_log.shows_messages:
        return LogEvidence(
            None,
            f"the log {position.path} shows no DIMSE message since the C-MOVE was sent: dcm4che logs DIMSE messages at "
            "level INFO of org.dcm4che3.net",
        )
    if parsed_log.is_from_archive and not parsed_log.has_request:
        return LogEvidence(
            None,
            (
                f"{position.path} is the archive's own log, but does not show the C-MOVE from "
                f"{query.calling_ae_title}: the archive logs requests at level INFO of org.dcm4che3.net and "
                "org.dcm4chee.arc. In a cluster, specify the log of the node that received the C-MOVE"
            ),
        )
    return _select_this_run(parsed_log, position, tail, query=query, now=now)


def _read_dcmtk_log(position: LogPosition, tail: LogTail, lines: list[str], query: LogQuery) -> LogEvidence:
    now = datetime.now().astimezone()
    start = position.time if tail.is_continued else _EARLIEST_TIME
    parsed_log = dcmtk_log.read_dcmtk_log(lines, query, start.astimezone(now.tzinfo), tail.preceding_text.splitlines())
    if not parsed_log.shows_messages:
        return LogEvidence(
            None,
            f"the log {position.path} shows no association since the C-MOVE was sent. dcmqrscp logs associations only "
            "with --verbose",
        )
    return _select_this_run(parsed_log, position, tail, query=query, now=now)


def _select_this_run(
    parsed_log: ParsedLog, position: LogPosition, tail: LogTail, *, query: LogQuery, now: datetime
) -> LogEvidence:
    """Return the part of *parsed_log* from this run; a log without a C-MOVE counts only if it is the right one."""
    records, legs = parsed_log.move_records, parsed_log.legs
    if not tail.is_continued:
        records = tuple(each for each in records if _is_in_this_run(each.started, position, now))
        legs = _select_legs_of_this_run(legs, position, now)
    is_relevant = (
        parsed_log.is_from_archive or not query.external_ae_titles or parsed_log.ae_titles & query.external_ae_titles
    )
    if not records and not is_relevant:
        return LogEvidence(
            None,
            (
                f"{position.path} is the log of {_join_titles(parsed_log.ae_titles) or 'no server'}, but the archive "
                f"sends its requests to {_join_titles(query.external_ae_titles)}"
            ),
        )
    is_final = all(each.status is not None for each in records if each.study_uid)
    return LogEvidence(records, legs=legs, is_complete=is_final, is_from_archive_log=parsed_log.is_from_archive)


def _join_titles(titles: frozenset[str]) -> str:
    return ", ".join(sorted(titles))


def _is_in_this_run(time: datetime, position: LogPosition, now: datetime) -> bool:
    return position.time <= time <= now + _CLOCK_TOLERANCE


def _select_legs_of_this_run(
    legs: tuple[TransferLeg, ...], position: LogPosition, now: datetime
) -> tuple[TransferLeg, ...]:
    """Return *legs* with only the C-STOREs whose time is in this run."""
    selected = (
        replace(
            leg, stores=tuple(each for each in leg.stores if each.time and _is_in_this_run(each.time, position, now))
        )
        for leg in legs
    )
    return tuple(leg for leg in selected if leg.stores)
