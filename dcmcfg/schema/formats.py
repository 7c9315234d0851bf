"""The archive's own value formats inside plain text attributes: Duration, ScheduleExpression, Code, as it parses them.

One wrong value makes the archive refuse the whole device, and LDAP takes any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.errors import MalformedInput


class Format(NamedTuple):
    """A value format; ``problem`` returns what is wrong with a text, without repeating it, empty when nothing."""

    in_words: str
    problem: Callable[[str], str]


_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:[.,][0-9]+)?)S)?)?",
    re.I | re.ASCII,
)
_SECONDS = (86400, 3600, 60, 1)
_PERIOD = re.compile(
    r"[-+]?P(?=.)(?:[-+]?[0-9]+Y)?(?:[-+]?[0-9]+M)?(?:[-+]?[0-9]+W)?(?:[-+]?[0-9]+D)?", re.I | re.ASCII
)
_SIZE = re.compile(r"[0-9]+(?:K|[kMGTP]|[KMGTP]i)?B?", re.ASCII)
_CODE = re.compile(r'\(([^,]*),([^,]*),[^"]*"(.*)"\)', re.DOTALL)
_NUMBER = re.compile(r"\+?0*([0-9]{1,2})", re.ASCII)
_TAG = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)


def seconds(text: str) -> float | None:
    """Return the seconds of a duration, None for what is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    parts = (float((part or "0").replace(",", ".")) for part in match.groups())
    return sum(number * unit for number, unit in zip(parts, _SECONDS, strict=True))


def _duration(text: str) -> str:
    return "" if _DURATION.fullmatch(text) else "not a duration: PT5M, PT30S, P1D, P1DT12H (days at most, no sign)"


def _period(text: str) -> str:
    return "" if _PERIOD.fullmatch(text) else "not a period: P30D, P6M, P1Y (years, months, weeks, days)"


def _schedule(text: str) -> str:
    """``hour=18-6 dayOfWeek=*``: lists, ranges that may wrap around; no part at all is always."""
    for part in text.split(" ") if text else ():
        key, _, ranges = part.partition("=")
        limit = {"hour": 24, "dayOfWeek": 7}.get(key)
        if "=" not in part or limit is None:
            return "not a schedule: hour=18-6 dayOfWeek=1-5, one blank between the parts"
        if ranges not in ("", "*") and not all(_is_range(each, limit) for each in ranges.split(",")):
            return f"not a schedule: {key} goes from 0 to {limit - 1}, as in {key}=0,2-4"
    return ""


def _is_range(text: str, limit: int) -> bool:
    ends = [_NUMBER.fullmatch(end) for end in text.split("-")]
    return len(ends) <= 2 and all(end is not None and int(end[1]) < limit for end in ends)


def _scheduled(plain: Callable[[str], str]) -> Callable[[str], str]:
    """Return the check of a value that ``[schedule]`` may precede (RetentionPeriod, DeleterThreshold)."""

    def problem(text: str) -> str:
        before, bracket, after = text.partition("]")
        if not bracket:
            return plain(text)
        if before.count("[") != 1 or "]" in after:
            return "not one schedule in brackets before the value: [hour=18-6]P30D"
        return _schedule(before.partition("[")[2]) or plain(after)

    return problem


def _size(text: str) -> str:
    return "" if _SIZE.fullmatch(text) else "not a size: 100GB, 500MiB (K, M, G, T, P; capitals but for k)"


def _code(text: str) -> str:
    parts = _CODE.fullmatch(text)
    if parts is None:
        return 'not a code: (value, scheme, "meaning"), the meaning in quotes'
    value, scheme, meaning = (part.strip() for part in parts.groups())
    if not value or not meaning:
        return "not a code: value and meaning must not be empty"
    if not scheme and ":" not in value:
        return "not a code: only a URN goes without a coding scheme"
    if scheme.endswith("]"):
        name, bracket, version = scheme[:-1].rpartition("[")
        if not (bracket and name.strip() and version.strip()):
            return "not a code: a version stands in brackets after the scheme, as SCT [2023]"
    return ""


def _tag(text: str) -> str:
    return "" if _TAG.fullmatch(text) else "not a tag: eight hexadecimal digits, as 0020000D"


def _ae_title(text: str) -> str:
    try:
        parse_ae_title(text)
    except MalformedInput as error:
        return error.what
    return ""


DURATION = Format("a duration: PT5M, P1DT12H", _duration)
PERIOD = Format("a period: P30D, P1Y6M", _period)
RETENTION = Format("a period, a schedule may precede it: P30D, [hour=18-6]P30D", _scheduled(_period))
SCHEDULE = Format("a schedule: hour=18-6 dayOfWeek=1-5 (0 is Sunday)", _schedule)
THRESHOLD = Format("a size, a schedule may precede it: 100GB, [hour=18-6]1TB", _scheduled(_size))
CODE = Format('a code: (value, scheme, "meaning")', _code)
TAG = Format("a tag: 0020000D", _tag)
AE_TITLE = Format("an AE title: up to 16 characters, case is significant", _ae_title)

#: What the archive's web form calls a format → the format. Its other names say which list a value is picked from.
OF_FORM = {"dcmDuration": DURATION, "dcmPeriod": PERIOD, "dcmAETitle": AE_TITLE, "dcmArchiveAETitle": AE_TITLE}

#: Attributes whose values the archive parses while the form names no format.
OF_ATTRIBUTE = {
    **dict.fromkeys(
        ("dcmSchedule", "dcmStorageVerificationSchedule", "dcmCompressionSchedule", "dcmRejectExpiredStudiesSchedule"),
        SCHEDULE,
    ),
    **dict.fromkeys(
        (
            "dicomInstitutionCode",
            "dcmShowInstancesRejectedByCode",
            "dcmHideRejectionNoteWithCode",
            "dcmOverwritePreviousRejection",
            "dcmRejectionNoteCode",
            "dcmRequestedProcedureCode",
            "dcmUPS2MWLScheduledStationNameCode",
            "dcmUPSIgnoreDiscontinuationReasonCode",
            "dcmUPSPerformedStationNameCode",
            "dcmUPSPerformedWorkitemCode",
            "dcmUPSRescheduleDiscontinuationReasonCode",
            "dcmUPSScheduledHumanPerformerCode",
            "dcmUPSScheduledStationClassCode",
            "dcmUPSScheduledStationLocationCode",
            "dcmUPSScheduledStationNameCode",
            "dcmUPSScheduledWorkitemCode",
        ),
        CODE,
    ),
    **dict.fromkeys(
        ("dcmDeleteStudiesOlderThan", "dcmDeleteStudiesReceivedBefore", "dcmDeleteStudiesNotUsedSince"), RETENTION
    ),
    **dict.fromkeys(("dcmTag", "dcmNullifyTag"), TAG),
    **dict.fromkeys(
        (
            "dicomAETitle",
            "dcmRetrieveAET",
            "dcmExternalRetrieveAET",
            "dcmAcceptedMoveDestination",
            "dcmAcceptedCallingAETitle",
            "dcmOtherAETitle",
            "dicomPreferredCalledAETitle",
            "dicomPreferredCallingAETitle",
        ),
        AE_TITLE,
    ),
    "dcmDeleterThreshold": THRESHOLD,
}

#: Java enumerations: any other value, or another case, and the archive refuses the whole device.
ENUMERATIONS = {
    "dcmProtocol": ("DICOM", "HL7", "HL7_MLLP2", "SYSLOG_TLS", "SYSLOG_UDP", "HTTP"),
    "dicomTransferRole": ("SCU", "SCP"),
}
