"""Set, add and remove values of any attribute of one entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.edits.auxiliary_classes import find_missing_classes, find_unneeded_classes
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.entry_validation import require_valid_entry
from dcmcfg.edits.inheritance import warn_about_overridden_device, warn_about_overriding_aes
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import Device
from dcmcfg.model.effective_settings import is_inherited
from dcmcfg.model.targets import Target
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.explain import get_attribute_type
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES
from dcmcfg.schema_names import ARCHIVE_NETWORK_AE_OBJECT_CLASS, OBJECT_CLASS
from dcmcfg.secret_values import format_value

_CERTIFICATE = "Certificate"


@dataclass(frozen=True)
class AttributeValues:
    """Values of the attribute ``name``, in any case, as alias or OID, options included.

    ``operation`` is REPLACE to set exactly these values, ADD to add them, and DELETE to remove them.
    """

    name: str
    values: tuple[bytes, ...]
    operation: Operation = Operation.REPLACE


#: Returns the classes, in lower case, that were added to the entry automatically; they are removed with their values.
AutoAddedClasses = Callable[[], Collection[str]]


def _list_no_classes() -> Collection[str]:
    return ()


def set_values(
    schema: Schema,
    target: Target,
    desired: Sequence[AttributeValues],
    auto_added_classes: AutoAddedClasses = _list_no_classes,
) -> Edit:
    """Return the edit that replaces, adds and deletes the values *desired*, in one change of the entry.

    Additions of existing values and deletions of missing ones are skipped. A class of *auto_added_classes* is removed
    with the last value that required it. Raises :class:`~dcmcfg.errors.NotFound` for an attribute that *schema* does
    not know, with similar names, and :class:`Refused` for attributes that the classes of the entry do not allow, for
    values that ``dcmcfg check`` reports as errors or that change the entry's name, and for contradictory operations on
    one attribute.
    """
    by_attribute = _group_by_attribute(schema, desired)
    for each in by_attribute.values():
        _require_consistent(schema, target, each)
    requests = [each for group in by_attribute.values() for each in _resolve_operations(schema, target.entry, group)]
    return _build_edit(schema, target, requests, auto_added_classes)


def unset_attributes(
    schema: Schema, target: Target, names: Iterable[str], auto_added_classes: AutoAddedClasses = _list_no_classes
) -> Edit:
    """Return the edit that removes the attributes *names*; otherwise like :func:`set_values`."""
    return set_values(schema, target, [AttributeValues(name, ()) for name in names], auto_added_classes)


#: The values of one attribute for each operation.
_ValuesByOperation = Mapping[Operation, AttributeValues]


def _group_by_attribute(schema: Schema, given: Iterable[AttributeValues]) -> dict[str, _ValuesByOperation]:
    """Return the values *given* by attribute and operation; all names of an attribute count as one."""
    found: dict[str, dict[Operation, AttributeValues]] = {}
    for each in given:
        name = _build_description(get_attribute_type(schema, each.name), each.name)
        group = found.setdefault(name.lower(), {})
        first = group.get(each.operation, AttributeValues(name, (), each.operation))
        group[each.operation] = replace(first, values=(*first.values, *each.values))
    return dict(found)


def _require_consistent(schema: Schema, target: Target, group: _ValuesByOperation) -> None:
    """Raise :class:`Refused` if the operations of *group* contradict each other, or replace the object classes."""
    name = next(iter(group.values())).name
    if Operation.REPLACE in group and get_attribute_type(schema, name).name == OBJECT_CLASS:
        raise Refused(
            "dcmcfg cannot replace all object classes of an entry",
            subject=str(target.entry.dn),
            next_step=f"to add an object class: dcmcfg set TARGET {OBJECT_CLASS}+=CLASS; to remove an object class: "
            f"dcmcfg set TARGET {OBJECT_CLASS}-=CLASS",
        )
    if Operation.REPLACE in group and len(group) > 1:
        raise Refused(
            f"{name}= replaces all values and cannot be combined with {name}+= or {name}-=",
            subject=str(target.entry.dn),
            next_step=f"use only {name}=, or only {name}+= and {name}-=",
        )
    if len(group) > 1:
        added, removed = (
            {schema.normalise_value(name, value) for value in group[operation].values}
            for operation in (Operation.ADD, Operation.DELETE)
        )
        if added & removed:
            value = next(each for each in group[Operation.ADD].values if schema.normalise_value(name, each) in removed)
            raise Refused(
                f"{name}: the value {format_value(name, value)} is both added and removed", subject=str(target.entry.dn)
            )


def _resolve_operations(schema: Schema, entry: Entry, group: _ValuesByOperation) -> Iterator[AttributeValues]:
    """Yield the operations of *group*, deletions first; one replacement if single values cannot be addressed.

    A server cannot delete single values of an attribute without an equality rule (RFC 4511 §4.6). A single-valued
    attribute must lose the old value before it gets the new one.
    """
    ordered = sorted(group.values(), key=lambda each: each.operation is not Operation.DELETE)
    name = ordered[0].name
    if Operation.REPLACE in group or get_attribute_type(schema, name).equality_rule is not None:
        yield from ordered
        return
    values = entry.values(name)
    for each in ordered:
        values = (
            tuple(value for value in values if value not in each.values)
            if each.operation is Operation.DELETE
            else tuple(dict.fromkeys((*values, *each.values)))
        )
    yield AttributeValues(name, values)


def _build_edit(
    schema: Schema, target: Target, requests: Sequence[AttributeValues], own_classes: AutoAddedClasses
) -> Edit:
    entry = target.entry
    # A class that the same command adds may already allow the attributes.
    entry_with_classes = _add_classes(entry, _iterate_added_classes(requests))
    classes: dict[str, None] = {}
    modifications: list[Modification] = []
    for each in requests:
        known = get_attribute_type(schema, each.name)
        if known.operational or known.name.lower() in OPERATIONAL_ATTRIBUTES:
            raise Refused(
                f"the directory server maintains {known.name}, so users cannot change this attribute",
                subject=str(entry.dn),
            )
        if each.values and each.operation is not Operation.DELETE:
            classes.update(dict.fromkeys(find_missing_classes(schema, entry_with_classes, known)))
        modifications.append(Modification(each.operation, each.name, each.values))
    # The classes come before the attributes that require them.
    if classes:
        added = Modification(Operation.ADD, OBJECT_CLASS, tuple(name.encode() for name in classes))
        modifications.insert(0, added)
    after = entry
    for modification in modifications:
        after = _apply_modification(schema, after, modification)
    if unneeded := _find_unneeded_classes(schema, entry, after, modifications=modifications, own_classes=own_classes):
        modifications.append(Modification(Operation.DELETE, OBJECT_CLASS, unneeded))
        after = _apply_modification(schema, after, modifications[-1])
    too_many = [problem for each in modifications for problem in _check_single_valued(schema, entry, after, each)]
    require_valid_entry(schema, entry, after, too_many)
    return Edit((Modify(entry.dn, tuple(modifications)),), tuple(_find_warnings(schema, target, after, modifications)))


def _find_unneeded_classes(
    schema: Schema, before: Entry, after: Entry, *, modifications: Sequence[Modification], own_classes: AutoAddedClasses
) -> tuple[bytes, ...]:
    """Return the classes of *own_classes* that become unused with the removed values."""
    names = [each.name for each in modifications]
    # If the user changes the classes explicitly, none is removed automatically.
    if any(name.lower() == OBJECT_CLASS.lower() for name in names):
        return ()
    removed = [get_attribute_type(schema, name) for name in names if before.values(name) and not after.values(name)]
    found = find_unneeded_classes(schema, after, removed) if removed else ()
    # They come from the records of the account, which are only read if a class becomes unused.
    own = own_classes() if any(found) else ()
    # The last class of a group comes first. A class that is kept requires the rest, which is kept too.
    return tuple(name.encode() for group in found for name in takewhile(lambda name: name.lower() in own, group))


def _iterate_added_classes(requests: Sequence[AttributeValues]) -> Iterator[bytes]:
    for each in requests:
        if each.operation is Operation.ADD and each.name.lower() == OBJECT_CLASS.lower():
            yield from each.values


def _add_classes(entry: Entry, classes: Iterable[bytes]) -> Entry:
    return entry.with_values(OBJECT_CLASS, (*entry.values(OBJECT_CLASS), *classes))


def _build_description(known: AttributeType, name: str) -> str:
    """Return the attribute description: the name in the spelling of the schema, with the given options.

    A certificate is transferred with ``;binary`` only (RFC 4523 §2.1).
    """
    _, semicolon, options = name.partition(";")
    if semicolon:
        return f"{known.name};{options}"
    if known.syntax == _CERTIFICATE:
        return f"{known.name};binary"
    return known.name


def _apply_modification(schema: Schema, entry: Entry, modification: Modification) -> Entry:
    """Return *entry* after *modification*; values that are already set are unchanged."""
    name, current = modification.name, entry.values(modification.name)
    given_normal = {schema.normalise_value(name, value) for value in modification.values}
    match modification.operation:
        case Operation.ADD:
            current_normal = {schema.normalise_value(name, value) for value in current}
            new = tuple(
                value for value in modification.values if schema.normalise_value(name, value) not in current_normal
            )
            return entry.with_values(name, current + new)
        case Operation.DELETE:
            return entry.with_values(
                name, tuple(v for v in current if schema.normalise_value(name, v) not in given_normal)
            )
        case _:
            return entry.with_values(name, modification.values)


def _check_single_valued(schema: Schema, before: Entry, after: Entry, modification: Modification) -> Iterator[str]:
    known = schema.attribute(modification.name)
    count = len(after.values(modification.name))
    if known is None or not known.single_valued or count < 2:
        return
    values_before = before.values(modification.name)
    if modification.operation is Operation.ADD and values_before:
        current = format_value(known.name, values_before[0])
        yield (
            f"{known.name} is single-valued and already has the value {current}; to replace the value, use "
            f"{known.name}=VALUE"
        )
    else:
        yield f"{known.name} is single-valued, but {count} values were given"


def _find_warnings(
    schema: Schema, target: Target, after: Entry, modifications: Sequence[Modification]
) -> Iterator[str]:
    for name in (modification.name for modification in modifications):
        if target.device is None or not target.device.is_archive or not is_inherited(schema, name):
            continue
        if target.ae is not None:
            yield from warn_about_overridden_device(target.ae, name, after.values(name))
        else:
            yield from warn_about_overriding_aes(target.device, name, after.values(name))
    yield from _warn_about_archive_class(target, after)


def _warn_about_archive_class(target: Target, after: Entry) -> Iterator[str]:
    """Yield a warning if an AE of a remote device gets the class for the settings of archive AEs."""
    device: Device | None = target.device
    archive_class = ARCHIVE_NETWORK_AE_OBJECT_CLASS
    if target.ae is None or device is None or device.is_archive:
        return
    if after.is_a(archive_class) and not target.entry.is_a(archive_class):
        yield (
            f"the object class {archive_class} is only for AEs of an archive, but the device {device.name} is not an "
            "archive."
        )
