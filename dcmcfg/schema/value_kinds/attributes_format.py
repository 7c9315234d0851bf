"""Texts with attributes in braces, such as ``{00100020}/{StudyDate,date,yyyy}`` (dcm4che's ``AttributesFormat``)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dcmcfg.schema.value_kinds.dicom_keywords import is_attribute_path
from dcmcfg.schema.value_kinds.durations import find_period_problem
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int

_TYPES = frozenset(
    "none upper slice number offset date time choice hash md5 urlencoded rnd uuid uid".split()  # noqa: SIM905
)
_RANDOM_TYPES = frozenset(("none", "uuid", "uid"))
#: Types whose style Java's ``MessageFormat`` parses.
_STYLED = frozenset(("number", "date", "time", "choice"))
_DATE_LETTERS = frozenset("GyMLwWDdFEuaHkKhmsSzZXY")
_DATE_STYLES = ("", "short", "medium", "long", "full")
_QUOTED = re.compile(r"'[^']*'")


def find_attributes_format_problem(text: str) -> str:
    """Return the reason why the archive cannot load *text*; empty if it can, or if this is not certain."""
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return "a } has no matching {"
    if depth:
        return ""  # the archive ignores the text after the last unclosed {
    for field in _find_fields(text):
        problem = _find_field_problem(field)
        if problem:
            return problem
    return ""


def _find_fields(text: str) -> Iterator[str]:
    """Yield the texts between outer braces."""
    depth, begin = 0, 0
    for index, character in enumerate(text):
        if character == "{":
            depth += 1
            begin = index + 1 if depth == 1 else begin
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield text[begin:index]


def _find_field_problem(field: str) -> str:
    path, comma, rest = field.partition(",")
    kind, _, style = rest.partition(",")
    # ``rnd`` and ``now`` stand in the place of an attribute.
    is_random = field.startswith("rnd")
    if not is_random and not field.startswith("now"):
        problem = _find_path_problem(path)
        if problem:
            return problem
    if not comma:
        return ""
    kind, offset = _split_type_and_offset(kind)
    if kind not in _TYPES:
        return f"unknown type in braces, expected one of {', '.join(sorted(_TYPES))}"
    if is_random and kind not in _RANDOM_TYPES:
        return "rnd allows only the types uuid and uid"
    if kind == "date" and offset and find_period_problem(offset):
        return "expected a time period after the word date, such as P-1M in {now,dateP-1M,yyyy}"
    if kind == "offset" and parse_int(style) is None:
        return "offset requires a whole number, as in {InstanceNumber,offset,100}"
    if kind in ("slice", "offset") and not all(parse_int(part) is not None for part in style.split(",")[:2]):
        return "slice requires one or two whole numbers, as in {PatientID,slice,0,4}"
    if kind in ("slice", "offset") and style.count(",") > 1:
        return "slice allows at most two numbers"
    return _find_date_style_problem(style) if kind in ("date", "time") else ""


def _find_path_problem(path: str) -> str:
    if not path:
        return "no attribute between { and }"
    if path.endswith("]"):
        path, bracket, index = path[:-1].rpartition("[")
        if not bracket or parse_int(index) is None:
            return "an index must be a whole number in brackets, as in {ImageType[3]}"
    return (
        ""
        if is_attribute_path(path)
        else "expected a DICOM keyword or tag in braces, such as {StudyDate} or {00080020}"
    )


def _split_type_and_offset(kind: str) -> tuple[str, str]:
    for name in ("date", "time"):
        if kind.startswith(name):
            return name, kind[len(name) :]
    return kind, ""


def _find_date_style_problem(style: str) -> str:
    # Java's ``MessageFormat`` ignores case and surrounding blanks of these styles.
    if style.strip().lower() in _DATE_STYLES:
        return ""
    letters = {character for character in _QUOTED.sub("", style) if character.isascii() and character.isalpha()}
    return (
        ""
        if letters <= _DATE_LETTERS or "'" in style
        else "unknown letter in a date format, expected letters as in yyyy/MM/dd"
    )


ATTRIBUTES_FORMAT = ValueKind(
    "attributes-format",
    "text with attributes in braces: {now,date,yyyy/MM/dd}/{0020000D,hash}",
    find_attributes_format_problem,
)
