"""Format of attribute selectors in the XML form of PS3.19 (AttributeSelector, ValueSelector)."""

from __future__ import annotations

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_hexadecimal, parse_int

_ELEMENT = "DicomAttribute"
#: The archive skips this number of characters before it searches for the next element.
_SHORTEST_ITEM = 30
_ATTRIBUTE_EXAMPLE = 'DicomAttribute[@tag="00100020"]'
_VALUE_EXAMPLE = f'{_ATTRIBUTE_EXAMPLE}/Value[@number="1"]'


def find_attribute_selector_problem(text: str) -> str:
    """Return why *text* does not select an attribute; empty if it does."""
    return "" if _selects_attribute(text) else f"not a selector: expected, for example, {_ATTRIBUTE_EXAMPLE}"


def find_value_selector_problem(text: str) -> str:
    """Return why *text* does not select a value of an attribute; empty if it does."""
    last = text.rfind(_ELEMENT)
    is_valid = _selects_attribute(text) and _has_number(text, max(last, 0))
    return "" if is_valid else f"not a selector: expected, for example, {_VALUE_EXAMPLE}"


def _selects_attribute(text: str) -> bool:
    end = text.rfind(_ELEMENT)
    last = max(end, 0)
    if not _has_tag(text, last) or _read_quoted_text("@privateCreator=", text, last) is None:
        return False
    begin = 0
    while 0 <= begin < end:
        if not (_has_tag(text, begin) and _has_number(text, begin)):
            return False
        begin = text.find(_ELEMENT, begin + _SHORTEST_ITEM)
        if begin < 0:
            return False  # the archive's loop would never end
    return True


def _has_tag(text: str, begin: int) -> bool:
    tag = _read_quoted_text("@tag=", text, begin)
    return bool(tag) and parse_hexadecimal(tag or "") is not None


def _has_number(text: str, begin: int) -> bool:
    number = _read_quoted_text("@number=", text, begin)
    return number == "" or (number is not None and parse_int(number) is not None)


def _read_quoted_text(key: str, text: str, begin: int) -> str | None:
    """Return the quoted text after *key*; empty if *key* is missing, None if the quotes are not closed."""
    key_start = text.find(key, begin)
    if key_start < 0:
        return ""
    quote_start = key_start + len(key)
    end = text.find(text[quote_start : quote_start + 1] or "\0", quote_start + 1)
    return None if quote_start >= len(text) or end < 0 else text[quote_start + 1 : end]


ATTRIBUTE_SELECTOR = ValueKind(
    "attribute-selector", f"an attribute: {_ATTRIBUTE_EXAMPLE}", find_attribute_selector_problem
)
VALUE_SELECTOR = ValueKind("value-selector", f"a value of an attribute: {_VALUE_EXAMPLE}", find_value_selector_problem)
