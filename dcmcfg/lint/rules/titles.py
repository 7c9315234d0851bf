"""AE titles and other names that are given twice, or that cannot be found as they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    OTHER_AE_TITLE,
)
from dcmcfg.unsafe_names import is_changed_in_reference, needs_escaping_in_dn

#: What has its name in the references to connections.
_REFERENCED_CLASSES = (DICOM_DEVICE_OBJECT_CLASS, DICOM_NETWORK_CONNECTION_OBJECT_CLASS)


def _find_duplicate_ae_title(context: LintContext) -> Iterator[Violation]:
    for title, aes in context.aes_by_title.items():
        if len(aes) > 1:
            first = aes[0].device.name
            for ae in aes[1:]:
                message = f"the device {first} has an AE of this title too"
                yield Violation(ae.entry.dn, message, DICOM_AE_TITLE, title.encode("utf-8", "replace"))


def _find_duplicate_application_name(context: LintContext) -> Iterator[Violation]:
    for kind in (EntityKind.HL7_APPLICATION, EntityKind.WEB_APP):
        seen = set()
        for entry in context.tree.index.find_by_class(kind.value.object_class):
            name = entry.text(kind.value.attribute)
            if name is None or name == "*":
                continue
            if name in seen:
                message = f"another device has a {kind.value.label} of this name"
                yield Violation(entry.dn, message, kind.value.attribute, name.encode())
            seen.add(name)


def _find_other_title_shadowed(context: LintContext) -> Iterator[Violation]:
    for device in context.devices:
        own = {ae.title for ae in device.network_aes}
        shared = Counter(title for ae in device.network_aes for title in set(ae.other_titles))
        for ae in device.network_aes:
            for title in ae.other_titles:
                if title in own - {ae.title}:
                    message = f"{title} is an AE of the device, which is found first"
                elif shared[title] > 1:
                    message = f"another AE of the device has the other title {title} too"
                else:
                    continue
                yield Violation(ae.entry.dn, message, OTHER_AE_TITLE, title.encode())


def _find_name_with_special_characters(context: LintContext) -> Iterator[Violation]:
    for entry in context.tree.sorted_entries():
        for kind, value in entry.dn.rdn.parts if entry.dn.rdns else ():
            if needs_escaping_in_dn(value):
                message = f"the archive writes DNs without escaping, so it does not find this {kind} again"
            elif is_changed_in_reference(value) and any(map(entry.is_a, _REFERENCED_CLASSES)):
                message = "in references it may stand otherwise, so that the archive does not load the device"
            else:
                continue
            if context.references.find_device_key(entry.dn) is not None:
                yield Violation(entry.dn, message, kind, value.encode("utf-8", "surrogateescape"))


RULES = (
    LintRule(
        "duplicate-ae-title",
        "error",
        requirement="An AE title is carried by one AE.",
        reason="The archive takes the first AE that the directory returns; which one that is may change.",
        fix="Rename or remove one of them.",
        fix_command="dcmcfg ae rename DEVICE/OLD NEW",
        find_violations=_find_duplicate_ae_title,
    ),
    LintRule(
        "duplicate-application-name",
        "error",
        requirement="The name of an HL7 application or web application is carried once.",
        reason="The archive takes the first that the directory returns.",
        fix="Rename or remove one of them.",
        fix_command="dcmcfg edit TARGET",
        find_violations=_find_duplicate_application_name,
    ),
    LintRule(
        "other-title-shadowed",
        "warning",
        requirement="No two AEs of a device can be called by one title.",
        reason="An AE's own title is looked for before the other titles, and of other titles the first is taken: the "
        "AE is never called by it.",
        fix="Remove the other title from all but one AE.",
        fix_command="dcmcfg set DEVICE/AE dcmOtherAETitle-=AET",
        find_violations=_find_other_title_shadowed,
    ),
    LintRule(
        "name-with-special-characters",
        "warning",
        requirement='A name below a device holds none of `, + " \\ < > ;`, that of a device or connection no `=` '
        "either.",
        reason="The archive puts DNs together without escaping, so it reads the entry and cannot change or remove it. "
        "It compares references to connections with them as text, and OpenLDAP writes `=` as `\\3D` there, so that "
        "the whole device is not loaded.",
        fix="Rename a device or an AE; add a connection of another name and remove this one.",
        fix_command="dcmcfg device rename OLD NEW",
        find_violations=_find_name_with_special_characters,
    ),
)
