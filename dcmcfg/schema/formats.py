"""Formats that DICOM requires but the archive does not check on load: AE titles and tags.

For formats that prevent a device from loading, see :mod:`dcmcfg.schema.archive_values`.
"""

from __future__ import annotations

import re

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.value_kinds.kind import ValueKind

_TAG = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)


def _check_ae_title(text: str) -> str:
    try:
        parse_ae_title(text)
    except MalformedInput as error:
        return error.message
    return ""


def _check_tag(text: str) -> str:
    return "" if _TAG.fullmatch(text) else "not a tag: expected eight hexadecimal digits, such as 0020000D"


AE_TITLE = ValueKind("ae-title", "an AE title: up to 16 characters, case-sensitive", _check_ae_title)
TAG = ValueKind("tag", "a tag: 0020000D", _check_tag)

#: The formats of AE titles in the archive's web form. Its other formats name the list that a value is picked from.
_FORM_AE_TITLE_FORMATS = ("dcmAETitle", "dcmArchiveAETitle")
#: Attributes that hold AE titles although the web form has no format for them.
_AE_TITLES = frozenset(
    (
        "dicomAETitle",
        "dcmRetrieveAET",
        "dcmExternalRetrieveAET",
        "dcmAcceptedMoveDestination",
        "dcmAcceptedCallingAETitle",
        "dcmOtherAETitle",
        "dicomPreferredCalledAETitle",
        "dicomPreferredCallingAETitle",
    )
)


def holds_ae_titles(attribute: str, form_format: str) -> bool:
    """Return whether *attribute* holds AE titles; *form_format* is its format in the web form (may be empty)."""
    return attribute in _AE_TITLES or form_format in _FORM_AE_TITLE_FORMATS
