"""The unique identifier of a DICOM object (PS3.5 §9.1)."""

from __future__ import annotations

import re

from dcmcfg.errors import MalformedInput

MAXIMUM_LENGTH = 64
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


def parse_uid(text: str) -> str:
    """Return *text* when it is one UID: digits and dots, at most 64 characters.

    Lists, wildcards and the empty string would match more than one study in a query, so they are refused
    here. Components with a leading zero are against PS3.5 yet in use, and are let through. Raises
    :class:`MalformedInput`.
    """
    if len(text) > MAXIMUM_LENGTH or not _UID.fullmatch(text):
        raise MalformedInput(
            "not a UID",
            on=repr(text),
            next_step="a UID has digits and dots, at most 64 characters, e.g. 1.2.840.113619",
        )
    return text
