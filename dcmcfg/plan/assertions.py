"""Assertion filters: what a change takes for granted, as the assertion control carries it (RFC 4528).

Only the filters that dcmcfg itself writes are understood here: ``&``, ``|``, ``!``, equality and presence
(RFC 4511 §4.5.1). Others are left for the server to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dcmcfg.ber import OCTET_STRING, element, elements, split
from dcmcfg.changes import Change, Control
from dcmcfg.entry import Entry
from dcmcfg.model.tree import canonical_name, held_name
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import told
from dcmcfg.suggestions import first_of

OID = "1.3.6.1.1.12"

_AND, _OR, _NOT, _EQUALITY, _PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0x87
#: Of many values found, a message tells so many.
_TOLD = 3

C = TypeVar("C", bound=Change)


@dataclass(frozen=True)
class Equals:
    """The attribute holds the value."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Present:
    """The attribute is there."""

    name: str


@dataclass(frozen=True)
class Not:
    """The inner filter does not hold."""

    inner: Filter


@dataclass(frozen=True)
class All:
    """Each inner filter holds."""

    inner: tuple[Filter, ...]


@dataclass(frozen=True)
class AnyOf:
    """One of the inner filters holds."""

    inner: tuple[Filter, ...]


Filter = Equals | Present | Not | All | AnyOf


def control(wanted: Iterable[Filter]) -> tuple[Control, ...]:
    """Return the one critical assertion control for all of *wanted*, or none when there is nothing to assert."""
    filters = tuple(wanted)
    if not filters:
        return ()
    whole = filters[0] if len(filters) == 1 else All(filters)
    return (Control(OID, critical=True, value=encode(whole)),)


def of_control(given: Control) -> Filter | None:
    """Return the filter that the assertion control *given* carries, or None when it is not one understood here."""
    if given.value is None:
        return None
    try:
        found, rest = _decode(given.value)
    except (IndexError, ValueError, RecursionError):
        return None
    return None if rest else found


def asserts(change: Change) -> bool:
    """Tell whether *change* carries an assertion control."""
    return any(control.oid == OID for control in change.controls)


def parts(change: Change) -> tuple[Filter, ...] | None:
    """Return the filters that *change* asserts together, or None when it asserts one that is not understood here."""
    found: list[Filter] = []
    for each in change.controls:
        if each.oid == OID:
            wanted = of_control(each)
            if wanted is None:
                return None
            found += wanted.inner if isinstance(wanted, All) else (wanted,)
    return tuple(found)


def asserting(change: C, wanted: Iterable[Filter]) -> C:
    """Return *change* with one control that asserts *wanted*, in place of what it asserts."""
    others = tuple(each for each in change.controls if each.oid != OID)
    return replace(change, controls=others + control(dict.fromkeys(wanted)))


def without(change: Change) -> Change:
    """Return *change* without its assertion control."""
    return replace(change, controls=tuple(control for control in change.controls if control.oid != OID))


def encode(wanted: Filter) -> bytes:
    """Return *wanted* in BER."""
    match wanted:
        case Equals(name, value):
            return element(_EQUALITY, element(OCTET_STRING, name.encode()) + element(OCTET_STRING, value))
        case Present(name):
            return element(_PRESENT, name.encode())
        case Not(inner):
            return element(_NOT, encode(inner))
        case All(inner):
            return element(_AND, b"".join(encode(each) for each in inner))
        case AnyOf(inner):
            return element(_OR, b"".join(encode(each) for each in inner))


def holds(wanted: Filter, entry: Entry, schema: Schema, version: str | None) -> bool:
    """Tell whether *wanted* is true of *entry*, whose entryCSN is *version* when known.

    An entryCSN that is not known counts as matching: the server will judge it.
    """
    return _Facts(entry, schema, version).fit(wanted)


class _Facts:
    """An entry that filters are compared with; the values of an attribute are brought into normal form once."""

    def __init__(self, entry: Entry, schema: Schema, version: str | None) -> None:
        self._entry = entry
        self._schema = schema
        self._version = version
        self._normal: dict[str, frozenset[bytes]] = {}

    def fit(self, wanted: Filter) -> bool:
        """Return whether *wanted* is true of the entry."""
        match wanted:
            case Equals(name, value) if name.lower() == "entrycsn":
                return self._version is None or self._version.encode() == value
            case Equals(name, value):
                return self._schema.normal_value(name, value) in self._held(name)
            case Present(name):
                return held_name(self._schema, name, self._entry) in self._entry
            case Not(inner):
                return not self.fit(inner)
            case All(inner):
                return all(map(self.fit, inner))
            case AnyOf(inner):
                return any(map(self.fit, inner))

    def _held(self, name: str) -> frozenset[bytes]:
        held = self._normal.get(name)
        if held is None:
            values = self._entry.values(held_name(self._schema, name, self._entry))
            self._normal[name] = held = frozenset(self._schema.normal_value(name, value) for value in values)
        return held


def broken(wanted: Filter, entry: Entry, schema: Schema, version: str | None) -> tuple[str, ...]:
    """Return what of *wanted* is not true of *entry*, each attribute with the value expected and those found.

    Empty when it holds. Secrets are not told.
    """
    parts = wanted.inner if isinstance(wanted, All) else (wanted,)
    facts = _Facts(entry, schema, version)
    return tuple(dict.fromkeys(_told(part, entry, schema, version) for part in parts if not facts.fit(part)))


def listed(moved: Sequence[str]) -> str:
    """Return what *moved*, as :func:`broken` tells it, in one line; of many the first ones."""
    return first_of(moved, _TOLD)


def _told(wanted: Filter, entry: Entry, schema: Schema, version: str | None) -> str:
    match wanted:
        case Equals(name, value) if name.lower() == "entrycsn":
            return f"the entry (entryCSN: expected {value.decode('utf-8', 'replace')}, found {version})"
        case Equals(name, value):
            expected = told(canonical_name(schema, name), value)
        case Present(name):
            expected = "a value"
        case Not(Present(name)):
            expected = "none"
        case _:
            return _about(wanted)
    canonical = held_name(schema, name, entry)  # a secret is one by its OID too
    held = entry.values(canonical)
    found = ", ".join(told(canonical, value) for value in held[:_TOLD]) + (", …" if len(held) > _TOLD else "")
    return f"{name} (expected {expected}, found {found or 'none'})"


def _about(wanted: Filter) -> str:
    match wanted:
        case Equals(name) | Present(name):
            return name
        case Not(inner):
            return _about(inner)
        case All(inner) | AnyOf(inner):
            return ", ".join(dict.fromkeys(_about(each) for each in inner))


def _decode(data: bytes) -> tuple[Filter, bytes]:
    tag, content, end = split(data)
    return _filter(tag, content), data[end:]


def _filter(tag: int, content: bytes) -> Filter:
    if tag == _PRESENT:
        return Present(content.decode("ascii"))
    if tag == _EQUALITY:
        (_, name), (_, value) = elements(content)
        return Equals(name.decode("ascii"), value)
    if tag == _NOT:
        return Not(_decode(content)[0])
    if tag in (_AND, _OR):
        inner = tuple(_filter(*each) for each in elements(content))
        return All(inner) if tag == _AND else AnyOf(inner)
    raise ValueError(f"a filter of kind {tag:#x} is not understood")
