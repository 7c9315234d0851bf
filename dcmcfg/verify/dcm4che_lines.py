"""Parse the lines of a log of dcm4che: of its command line tools, and of a dcm4chee archive (``server.log``).

dcm4che writes ``ASSOCIATION << message`` for messages that it sends and ``>>`` for those that it receives (its classes
``Association``, ``PDUEncoder``, ``PDUDecoder`` and ``Dimse``). A requested association is ``LOCAL->REMOTE(number)``, an
accepted one is ``LOCAL<-REMOTE(number)``. The text before that depends on the program:

* the tools (logback): ``14:13:01.377 INFO  - message``, or with a comma, without a date;
* an archive (WildFly): ``2026-11-30 12:02:31,055 INFO  [class] (thread) message``; the console has no date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_STAMPED_LINE = re.compile(
    r".{0,80}?(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d:\d\d)[.,](?P<fraction>\d{1,6})\d* +"
    r"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +(?:\[(?P<category>[^\]]*)\] +)?(?:\((?P<thread>[^)]*)\) +)?"
    r"(?:- )?(?P<message>.*)",
    re.ASCII,
)
_ASSOCIATION_MESSAGE = re.compile(
    r"(?P<local>[^<>()]{1,16}?)(?P<way><-|->)(?P<remote>.{1,16}?)\((?P<number>\d{1,10})\)(?P<rest>:? .*)", re.ASCII
)
_DIMSE = re.compile(r" (?P<way><<|>>) (?P<id>-?\d{1,10}):(?P<kind>[CN]-[A-Z-]+)(?P<more>.*)", re.ASCII)
_DETAIL = re.compile(r"\s+(?P<name>cuid|iuid|tsuid)=(?P<uid>[0-9.]{1,64})(?: - .*)?\]?", re.ASCII)
_ORIGINATOR = re.compile(r"\s+orig=(?P<title>.{1,16}?) >> (?P<id>-?\d{1,10}):C-MOVE-RQ\]?", re.ASCII)
_STATUS = re.compile(r", status=(?P<status>[0-9a-f]{1,8})H", re.ASCII)
_COUNTER = re.compile(r", (?P<name>remaining|completed|failed|warning)=(?P<number>\d{1,5})", re.ASCII)
_DESTINATION = re.compile(r", dest=(?P<title>.{1,16}?)\]?")
_COMMENT = re.compile(r", errorComment=(?P<comment>.*?)\]?")
_YEARS = range(1970, 9999)  # years that exist in every time zone
#: Lines read of one entry; the dump of a data set may have more.
_MAX_LINES = 1000
_STUDY = re.compile(r"\(0020,000[dD]\) UI \[(?P<uids>[0-9.\\]+)\].*", re.ASCII)


@dataclass(frozen=True)
class LoggedAssociation:
    """An association as named in the log; ``requested`` is True if the program itself requested it."""

    local: str
    remote: str
    number: int
    requested: bool


@dataclass(frozen=True, kw_only=True)
class LoggedMessage:
    """A DIMSE message with the elements that dcm4che logs; ``is_sent`` is True if the program sent it."""

    is_sent: bool
    message_id: int
    kind: str  # "C-STORE-RQ"
    destination_ae_title: str = ""
    status: int | None = None
    counters: tuple[tuple[str, int], ...] = ()
    comment: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    transfer_syntax: str = ""
    originator_ae_title: str = ""
    originator_message_id: int = -1

    def get_counter(self, name: str) -> int | None:
        """Return the number of sub-operations *name*; None if the message has none."""
        return dict(self.counters).get(name)


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One entry of the log: its first line, and the following lines without a time stamp.

    ``association`` is None if the entry does not begin with one; ``text`` is the rest of its first line.
    """

    time: datetime
    has_date: bool
    thread: str
    association: LoggedAssociation | None
    text: str
    continuation_lines: tuple[str, ...] = ()

    @property
    def message(self) -> LoggedMessage | None:
        """The DIMSE message of the entry; None for other entries, including the dump of a data set."""
        match = _DIMSE.fullmatch(self.text)
        return _build_message(match, self.continuation_lines) if match and match["more"].startswith("[") else None

    @property
    def dumped_data_set(self) -> tuple[bool, int, str] | None:
        """Direction (True if sent), ID and kind of the message whose data set the entry dumps (DEBUG), or None."""
        match = _DIMSE.fullmatch(self.text)
        if match is None or not match["more"].startswith(" Dataset:"):
            return None
        return match["way"] == "<<", int(match["id"]), match["kind"]

    @property
    def study_uids(self) -> frozenset[str]:
        """The Study Instance UIDs of the dumped data set, without a UID that the log truncates."""
        matches = (_STUDY.fullmatch(line) for line in self.continuation_lines)
        return frozenset(uid for each in matches if each for uid in each["uids"].split("\\"))


def parse_entries(lines: Iterable[str], now: datetime) -> Iterator[LogEntry]:
    """Yield the entries in *lines*; lines before the first time stamp are ignored.

    *now* is a time after all of *lines*, in the time zone of their time stamps, which contain none.
    """
    first_line: re.Match[str] | None = None
    continuation_lines: list[str] = []
    for line in lines:
        if match := _STAMPED_LINE.fullmatch(line):
            if first_line is not None:
                yield _build_entry(first_line, continuation_lines, now)
            first_line, continuation_lines = match, []
        elif len(continuation_lines) < _MAX_LINES:
            continuation_lines.append(line)
    if first_line is not None:
        yield _build_entry(first_line, continuation_lines, now)


def is_dcm4che_log(lines: Iterable[str]) -> bool:
    """Return whether any of *lines* is from dcm4che: it has a time stamp, and begins with an association."""
    matches = (_STAMPED_LINE.fullmatch(line) for line in lines)
    return any(match is not None and _ASSOCIATION_MESSAGE.fullmatch(match["message"]) for match in matches)


def _build_entry(match: re.Match[str], continuation_lines: list[str], now: datetime) -> LogEntry:
    message = match["message"]
    association_match = _ASSOCIATION_MESSAGE.fullmatch(message)
    association = None
    if association_match is not None:
        association = LoggedAssociation(
            association_match["local"].strip(),
            association_match["remote"].strip(),
            int(association_match["number"]),
            association_match["way"] == "->",
        )
    return LogEntry(
        time=_parse_time(match, now),
        has_date=match["date"] is not None,
        thread=match["thread"] or "",
        association=association,
        text=association_match["rest"] if association_match else message,
        continuation_lines=tuple(continuation_lines),
    )


def _parse_time(match: re.Match[str], now: datetime) -> datetime:
    """Return the time of an entry; without a date, the last such time of day that is not after *now*."""
    date, fraction = match["date"] or f"{now:%Y-%m-%d}", match["fraction"].ljust(6, "0")
    try:
        timestamp = datetime.fromisoformat(f"{date}T{match['time']}.{fraction}").replace(tzinfo=now.tzinfo)
        if timestamp.year not in _YEARS:
            return now
        # A time slightly after now means a fast clock; a later one means the day before.
        is_yesterday = match["date"] is None and timestamp > now + timedelta(hours=1)
        return timestamp - timedelta(days=1) if is_yesterday else timestamp
    except (ValueError, OverflowError):  # 99:99:99
        return now


def _build_message(match: re.Match[str], continuation_lines: tuple[str, ...]) -> LoggedMessage:
    first_line = match["more"]
    details: dict[str, str] = {}
    originator, originator_id = "", -1
    for line in continuation_lines:
        if detail := _DETAIL.fullmatch(line):
            details.setdefault(detail["name"], detail["uid"])
        elif originator_match := _ORIGINATOR.fullmatch(line):
            originator, originator_id = originator_match["title"].strip(), int(originator_match["id"])
    status = _STATUS.search(first_line)
    comment = _COMMENT.search(first_line)
    # The comment is free text of the peer, and may look like a counter or a destination.
    before_comment = first_line[: comment.start()] if comment else first_line
    return LoggedMessage(
        is_sent=match["way"] == "<<",
        message_id=int(match["id"]),
        kind=match["kind"],
        destination_ae_title=_match_to_end(_DESTINATION, before_comment, "title"),
        status=int(status["status"], 16) if status else None,
        counters=tuple((each["name"], int(each["number"])) for each in _COUNTER.finditer(before_comment)),
        comment=_match_to_end(_COMMENT, first_line, "comment"),
        sop_class_uid=details.get("cuid", ""),
        sop_instance_uid=details.get("iuid", ""),
        transfer_syntax=details.get("tsuid", ""),
        originator_ae_title=originator,
        originator_message_id=originator_id,
    )


def _match_to_end(pattern: re.Pattern[str], text: str, group: str) -> str:
    """Return *group* of *pattern* if it matches up to the end of *text*; otherwise ``""``."""
    start = pattern.search(text)
    match = pattern.fullmatch(text, start.start()) if start else None
    return match[group].strip() if match else ""
