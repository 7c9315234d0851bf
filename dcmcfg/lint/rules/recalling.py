"""Rules for recalls: requests to an external archive, and the handling of its objects."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.lint.rules.external_retrieve import find_destinations, find_unmapped_archives, format_mapping
from dcmcfg.model.devices import DICOM, Device
from dcmcfg.schema.findings import FORMAT
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    ARCHIVE_DEVICE_OBJECT_CLASS,
    C_STORE_SCU_OF_C_MOVE_SCP,
    DICOM_AE_TITLE,
    EXPORTER_OBJECT_CLASS,
    RETRIEVE_TIMEOUT,
    RETURN_RETRIEVE_AET,
    SEND_PENDING_C_MOVE_INTERVAL,
    STG_CMT_SCP,
)

_MINIMUM_TIMEOUT_MS = 60_000


def _find_forwarding_archives(context: LintContext) -> tuple[Device, ...]:
    """Return the archives that route external retrieves through themselves."""
    return tuple({device.name: device for device, _, _ in find_destinations(context)}.values())


def _find_mixed_retrieve_not_forwarded(context: LintContext) -> Iterator[Violation]:
    for device in _find_forwarding_archives(context):
        for title in find_unmapped_archives(context, device):
            # Observed on 5.35.1: without the pair, such a retrieve ends with B000, with it with 0000 (recording
            # mixed-mapped).
            message = (
                f"if a study is partly local, the archive stores the objects from {title} but does not forward them"
            )
            command = ("set", context.format_target(device.entry), format_mapping(title))
            yield Violation(device.entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, fix_command=command)


def _find_move_scp_pair_format(context: LintContext) -> Iterator[Violation]:
    for entry in context.entries_with(C_STORE_SCU_OF_C_MOVE_SCP):
        for value in entry.values(C_STORE_SCU_OF_C_MOVE_SCP) if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS) else ():
            if b"=" not in value:
                message = "the value does not have the form CALLING=SCP, so the archive cannot load the device"
                yield Violation(entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, value)


def _find_recall_sender_mismatch(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        recorded = context.find_external_archives(device)
        for value in device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP):
            calling, equals, scp = value.partition("=")
            if equals and scp in recorded and calling not in recorded:
                # StoreServiceEJB restores an object only from the recorded sender. Otherwise the overwrite policy
                # applies.
                message = (
                    f"the archive ignores objects from {calling}, because {scp} is recorded as the external archive of "
                    "these objects"
                )
                yield Violation(device.entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, value.encode())


def _find_no_pending_responses(context: LintContext) -> Iterator[Violation]:
    for device in _find_forwarding_archives(context):
        sends_pending = any(
            SEND_PENDING_C_MOVE_INTERVAL in entry for entry in (device.entry, *(ae.entry for ae in device.network_aes))
        )
        # The archive does not relay the external archive's pending responses in this case (recording pending-1s-set).
        if context.find_external_archives(device) and not sends_pending:
            message = (
                "the requester receives no response until the external archive has sent all objects, so the "
                "requester may time out"
            )
            command = ("set", context.format_target(device.entry), f"{SEND_PENDING_C_MOVE_INTERVAL}=PT5S")
            yield Violation(device.entry.dn, message, SEND_PENDING_C_MOVE_INTERVAL, fix_command=command)


def _find_retrieve_timeout_short(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        if not context.find_external_archives(device):
            continue
        for connection in device.connections:
            entry = context.tree.get(connection.dn)
            value = (entry.text(RETRIEVE_TIMEOUT) if entry is not None else None) or "0"
            # A number with many digits is not a short time, and int() rejects too long texts.
            is_short = len(value) < 6 and value.isdecimal() and 0 < int(value) < _MINIMUM_TIMEOUT_MS
            if is_short and connection.protocol == DICOM:
                # dcmRetrieveTimeout applies up to the first pending response (CMoveSCUImpl).
                message = "the external archive must send its first response within this time (in milliseconds)"
                yield Violation(connection.dn, message, RETRIEVE_TIMEOUT, value.encode())


def _find_external_archive_accept_list(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            sender, title = exporter.text(DICOM_AE_TITLE), exporter.text(STG_CMT_SCP) or ""
            peer = context.find_network_ae(title)
            accepted = peer.entry.texts(ACCEPTED_CALLING_AE_TITLE) if peer is not None else ()
            if peer is not None and sender is not None and accepted and sender not in accepted:
                message = f"{sender} exports to {title}, but {title} does not accept {sender} as calling AE title"
                command = ("set", context.format_target(peer.entry), f"dcmAcceptedCallingAETitle+={sender}")
                yield Violation(peer.entry.dn, message, ACCEPTED_CALLING_AE_TITLE, fix_command=command)


def _find_return_retrieve_aet(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for value in entry.values(RETURN_RETRIEVE_AET) if context.find_external_archives(device) else ():
                # With this attribute, the archive does not append the external archive to Retrieve AE Title
                # (0008,0054).
                message = "query results do not show which studies are on the external archive"
                yield Violation(entry.dn, message, RETURN_RETRIEVE_AET, value)


RULES = (
    LintRule(
        "mixed-retrieve-not-forwarded",
        "warning",
        requirement="dcmCStoreSCUOfCMoveSCP must contain a value for each external archive.",
        reason="With this value, the archive recognises objects from the external archive by their calling AE title. "
        "Without this value, the archive recognises the objects by their Move Originator. In this case, if only a part "
        "of a study is local, the archive stores the missing objects, but does not forward them. If the external "
        "archive also sends no Move Originator, the archive forwards no objects of any study.",
        fix="Add a value CALLING=SCP. CALLING is the calling AE title of the sent objects. SCP is the AE title to "
        "which the archive sends the C-MOVE request. Usually both are the external archive's AE title.",
        example_command="dcmcfg set DEVICE dcmCStoreSCUOfCMoveSCP+=AET=AET",
        find_violations=_find_mixed_retrieve_not_forwarded,
    ),
    LintRule(
        "move-scp-pair-format",
        "error",
        requirement="Each value of dcmCStoreSCUOfCMoveSCP must have the form CALLING=SCP.",
        reason="The archive cannot load a device that has a value in another form.",
        fix="Write each value as two AE titles, separated by `=`.",
        example_command="dcmcfg set DEVICE dcmCStoreSCUOfCMoveSCP=AET=AET",
        find_violations=_find_move_scp_pair_format,
        impact="unloadable",
        part="formats",
        needs_whole_tree=False,
        supersedes=(FORMAT,),
    ),
    LintRule(
        "recall-sender-mismatch",
        "warning",
        requirement="An external archive must send objects under the AE title that the archive recorded for these "
        "objects.",
        reason="The archive restores and forwards an object only if the sender is the recorded external archive. The "
        "archive ignores objects from other AE titles, but still responds with success.",
        fix="Configure the external archive to send under the recorded title. Or set dcmRetrieveAET of the exporter "
        "to the title that the external archive uses.",
        example_command="dcmcfg set DN dcmRetrieveAET=AET",
        find_violations=_find_recall_sender_mismatch,
    ),
    LintRule(
        "no-pending-responses",
        "warning",
        requirement="An archive that forwards retrieved objects must send pending responses to the requester.",
        reason="Without dcmSendPendingCMoveInterval, the archive sends no pending responses.",
        fix="Set dcmSendPendingCMoveInterval.",
        example_command="dcmcfg set DEVICE dcmSendPendingCMoveInterval=PT5S",
        find_violations=_find_no_pending_responses,
    ),
    LintRule(
        "retrieve-timeout-short",
        "note",
        requirement="An archive with external archives must wait at least one minute for the response to a retrieve.",
        reason="The external archive must send its first response within dcmRetrieveTimeout. With tapes, this "
        "response can take a long time.",
        fix="Set a longer time in dcmRetrieveTimeout. If the external archive is fast, ignore this note.",
        example_command="dcmcfg set DN dcmRetrieveTimeout=300000",
        find_violations=_find_retrieve_timeout_short,
    ),
    LintRule(
        "external-archive-accept-list",
        "warning",
        requirement="If the AE of an external archive has dcmAcceptedCallingAETitle, this list must contain the "
        "exporting AE.",
        reason="An external archive that uses this list rejects exports from other AEs. The archive forwards "
        "retrieve requests under the requester's title, so the list must also contain the titles of all requesters.",
        fix="Add the AE titles to the accepted callers on the external archive itself, and to "
        "dcmAcceptedCallingAETitle of its AE in the configuration.",
        example_command="dcmcfg set DEVICE/AE dcmAcceptedCallingAETitle+=AET",
        find_violations=_find_external_archive_accept_list,
    ),
    LintRule(
        "return-retrieve-aet",
        "note",
        requirement="Query results must contain the AE title of the external archive.",
        reason="dcmReturnRetrieveAET replaces the external archive's title in query results.",
        fix="Unset dcmReturnRetrieveAET. If query results should show the value of dcmReturnRetrieveAET, ignore this "
        "note.",
        example_command="dcmcfg unset TARGET dcmReturnRetrieveAET",
        find_violations=_find_return_retrieve_aet,
    ),
)
