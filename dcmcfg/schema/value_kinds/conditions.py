"""Format of rule conditions: ``SendingApplicationEntityTitle=CT.*`` (classes ``Conditions``, ``HL7Conditions``)."""

from __future__ import annotations

from dcmcfg.schema.value_kinds.codes import find_code_problem
from dcmcfg.schema.value_kinds.java_pattern import find_pattern_problem
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int, split_key_and_value

_FORM = "not a condition: expected KEY=PATTERN or KEY!=PATTERN"
#: First character of a predicate. The archive treats an unknown predicate as a pattern.
_PREDICATE = "§"


def find_condition_problem(text: str) -> str:
    """Return why *text* is not a condition on DICOM attributes."""
    pair = split_key_and_value(text)
    if pair is None:
        return _FORM
    key, pattern = pair
    if key.endswith(("]", "]!")) and not _is_position(key):
        return "a position in brackets must be a whole number above 0, as in ImageType[3]=PATTERN"
    # The archive compares a value in the form of codes as codes, not as a pattern.
    if pattern.startswith("(") and all(find_code_problem(code) == "" for code in pattern.split("|")):
        return ""
    return "" if pattern.startswith(_PREDICATE) else find_pattern_problem(pattern)


def find_hl7_condition_problem(text: str) -> str:
    """Return why *text* is not a condition on HL7 fields."""
    pair = split_key_and_value(text)
    return _FORM if pair is None else find_pattern_problem(pair[1])


def _is_position(key: str) -> bool:
    begin, end = key.find("[") + 1, key.find("]")
    position = parse_int(key[begin:end]) if begin <= end else None
    return position is not None and position > 0


CONDITION = ValueKind("condition", "a condition: KEY=PATTERN or KEY!=PATTERN", find_condition_problem)
HL7_CONDITION = ValueKind("hl7-condition", "a condition: MSH-9=PATTERN or MSH-9!=PATTERN", find_hl7_condition_problem)
