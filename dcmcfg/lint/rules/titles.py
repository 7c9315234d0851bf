"""Rules for AE titles and other names that are not unique or that the archive cannot find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    OTHER_AE_TITLE,
)
from dcmcfg.unsafe_names import is_changed_in_reference, needs_escaping_in_dn

#: Object classes whose names are part of the DNs in connection references.
_REFERENCED_CLASSES = (DICOM_DEVICE_OBJECT_CLASS, DICOM_NETWORK_CONNECTION_OBJECT_CLASS)


def _find_duplicate_ae_title(context: LintContext) -> Iterator[Violation]:
    for title, aes in context.aes_by_title.items():
        if len(aes) > 1:
            # LdapDicomConfiguration limits its search to one entry, and LDAP guarantees no order.
            first = aes[0].device.name
            for ae in aes[1:]:
                message = f"the device {first} also has an AE with this title"
                yield Violation(ae.entry.dn, message, DICOM_AE_TITLE, title.encode("utf-8", "replace"))


def _find_duplicate_application_name(context: LintContext) -> Iterator[Violation]:
    for kind in (EntityKind.HL7_APPLICATION, EntityKind.WEB_APP):
        seen = set()
        for entry in context.tree.index.find_by_class(kind.value.object_class):
            name = entry.text(kind.value.attribute)
            # The default configuration has the HL7 application ``*``, which accepts any name.
            if name is None or name == "*":
                continue
            if name in seen:
                message = f"another device has a {kind.value.label} with this name"
                yield Violation(entry.dn, message, kind.value.attribute, name.encode())
            seen.add(name)


def _find_other_title_shadowed(context: LintContext) -> Iterator[Violation]:
    for device in context.devices:
        own = {ae.title for ae in device.network_aes}
        shared = Counter(title for ae in device.network_aes for title in set(ae.other_titles))
        for ae in device.network_aes:
            for title in ae.other_titles:
                # AssociationHandler searches titles first, then the AE ``*``, then other titles.
                if title in own - {ae.title}:
                    message = (
                        f"{title} is also the AE title of another AE of the device, and the archive finds that AE first"
                    )
                elif shared[title] > 1:
                    message = f"another AE of the device also has {title} in dcmOtherAETitle"
                else:
                    continue
                yield Violation(ae.entry.dn, message, OTHER_AE_TITLE, title.encode())


def _find_name_with_special_characters(context: LintContext) -> Iterator[Violation]:
    for entry in context.tree.sorted_entries():
        for kind, value in entry.dn.rdn.parts if entry.dn.rdns else ():
            if needs_escaping_in_dn(value):
                message = (
                    f"the archive does not escape special characters in DNs, so it cannot find this {kind} by its DN"
                )
            elif is_changed_in_reference(value) and any(map(entry.is_a, _REFERENCED_CLASSES)):
                message = "a reference may have another spelling of this name; then the archive cannot load the device"
            else:
                continue
            if context.references.find_device_key(entry.dn) is not None:
                yield Violation(entry.dn, message, kind, value.encode("utf-8", "surrogateescape"))


def _find_second_name(context: LintContext) -> Iterator[Violation]:
    for entry in context.entries_to_check:
        for kind in dict.fromkeys(kind for kind, _ in entry.dn.rdn.parts) if entry.dn.rdns else ():
            # Almost every entry has only one name.
            if len(entry.values(kind)) > 1 and _is_found_by_name(context.tree, entry, kind):
                for value in _list_names_not_in_dn(context.tree.schema, entry, kind):
                    yield _build_second_name(context, entry, kind, value)


def _is_found_by_name(tree: Tree, entry: Entry, kind: str) -> bool:
    """Return whether the archive uses the naming attribute *kind* of *entry*, and the schema allows several values."""
    definition = tree.schema.attribute(kind)
    # The archive finds containers outside devices, such as cn=Devices, only by their DNs.
    is_in_device = find_enclosing_device(tree.key(entry.dn)) is not None
    return is_in_device and definition is not None and not definition.single_valued


def _list_names_not_in_dn(schema: Schema, entry: Entry, kind: str) -> tuple[bytes, ...]:
    rdn_values = {
        schema.normalise_dn_value(kind, value).encode("utf-8", "surrogateescape")
        for name, value in entry.dn.rdn.parts
        if name == kind
    }
    return tuple(value for value in entry.values(kind) if schema.normalise_value(kind, value) not in rdn_values)


def _build_second_name(context: LintContext, entry: Entry, kind: str, value: bytes) -> Violation:
    text = value.decode("utf-8", "replace")
    message = (
        f"the entry has several names, and its DN does not contain the name {text}. The archive uses only one name"
    )
    command = ("set", context.format_target(entry), f"{kind}-={text}")
    return Violation(entry.dn, message, kind, value, fix_command=command)


RULES = (
    LintRule(
        "duplicate-ae-title",
        "error",
        requirement="Each AE title must belong to only one AE.",
        reason="The archive uses the first AE that the directory returns. The next search may return another AE first.",
        fix="Rename one of the AEs with this title, or remove one of these AEs.",
        example_command="dcmcfg ae rename DEVICE/OLD NEW",
        find_violations=_find_duplicate_ae_title,
    ),
    LintRule(
        "duplicate-application-name",
        "error",
        requirement="Each HL7 application name and each web application name must be unique.",
        reason="The archive uses the first entry that the directory returns.",
        fix="Rename one of the entries with this name, or remove one of these entries.",
        example_command="dcmcfg edit TARGET",
        find_violations=_find_duplicate_application_name,
    ),
    LintRule(
        "other-title-shadowed",
        "warning",
        requirement="In a device, each AE title and each other title (dcmOtherAETitle) must belong to only one AE.",
        reason="The archive searches AE titles before other titles (dcmOtherAETitle), and uses the first match. A "
        "caller that uses the duplicate title never reaches the second AE.",
        fix="Remove the duplicate title from dcmOtherAETitle, so that only one AE has this title.",
        example_command="dcmcfg set DEVICE/AE dcmOtherAETitle-=AET",
        find_violations=_find_other_title_shadowed,
    ),
    LintRule(
        "name-with-special-characters",
        "warning",
        requirement='The names of entries below a device must not contain any of these characters: `, + " \\ < > ;`. '
        "The names of devices and connections must also not contain `=`.",
        reason="The archive does not escape special characters in DNs. So the archive can read the entry but cannot "
        "change or remove the entry. The character `=` has another effect: the archive compares two texts, the DN of a "
        "connection and the DN in a reference to this connection. In references, OpenLDAP writes `=` as `\\3D`. So the "
        "two texts differ, and the archive cannot load the device.",
        fix="Rename the device or AE. To rename a connection, add a connection with a new name, then remove the old "
        "connection.",
        example_command="dcmcfg device rename OLD NEW",
        find_violations=_find_name_with_special_characters,
    ),
    LintRule(
        "name-not-in-dn",
        "error",
        requirement="Below a device, the naming attribute of an entry must have exactly one value: the value in the "
        "DN.",
        reason="The archive reads only the first value that the directory returns. This value can differ from the "
        "name in the DN. Then the archive cannot change or remove the entry. If the entry is an exporter to which a "
        "rule refers, the archive does not find the exporter, and every C-STORE to which the rule applies fails. If "
        "the entry is a connection to which an AE refers, the archive cannot load the device. The cause can be an LDIF "
        "file in which the attribute and the DN differ: OpenLDAP adds the value in the DN as one more value.",
        fix="Remove the value that is not in the DN. If this value is the right name, rename the entry.",
        example_command="dcmcfg set TARGET ATTR-=NAME",
        find_violations=_find_second_name,
        needs_whole_tree=False,
    ),
)
