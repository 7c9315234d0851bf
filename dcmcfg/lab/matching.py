"""Attribute matching of the Query/Retrieve service (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

_WILD_CARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_RANGE_VRS = frozenset({"DA", "TM", "DT"})


def matches_key(key: DataElement, candidate: Dataset) -> bool:
    """Return whether *candidate* matches one key of an identifier.

    Supports universal, list of UID, wild card, range and single value matching. Person names are compared without case,
    and a multi-valued attribute matches if one of its values matches. Sequence keys match everything.
    """
    patterns = get_key_values(key)
    if key.VR == "SQ" or not patterns:
        return True
    if patterns == ("*",) and key.VR in _WILD_CARD_VRS:
        return True
    values = _get_values(candidate, key.tag)
    return any(_value_matches(key.VR, pattern, value) for pattern in patterns for value in values)


def get_key_values(key: DataElement) -> tuple[str, ...]:
    """Return the values of an element as text; empty if it has none."""
    if key.VR == "SQ" or key.value is None:
        return ()
    several = isinstance(key.value, list | tuple) or key.VM > 1
    values = key.value if several else (key.value,)
    return tuple(text for text in (str(value).strip() for value in values) if text)


def _get_values(candidate: Dataset, tag: BaseTag) -> tuple[str, ...]:
    return get_key_values(candidate[tag]) if tag in candidate else ()


def _value_matches(vr: str, pattern: str, value: str) -> bool:
    if vr in _RANGE_VRS and "-" in pattern:
        first, last = pattern.split("-", 1)
        # A shorter end of a range includes all values that begin with it.
        return (not first or first <= value) and (not last or value[: len(last)] <= last)
    if vr not in _WILD_CARD_VRS:
        return pattern == value
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.IGNORECASE if vr == "PN" else 0) is not None
