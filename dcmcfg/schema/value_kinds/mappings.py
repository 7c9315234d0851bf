"""Formats of values in two parts: properties, queue sizes, limits, thresholds of value representations."""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int, split_key_and_value, split_values

#: The value representations of DICOM (PS3.5 §6.2).
VALUE_REPRESENTATIONS = frozenset(
    "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()  # noqa: SIM905
)
_VIEWPORT = re.compile(r"[1-9][0-9]{0,2},[1-9][0-9]{0,2}", re.ASCII)
_QSTAR_URL = re.compile(r"https?://\w+:\w+@\w+.*", re.ASCII)
_SHORTEST_ORDINAL = 4


def find_property_problem(text: str) -> str:
    """Return why *text* is not a property: ``NAME=VALUE``."""
    return "" if "=" in text else "not a property: expected NAME=VALUE"


def find_queue_size_problem(text: str) -> str:
    """Return why *text* is not a size of a queue: ``NAME=100``."""
    pair = split_key_and_value(text)
    return "" if pair is not None and parse_int(pair[1]) is not None else "the value must be NAME=NUMBER"


def find_association_limit_problem(text: str) -> str:
    """Return why *text* is not a limit of associations: ``CALLING_AET=5``."""
    # An AE title may contain ``=``, so the last one separates.
    _, equals, limit = text.rpartition("=")
    number = parse_int(limit) if equals else None
    return "" if number is not None else "the value must be AETITLE=NUMBER"


def find_store_associations_problem(text: str) -> str:
    """Return why *text* is not a number of associations: ``5`` or ``AETITLE:5`` (MultipleStoreAssociations)."""
    title, colon, number = text.rpartition(":") if text.count(":") < 2 else text.partition(":")
    count = parse_int(number)
    is_valid = count is not None and count > 0 and (title or not colon)
    return "" if is_valid else "the value must be NUMBER or AETITLE:NUMBER with a number above 0"


def find_vr_threshold_problem(text: str) -> str:
    """Return why *text* is not a threshold of lengths: ``OB,OW=1024`` (BasicBulkDataDescriptor)."""
    parts = split_values(text, "=")
    if (
        len(parts) == 2
        and parse_int(parts[1]) is not None
        and set(split_values(parts[0], ",")) <= VALUE_REPRESENTATIONS
    ):
        return ""
    return "the value must be VR,VR=NUMBER, for example OB,OW=1024"


def find_viewport_problem(text: str) -> str:
    """Return why *text* is not a size of a thumbnail: ``64,64``."""
    return "" if _VIEWPORT.fullmatch(text) else "the value must be WIDTH,HEIGHT, each from 1 to 999, for example 64,64"


def find_remapped_url_problem(text: str) -> str:
    """Return why *text* is not a URL with an optional ``[HOST]`` of the client before it."""
    is_valid = text[:1] != "[" or (text and text.count("]") == 1)
    return "" if is_valid and text else "the value must be URL or [HOST]URL"


def find_qstar_url_problem(text: str) -> str:
    """Return why *text* is not a QStar URL, which requires user and password."""
    return "" if _QSTAR_URL.fullmatch(text) else "the value must be http://USER:PASSWORD@HOST"


def find_ordinal_prefixed_problem(text: str) -> str:
    """Return why *text* is too short for an ordinal and a UID: ``{0}1.2.840.10008.1.2``.

    The archive removes the first three characters of any text, so only the length can prevent loading.
    """
    return "" if len(text) >= _SHORTEST_ORDINAL else "the value must be {NUMBER}UID, for example {0}1.2.840.10008.1.2"


def find_not_empty_problem(text: str) -> str:
    """Return a problem if *text* is empty, otherwise an empty string."""
    return "" if text else "the value must not be empty"


PROPERTY = ValueKind("property", "a property: NAME=VALUE", find_property_problem)
QUEUE_SIZE = ValueKind("queue-size", "a queue size: NAME=NUMBER", find_queue_size_problem)
ASSOCIATION_LIMIT = ValueKind("association-limit", "a limit: AETITLE=NUMBER", find_association_limit_problem)
STORE_ASSOCIATIONS = ValueKind("store-associations", "a number, or AETITLE:NUMBER", find_store_associations_problem)
VR_THRESHOLD = ValueKind("vr-threshold", "a threshold: OB,OW=1024", find_vr_threshold_problem)
VIEWPORT = ValueKind("viewport", "a size: WIDTH,HEIGHT", find_viewport_problem)
REMAPPED_URL = ValueKind("remapped-url", "a URL, or [HOST]URL", find_remapped_url_problem)
QSTAR_URL = ValueKind("qstar-url", "a URL: http://USER:PASSWORD@HOST", find_qstar_url_problem)
ORDINAL_PREFIXED = ValueKind(
    "ordinal-prefixed", "an ordinal and a UID: {0}1.2.840.10008.1.2", find_ordinal_prefixed_problem
)
NOT_EMPTY = ValueKind("not-empty", "a text that is not empty", find_not_empty_problem)
