"""Find the auxiliary object classes that an entry requires for an attribute, or no longer requires."""

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

#: Structural class → the groups of auxiliary classes that the archive adds to its entries. The archive reads the
#: attributes of a class only if the entry has all classes before it in the group (LdapDicomConfiguration, which calls
#: LdapArchiveConfiguration). ``pkiUser`` (RFC 4523 §3.1) is part of every server's own schema.
_AUXILIARY_GROUPS = {
    DICOM_DEVICE_OBJECT_CLASS: ((DCM_DEVICE_OBJECT_CLASS, ARCHIVE_DEVICE_OBJECT_CLASS), ("pkiUser",)),
    DICOM_NETWORK_AE_OBJECT_CLASS: ((DCM_NETWORK_AE_OBJECT_CLASS, ARCHIVE_NETWORK_AE_OBJECT_CLASS),),
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS: ((DCM_NETWORK_CONNECTION_OBJECT_CLASS,),),
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS: ((DCM_TRANSFER_CAPABILITY_OBJECT_CLASS,),),
    HL7_APPLICATION_OBJECT_CLASS: ((ARCHIVE_HL7_APPLICATION_OBJECT_CLASS,),),
}


def find_missing_classes(schema: Schema, entry: Entry, attribute: AttributeType) -> tuple[str, ...]:
    """Return the classes (usually none) that *entry* requires so that *attribute* is allowed and the archive reads it.

    Raises :class:`Refused` if no class for such an entry allows the attribute, or if the required class has required
    attributes itself: ``dcmArchiveDevice`` would make any device an archive.
    """
    allowed = find_allowed_attributes(schema, entry)
    structural = filter(None, map(schema.object_class, find_structural_classes(schema, entry)))
    # If a class is unknown or allows every attribute, it is not certain that one is missing.
    if allowed is None or any(_allows(schema, object_class, attribute) for object_class in structural):
        return ()
    # The archive reads an attribute only with the class of its group, also if another class of the entry allows it.
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
    """Return the auxiliary classes of *entry* that are unused after *removed_attributes* were removed.

    They are returned in groups, the last class of a group first, because a remaining class requires those before it.
    Only groups that allow one of *removed_attributes* are checked. Classes with required attributes are never returned,
    because they define the kind of the entry.
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
    """Return the classes of *group* up to the first one that allows *attribute*, or None if none does."""
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
    reason = ", because this class would make the device an archive" if name == ARCHIVE_DEVICE_OBJECT_CLASS else ""
    raise Refused(
        f"{attribute.name} requires the object class {name}. dcmcfg does not add this class automatically{reason}",
        subject=str(entry.dn),
        next_step=f"to add the object class: dcmcfg set TARGET objectClass+={name}; add the required attributes in the "
        f"same command: {', '.join(object_class.must)}",
    )


def _build_not_allowed_error(schema: Schema, entry: Entry, attribute: AttributeType) -> Refused:
    own_classes = ", ".join(name for name in entry.texts(OBJECT_CLASS) if name != "top")
    allowing_classes = sorted(
        each.name for each in schema.object_classes if attribute.name.lower() in map(str.lower, (*each.must, *each.may))
    )
    return Refused(
        f"{attribute.name} is not allowed on an entry with the object classes {own_classes}",
        subject=str(entry.dn),
        next_step=f"object classes that allow {attribute.name}: {', '.join(allowing_classes)}"
        if allowing_classes
        else f"no known object class allows {attribute.name}",
    )
