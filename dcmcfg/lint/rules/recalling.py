"""What an external archive is asked for, and what becomes of what it sends."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.lint.rules.external_retrieve import find_destinations
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
    """Return the archives that have external archives send to themselves, to forward it."""
    return tuple({device.name: device for device, _, _ in find_destinations(context)}.values())


def _find_mixed_retrieve_not_forwarded(context: LintContext) -> Iterator[Violation]:
    for device in _find_forwarding_archives(context):
        pairs = device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP)
        scps = {pair.partition("=")[2] for pair in pairs}
        for title in context.find_external_archives(device):
            if title not in scps:
                message = f"of a study that is partly local, what {title} sends is stored and not forwarded"
                command = ("set", context.format_target(device.entry), f"dcmCStoreSCUOfCMoveSCP+={title}={title}")
                yield Violation(device.entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, fix_command=command)


def _find_move_scp_pair_format(context: LintContext) -> Iterator[Violation]:
    for entry in context.entries_with(C_STORE_SCU_OF_C_MOVE_SCP):
        for value in entry.values(C_STORE_SCU_OF_C_MOVE_SCP) if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS) else ():
            if b"=" not in value:
                message = "it is not CALLING=SCP, so the archive does not load the device"
                yield Violation(entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, value)


def _find_recall_sender_mismatch(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        recorded = context.find_external_archives(device)
        for value in device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP):
            calling, equals, scp = value.partition("=")
            if equals and scp in recorded and calling not in recorded:
                message = f"what {calling} sends back is not taken for what {scp} is recorded to have"
                yield Violation(device.entry.dn, message, C_STORE_SCU_OF_C_MOVE_SCP, value.encode())


def _find_no_pending_responses(context: LintContext) -> Iterator[Violation]:
    for device in _find_forwarding_archives(context):
        sends_pending = any(
            SEND_PENDING_C_MOVE_INTERVAL in entry for entry in (device.entry, *(ae.entry for ae in device.network_aes))
        )
        if context.find_external_archives(device) and not sends_pending:
            message = "whoever asks hears nothing until the external archive has sent everything, and may give up"
            command = ("set", context.format_target(device.entry), f"{SEND_PENDING_C_MOVE_INTERVAL}=PT5S")
            yield Violation(device.entry.dn, message, SEND_PENDING_C_MOVE_INTERVAL, fix_command=command)


def _find_retrieve_timeout_short(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        if not context.find_external_archives(device):
            continue
        for connection in device.connections:
            entry = context.tree.get(connection.dn)
            value = (entry.text(RETRIEVE_TIMEOUT) if entry is not None else None) or "0"
            # A number of many digits is no short time, and more than int() takes.
            is_short = len(value) < 6 and value.isdecimal() and 0 < int(value) < _MINIMUM_TIMEOUT_MS
            if is_short and connection.protocol == DICOM:
                message = "that is how long an external archive has until it sends the first response"
                yield Violation(connection.dn, message, RETRIEVE_TIMEOUT, value.encode())


def _find_external_archive_accept_list(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            sender, title = exporter.text(DICOM_AE_TITLE), exporter.text(STG_CMT_SCP) or ""
            peer = context.find_network_ae(title)
            accepted = peer.entry.texts(ACCEPTED_CALLING_AE_TITLE) if peer is not None else ()
            if peer is not None and sender is not None and accepted and sender not in accepted:
                message = f"{sender}, which exports to it, is not among the callers that {title} accepts"
                command = ("set", context.format_target(peer.entry), f"dcmAcceptedCallingAETitle+={sender}")
                yield Violation(peer.entry.dn, message, ACCEPTED_CALLING_AE_TITLE, fix_command=command)


def _find_return_retrieve_aet(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for value in entry.values(RETURN_RETRIEVE_AET) if context.find_external_archives(device) else ():
                message = "query results do not show which studies are at the external archive"
                yield Violation(entry.dn, message, RETURN_RETRIEVE_AET, value)


RULES = (
    LintRule(
        "mixed-retrieve-not-forwarded",
        "warning",
        requirement="dcmCStoreSCUOfCMoveSCP names each external archive.",
        reason="When part of a study is local, objects that come back are not recognised by the Move Originator, "
        "stored, and not forwarded; nor are they ever where the external archive leaves that attribute out.",
        fix="Add CALLING=SCP, both as a rule the external archive's title.",
        fix_command="dcmcfg set DEVICE dcmCStoreSCUOfCMoveSCP+=AET=AET",
        find_violations=_find_mixed_retrieve_not_forwarded,
    ),
    LintRule(
        "move-scp-pair-format",
        "error",
        requirement="dcmCStoreSCUOfCMoveSCP has the form CALLING=SCP.",
        reason="The archive cannot load the device.",
        fix="Write both titles.",
        fix_command="dcmcfg set DEVICE dcmCStoreSCUOfCMoveSCP=AET=AET",
        find_violations=_find_move_scp_pair_format,
        impact="unloadable",
        part="formats",
        needs_whole_tree=False,
        supersedes=(FORMAT,),
    ),
    LintRule(
        "recall-sender-mismatch",
        "warning",
        requirement="An external archive sends objects back under the title that is recorded for them.",
        reason="An object is only linked and forwarded when its sender is the AE recorded as external archive; from "
        "another title it is answered with success and ignored.",
        fix="Have the external archive send under that title, or record the one that it sends under (dcmRetrieveAET of "
        "the exporter).",
        fix_command="dcmcfg set DN dcmRetrieveAET=AET",
        find_violations=_find_recall_sender_mismatch,
    ),
    LintRule(
        "no-pending-responses",
        "warning",
        requirement="An archive that re-sends what it fetches tells the requester that it is at it.",
        reason="Without dcmSendPendingCMoveInterval no pending responses are sent.",
        fix="Set an interval.",
        fix_command="dcmcfg set DEVICE dcmSendPendingCMoveInterval=PT5S",
        find_violations=_find_no_pending_responses,
    ),
    LintRule(
        "retrieve-timeout-short",
        "note",
        requirement="A connection of an archive that fetches from external archives waits a minute or more for a "
        "retrieve.",
        reason="dcmRetrieveTimeout runs until the external archive's first response, and one that reads tapes takes "
        "long.",
        fix="Set a longer time, unless the external archive is quick.",
        fix_command="dcmcfg set DN dcmRetrieveTimeout=300000",
        find_violations=_find_retrieve_timeout_short,
    ),
    LintRule(
        "external-archive-accept-list",
        "warning",
        requirement="An external archive with a list of accepted callers accepts the AE that exports to it.",
        reason="If the list in the tree is the real one, the export is rejected. Retrieves are asked for under the "
        "title of whoever asks the archive, so those titles have to be on the list too.",
        fix="Add the titles, there and in the tree.",
        fix_command="dcmcfg set DEVICE/AE dcmAcceptedCallingAETitle+=AET",
        find_violations=_find_external_archive_accept_list,
    ),
    LintRule(
        "return-retrieve-aet",
        "note",
        requirement="Query results name the external archive.",
        reason="dcmReturnRetrieveAET replaces it.",
        fix="Unset it, unless that is intended.",
        fix_command="dcmcfg unset TARGET dcmReturnRetrieveAET",
        find_violations=_find_return_retrieve_aet,
    ),
)
