"""Formats of tags, of attribute paths, and of values that contain paths (TagUtils, AttributesBuilder)."""

from __future__ import annotations

from dcmcfg.schema.value_kinds.dicom_keywords import is_attribute_path
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int, split_key_and_value, split_values

#: The archive looks up digits in a table that ends with this character. Later characters make loading fail; every
#: earlier character passes.
_LAST_CHARACTER = "f"
_PATH = "a path of keywords or tags such as StudyDate or 00081140.00081155"
_SERVICES = ("patients", "studies", "series", "instances", "workitems", "mwlitems", "mpps")
_AGE_UNITS = "DMWY"


def find_tag_problem(text: str) -> str:
    """Return why the archive cannot load *text* as a tag. It also loads many texts that are not tags."""
    return (
        "not a tag: expected eight hexadecimal digits, such as 0020000D"
        if any(c > _LAST_CHARACTER for c in text)
        else ""
    )


def find_include_field_problem(text: str) -> str:
    """Return why *text* is not a field to include: a path of elements, or ``all``."""
    return "" if text == "all" or is_attribute_path(text) else f"expected {_PATH}, or all"


def find_filter_problem(text: str) -> str:
    """Return why *text* is not a filter: ``PATH=VALUE``."""
    pair = split_key_and_value(text)
    return (
        ""
        if pair is not None and is_attribute_path(pair[0])
        else f"not a filter: expected PATH=VALUE, where PATH is {_PATH}"
    )


def find_sort_order_problem(text: str) -> str:
    """Return why *text* is not an order of results: ``studies:-StudyDate,StudyTime`` (QIDOResultOrderBy)."""
    service, colon, paths = text.partition(":")
    if not colon or service not in _SERVICES:
        return f"the value must be SERVICE:KEY,-KEY, where SERVICE is one of {', '.join(_SERVICES)}"
    keys = [key.strip() for key in paths.split(",") if key] if "," in paths else [paths.strip()]
    return "" if all(key and is_attribute_path(key.removeprefix("-")) for key in keys) else f"a key must be {_PATH}"


def find_query_keys_problem(text: str) -> str:
    """Return why *text* is not a query: ``StudyDate=20260101&Modality=CT`` (ChangeAccessControlIDRule)."""
    for part in split_values(text, "&"):
        pair = split_values(part, "=")
        if len(pair) != 2 or not pair[0] or not is_attribute_path(pair[0]):
            return f"not a query: expected PATH=VALUE&PATH=VALUE, where PATH is {_PATH}"
    return ""


def find_entity_selector_problem(text: str) -> str:
    """Return why *text* is not an entity selector: ``priors=2&StudyAge=-5Y&Modality=CT`` (EntitySelector)."""
    for part in split_values(text, "&"):
        pair = split_values(part, "=")
        if len(pair) != 2:
            return "not a selector: expected KEY=VALUE&KEY=VALUE"
        key, value = pair
        if key == "priors":
            problem = "" if parse_int(value) is not None else "priors must be a whole number"
        elif key == "StudyAge":
            ages = value.split("-")
            is_valid = len(ages) == 2 and all(map(_is_age, ages))
            problem = (
                ""
                if is_valid
                else ("StudyAge must be FROM-TO, where FROM and TO are empty or have a form such as 5D, 2W, 6M or 1Y")
            )
        else:
            problem = "" if key and is_attribute_path(key) else f"a key must be priors, StudyAge or {_PATH}"
        if problem:
            return f"not a selector: {problem}"
    return ""


def _is_age(text: str) -> bool:
    number = parse_int(text[:-1])
    return not text or (text[-1] in _AGE_UNITS and number is not None and number > 0)


TAG = ValueKind("tag", "a tag: 0020000D", find_tag_problem)
INCLUDE_FIELD = ValueKind("include-field", f"{_PATH}, or all", find_include_field_problem)
FILTER = ValueKind("filter", "a filter: PATH=VALUE", find_filter_problem)
SORT_ORDER = ValueKind("sort-order", "an order of results: studies:-StudyDate,StudyTime", find_sort_order_problem)
QUERY_KEYS = ValueKind("query-keys", "a query: StudyDate=20260101&ModalitiesInStudy=CT", find_query_keys_problem)
ENTITY_SELECTOR = ValueKind(
    "entity-selector",
    "a selector of entities: priors=2&StudyAge=-5Y&ModalitiesInStudy=CT",
    find_entity_selector_problem,
)
