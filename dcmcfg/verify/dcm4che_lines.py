"""The lines of a log of dcm4che: of its command line tools, and of a dcm4chee archive (``server.log``).

dcm4che writes ``ASSOCIATION << message`` for what it sends and ``>>`` for what it receives (its classes
``LoggedAssociation``, ``PDUEncoder``, ``PDUDecoder`` and ``Dimse``). An association that it requested is
``LOCAL->REMOTE(number)``, one that it accepted is ``LOCAL<-REMOTE(number)``. What stands before that depends on the
program:

* the tools (logback): ``14:13:01.377 INFO  - message``, or with a comma, without a date;
* an archive (WildFly): ``2026-11-30 12:02:31,055 INFO  [class] (thread) message``; the console has no date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_STAMPED = re.compile(
    r".{0,80}?(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d:\d\d)[.,](?P<fraction>\d{1,6})\d* +"
    r"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +(?:\[(?P<category>[^\]]*)\] +)?(?:\((?P<thread>[^)]*)\) +)?"
    r"(?:- )?(?P<message>.*)",
    re.ASCII,
)
_OF_ASSOCIATION = re.compile(
    r"(?P<local>[^<>()]{1,16}?)(?P<way><-|->)(?P<remote>.{1,16}?)\((?P<number>\d{1,10})\)(?P<rest>:? .*)", re.ASCII
)
_DIMSE = re.compile(r" (?P<way><<|>>) (?P<id>-?\d{1,10}):(?P<kind>[CN]-[A-Z-]+)(?P<more>.*)", re.ASCII)
_DETAIL = re.compile(r"\s+(?P<name>cuid|iuid|tsuid)=(?P<uid>[0-9.]{1,64})(?: - .*)?\]?", re.ASCII)
_ORIGINATOR = re.compile(r"\s+orig=(?P<title>.{1,16}?) >> (?P<id>-?\d{1,10}):C-MOVE-RQ\]?", re.ASCII)
_STATUS = re.compile(r", status=(?P<status>[0-9a-f]{1,8})H", re.ASCII)
_COUNTER = re.compile(r", (?P<name>remaining|completed|failed|warning)=(?P<number>\d{1,5})", re.ASCII)
_DESTINATION = re.compile(r", dest=(?P<title>.{1,16}?)\]?")
_COMMENT = re.compile(r", errorComment=(?P<comment>.*?)\]?")
_YEARS = range(1970, 9999)  # which each zone has
#: Lines of one entry that are looked at; a dump of a data set may have more.
_MOST_LINES = 1000
_STUDY = re.compile(r"\(0020,000[dD]\) UI \[(?P<uids>[0-9.\\]+)\].*", re.ASCII)


@dataclass(frozen=True)
class LoggedAssociation:
    """An association as the log names it; ``requested`` says that the program itself requested it."""

    local: str
    remote: str
    number: int
    requested: bool


@dataclass(frozen=True, kw_only=True)
class LoggedMessage:
    """A DIMSE message, with those of its elements that dcm4che writes; ``sent`` says that the program sent it."""

    sent: bool
    message_id: int
    kind: str  # "C-STORE-RQ"
    destination: str = ""
    status: int | None = None
    counters: tuple[tuple[str, int], ...] = ()
    comment: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    transfer_syntax: str = ""
    originator: str = ""
    originator_message_id: int = -1

    def get_counter(self, name: str) -> int | None:
        """Return the number of sub-operations *name*; None where the message has none."""
        return dict(self.counters).get(name)


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One entry of the log: its first line, and those that follow without a time stamp.

    ``association`` is None where the entry does not begin with one; ``text`` is the rest of its first line.
    """

    time: datetime
    has_date: bool
    thread: str
    association: LoggedAssociation | None
    text: str
    continuation_lines: tuple[str, ...] = ()

    @property
    def message(self) -> LoggedMessage | None:
        """The DIMSE message that the entry reports; None for another entry, a dump of its data set included."""
        found = _DIMSE.fullmatch(self.text)
        return _message(found, self.continuation_lines) if found and found["more"].startswith("[") else None

    @property
    def dumped_data_set(self) -> tuple[bool, int, str] | None:
        """Whether it was sent, ID and kind of the message whose data set the entry shows (DEBUG); None for others."""
        found = _DIMSE.fullmatch(self.text)
        if found is None or not found["more"].startswith(" Dataset:"):
            return None
        return found["way"] == "<<", int(found["id"]), found["kind"]

    @property
    def study_uids(self) -> frozenset[str]:
        """The Study Instance UIDs of the data set that the entry shows; one that the log cuts off is left out."""
        found = (_STUDY.fullmatch(line) for line in self.continuation_lines)
        return frozenset(uid for each in found if each for uid in each["uids"].split("\\"))


def parse_entries(lines: Iterable[str], now: datetime) -> Iterator[LogEntry]:
    """Yield the entries that *lines* hold; what stands before the first time stamp is left out.

    *now* is a moment after all of *lines*, in the zone of their time stamps, which have none themselves.
    """
    first: re.Match[str] | None = None
    more: list[str] = []
    for line in lines:
        if found := _STAMPED.fullmatch(line):
            if first is not None:
                yield _entry(first, more, now)
            first, more = found, []
        elif len(more) < _MOST_LINES:
            more.append(line)
    if first is not None:
        yield _entry(first, more, now)


def is_dcm4che_log(lines: Iterable[str]) -> bool:
    """Return whether any of *lines* is of dcm4che: it has a time stamp, and begins with an association."""
    stamped = (_STAMPED.fullmatch(line) for line in lines)
    return any(found is not None and _OF_ASSOCIATION.fullmatch(found["message"]) for found in stamped)


def _entry(found: re.Match[str], more: list[str], now: datetime) -> LogEntry:
    message = found["message"]
    of = _OF_ASSOCIATION.fullmatch(message)
    association = None
    if of is not None:
        association = LoggedAssociation(of["local"].strip(), of["remote"].strip(), int(of["number"]), of["way"] == "->")
    return LogEntry(
        time=_parse_time(found, now),
        has_date=found["date"] is not None,
        thread=found["thread"] or "",
        association=association,
        text=of["rest"] if of else message,
        continuation_lines=tuple(more),
    )


def _parse_time(found: re.Match[str], now: datetime) -> datetime:
    """Return when an entry was written; without a date, the last such time of day that is not after *now*."""
    date, fraction = found["date"] or f"{now:%Y-%m-%d}", found["fraction"].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{date}T{found['time']}.{fraction}").replace(tzinfo=now.tzinfo)
        if moment.year not in _YEARS:
            return now
        # A moment later than now is a clock that is ahead, or the day before.
        is_yesterday = found["date"] is None and moment > now + timedelta(hours=1)
        return moment - timedelta(days=1) if is_yesterday else moment
    except (ValueError, OverflowError):  # 99:99:99
        return now


def _message(found: re.Match[str], more: tuple[str, ...]) -> LoggedMessage:
    first = found["more"]
    details: dict[str, str] = {}
    originator, originator_id = "", -1
    for line in more:
        if detail := _DETAIL.fullmatch(line):
            details.setdefault(detail["name"], detail["uid"])
        elif named := _ORIGINATOR.fullmatch(line):
            originator, originator_id = named["title"].strip(), int(named["id"])
    status = _STATUS.search(first)
    comment = _COMMENT.search(first)
    before_comment = first[: comment.start()] if comment else first
    return LoggedMessage(
        sent=found["way"] == "<<",
        message_id=int(found["id"]),
        kind=found["kind"],
        destination=_to_the_end(_DESTINATION, before_comment, "title"),
        status=int(status["status"], 16) if status else None,
        counters=tuple((each["name"], int(each["number"])) for each in _COUNTER.finditer(before_comment)),
        comment=_to_the_end(_COMMENT, first, "comment"),
        sop_class_uid=details.get("cuid", ""),
        sop_instance_uid=details.get("iuid", ""),
        transfer_syntax=details.get("tsuid", ""),
        originator=originator,
        originator_message_id=originator_id,
    )


def _to_the_end(pattern: re.Pattern[str], text: str, group: str) -> str:
    """Return *group* of *pattern* where it matches from its beginning to the end of *text*; else ``""``."""
    start = pattern.search(text)
    found = pattern.fullmatch(text, start.start()) if start else None
    return found[group].strip() if found else ""
