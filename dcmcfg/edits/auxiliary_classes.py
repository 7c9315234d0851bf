"""The auxiliary object classes that an entry lacks for an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema
from dcmcfg.schema.structure import add_superiors, find_allowed_attributes, find_structural_classes
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    ARCHIVE_HL7_APPLICATION_OBJECT_CLASS,
    ARCHIVE_NETWORK_AE_OBJECT_CLASS,
    DCM_DEVICE_OBJECT_CLASS,
    DCM_NETWORK_AE_OBJECT_CLASS,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DCM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    HL7_APPLICATION_OBJECT_CLASS,
    OBJECT_CLASS,
)

#: Structural class → the auxiliary classes that the archive gives its entries. It looks for what stands on one of a
#: group only where those before it are there (LdapDicomConfiguration, which calls LdapArchiveConfiguration).
#: ``pkiUser`` (RFC 4523 §3.1) is part of every server's own schema.
_AUXILIARY_GROUPS = {
    DICOM_DEVICE_OBJECT_CLASS: ((DCM_DEVICE_OBJECT_CLASS, ARCHIVE_DEVICE_OBJECT_CLASS), ("pkiUser",)),
    DICOM_NETWORK_AE_OBJECT_CLASS: ((DCM_NETWORK_AE_OBJECT_CLASS, ARCHIVE_NETWORK_AE_OBJECT_CLASS),),
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS: ((DCM_NETWORK_CONNECTION_OBJECT_CLASS,),),
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS: ((DCM_TRANSFER_CAPABILITY_OBJECT_CLASS,),),
    HL7_APPLICATION_OBJECT_CLASS: ((ARCHIVE_HL7_APPLICATION_OBJECT_CLASS,),),
}


def find_missing_classes(schema: Schema, entry: Entry, attribute: AttributeType) -> tuple[str, ...]:
    """Return the classes, none as a rule, that *entry* must get so that *attribute* may stand on it and is read.

    Raises :class:`Refused` where no class for such an entry allows it, and where one would have to be added that has
    required attributes of its own: ``dcmArchiveDevice`` would make any device an archive.
    """
    allowed = find_allowed_attributes(schema, entry)
    structural = filter(None, map(schema.object_class, find_structural_classes(schema, entry)))
    if allowed is None or any(_allows(schema, object_class, attribute) for object_class in structural):
        return ()
    for group in (
        each for structural, groups in _AUXILIARY_GROUPS.items() if entry.is_a(structural) for each in groups
    ):
        if (required := _list_classes_up_to(schema, group, attribute)) is not None:
            missing = tuple(name for name in required if not entry.is_a(name))
            for name in missing:
                _require_addable(schema, entry, attribute, name)
            return missing
    if attribute.name.lower() in allowed:
        return ()
    raise _build_not_allowed_error(schema, entry, attribute)


def find_unneeded_classes(
    schema: Schema, entry: Entry, removed_attributes: Iterable[AttributeType]
) -> tuple[tuple[str, ...], ...]:
    """Return the auxiliary classes of *entry* that hold nothing, now that *removed_attributes* are gone.

    They are in groups, in each the last first: a class that stays needs those before it. Only groups that allow one of
    *removed_attributes* are looked at. Classes with required attributes are none: they say what the entry is.
    """
    removed = tuple(removed_attributes)
    groups = (each for structural, groups in _AUXILIARY_GROUPS.items() if entry.is_a(structural) for each in groups)
    affected = (
        group for group in groups if any(_list_classes_up_to(schema, group, each) is not None for each in removed)
    )
    return tuple(tuple(_find_unneeded_in_group(schema, entry, group)) for group in affected)


def _find_unneeded_in_group(schema: Schema, entry: Entry, group: tuple[str, ...]) -> Iterator[str]:
    names = {each.name.partition(";")[0].lower() for each in entry.attributes}
    for name in reversed(group):
        object_class = schema.object_class(name)
        if not entry.is_a(name):
            continue
        entry = _remove_class(entry, name)
        allowed = find_allowed_attributes(schema, entry)
        if object_class is None or object_class.must or allowed is None or not names <= allowed:
            return
        yield name


def _remove_class(entry: Entry, name: str) -> Entry:
    classes = (value for value in entry.values(OBJECT_CLASS) if value.lower() != name.lower().encode())
    return entry.with_values(OBJECT_CLASS, classes)


def _list_classes_up_to(schema: Schema, group: tuple[str, ...], attribute: AttributeType) -> tuple[str, ...] | None:
    """Return the classes of *group* up to the first that allows *attribute*, or None."""
    for count, name in enumerate(group, start=1):
        object_class = schema.object_class(name)
        if object_class is not None and _allows(schema, object_class, attribute):
            return group[:count]
    return None


def _allows(schema: Schema, object_class: ObjectClass, attribute: AttributeType) -> bool:
    return any(
        attribute.name.lower() in map(str.lower, (*each.must, *each.may))
        for each in add_superiors(schema, [object_class])
    )


def _require_addable(schema: Schema, entry: Entry, attribute: AttributeType, name: str) -> None:
    object_class = schema.object_class(name)
    if object_class is None or not object_class.must:
        return
    reason = ", as it would make the device an archive" if name == ARCHIVE_DEVICE_OBJECT_CLASS else ""
    raise Refused(
        f"{attribute.name} stands on {name}, a class that the entry does not have; it is not added unasked{reason}",
        subject=str(entry.dn),
        next_step=f"if it is to be one: set objectClass+={name} with what that requires: "
        f"{', '.join(object_class.must)}",
    )


def _build_not_allowed_error(schema: Schema, entry: Entry, attribute: AttributeType) -> Refused:
    own_classes = ", ".join(name for name in entry.texts(OBJECT_CLASS) if name != "top")
    allowing_classes = sorted(
        each.name for each in schema.object_classes if attribute.name.lower() in map(str.lower, (*each.must, *each.may))
    )
    return Refused(
        f"{attribute.name} cannot stand on this entry, which is of the classes {own_classes}",
        subject=str(entry.dn),
        next_step=f"it stands on {', '.join(allowing_classes)}"
        if allowing_classes
        else "no object class that is known allows it",
    )
