"""The C-MOVEs that dcmtk's ``dcmqrscp`` served, read from its log.

With ``--verbose`` (level INFO) it writes who asks for which study to be sent where, the status of each C-STORE, and
that of the C-MOVE, both in words. It writes neither the SOP Instance UID, the SOP class nor the transfer syntax of a
C-STORE; with ``--debug`` it writes in which transfer syntax the file is that it sends. Lines have no time unless a
pattern of ``--log-config`` adds one. A process serves each association and all write into one log without saying
which is which, so two C-MOVEs at the same time cannot be told apart: of those nothing is taken. Nor is anything taken
of a C-MOVE while an association was open whose caller the log does not show, because it began before.
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
from dcmcfg.verify.legs import Leg, StoreRecord
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.parsed_log import ParsedLog
from dcmcfg.well_known_uids import EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_LINE = re.compile(
    r"(?:.{0,80}?\s)??(?:(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)\S{0,10} {1,8})?"
    r"(?P<level>[TDIWEF]|TRACE|DEBUG|INFO|WARN|ERROR|FATAL): (?P<message>.*)",
    re.ASCII,
)
_RECEIVED = re.compile(r"Association Received \((?P<host>.{0,256}?):(?P<calling>.{0,64}) -> (?P<called>.{0,64})\)")
_OVER = re.compile(r"Association (?:Release|Aborted)|Refusing Association .*|DIMSE Failure \(aborting association\).*")
_REQUEST = "Received Move SCP:"
_DESTINATION = re.compile(r"Move Destination +: (?P<destination>.*)")
_IDENTIFIERS = "Move SCP Request Identifiers:"
_STUDY = re.compile(r"\(0020,000d\) UI \[(?P<uids>[0-9.\\]+)\].*", re.ASCII)
_STORES = re.compile(r"Store SCU RQ: MsgID \d+, .*")
_STORED = re.compile(r"Move SCP: Received Store SCU RSP \[Status=(?P<status>.*)\]")
_NOT_STORED = re.compile(r"Move SCP: storeSCU: (?P<why>.*)")
_ANSWER = re.compile(r"Move SCP Response \d+ \[status: (?P<status>.*)\]")
_FAILED = re.compile(r"(?:mapMoveDestination|moveSCP): (?P<why>.*)")
_UNCLEAR = "other associations were open at that time, and dcmtk's log does not show which of them sent it"
_NO_STUDY = "it does not name a study"
_READ = re.compile(r'DcmDataset::read\(\) TransferSyntax="(?P<name>.*)"')

#: The words for a status (dcmtk's ``DU_cstoreStatusString`` and ``DU_cmoveStatusString``).
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
_YEARS = range(1970, 9999)  # which each zone has
_UNKNOWN_STATUS = re.compile(r"Unknown Status: 0x(?P<status>[0-9a-f]{1,4})")
#: The names that dcmtk gives to transfer syntaxes (its ``dcxfer.cc``), as far as the registry has others.
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
    """Return whether any of *lines* is one that dcmtk's archive writes about an association or a C-MOVE."""
    found = (_LINE.fullmatch(line) for line in lines)
    return any(
        each is not None and (each["message"] == _REQUEST or bool(_RECEIVED.fullmatch(each["message"])))
        for each in found
    )


def read(
    lines: Iterable[str], query: LogQuery, default_time: datetime, preceding_lines: Iterable[str] = ()
) -> ParsedLog:
    """Return the C-MOVEs of the study in *lines*, and what was sent for them.

    A C-MOVE of which the log does not tell the study has ``study_uid`` empty. *default_time* is the moment of what has
    no time; its zone is that of all times. *preceding_lines* are the last lines before *lines*: they show which
    associations were open already.
    """
    log = _LogReader(default_time)
    for line in preceding_lines:
        if found := _LINE.fullmatch(line):
            log.read(found)
    log.begin_run(default_time)
    for line in lines:
        if found := _LINE.fullmatch(line):
            log.read(found)
    moves = [each for each in log.moves if query.study_uid in each.study_uids or not each.study_uids]
    records = tuple(_record(each, query) for each in moves)
    legs = tuple(_leg(each) for each in moves if each.study_uids and each.stores and not each.is_ambiguous)
    return ParsedLog(records, legs, frozenset(log.titles), shows_messages=bool(log.titles))


@dataclass(eq=False)
class _LoggedMove:
    time: datetime
    calling: str
    called: str
    _: KW_ONLY
    destination: str = ""
    study_uids: frozenset[str] = frozenset()
    status: int | None = None
    failure: str = ""
    is_ambiguous: bool = False  # others called at the same time, or asked, or nobody knows who called
    stores: list[StoreRecord] = field(default_factory=list)


def _record(move: _LoggedMove, sought: LogQuery) -> MoveRecord:
    record = MoveRecord(
        started=move.time,
        calling_ae_title=move.calling,
        called_ae_title=move.called,
        destination_ae_title=move.destination,
        study_uid=sought.study_uid if sought.study_uid in move.study_uids else "",
    )
    if move.is_ambiguous:
        return replace(record, destination_ae_title="", study_uid="", missing_study_reason=_UNCLEAR)
    if not record.study_uid:
        record = replace(record, missing_study_reason=_NO_STUDY)
    stored = sum(each.is_stored for each in move.stores)
    return replace(record, status=move.status, completed=stored, failed=len(move.stores) - stored, failure=move.failure)


def _leg(move: _LoggedMove) -> Leg:
    return Leg(move.called, move.destination, f"{move.called}'s log", tuple(move.stores))


class _LogReader:
    """What was read so far."""

    def __init__(self, since: datetime) -> None:
        self.moves: list[_LoggedMove] = []
        self.titles: set[str] = set()
        self._moment = since
        self._open = 0  # associations
        self._unclear = 0  # so many of the moves, from the first on
        self._callers: set[tuple[str, str]] = set()  # of associations since the last moment at which none was open
        self._under_way: list[_LoggedMove] = []
        self._in_identifiers = False
        self._stored_as = ""
        self._is_storing = False

    def begin_run(self, since: datetime) -> None:
        """Forget the C-MOVEs and titles that were read; associations stay open, and C-MOVEs under way."""
        self.moves.clear()
        self._unclear = 0
        self.titles.clear()
        self._moment = since

    def read(self, found: re.Match[str]) -> None:
        """Read the next line."""
        if found["date"]:
            self._moment = _parse_time(found, self._moment)
        message = found["message"].rstrip()
        if received := _RECEIVED.fullmatch(message):
            self._open += 1
            calling, called = received["calling"].strip(), received["called"].strip()
            self._callers.add((calling, called))
            self.titles |= {called} - {""}
        elif _OVER.fullmatch(message):
            self._end()
        elif message == _REQUEST:
            self._begin()
        elif message.endswith(" Identifiers:"):
            self._in_identifiers = message == _IDENTIFIERS
        elif self._under_way:
            self._read_move_line(self._under_way[-1], message)

    def _end(self) -> None:
        if not self._open:  # it began before the first line, and may have sent any C-MOVE since
            for number in range(self._unclear, len(self.moves)):
                self.moves[number].is_ambiguous = True
            self._unclear = len(self.moves)
        self._open = max(self._open - 1, 0)
        if not self._open:
            self._callers.clear()
            self._drop()

    def _begin(self) -> None:
        callers = self._callers
        calling, called = next(iter(callers)) if len(callers) == 1 else ("", "")
        move = _LoggedMove(self._moment, calling, called, is_ambiguous=not calling)
        self._in_identifiers = self._is_storing = False
        self._under_way.append(move)
        self.moves.append(move)
        if len(self._under_way) > 1:
            for each in self._under_way[-2:]:  # those before became unclear when the second one began
                each.is_ambiguous = True

    def _drop(self) -> None:
        """Forget C-MOVEs that never ended; no association is open any more."""
        self._under_way.clear()

    def _read_move_line(self, move: _LoggedMove, message: str) -> None:
        if self._in_identifiers and (found := _STUDY.fullmatch(message)):
            move.study_uids = frozenset(found["uids"].split("\\"))
        elif (found := _DESTINATION.fullmatch(message)) and not move.destination:
            move.destination = found["destination"].strip()
        elif _STORES.fullmatch(message):
            self._is_storing, self._stored_as = True, ""
        elif self._is_storing and not self._stored_as and (found := _READ.fullmatch(message)):
            self._stored_as = _SYNTAXES.get(found["name"], "")
        elif found := _STORED.fullmatch(message):
            self._store(move, _status(found["status"]))
        elif _NOT_STORED.fullmatch(message):
            self._store(move, None)
        elif found := _ANSWER.fullmatch(message):
            self._read_response(move, found["status"])
        elif found := _FAILED.fullmatch(message):
            move.failure = move.failure or found["why"]

    def _store(self, move: _LoggedMove, status: int | None) -> None:
        if self._is_storing:
            move.stores.append(StoreRecord("", status=status, time=self._moment, file_transfer_syntax=self._stored_as))
        self._is_storing = False

    def _read_response(self, move: _LoggedMove, status: str) -> None:
        self._in_identifiers = False
        if status.startswith("Pending"):
            return
        move.status = _status(status)
        self._under_way.pop()  # it is the last one


def _status(words: str) -> int | None:
    found = _UNKNOWN_STATUS.fullmatch(words)
    return int(found["status"], 16) if found else _STATUSES.get(words)


def _parse_time(found: re.Match[str], otherwise: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{found['time']}").replace(tzinfo=otherwise.tzinfo)
    except ValueError:
        return otherwise
    return moment if moment.year in _YEARS else otherwise
