"""The steps of a change as others may see them: DNs, attributes and values, without secrets and vendor data.

The shared history keeps steps in this form, and ``blame`` reads changes of all accounts in this form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum
from typing import Any

from dcmcfg.changes import Add, Change, Delete, Modify, Operation, Rename
from dcmcfg.dn import DN
from dcmcfg.plan.assertions import Not, Present, extract_assertions
from dcmcfg.schema_names import DICOM_VENDOR_DATA
from dcmcfg.secret_values import is_secret

#: By name and by OID: LDIF may name an attribute either way (RFC 4512 §2.5).
VENDOR_DATA_NAMES = frozenset({DICOM_VENDOR_DATA.lower(), "1.2.840.10008.15.0.3.6"})
#: A longer value is recorded by its length only.
_MAX_VALUE_LENGTH = 4096
_OCTETS_KEY = "octets"


class StepOperation(Enum):
    """The operation of a step on its entry."""

    ADD = "add"
    CHANGE = "change"
    RENAME = "rename"
    DELETE = "delete"


@dataclass(frozen=True)
class RecordedAttribute:
    """The values of the attribute ``name`` that a step ``removed`` and ``added``.

    A value is text, or the number of its octets if it is binary or long. ``hidden`` is the reason why values are left
    out (``secret``, ``vendor data``), or empty. With ``removes_all``, the plan left the attribute without values; else
    it may have other values, and this is unknown in records of older versions.
    """

    name: str
    removed: tuple[str | int, ...] = ()
    added: tuple[str | int, ...] = ()
    hidden: str = ""
    _: KW_ONLY
    removes_all: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the attribute as a JSON object of its step."""
        return {
            "name": self.name,
            "removed": _encode(self.removed),
            "added": _encode(self.added),
            "hidden": self.hidden,
            "removes_all": self.removes_all,
        }


@dataclass(frozen=True)
class RecordedStep:
    """One step: the entry that it changed, its new DN after a rename, and the attributes that it wrote."""

    operation: StepOperation
    dn: str
    new_dn: str = ""
    attributes: tuple[RecordedAttribute, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the step as a JSON object; :func:`parse_step` reads it."""
        attributes = [each.to_json() for each in self.attributes]
        return {"operation": self.operation.value, "dn": self.dn, "new_dn": self.new_dn, "attributes": attributes}


def parse_step(content: Any) -> RecordedStep:
    """Return the step in *content*, a JSON object; raises ValueError, TypeError or KeyError for another object."""
    attributes = tuple(
        RecordedAttribute(
            _text(each["name"]),
            _decode(each["removed"]),
            _decode(each["added"]),
            _text(each["hidden"]),
            removes_all=bool(each.get("removes_all", False)),
        )
        for each in content["attributes"]
    )
    dn, new_dn = _text(content["dn"]), _text(content["new_dn"])
    for each in (dn, new_dn):
        DN.parse(each)
    return RecordedStep(StepOperation(content["operation"]), dn, new_dn, attributes)


def record_step(change: Change, undo: Sequence[Change]) -> RecordedStep:
    """Return *change*, which the changes *undo* revert, without secrets and vendor data."""
    match change:
        case Add(entry):
            added = tuple(_record(each.name, (), each.values) for each in entry.attributes)
            return RecordedStep(StepOperation.ADD, str(change.dn), attributes=added)
        case Delete(dn):
            entries = (each.entry for each in undo if isinstance(each, Add))
            removed = tuple(_record(each.name, each.values, ()) for entry in entries for each in entry.attributes)
            return RecordedStep(StepOperation.DELETE, str(dn), attributes=removed)
        case Rename(dn, new_rdn):
            written = tuple(
                RecordedAttribute(name, added=(value,) if not is_secret(name, value.encode()) else ())
                for name, value in new_rdn.parts
            )
            return RecordedStep(StepOperation.RENAME, str(dn), str(change.new_dn), written)
        case Modify(dn):
            return RecordedStep(StepOperation.CHANGE, str(dn), attributes=tuple(_record_modify(change, undo)))


def _record_modify(change: Modify, undo: Iterable[Change]) -> Iterable[RecordedAttribute]:
    """Yield each attribute of *change* once; *undo* has the values that the change replaced as a whole."""
    removed: dict[str, list[bytes]] = {}
    added: dict[str, list[bytes]] = {}
    names: dict[str, str] = {}
    undo = tuple(undo)
    earlier = [each for undone in undo if isinstance(undone, Modify) for each in undone.modifications]
    absent = _find_absent_attributes(undo)
    for modification in change.modifications:
        key = modification.name.lower()
        names.setdefault(key, modification.name)
        if modification.operation is Operation.ADD:
            added.setdefault(key, []).extend(modification.values)
            continue
        # Without values, all values of the attribute are removed: the undo adds them again.
        values = modification.values if modification.operation is Operation.DELETE else ()
        if not values:
            values = tuple(
                value
                for each in earlier
                if each.name.lower() == key and each.operation is not Operation.DELETE
                for value in each.values
            )
        removed.setdefault(key, []).extend(values)
        if modification.operation is Operation.REPLACE:
            added.setdefault(key, []).extend(modification.values)
    for key, name in names.items():
        recorded = _record(name, removed.get(key, ()), added.get(key, ()))
        yield replace(recorded, removes_all=key in absent and not added.get(key))


def _find_absent_attributes(undo: Iterable[Change]) -> frozenset[str]:
    """Return the attributes, in lower case, that had no values after the step: *undo* asserts this."""
    return frozenset(
        each.inner.name.lower()
        for change in undo
        for each in extract_assertions(change) or ()
        if isinstance(each, Not) and isinstance(each.inner, Present)
    )


def _record(name: str, removed: Iterable[bytes], added: Iterable[bytes]) -> RecordedAttribute:
    if name.partition(";")[0].lower() in VENDOR_DATA_NAMES:
        return RecordedAttribute(name, hidden="vendor data")
    removed, added = tuple(removed), tuple(added)
    shown_removed, shown_added = _hide_secrets(name, removed), _hide_secrets(name, added)
    is_hidden = len(shown_removed) + len(shown_added) < len(removed) + len(added)
    return RecordedAttribute(
        name,
        tuple(map(_record_value, shown_removed)),
        tuple(map(_record_value, shown_added)),
        "secret" if is_hidden else "",
    )


def _hide_secrets(name: str, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(value for value in values if not is_secret(name, value))


def _record_value(value: bytes) -> str | int:
    try:
        return value.decode("utf-8") if len(value) <= _MAX_VALUE_LENGTH else len(value)
    except UnicodeDecodeError:
        return len(value)


def _encode(values: Iterable[str | int]) -> list[str | dict[str, int]]:
    return [value if isinstance(value, str) else {_OCTETS_KEY: value} for value in values]


def _decode(values: Any) -> tuple[str | int, ...]:
    return tuple(value if isinstance(value, str) else int(value[_OCTETS_KEY]) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
