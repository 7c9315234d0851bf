"""Rules for transfer capabilities that prevent objects from being stored or sent."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.ae_lookups import find_looked_up_references
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import NetworkAE
from dcmcfg.printable import format_count
from dcmcfg.schema_names import (
    ACCEPTED_MOVE_DESTINATION,
    ARCHIVE_NETWORK_AE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_ASSOCIATION_INITIATOR,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_ROLE,
    EXPORTER_OBJECT_CLASS,
    OBJECT_STORAGE_ID,
)
from dcmcfg.well_known_uids import (
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE_SOP_CLASS_PREFIX,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)

#: A list with at least this share of the SOP classes that the archive sends passes as intentionally complete.
_MINIMUM_SHARE = 0.1
#: C-MOVE and C-GET of the Patient Root and Study Root models (PS3.4 C.6).
_RETRIEVE_SOP_CLASSES = frozenset({PATIENT_ROOT_MOVE, PATIENT_ROOT_GET, STUDY_ROOT_MOVE, STUDY_ROOT_GET})
_DESTINATION_ATTRIBUTES = (ACCEPTED_MOVE_DESTINATION, "dcmDestinationAE", "dcmPrefetchCStoreSCP")


def _find_sop_classes(ae: NetworkAE, role: str) -> set[str]:
    return {
        capability.text(DICOM_SOP_CLASS) or ""
        for capability in ae.capability_source.capabilities
        if capability.text(DICOM_TRANSFER_ROLE) == role
    }


def _find_incomplete_scp_capabilities(context: LintContext) -> Iterator[Violation]:
    aes = [ae for archive in context.archives for ae in archive.network_aes]
    sent = {each for ae in aes for each in _find_sop_classes(ae, "SCU") if each.startswith(STORAGE_SOP_CLASS_PREFIX)}
    destinations = set(_find_destinations(context))
    for ae in context.network_aes():
        accepted = _find_sop_classes(ae, "SCP")
        # RetrieveServiceImpl requires an SCP capability only of destinations that list any (recording
        # restricted-local).
        if ae.device.is_archive or not accepted or len(sent & accepted) >= len(sent) * _MINIMUM_SHARE:
            continue
        storage = sum(each.startswith(STORAGE_SOP_CLASS_PREFIX) for each in accepted)
        if storage or ae.title in destinations:
            message = (
                f"the archive does not send {len(sent - accepted)} of its {len(sent)} storage SOP classes to the AE, "
                "because the AE does not list these classes (the AE lists "
                f"{format_count(storage, 'storage SOP class', 'storage SOP classes')} as SCP)"
            )
            yield Violation(ae.entry.dn, message)


def _find_destinations(context: LintContext) -> Iterator[str]:
    """Yield the titles of AEs that the archive sends objects to, according to its configuration."""
    for reference in find_looked_up_references(context):
        if reference.attribute in _DESTINATION_ATTRIBUTES or reference.value.startswith((b"dicom:", b"storescu:")):
            yield reference.name


def _find_no_storage_scu(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        titles = {exporter.text(DICOM_AE_TITLE) for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS)}
        for ae in device.network_aes:
            sends = ae.title in titles or _find_sop_classes(ae, "SCP") & _RETRIEVE_SOP_CLASSES
            # RetrieveServiceImpl drops objects without an SCU capability of the sending AE before it calls any
            # destination.
            if sends and not any(each.startswith(STORAGE_SOP_CLASS_PREFIX) for each in _find_sop_classes(ae, "SCU")):
                yield Violation(ae.entry.dn, "the AE has no storage SCU capability, so it sends no objects")


def _find_storage_scp_without_scu(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for ae in device.network_aes:
            accepted, sent = (
                {each for each in _find_sop_classes(ae, role) if each.startswith(STORAGE_SOP_CLASS_PREFIX)}
                for role in ("SCP", "SCU")
            )
            if sent and accepted - sent:
                first = sorted(accepted - sent)[0]
                more = f" and {len(accepted - sent) - 1} more" if len(accepted - sent) > 1 else ""
                message = (
                    f"the AE has an SCP capability but no SCU capability for {first}{more}, so the AE can receive "
                    "these objects but cannot send them"
                )
                yield Violation(ae.entry.dn, message)


def _find_initiator_not_enforced(context: LintContext) -> Iterator[Violation]:
    name = DICOM_ASSOCIATION_INITIATOR
    for device in context.archives:
        for ae in device.network_aes:
            # ApplicationEntity.connect does not read this attribute.
            if ae.entry.text(name) == "FALSE" and _find_sop_classes(ae, "SCU"):
                message = "FALSE has no effect: the archive still opens associations as this AE"
                yield Violation(ae.entry.dn, message, name, b"FALSE")


def _find_archive_ae_without_capabilities(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for ae in device.network_aes:
            if ae.installed and not ae.capability_source.capabilities:
                yield Violation(
                    ae.entry.dn,
                    "the AE has no transfer capabilities, so it accepts and proposes no presentation contexts",
                )


def _find_scp_without_acceptor(context: LintContext) -> Iterator[Violation]:
    name = DICOM_ASSOCIATION_ACCEPTOR
    for device in context.archives:
        for ae in device.network_aes:
            # A missing value counts as FALSE when the archive loads the device.
            if ae.installed and ae.entry.text(name) != "TRUE" and _find_sop_classes(ae, "SCP"):
                command = ("set", context.format_target(ae.entry), f"{name}=TRUE")
                yield Violation(
                    ae.entry.dn, "the AE has SCP capabilities but accepts no associations", name, fix_command=command
                )


def _find_no_object_storage(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for ae in device.network_aes:
            stores = OBJECT_STORAGE_ID in ae.entry or OBJECT_STORAGE_ID in device.entry
            if ae.is_storage_scp and not stores and ae.entry.is_a(ARCHIVE_NETWORK_AE_OBJECT_CLASS):
                message = "the AE is a storage SCP without dcmObjectStorageID, so it cannot store received objects"
                yield Violation(ae.entry.dn, message, OBJECT_STORAGE_ID)


RULES = (
    LintRule(
        "incomplete-scp-capabilities",
        "warning",
        requirement="A destination with SCP capabilities must list every SOP class that the destination should "
        "receive.",
        reason="If a destination has no SCP capabilities, the archive sends all objects. If a destination has at "
        "least one SCP capability, the archive sends only objects of the listed SOP classes. For other objects, the "
        "archive reports A702, or no error if dcmRestrictRetrieveSilently is set.",
        fix="Add the missing capabilities, or remove all capabilities.",
        example_command="dcmcfg capability copy FROM TO",
        find_violations=_find_incomplete_scp_capabilities,
    ),
    LintRule(
        "no-storage-scu",
        "error",
        requirement="An archive AE that exports objects or serves retrieve requests must have storage SCU "
        "capabilities.",
        reason="The archive sends an object only if the AE has an SCU capability for the SOP class of the object.",
        fix="Add the capabilities, or share the capabilities of another AE (dcmShareTransferCapabilitiesFromAETitle).",
        example_command="dcmcfg capability copy FROM TO",
        find_violations=_find_no_storage_scu,
    ),
    LintRule(
        "storage-scp-without-scu",
        "warning",
        requirement="An archive AE must be able to send objects of every SOP class that the AE receives.",
        reason="If the AE has only an SCP capability for a SOP class, the archive does not send objects of this SOP "
        "class to any destination. For these objects, the archive reports A702, or no error if "
        "dcmRestrictRetrieveSilently is set.",
        fix="Add an SCU capability for each SOP class for which the AE has only an SCP capability.",
        example_command="dcmcfg capability add DEVICE/AE SCU SOPCLASS",
        find_violations=_find_storage_scp_without_scu,
    ),
    LintRule(
        "initiator-not-enforced",
        "note",
        requirement="An archive AE with SCU capabilities must be allowed to open associations.",
        reason="The archive ignores the value FALSE of dicomAssociationInitiator and opens associations anyway, so the "
        "value is misleading.",
        fix="Set dicomAssociationInitiator to TRUE. If the AE should not send objects, remove the SCU capabilities "
        "instead.",
        example_command="dcmcfg set DEVICE/AE dicomAssociationInitiator=TRUE",
        find_violations=_find_initiator_not_enforced,
    ),
    LintRule(
        "archive-ae-without-capabilities",
        "warning",
        requirement="An archive AE must have its own transfer capabilities, or share the capabilities of another AE.",
        reason="Without capabilities, the AE accepts no presentation context (not even for C-ECHO) and sends no "
        "objects.",
        fix="Copy the capabilities of another AE, or share these capabilities "
        "(dcmShareTransferCapabilitiesFromAETitle).",
        example_command="dcmcfg capability copy FROM TO",
        find_violations=_find_archive_ae_without_capabilities,
    ),
    LintRule(
        "scp-without-acceptor",
        "warning",
        requirement="An archive AE with SCP capabilities must accept associations.",
        reason="If dicomAssociationAcceptor is not TRUE, the archive rejects every caller (1/1/7).",
        fix="Set dicomAssociationAcceptor to TRUE, or remove the SCP capabilities.",
        example_command="dcmcfg set DEVICE/AE dicomAssociationAcceptor=TRUE",
        find_violations=_find_scp_without_acceptor,
    ),
    LintRule(
        "no-object-storage",
        "error",
        requirement="An archive AE that is a storage SCP must have a storage.",
        reason="Without a storage, every C-STORE to the AE fails.",
        fix="Set dcmObjectStorageID on the AE.",
        example_command="dcmcfg set DEVICE/AE dcmObjectStorageID=STORAGE",
        find_violations=_find_no_object_storage,
    ),
)
