"""Validate unique identifiers of DICOM objects (PS3.5 §9.1).

Kept apart: dicom.retrieval uses it and does not load the registry of UIDs.
"""

from __future__ import annotations

import re

from dcmcfg.errors import MalformedInput

MAXIMUM_LENGTH = 64
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+", re.ASCII)


def parse_uid(text: str) -> str:
    """Return *text* if it is one UID: digits and dots, no leading zero in a component, at most 64 characters.

    Blanks around it are removed, because users paste UIDs from logs. Lists, wildcards and the empty string would match
    more than one study in a query, so they are rejected. Raises :class:`MalformedInput`.
    """
    uid = text.strip()
    if problem := _find_problem(uid):
        raise MalformedInput(
            f"not a UID: {problem}", subject=repr(text), next_step="use a UID such as 1.2.840.113619.2.55.3"
        )
    return uid


def _find_problem(uid: str) -> str:
    if not uid:
        return "it is empty"
    if not re.fullmatch(r"[0-9.]+", uid, re.ASCII):
        return "it contains characters other than digits and dots"
    if len(uid) > MAXIMUM_LENGTH:
        return f"it has {len(uid)} characters, but at most {MAXIMUM_LENGTH} are allowed"
    if not _UID.fullmatch(uid):
        return "a component is empty or begins with a zero, or there is only one component"
    return ""
