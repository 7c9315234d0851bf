"""Format of attributes that a coercion sets: ``PatientID={AccessionNumber}`` (the archive's ``MergeAttribute``).

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

from dcmcfg.schema.value_kinds.attributes_format import find_attributes_format_problem
from dcmcfg.schema.value_kinds.dicom_keywords import is_tag_or_keyword
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int, split_values


def find_merge_attribute_problem(text: str) -> str:
    """Return why *text* is not an assignment to an attribute; empty if it is."""
    path, equals, value = text.partition("=")
    if not equals:
        if not text.endswith("!"):
            return "not an assignment: expected, for example, PatientID={AccessionNumber}, PatientID= or PatientID!"
        path = text[:-1]
    if not all(map(_is_item, split_values(path, "."))):
        return "expected a path of keywords or tags before =, such as ReferencedSOPSequence[1].ReferencedSOPInstanceUID"
    return find_attributes_format_problem(value)


def _is_item(name: str) -> bool:
    if name.endswith("]"):
        name, bracket, number = name[:-1].partition("[")
        position = parse_int(number)
        if not bracket or position is None or position < 1:
            return False
    return bool(name) and is_tag_or_keyword(name)


MERGE_ATTRIBUTE = ValueKind(
    "merge-attribute",
    "one assignment, for example PatientID={AccessionNumber}; PatientID= makes the attribute empty, and PatientID! "
    "removes the attribute",
    find_merge_attribute_problem,
)
