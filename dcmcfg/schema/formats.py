"""Formats of values that the archive loads as any text: AE titles, and those that its web form asks for.

A value in another format does not keep a device from loading; what does is in :mod:`dcmcfg.schema.archive_values`.
"""

from __future__ import annotations

import re

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.value_kinds.durations import DURATION, PERIOD
from dcmcfg.schema.value_kinds.kind import ValueKind

_TAG = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)


def _ae_title(text: str) -> str:
    try:
        parse_ae_title(text)
    except MalformedInput as error:
        return error.what
    return ""


def _tag(text: str) -> str:
    return "" if _TAG.fullmatch(text) else "not a tag: eight hexadecimal digits, as 0020000D"


AE_TITLE = ValueKind("ae-title", "an AE title: up to 16 characters, case is significant", _ae_title)
TAG = ValueKind("tag", "a tag: 0020000D", _tag)

#: What the archive's web form calls a format → the format. Its other names say which list a value is picked from.
OF_FORM = {"dcmDuration": DURATION, "dcmPeriod": PERIOD, "dcmAETitle": AE_TITLE, "dcmArchiveAETitle": AE_TITLE}

#: Attributes for which the form names no format.
OF_ATTRIBUTE = {
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
}
