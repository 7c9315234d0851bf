"""What an external archive is asked for, and what becomes of what it sends."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.lint.rules.external_retrieve import destinations
from dcmcfg.model.devices import DICOM, Device

_RETRIEVE_TIMEOUT = "dcmRetrieveTimeout"
_PATIENCE_MS = 60_000
_PENDING = "dcmSendPendingCMoveInterval"


def _forwarding(survey: Survey) -> tuple[Device, ...]:
    """Return the archives that have external archives send to themselves, to forward it."""
    return tuple({device.name: device for device, _, _ in destinations(survey)}.values())


def _mixed(survey: Survey) -> Iterator[Breach]:
    for device in _forwarding(survey):
        pairs = device.entry.texts("dcmCStoreSCUOfCMoveSCP")
        scps = {pair.partition("=")[2] for pair in pairs}
        for title in survey.external_archives(device):
            if title not in scps:
                message = f"of a study that is partly local, what {title} sends is stored and not forwarded"
                command = ("add-value", survey.target(device.entry), f"dcmCStoreSCUOfCMoveSCP={title}={title}")
                yield Breach(device.entry.dn, message, "dcmCStoreSCUOfCMoveSCP", command=command)


def _pairs(survey: Survey) -> Iterator[Breach]:
    for entry in survey.judged:
        for value in entry.values("dcmCStoreSCUOfCMoveSCP") if entry.is_a("dcmArchiveDevice") else ():
            if b"=" not in value:
                message = "it is not CALLING=SCP, so the archive does not load the device"
                yield Breach(entry.dn, message, "dcmCStoreSCUOfCMoveSCP", value)


def _another_title(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        recorded = survey.external_archives(device)
        for value in device.entry.texts("dcmCStoreSCUOfCMoveSCP"):
            calling, equals, scp = value.partition("=")
            if equals and scp in recorded and calling not in recorded:
                message = f"what {calling} sends back is not taken for what {scp} is recorded to have"
                yield Breach(device.entry.dn, message, "dcmCStoreSCUOfCMoveSCP", value.encode())


def _pending(survey: Survey) -> Iterator[Breach]:
    for device in _forwarding(survey):
        told = any(_PENDING in entry for entry in (device.entry, *(ae.entry for ae in device.network_aes)))
        if survey.external_archives(device) and not told:
            message = "whoever asks hears nothing until the external archive has sent everything, and may give up"
            command = ("set", survey.target(device.entry), f"{_PENDING}=PT5S")
            yield Breach(device.entry.dn, message, _PENDING, command=command)


def _impatient(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        if not survey.external_archives(device):
            continue
        for connection in device.connections:
            entry = survey.tree.get(connection.dn)
            value = (entry.text(_RETRIEVE_TIMEOUT) if entry is not None else None) or "0"
            # A number of many digits is no short time, and more than int() takes.
            short = len(value) < 6 and value.isdecimal() and 0 < int(value) < _PATIENCE_MS
            if short and connection.protocol == DICOM:
                message = "that is how long an external archive has until it sends the first response"
                yield Breach(connection.dn, message, _RETRIEVE_TIMEOUT, value.encode())


def _accept_list(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        for exporter in survey.parts(device, "dcmExporter"):
            sender, title = exporter.text("dicomAETitle"), exporter.text("dcmStgCmtSCP") or ""
            peer = survey.network_ae(title)
            accepted = peer.entry.texts("dcmAcceptedCallingAETitle") if peer is not None else ()
            if peer is not None and sender is not None and accepted and sender not in accepted:
                message = f"{sender}, which exports to it, is not among the callers that {title} accepts"
                command = ("add-value", survey.target(peer.entry), f"dcmAcceptedCallingAETitle={sender}")
                yield Breach(peer.entry.dn, message, "dcmAcceptedCallingAETitle", command=command)


def _returned(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for value in entry.values("dcmReturnRetrieveAET") if survey.external_archives(device) else ():
                message = "query results do not show which studies are at the external archive"
                yield Breach(entry.dn, message, "dcmReturnRetrieveAET", value)


RULES = (
    LintRule(
        "mixed-retrieve-not-forwarded",
        "warning",
        "dcmCStoreSCUOfCMoveSCP names each external archive.",
        "When part of a study is local, objects that come back are not recognised by the Move Originator, stored, "
        "and not forwarded; nor are they ever where the external archive leaves that attribute out.",
        "Add CALLING=SCP, both as a rule the external archive's title.",
        "dcmcfg add-value DEVICE dcmCStoreSCUOfCMoveSCP=AET=AET",
        _mixed,
    ),
    LintRule(
        "move-scp-pair-format",
        "error",
        "dcmCStoreSCUOfCMoveSCP has the form CALLING=SCP.",
        "The archive cannot load the device.",
        "Write both titles.",
        "dcmcfg set DEVICE dcmCStoreSCUOfCMoveSCP=AET=AET",
        _pairs,
        kind="unloadable",
    ),
    LintRule(
        "stored-back-under-another-title",
        "warning",
        "An external archive sends objects back under the title that is recorded for them.",
        "An object is only linked and forwarded when its sender is the AE recorded as external archive; from another "
        "title it is answered with success and ignored.",
        "Have the external archive send under that title, or record the one that it sends under (dcmRetrieveAET of "
        "the exporter).",
        "dcmcfg set DN dcmRetrieveAET=AET",
        _another_title,
    ),
    LintRule(
        "no-pending-responses",
        "warning",
        "An archive that re-sends what it fetches tells the requester that it is at it.",
        "Without dcmSendPendingCMoveInterval no pending responses are sent.",
        "Set an interval.",
        "dcmcfg set DEVICE dcmSendPendingCMoveInterval=PT5S",
        _pending,
    ),
    LintRule(
        "retrieve-timeout-short",
        "note",
        "A connection of an archive that fetches from external archives waits a minute or more for a retrieve.",
        "dcmRetrieveTimeout runs until the external archive's first response, and one that reads tapes takes long.",
        "Set a longer time, unless the external archive is quick.",
        "dcmcfg set DN dcmRetrieveTimeout=300000",
        _impatient,
    ),
    LintRule(
        "external-archive-accept-list",
        "warning",
        "An external archive with a list of accepted callers accepts the AE that exports to it.",
        "If the list in the tree is the real one, the export is rejected. Retrieves are asked for under the title of "
        "whoever asks the archive, so those titles have to be on the list too.",
        "Add the titles, there and in the tree.",
        "dcmcfg add-value DEVICE/AE dcmAcceptedCallingAETitle=AET",
        _accept_list,
    ),
    LintRule(
        "return-retrieve-aet",
        "note",
        "Query results name the external archive.",
        "dcmReturnRetrieveAET replaces it.",
        "Unset it, unless that is intended.",
        "dcmcfg unset TARGET dcmReturnRetrieveAET",
        _returned,
    ),
)
