"""Assertion filters: the preconditions of a change in the assertion control (RFC 4528).

This module supports only the filters that dcmcfg writes: ``&``, ``|``, ``!``, equality and presence (RFC 4511
§4.5.1). Only the server can check other filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dcmcfg.ber import OCTET_STRING, encode_element, read_element, read_elements
from dcmcfg.changes import Change, Control
from dcmcfg.entry import Entry
from dcmcfg.model.tree import canonicalise_name, find_spelling_in_entry
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import format_value
from dcmcfg.suggestions import join_limited

OID = "1.3.6.1.1.12"

#: The BER tags of the choices of Filter (RFC 4511 §4.5.1): context-specific, all constructed except presence.
_AND, _OR, _NOT, _EQUALITY, _PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0x87
#: The maximum number of values that a message shows.
_MAX_SHOWN = 3

C = TypeVar("C", bound=Change)


@dataclass(frozen=True)
class Equals:
    """The attribute has the value."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Present:
    """The attribute exists."""

    name: str


@dataclass(frozen=True)
class Not:
    """The inner filter does not hold."""

    inner: Filter


@dataclass(frozen=True)
class AllOf:
    """Each inner filter holds."""

    inner: tuple[Filter, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of the inner filters holds."""

    inner: tuple[Filter, ...]


Filter = Equals | Present | Not | AllOf | AnyOf


def build_control(assertions: Iterable[Filter]) -> tuple[Control, ...]:
    """Return one critical assertion control for all *assertions*; empty if there are none."""
    filters = tuple(assertions)
    if not filters:
        return ()
    # ldapmodify accepts one assertion control for each record, so several filters are joined with ``&``.
    combined = filters[0] if len(filters) == 1 else AllOf(filters)
    # A server that does not support the control refuses the change only if it is critical (RFC 4511 §4.1.11).
    return (Control(OID, critical=True, value=encode_filter(combined)),)


def decode_control(assertion_control: Control) -> Filter | None:
    """Return the filter of the assertion control *assertion_control*, or None if the filter is not supported."""
    if assertion_control.value is None:
        return None
    try:
        found, rest = _decode(assertion_control.value)
    # A control in a file may contain any octets, also filters nested deeper than Python's recursion limit.
    except (IndexError, ValueError, RecursionError):
        return None
    return None if rest else found


def has_assertion(change: Change) -> bool:
    """Return whether *change* has an assertion control."""
    return any(control.oid == OID for control in change.controls)


def extract_assertions(change: Change) -> tuple[Filter, ...] | None:
    """Return all filters that *change* asserts, or None if one of them is not supported."""
    found: list[Filter] = []
    for each in change.controls:
        if each.oid == OID:
            assertion_filter = decode_control(each)
            if assertion_filter is None:
                return None
            found += assertion_filter.inner if isinstance(assertion_filter, AllOf) else (assertion_filter,)
    return tuple(found)


def replace_assertions(change: C, assertions: Iterable[Filter]) -> C:
    """Return *change* with one control that asserts *assertions*, instead of its own assertions."""
    others = tuple(each for each in change.controls if each.oid != OID)
    return replace(change, controls=others + build_control(dict.fromkeys(assertions)))


def remove_assertions(change: Change) -> Change:
    """Return *change* without its assertion control."""
    return replace(change, controls=tuple(control for control in change.controls if control.oid != OID))


def encode_filter(assertion_filter: Filter) -> bytes:
    """Return *assertion_filter* in BER."""
    match assertion_filter:
        case Equals(name, value):
            return encode_element(
                _EQUALITY, encode_element(OCTET_STRING, name.encode()) + encode_element(OCTET_STRING, value)
            )
        case Present(name):
            return encode_element(_PRESENT, name.encode())
        case Not(inner):
            return encode_element(_NOT, encode_filter(inner))
        case AllOf(inner):
            return encode_element(_AND, b"".join(encode_filter(each) for each in inner))
        case AnyOf(inner):
            return encode_element(_OR, b"".join(encode_filter(each) for each in inner))


def matches_filter(assertion_filter: Filter, entry: Entry, schema: Schema, entry_csn: str | None) -> bool:
    """Return whether *entry* matches *assertion_filter*; *entry_csn* is its entryCSN, None if unknown.

    An unknown entryCSN matches, because the server will check it.
    """
    return _EntryMatcher(entry, schema, entry_csn).matches(assertion_filter)


class _EntryMatcher:
    """Matches filters with one entry; the values of an attribute are normalised once."""

    def __init__(self, entry: Entry, schema: Schema, version: str | None) -> None:
        self._entry = entry
        self._schema = schema
        self._version = version
        self._normal: dict[str, frozenset[bytes]] = {}

    def matches(self, assertion_filter: Filter) -> bool:
        """Return whether the entry matches *assertion_filter*."""
        match assertion_filter:
            case Equals(name, value) if name.lower() == "entrycsn":
                return self._version is None or self._version.encode() == value
            case Equals(name, value):
                return self._schema.normalise_value(name, value) in self._get_normal_values(name)
            case Present(name):
                return find_spelling_in_entry(self._schema, name, self._entry) in self._entry
            case Not(inner):
                return not self.matches(inner)
            case AllOf(inner):
                return all(map(self.matches, inner))
            case AnyOf(inner):
                return any(map(self.matches, inner))

    def _get_normal_values(self, name: str) -> frozenset[bytes]:
        normal_values = self._normal.get(name)
        if normal_values is None:
            values = self._entry.values(find_spelling_in_entry(self._schema, name, self._entry))
            self._normal[name] = normal_values = frozenset(
                self._schema.normalise_value(name, value) for value in values
            )
        return normal_values


def describe_failures(assertion_filter: Filter, entry: Entry, schema: Schema, entry_csn: str | None) -> tuple[str, ...]:
    """Return the parts of *assertion_filter* that *entry* does not match, each with the expected and found values.

    The result is empty if *entry* matches. Secrets are not shown.
    """
    # Each part of a conjunction is checked alone, so that the message names only those that fail.
    parts = assertion_filter.inner if isinstance(assertion_filter, AllOf) else (assertion_filter,)
    matcher = _EntryMatcher(entry, schema, entry_csn)
    return tuple(
        dict.fromkeys(_describe_failure(part, entry, schema, entry_csn) for part in parts if not matcher.matches(part))
    )


def summarize_failures(failures: Sequence[str]) -> str:
    """Return *failures* (from :func:`describe_failures`) in one line; of many, the first ones."""
    return join_limited(failures, _MAX_SHOWN)


def _describe_failure(assertion_filter: Filter, entry: Entry, schema: Schema, version: str | None) -> str:
    match assertion_filter:
        case Equals(name, value) if name.lower() == "entrycsn":
            return f"the entry (entryCSN: expected {value.decode('utf-8', 'replace')}, found {version})"
        case Equals(name, value):
            expected = format_value(canonicalise_name(schema, name), value)
        case Present(name):
            expected = "a value"
        case Not(Present(name)):
            expected = "none"
        case _:
            return _format_attribute_names(assertion_filter)
    # An attribute may be named by its OID; secrets must be recognised then too.
    canonical = find_spelling_in_entry(schema, name, entry)
    values = entry.values(canonical)
    found = ", ".join(format_value(canonical, value) for value in values[:_MAX_SHOWN]) + (
        ", …" if len(values) > _MAX_SHOWN else ""
    )
    return f"{name} (expected {expected}, found {found or 'none'})"


def _format_attribute_names(assertion_filter: Filter) -> str:
    match assertion_filter:
        case Equals(name) | Present(name):
            return name
        case Not(inner):
            return _format_attribute_names(inner)
        case AllOf(inner) | AnyOf(inner):
            return ", ".join(dict.fromkeys(_format_attribute_names(each) for each in inner))


def _decode(data: bytes) -> tuple[Filter, bytes]:
    tag, content, end = read_element(data)
    return _decode_filter(tag, content), data[end:]


def _decode_filter(tag: int, content: bytes) -> Filter:
    # An attribute description is ASCII (RFC 4512 §2.5). Other octets raise a ValueError, which decode_control catches.
    if tag == _PRESENT:
        return Present(content.decode("ascii"))
    if tag == _EQUALITY:
        (_, name), (_, value) = read_elements(content)
        return Equals(name.decode("ascii"), value)
    if tag == _NOT:
        return Not(_decode(content)[0])
    if tag in (_AND, _OR):
        inner = tuple(_decode_filter(*each) for each in read_elements(content))
        return AllOf(inner) if tag == _AND else AnyOf(inner)
    raise ValueError(f"filters of kind {tag:#x} are not supported")
