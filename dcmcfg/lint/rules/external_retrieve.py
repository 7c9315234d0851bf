"""Rules for the destination AE of external retrieves (dcmExternalRetrieveAEDestination)."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.model.retrieve_settings import find_storage_problem
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    C_STORE_SCU_OF_C_MOVE_SCP,
    DICOM_AE_TITLE,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    USER_IDENTITY_NEGOTIATION,
)

CANNOT_STORE_RULE = "external-retrieve-cannot-store"
_SET_COMMAND = "dcmcfg set-external-retrieve AET"


def _iterate_settings(context: LintContext) -> Iterator[tuple[Device, Entry, str]]:
    """Yield each setting of the destination: the archive, the entry (device or AE), the title."""
    for device in context.archives_to_check:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for title in entry.texts(EXTERNAL_RETRIEVE_AE_DESTINATION):
                yield device, entry, title


def find_destinations(context: LintContext) -> Iterator[tuple[Device, Entry, NetworkAE]]:
    """Yield each setting that leads to an AE of the archive: by its title, another title, or the AE ``*``."""
    for device, entry, title in _iterate_settings(context):
        ae = device.find_called_ae(title)
        if ae is not None:
            yield device, entry, ae


def _find_external_retrieve_unknown(context: LintContext) -> Iterator[Violation]:
    for device, entry, title in _iterate_settings(context):
        # The external archive calls this title, so the AE ``*`` and a dcmOtherAETitle accept it too.
        if device.find_called_ae(title) is None and title not in context.aes_by_title:
            storage = [ae.title for ae in device.network_aes if ae.is_storage_scp]
            hint = f"; storage SCPs of {device.name}: {', '.join(storage)}" if storage else ""
            yield Violation(
                entry.dn,
                f"no AE has the title {title}{hint}",
                EXTERNAL_RETRIEVE_AE_DESTINATION,
                title.encode(),
                fix_command=_build_command(storage, entry),
            )


def _find_external_retrieve_elsewhere(context: LintContext) -> Iterator[Violation]:
    for device, entry, title in _iterate_settings(context):
        # The archive never looks up this title, so it does not notice that the AE is not its own.
        if device.find_called_ae(title) is None and title in context.aes_by_title:
            other = context.aes_by_title[title][0].device.name
            storage = [ae.title for ae in device.network_aes if ae.is_storage_scp]
            message = (
                f"{title} is an AE of the device {other}, so retrieved objects go to {other}, and {device.name} does "
                "not forward the objects"
            )
            yield Violation(
                entry.dn,
                message,
                EXTERNAL_RETRIEVE_AE_DESTINATION,
                title.encode(),
                fix_command=_build_command(storage, entry),
            )


def _build_command(storage: list[str], entry: Entry) -> tuple[str, ...]:
    """Return the command that sets the only storage SCP; empty if there are several."""
    if len(storage) != 1:
        return ()
    ae_option = ("--ae", entry.text(DICOM_AE_TITLE) or "") if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) else ()
    return ("set-external-retrieve", storage[0], *ae_option)


def _find_external_retrieve_cannot_store(context: LintContext) -> Iterator[Violation]:
    for _, entry, ae in find_destinations(context):
        value = entry.values(EXTERNAL_RETRIEVE_AE_DESTINATION)[0]
        if problem := find_storage_problem(ae):
            yield Violation(entry.dn, f"{ae.title} {problem}", EXTERNAL_RETRIEVE_AE_DESTINATION, value)


def _find_existing_archives(context: LintContext, device: Device) -> tuple[str, ...]:
    """Return the external archives of *device* that are AEs: from a title without an AE, the archive gets no objects.

    The rule external-archive-unknown reports such a title.
    """
    return tuple(title for title in context.find_external_archives(device) if context.find_network_ae(title))


def find_unmapped_archives(context: LintContext, device: Device) -> tuple[str, ...]:
    """Return the external archives of *device* without a value in dcmCStoreSCUOfCMoveSCP."""
    scps = {pair.partition("=")[2] for pair in device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP)}
    return tuple(title for title in _find_existing_archives(context, device) if title not in scps)


def format_mapping(external_ae_title: str) -> str:
    """Return the assignment that maps the calling AE title of *external_ae_title*, usually its own, to the archive."""
    return f"{C_STORE_SCU_OF_C_MOVE_SCP}+={external_ae_title}={external_ae_title}"


def _find_external_retrieve_caller_refused(context: LintContext) -> Iterator[Violation]:
    for device, _, ae in find_destinations(context):
        accepted = ae.entry.texts(ACCEPTED_CALLING_AE_TITLE)
        for title in context.find_external_archives(device) if accepted else ():
            # AssociationHandler rejects the association (1/1/3).
            if title not in accepted:
                message = (
                    f"{title} must send retrieved objects to {ae.title}, but {ae.title} does not accept the calling AE "
                    f"title {title}"
                )
                command = ("set", context.format_target(ae.entry), f"dcmAcceptedCallingAETitle+={title}")
                yield Violation(ae.entry.dn, message, ACCEPTED_CALLING_AE_TITLE, fix_command=command)


def _find_external_retrieve_identity(context: LintContext) -> Iterator[Violation]:
    name = USER_IDENTITY_NEGOTIATION
    for device, _, ae in find_destinations(context):
        negotiation = ae.entry.text(name) or device.entry.text(name)
        # AssociationHandler rejects a caller without a user identity (1/2/1).
        if negotiation == "REQUIRED" and context.find_external_archives(device):
            message = (
                f"{ae.title} requires a user identity from every caller, but external archives rarely send a user "
                "identity"
            )
            yield Violation(ae.entry.dn, message, name, negotiation.encode())


def _find_external_retrieve_unset(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        titles = _find_existing_archives(context, device)
        if (
            titles
            and EXTERNAL_RETRIEVE_AE_DESTINATION not in device.entry
            and not any(EXTERNAL_RETRIEVE_AE_DESTINATION in ae.entry for ae in device.network_aes)
        ):
            storage = [ae.title for ae in device.network_aes if ae.is_storage_scp]
            # The recordings move-purged-unset-longterm-knows and -does-not-know show both outcomes.
            message = (
                f"objects from {', '.join(titles)} go directly to the destinations, so {', '.join(titles)} must know "
                "all destinations"
            )
            yield Violation(
                device.entry.dn,
                message,
                EXTERNAL_RETRIEVE_AE_DESTINATION,
                fix_command=_build_complete_command(context, device, storage),
            )


def _build_complete_command(context: LintContext, device: Device, storage: list[str]) -> tuple[str, ...]:
    """Return the command that sets the destination, and the values that forwarding requires for partly local studies.

    With the destination alone, the rule mixed-retrieve-not-forwarded would be broken.
    """
    unmapped = find_unmapped_archives(context, device)
    if len(storage) != 1 or not unmapped:
        return _build_command(storage, device.entry)
    destination = f"{EXTERNAL_RETRIEVE_AE_DESTINATION}={storage[0]}"
    return ("set", context.format_target(device.entry), destination, *map(format_mapping, unmapped))


def _find_external_retrieve_overridden(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        device_value = device.entry.text(EXTERNAL_RETRIEVE_AE_DESTINATION)
        for ae in device.network_aes:
            ae_value = ae.entry.text(EXTERNAL_RETRIEVE_AE_DESTINATION)
            if ae_value is not None and device_value is not None and ae_value != device_value:
                yield Violation(
                    ae.entry.dn,
                    f"the AE's value overrides the device's value {device_value}",
                    EXTERNAL_RETRIEVE_AE_DESTINATION,
                    ae_value.encode(),
                )


RULES = (
    LintRule(
        "external-retrieve-unknown",
        "error",
        requirement="dcmExternalRetrieveAEDestination must be the title of an AE of the archive.",
        reason="If the title is unknown, the archive asks the external archive to send the objects to a missing AE. "
        "If the variable AE_TITLE sets another AE title for the archive, the official container image does not replace "
        "the value DCM4CHEE of this attribute.",
        fix="Set dcmExternalRetrieveAEDestination to a storage SCP of the archive.",
        example_command=_SET_COMMAND,
        find_violations=_find_external_retrieve_unknown,
        part="references",
    ),
    LintRule(
        "external-retrieve-elsewhere",
        "error",
        requirement="dcmExternalRetrieveAEDestination must not be the title of an AE of another device.",
        reason="If dcmExternalRetrieveAEDestination has the title of an AE of another device, the external archive "
        "sends the objects to that device. The archive does not receive the objects and cannot forward them.",
        fix="Set dcmExternalRetrieveAEDestination to a storage SCP of the archive.",
        example_command=_SET_COMMAND,
        find_violations=_find_external_retrieve_elsewhere,
        part="references",
    ),
    LintRule(
        CANNOT_STORE_RULE,
        "error",
        requirement="The AE in dcmExternalRetrieveAEDestination must accept associations, be a storage SCP and have a "
        "storage.",
        reason="If the AE cannot store objects, the archive refuses the objects from the external archive.",
        fix="Set dcmExternalRetrieveAEDestination to another AE of the archive. This AE must have storage SCP "
        "capabilities and dcmObjectStorageID.",
        example_command=_SET_COMMAND,
        find_violations=_find_external_retrieve_cannot_store,
    ),
    LintRule(
        "external-retrieve-caller-refused",
        "error",
        requirement="The AE in dcmExternalRetrieveAEDestination must accept the external archive as caller.",
        reason="An AE with dcmAcceptedCallingAETitle rejects all callers that are not on the list.",
        fix="Add the AE title of the external archive to dcmAcceptedCallingAETitle.",
        example_command="dcmcfg set DEVICE/AE dcmAcceptedCallingAETitle+=AET",
        find_violations=_find_external_retrieve_caller_refused,
    ),
    LintRule(
        "external-retrieve-identity",
        "warning",
        requirement="The AE in dcmExternalRetrieveAEDestination must not require a user identity.",
        reason="The archive rejects an external archive that does not send the required user identity.",
        fix="Set dcmUserIdentityNegotiation to SUPPORTS, or use another AE.",
        example_command="dcmcfg set DEVICE/AE dcmUserIdentityNegotiation=SUPPORTS",
        find_violations=_find_external_retrieve_identity,
    ),
    LintRule(
        "external-retrieve-unset",
        "note",
        requirement="An archive that retrieves from external archives must have dcmExternalRetrieveAEDestination.",
        reason="Without dcmExternalRetrieveAEDestination, the external archive sends objects directly to the "
        "destination of the request. So the external archive must know all destinations.",
        fix="Set dcmExternalRetrieveAEDestination, and add a value for each external archive to "
        "dcmCStoreSCUOfCMoveSCP. If the external archive should send objects directly to the destinations, ignore this "
        "note.",
        example_command=_SET_COMMAND,
        find_violations=_find_external_retrieve_unset,
    ),
    LintRule(
        "external-retrieve-overridden",
        "note",
        requirement="If an AE has its own dcmExternalRetrieveAEDestination, the value must be the same as the "
        "device's value.",
        reason="The AE's own value overrides the device's value. Administrators easily overlook the AE's value.",
        fix="If the AE requires no value of its own, clear dcmExternalRetrieveAEDestination on the AE.",
        example_command="dcmcfg set-external-retrieve --clear --ae AET",
        find_violations=_find_external_retrieve_overridden,
    ),
)
#: The rules about the AE itself: it exists, belongs to the archive, and can store.
AE_RULES = tuple(
    rule
    for rule in RULES
    if rule.find_violations
    in (_find_external_retrieve_unknown, _find_external_retrieve_elsewhere, _find_external_retrieve_cannot_store)
)
