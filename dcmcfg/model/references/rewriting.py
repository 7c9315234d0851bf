"""Find and replace names in a single attribute value."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.shapes import NameInValue


@lru_cache(maxsize=4096)
def may_contain_names(attribute: str) -> bool:
    """Return whether values of *attribute* (any case, options ignored) may contain names."""
    return attribute.partition(";")[0].lower() in SHAPES


def find_names(attribute: str, value: bytes) -> tuple[NameInValue, ...]:
    """Return the names in *value* of *attribute* (any case, options ignored), in order; DNs are not names here."""
    shape = SHAPES.get(attribute.partition(";")[0].lower())
    return tuple(shape(value.decode("utf-8", "surrogateescape"))) if shape is not None else ()


def rewrite_name(
    attribute: str, value: bytes, kind: EntityKind, *, old: str, new: str, keep_old: bool = False
) -> bytes:
    """Return *value* of *attribute* with each name *old* of *kind* replaced by *new*; other octets stay unchanged.

    With *keep_old*, a pattern that matches *old* then matches both *old* and *new*. Without it, a pattern that already
    matches both keeps *new* once.
    """
    # A value may contain octets that are not UTF-8. surrogateescape keeps them unchanged.
    text = value.decode("utf-8", "surrogateescape")
    found = find_names(attribute, value)
    has_new_name = not kind.are_same_name(old, new) and any(
        name.is_pattern and name.kind is kind and kind.are_same_name(name.text, new) for name in found
    )
    pieces, copied_to = [], 0
    for name in found:
        if name.kind is kind and kind.are_same_name(name.text, old):
            start, end, replacement = name.start, name.end, name.format_replacement(new)
            # The pattern already matches *new*: a second alternative would be redundant.
            if name.is_pattern and has_new_name:
                start, end, replacement = _remove_alternative(text, start, end, keep=keep_old)
            elif name.is_pattern and keep_old:
                replacement = f"{text[start:end]}|{replacement}"
            pieces += [text[copied_to:start], replacement]
            copied_to = end
    return "".join([*pieces, text[copied_to:]]).encode("utf-8", "surrogateescape")


def _remove_alternative(text: str, start: int, end: int, *, keep: bool) -> tuple[int, int, str]:
    """Return the range and replacement that remove an alternative of a pattern with an adjacent ``|``, or *keep* it."""
    if keep:
        return start, end, text[start:end]
    if text[end : end + 1] == "|":
        return start, end + 1, ""
    return start - (text[start - 1 : start] == "|"), end, ""


def rewrite_dn(value: bytes, old: DN, new: DN, key: Callable[[DN], NormalDN]) -> bytes:
    """Return *value* with the RDN of *old* replaced by the RDN of *new*, if it is a DN at or below *old*.

    *old* and *new* must differ only in their first RDN. *key* returns the normal form of a DN. All other octets stay
    unchanged, and so do other values.
    """
    text = value.decode("utf-8", "surrogateescape")
    try:
        dn = DN.parse(text)
    except MalformedInput:
        return value
    if not old.rdns or not is_at_or_below(key(dn), key(old)):
        return value
    depth = len(dn.rdns) - len(old.rdns)
    start, end = _skip_blanks(text, _find_rdns_end(text, depth)), _find_rdns_end(text, depth + 1)
    if end < len(text):
        end -= 1  # the comma
    end = start + len(text[start:end].rstrip(" "))
    return (text[:start] + str(new.rdn) + text[end:]).encode("utf-8", "surrogateescape")


def _find_rdns_end(text: str, count: int) -> int:
    """Return the end of the first *count* RDNs of the DN in *text*, including the comma after them."""
    position, quoted = 0, False
    while count and position < len(text):
        if text[position] == "\\":
            position += 1
        # Quotes and ``;`` are LDAPv2 forms that a directory may still contain (RFC 2253 §4).
        elif text[position] == '"':
            quoted = not quoted
        elif text[position] in ",;" and not quoted:
            count -= 1
        position += 1
    return position


def _skip_blanks(text: str, position: int) -> int:
    while text[position : position + 1] == " ":
        position += 1
    return position
