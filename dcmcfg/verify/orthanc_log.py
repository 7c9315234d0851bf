"""Read the C-MOVEs that an Orthanc served from its log.

With ``--verbose``, Orthanc (1.10 and later) logs the caller, the request, the destination, and the resource that it
sends. The Study Instance UID is hidden unless its configuration has ``"DeidentifyLogs": false``. A resource is named by
a hash of patient ID and UIDs, so the study can be recognised anyway. The result of each C-STORE is logged with
``--trace-dicom`` only, and that of a whole C-MOVE never. Time stamps have no year and no zone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from dcmcfg.dicom.query import Instance
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.log_query import LogQuery

_LINE = re.compile(
    r"(?P<level>[TIWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d)\.\d+ +"
    r"(?:(?P<thread>\S+) +)?(?P<place>[\w.-]+:\d+)\] (?:\(\w+\) )?(?P<message>.*)"
)
_INCOMING = re.compile(r"Incoming Move request from AET (?P<calling>.*) on IP \S+, calling AET (?P<called>.*)")
_ASSOCIATED = re.compile(r"Association Received from AET (?P<calling>.*) on IP .*")
_DESTINATION = re.compile(r'(?:C-)?Move-SCU request received for AET "(?P<destination>.*)"')
_STUDY = re.compile(r"(?:\s*\(0020,000[dD]\)\s+StudyInstanceUID = |\(0020,000[dD]\) UI \[)(?P<uid>[0-9.]+)\]?.*")
_SENDING = re.compile(r'Sending resource (?P<resource>[0-9a-f-]+) to modality ".*"(?: in \w+ mode)?')
_JOB = re.compile(r"New job submitted with priority -?\d+: (?P<job>\S+)")
_JOB_ENDED = re.compile(r"Job has completed with (?P<how>success|failure): (?P<job>\S+)")
_FAILED = re.compile(r"I?MoveRequestHandler Failed: (?P<why>.*)")
_FINISHED = re.compile(r"Finishing association with AET (?P<calling>.*) on IP .*")
_NO_STUDY = 'the log does not show the study: an Orthanc logs the study only with "DeidentifyLogs": false'
_IN_MESSAGE = re.compile(r"(?P<name>Message Type|Affected SOP Instance UID|DIMSE Status) +: (?P<value>.*)")


def compute_resource_id(*uids: str) -> str:
    """Return Orthanc's ID of the resource with this patient ID and UIDs, from the top down: a SHA-1 in five groups."""
    # Orthanc defines its IDs by SHA-1, which a FIPS build of OpenSSL refuses without this flag.
    digest = hashlib.sha1("|".join(uids).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def compute_resource_ids(patient_id: str, instances: Iterable[Instance]) -> frozenset[str]:
    """Return Orthanc's IDs of the study of *instances*, of its series and of the instances."""
    return frozenset(
        compute_resource_id(patient_id, *uids)
        for each in instances
        for uids in (
            (each.study_uid,),
            (each.study_uid, each.series_uid),
            (each.study_uid, each.series_uid, each.sop_instance_uid),
        )
    )


def is_orthanc_log(lines: Iterable[str]) -> bool:
    """Return whether any of *lines* has the format of Orthanc's log."""
    return any(map(_LINE.fullmatch, lines))


def shows_requests(lines: Iterable[str]) -> bool:
    """Return whether *lines* are from an Orthanc that logs requests, which is off by default."""
    return any((match := _LINE.fullmatch(line)) and match["level"] in "TI" for line in lines)


def read_orthanc_log(lines: Iterable[str], query: LogQuery, now: datetime) -> Iterator[MoveRecord]:
    """Yield the C-MOVEs of the study in *query*, oldest first; ``study_uid`` is empty if the log hides it.

    *now* is a time after all of *lines*, in the zone of their time stamps.
    """
    log = _LogReader(query)
    for line in lines:
        if match := _LINE.fullmatch(line):
            timestamp = _parse_time(match, now)
            log.read_line(timestamp, match["level"], match["thread"] or "", match["message"])
        else:
            log.read_continuation_line(line)
    for move in log.moves:
        if (record := move.to_move_record(query)) is not None:
            yield record


@dataclass
class _LoggedMove:
    record_so_far: MoveRecord
    thread: str
    sequence_number: int  # among all moves
    _: KW_ONLY
    study_uid: str = ""
    resources: set[str] = field(default_factory=set)
    job: str = ""
    stored: int = 0
    not_stored: int = 0
    is_over: bool = False

    def to_move_record(self, query: LogQuery) -> MoveRecord | None:
        """Return the record, or None if it is for another study."""
        if self.study_uid and self.study_uid != query.study_uid:
            return None
        study_uid = self.study_uid or (query.study_uid if self.resources & query.orthanc_resource_ids else "")
        is_counted = bool(self.stored or self.not_stored)
        return replace(
            self.record_so_far,
            study_uid=study_uid,
            missing_study_reason="" if study_uid else _NO_STUDY,
            is_sending=bool(self.resources),
            completed=self.stored if is_counted else None,
            failed=self.not_stored if is_counted else None,
        )


class _LogReader:
    """The state after the lines read so far; a line belongs to the last C-MOVE of its thread, if there are threads."""

    def __init__(self, query: LogQuery) -> None:
        self.moves: list[_LoggedMove] = []
        self._query = query
        self._last_error = ""
        self._message: dict[str, str] = {}
        self._in_request = False
        self._callers: dict[str, int] = {}  # number of open associations by caller
        self._open: list[_LoggedMove] = []  # may contain finished ones
        self._open_in_thread: dict[str, list[_LoggedMove]] = {}  # likewise
        self._by_caller: dict[str, list[_LoggedMove]] = {}  # likewise
        self._by_caller_in_thread: dict[tuple[str, str], list[_LoggedMove]] = {}  # likewise
        self._by_job: dict[str, list[_LoggedMove]] = {}
        self._sending: list[tuple[int, _LoggedMove]] = []  # a heap with the last one on top; may contain failed ones

    def read_line(self, time: datetime, level: str, thread: str, message: str) -> None:
        """Read a line with a time stamp."""
        if level == "E" and not _FAILED.fullmatch(message):
            self._last_error = message
        self._in_request = message == "Received C-MOVE Request:"  # its data set follows
        if match := _ASSOCIATED.fullmatch(message):
            caller = match["calling"].strip()
            self._callers[caller] = self._callers.get(caller, 0) + 1
        elif match := _INCOMING.fullmatch(message):
            self._last_error = ""
            self._begin(time, thread, match["calling"].strip(), match["called"].strip())
        elif match := _DESTINATION.fullmatch(message):
            self._send_to(time, thread, match["destination"])
        elif match := _FINISHED.fullmatch(message):
            self._finish(thread, match["calling"].strip())
        elif match := _JOB_ENDED.fullmatch(message):
            self._end_job(match["job"], success=match["how"] == "success")
        elif move := self._get_current_move(thread):
            self._read_move_line(move, message)

    def _begin(self, time: datetime, thread: str, calling: str, called: str = "") -> _LoggedMove:
        move = _LoggedMove(
            MoveRecord(
                started=time, calling_ae_title=calling, called_ae_title=called, destination_ae_title="", study_uid=""
            ),
            thread,
            len(self.moves),
        )
        self.moves.append(move)
        self._open.append(move)
        self._open_in_thread.setdefault(thread, []).append(move)
        self._by_caller.setdefault(calling, []).append(move)
        self._by_caller_in_thread.setdefault((calling, thread), []).append(move)
        return move

    def _send_to(self, time: datetime, thread: str, destination: str) -> None:
        move = self._get_current_move(thread)
        if move is None or move.record_so_far.destination_ae_title:  # Orthanc does not log the caller of each request.
            caller = next(iter(self._callers)) if len(self._callers) == 1 else ""
            move = self._begin(time, thread, caller)
        move.record_so_far = replace(move.record_so_far, destination_ae_title=destination)

    def _finish(self, thread: str, caller: str) -> None:
        if (remaining := self._callers.pop(caller, 0) - 1) > 0:
            self._callers[caller] = remaining
        finished = self._by_caller_in_thread.pop((caller, thread), ()) if thread else self._by_caller.pop(caller, ())
        for move in finished:
            move.is_over = True

    def _read_move_line(self, move: _LoggedMove, message: str) -> None:
        if match := _STUDY.fullmatch(message):
            move.study_uid = match["uid"]
        elif match := _SENDING.fullmatch(message):
            if not move.resources:
                heappush(self._sending, (-move.sequence_number, move))
            move.resources.add(match["resource"])
        elif match := _JOB.fullmatch(message):
            move.job = match["job"]
            self._by_job.setdefault(move.job, []).append(move)
        elif match := _FAILED.fullmatch(message):
            move.record_so_far = replace(move.record_so_far, failure=self._last_error or match["why"])
            move.is_over = True

    def read_continuation_line(self, line: str) -> None:
        """Read a line without a time stamp, of a data set or a DIMSE message."""
        if self._in_request and (match := _STUDY.fullmatch(line)) and (move := self._get_current_move("")):
            move.study_uid = match["uid"]
        if match := _IN_MESSAGE.fullmatch(line):
            if match["name"] == "Message Type":
                self._message = {}
            self._message[match["name"]] = match["value"]
            if match["name"] == "DIMSE Status" and self._message.get("Message Type") == "C-STORE RSP":
                self._count(self._message.get("Affected SOP Instance UID", ""), match["value"])

    def _count(self, sop_instance_uid: str, status: str) -> None:
        while self._sending and self._sending[0][1].record_so_far.failure:
            heappop(self._sending)
        if sop_instance_uid not in self._query.sop_instance_uids or not self._sending:
            return
        _, move = self._sending[0]
        # An instance with a warning status (B0xx) was stored (PS3.4 Table B.2-1).
        if status.startswith(("0x0000", "0xb0")):
            move.stored += 1
        else:
            move.not_stored += 1

    def _end_job(self, job: str, *, success: bool) -> None:
        if success:
            return
        for move in self._by_job.pop(job, ()):
            if move.job == job:
                move.record_so_far = replace(move.record_so_far, failure=self._last_error or "the job failed")

    def _get_current_move(self, thread: str) -> _LoggedMove | None:
        """Return the last C-MOVE that is not over, of *thread* if it is given."""
        moves = self._open_in_thread.get(thread, []) if thread else self._open
        # Finished C-MOVEs are removed only at the end of the list, so that a long log takes linear time.
        while moves and moves[-1].is_over:
            moves.pop()
        return moves[-1] if moves else None


def _parse_time(match: re.Match[str], now: datetime) -> datetime:
    """Return the time of a line: the last such day and time before *now*."""
    for year in (now.year, now.year - 1):
        try:
            text = f"{year:04d}-{match['month']}-{match['day']}T{match['time']}"
            timestamp = datetime.fromisoformat(text).replace(tzinfo=now.tzinfo)
        except ValueError:  # 29 February
            continue
        if timestamp <= now + timedelta(days=1):
            return timestamp
    return now
