"""Read the C-MOVEs that dcmtk's ``dcmqrscp`` served from its log.

With ``--verbose`` (level INFO) it logs the caller, the study and the destination of a request, the status of each
C-STORE, and the status of the C-MOVE, both in words. It logs neither the SOP Instance UID, the SOP class nor the
transfer syntax of a C-STORE; with ``--debug`` it logs the transfer syntax of the file that it sends. Lines have no time
unless a pattern of ``--log-config`` adds one.

A process serves each association, and all write into one log without an association ID. Two C-MOVEs at the same time
can therefore not be separated, and are ignored. A C-MOVE is also ignored if an association was open whose caller the
log does not show, because it began before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime

from dcmcfg.dicom.status import (
    CANCELLED,
    DATA_SET_MISMATCH_WARNING,
    ELEMENTS_COERCED,
    ELEMENTS_DISCARDED,
    MATCHES_NOT_COUNTED,
    MOVE_DESTINATION_UNKNOWN,
    OUT_OF_RESOURCES,
    SOME_SUB_OPERATIONS_FAILED,
    SOP_CLASS_UNSUPPORTED,
    SUCCESS,
    UNABLE_TO_PERFORM_SUB_OPERATIONS,
)
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.parsed_log import ParsedLog
from dcmcfg.well_known_uids import EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_LINE = re.compile(
    r"(?:.{0,80}?\s)??(?:(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)\S{0,10} {1,8})?"
    r"(?P<level>[TDIWEF]|TRACE|DEBUG|INFO|WARN|ERROR|FATAL): (?P<message>.*)",
    re.ASCII,
)
_ASSOCIATION_RECEIVED = re.compile(
    r"Association Received \((?P<host>.{0,256}?):(?P<calling>.{0,64}) -> (?P<called>.{0,64})\)"
)
_ASSOCIATION_OVER = re.compile(
    r"Association (?:Release|Aborted)|Refusing Association .*|DIMSE Failure \(aborting association\).*"
)
_REQUEST = "Received Move SCP:"
_DESTINATION = re.compile(r"Move Destination +: (?P<destination>.*)")
_IDENTIFIERS = "Move SCP Request Identifiers:"
_STUDY = re.compile(r"\(0020,000d\) UI \[(?P<uids>[0-9.\\]+)\].*", re.ASCII)
_STORES = re.compile(r"Store SCU RQ: MsgID \d+, .*")
_STORED = re.compile(r"Move SCP: Received Store SCU RSP \[Status=(?P<status>.*)\]")
_NOT_STORED = re.compile(r"Move SCP: storeSCU: (?P<why>.*)")
_RESPONSE = re.compile(r"Move SCP Response \d+ \[status: (?P<status>.*)\]")
_FAILED = re.compile(r"(?:mapMoveDestination|moveSCP): (?P<why>.*)")
_UNCLEAR = "other associations were open at that time, and dcmtk's log does not show which association sent the request"
_NO_STUDY = "the request contains no study"
_READ = re.compile(r'DcmDataset::read\(\) TransferSyntax="(?P<name>.*)"')

#: dcmtk's texts for statuses (``DU_cstoreStatusString`` and ``DU_cmoveStatusString``).
_STATUSES = {
    "Success": SUCCESS,
    "Refused: OutOfResources": OUT_OF_RESOURCES,
    "Refused: OutOfResourcesNumberOfMatches": MATCHES_NOT_COUNTED,
    "Refused: OutOfResourcesSubOperations": UNABLE_TO_PERFORM_SUB_OPERATIONS,
    "Refused: MoveDestinationUnknown": MOVE_DESTINATION_UNKNOWN,
    "Refused: SOPClassNotSupported": SOP_CLASS_UNSUPPORTED,
    "Cancel: SubOperationsTerminatedDueToCancelIndication": CANCELLED,
    "Warning: CoercionOfDataElements": ELEMENTS_COERCED,
    "Warning: SubOperationsCompleteOneOrMoreFailures": SOME_SUB_OPERATIONS_FAILED,
    "Warning: ElementsDiscarded": ELEMENTS_DISCARDED,
    "Warning: DataSetDoesNotMatchSOPClass": DATA_SET_MISMATCH_WARNING,
}
_YEARS = range(1970, 9999)  # years that exist in every time zone
_UNKNOWN_STATUS = re.compile(r"Unknown Status: 0x(?P<status>[0-9a-f]{1,4})")
#: dcmtk's names of transfer syntaxes (``dcxfer.cc``), if they differ from the registry.
_SYNTAXES = {
    "Little Endian Implicit": IMPLICIT_VR_LITTLE_ENDIAN,
    "Little Endian Explicit": EXPLICIT_VR_LITTLE_ENDIAN,
    "Big Endian Explicit": EXPLICIT_VR_BIG_ENDIAN,
    "JPEG Baseline": "1.2.840.10008.1.2.4.50",
    "JPEG-LS Lossless": "1.2.840.10008.1.2.4.80",
    "JPEG-LS Lossy (Near-lossless)": "1.2.840.10008.1.2.4.81",
    "JPEG 2000 (Lossless only)": "1.2.840.10008.1.2.4.90",
    "JPEG 2000 (Lossless or Lossy)": "1.2.840.10008.1.2.4.91",
    "RLE Lossless": "1.2.840.10008.1.2.5",
}


def is_dcmtk_log(lines: Iterable[str]) -> bool:
    """Return whether any of *lines* is a message of dcmtk's archive about an association or a C-MOVE."""
    matches = (_LINE.fullmatch(line) for line in lines)
    return any(
        each is not None and (each["message"] == _REQUEST or bool(_ASSOCIATION_RECEIVED.fullmatch(each["message"])))
        for each in matches
    )


def read_dcmtk_log(
    lines: Iterable[str], query: LogQuery, default_time: datetime, preceding_lines: Iterable[str] = ()
) -> ParsedLog:
    """Return the C-MOVEs of the study in *lines*, and the C-STOREs for them.

    A C-MOVE whose study the log does not show has an empty ``study_uid``. *default_time* applies to lines without a
    time; its zone is that of all times. *preceding_lines* are the last lines before *lines*: they show the associations
    that were already open.
    """
    log = _LogReader(default_time)
    for line in preceding_lines:
        if match := _LINE.fullmatch(line):
            log.read(match)
    # The preceding lines only show the open associations; their C-MOVEs are from before this run.
    log.begin_run(default_time)
    for line in lines:
        if match := _LINE.fullmatch(line):
            log.read(match)
    moves = [each for each in log.moves if query.study_uid in each.study_uids or not each.study_uids]
    records = tuple(_build_record(each, query) for each in moves)
    legs = tuple(_build_leg(each) for each in moves if each.study_uids and each.stores and not each.is_ambiguous)
    return ParsedLog(records, legs, frozenset(log.titles), shows_messages=bool(log.titles))


@dataclass(eq=False)
class _LoggedMove:
    time: datetime
    calling_ae_title: str
    called_ae_title: str
    _: KW_ONLY
    destination_ae_title: str = ""
    study_uids: frozenset[str] = frozenset()
    status: int | None = None
    failure: str = ""
    is_ambiguous: bool = False  # other associations or requests at the same time, or an unknown caller
    stores: list[StoreRecord] = field(default_factory=list)


def _build_record(move: _LoggedMove, query: LogQuery) -> MoveRecord:
    record = MoveRecord(
        started=move.time,
        calling_ae_title=move.calling_ae_title,
        called_ae_title=move.called_ae_title,
        destination_ae_title=move.destination_ae_title,
        study_uid=query.study_uid if query.study_uid in move.study_uids else "",
    )
    if move.is_ambiguous:
        return replace(record, destination_ae_title="", study_uid="", missing_study_reason=_UNCLEAR)
    if not record.study_uid:
        record = replace(record, missing_study_reason=_NO_STUDY)
    stored = sum(each.is_stored for each in move.stores)
    return replace(record, status=move.status, completed=stored, failed=len(move.stores) - stored, failure=move.failure)


def _build_leg(move: _LoggedMove) -> TransferLeg:
    return TransferLeg(
        move.called_ae_title, move.destination_ae_title, f"{move.called_ae_title}'s log", tuple(move.stores)
    )


class _LogReader:
    """The state after the lines read so far."""

    def __init__(self, since: datetime) -> None:
        self.moves: list[_LoggedMove] = []
        self.titles: set[str] = set()
        self._timestamp = since
        self._open_count = 0  # associations
        self._ambiguous_count = 0  # number of ambiguous moves, from the first on
        self._callers: set[tuple[str, str]] = set()  # of associations since the last time without an open one
        self._unfinished_moves: list[_LoggedMove] = []
        self._in_identifiers = False
        self._stored_as = ""
        self._is_storing = False

    def begin_run(self, since: datetime) -> None:
        """Remove the C-MOVEs and titles read so far; open associations and unfinished C-MOVEs stay."""
        self.moves.clear()
        self._ambiguous_count = 0
        self.titles.clear()
        self._timestamp = since

    def read(self, match: re.Match[str]) -> None:
        """Read the next line."""
        if match["date"]:
            self._timestamp = _parse_time(match, self._timestamp)
        message = match["message"].rstrip()
        if received := _ASSOCIATION_RECEIVED.fullmatch(message):
            self._open_count += 1
            calling, called = received["calling"].strip(), received["called"].strip()
            self._callers.add((calling, called))
            self.titles |= {called} - {""}
        elif _ASSOCIATION_OVER.fullmatch(message):
            self._end()
        elif message == _REQUEST:
            self._begin()
        elif message.endswith(" Identifiers:"):
            self._in_identifiers = message == _IDENTIFIERS
        elif self._unfinished_moves:
            self._read_move_line(self._unfinished_moves[-1], message)

    def _end(self) -> None:
        if not self._open_count:  # It began before the first line, and may have sent any C-MOVE since.
            for number in range(self._ambiguous_count, len(self.moves)):
                self.moves[number].is_ambiguous = True
            self._ambiguous_count = len(self.moves)
        self._open_count = max(self._open_count - 1, 0)
        if not self._open_count:
            self._callers.clear()
            self._drop()

    def _begin(self) -> None:
        callers = self._callers
        # The log has no association ID, so the caller is known only if no other one was connected.
        calling, called = next(iter(callers)) if len(callers) == 1 else ("", "")
        move = _LoggedMove(self._timestamp, calling, called, is_ambiguous=not calling)
        self._in_identifiers = self._is_storing = False
        self._unfinished_moves.append(move)
        self.moves.append(move)
        if len(self._unfinished_moves) > 1:
            for each in self._unfinished_moves[-2:]:  # Earlier ones were marked when the second one began.
                each.is_ambiguous = True

    def _drop(self) -> None:
        """Remove C-MOVEs that never ended, because no association is open any more."""
        self._unfinished_moves.clear()

    def _read_move_line(self, move: _LoggedMove, message: str) -> None:
        if self._in_identifiers and (match := _STUDY.fullmatch(message)):
            move.study_uids = frozenset(match["uids"].split("\\"))
        elif (match := _DESTINATION.fullmatch(message)) and not move.destination_ae_title:
            move.destination_ae_title = match["destination"].strip()
        elif _STORES.fullmatch(message):
            self._is_storing, self._stored_as = True, ""
        elif self._is_storing and not self._stored_as and (match := _READ.fullmatch(message)):
            self._stored_as = _SYNTAXES.get(match["name"], "")
        elif match := _STORED.fullmatch(message):
            self._store(move, _parse_status(match["status"]))
        elif _NOT_STORED.fullmatch(message):
            self._store(move, None)
        elif match := _RESPONSE.fullmatch(message):
            self._read_response(move, match["status"])
        elif match := _FAILED.fullmatch(message):
            move.failure = move.failure or match["why"]

    def _store(self, move: _LoggedMove, status: int | None) -> None:
        if self._is_storing:
            move.stores.append(
                StoreRecord("", status=status, time=self._timestamp, file_transfer_syntax=self._stored_as)
            )
        self._is_storing = False

    def _read_response(self, move: _LoggedMove, status: str) -> None:
        self._in_identifiers = False
        if status.startswith("Pending"):
            return
        move.status = _parse_status(status)
        self._unfinished_moves.pop()  # The response belongs to the last one.


def _parse_status(text: str) -> int | None:
    match = _UNKNOWN_STATUS.fullmatch(text)
    return int(match["status"], 16) if match else _STATUSES.get(text)


def _parse_time(match: re.Match[str], default_time: datetime) -> datetime:
    try:
        timestamp = datetime.fromisoformat(f"{match['date']}T{match['time']}").replace(tzinfo=default_time.tzinfo)
    except ValueError:
        return default_time
    return timestamp if timestamp.year in _YEARS else default_time
