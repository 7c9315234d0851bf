"""Queues, exporters, storages and other parts of the archive that are named and not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.model.references.kinds import Kind, Use
from dcmcfg.schema.findings import Severity
from dcmcfg.suggestions import near_misses

_COMMITMENT_QUEUE = "StgCmtSCU"


def _unknown(kind: Kind) -> Callable[[Survey], Iterator[Breach]]:
    def find(survey: Survey) -> Iterator[Breach]:
        for reference in survey.references.all:
            if reference.kind is not kind or reference.is_of_ui:
                continue
            if survey.references.resolve(reference) is None:
                message = _message(survey, kind, reference.name, local=reference.use is Use.LOCAL)
                yield Breach(reference.dn, message, reference.attribute, reference.value)

    return find


def _message(survey: Survey, kind: Kind, name: str, *, local: bool) -> str:
    word = kind.value.word
    if local and survey.references.named(kind, name):
        return f"the {word} {name} belongs to another device"
    near = near_misses(name, _names(survey, kind))
    return f"there is no {word} {name}" + (f"; near misses: {', '.join(near)}" if near else "")


def _names(survey: Survey, kind: Kind) -> set[str]:
    entries = (entry for entry in survey.tree.entries.values() if entry.is_a(kind.value.object_class))
    return {name for entry in entries if (name := entry.text(kind.value.attribute)) is not None}


def _commitment_queue(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        queues = {queue.text("dcmQueueName") for queue in survey.parts(device, "dcmQueue")}
        for exporter in survey.parts(device, "dcmExporter"):
            if "dcmStgCmtSCP" in exporter and _COMMITMENT_QUEUE not in queues:
                message = f"storage commitment is requested through the queue {_COMMITMENT_QUEUE}, which is not there"
                yield Breach(exporter.dn, message, "dcmStgCmtSCP", exporter.values("dcmStgCmtSCP")[0])


def _rule(kind: Kind, name: str, severity: Severity, reason: str) -> LintRule:
    word = kind.value.word
    article = "An" if word[0] in "aeiouAEIOUH" else "A"
    return LintRule(
        name,
        severity,
        f"{article} {word} that is referred to exists.",
        reason,
        f"Name {article.lower()} {word} that is there, or add it.",
        "dcmcfg set TARGET ATTR=NAME",
        _unknown(kind),
    )


RULES = (
    _rule(
        Kind.QUEUE, "queue-unknown", "error", "The task cannot be queued; a request that names it ends in 404 or 400."
    ),
    _rule(Kind.EXPORTER, "exporter-unknown", "error", "A rule that names it fails every C-STORE that it applies to."),
    _rule(
        Kind.STORAGE,
        "storage-unknown",
        "error",
        "What is received cannot be stored, what was stored there is no longer accessible.",
    ),
    _rule(Kind.VIEW, "view-unknown", "error", "Each query and retrieve by the AE fails."),
    _rule(Kind.WEB_APP, "web-app-unknown", "error", "The request that would be forwarded or redirected there fails."),
    _rule(
        Kind.KEYCLOAK_CLIENT, "keycloak-client-unknown", "error", "No token can be fetched, so requests are refused."
    ),
    _rule(
        Kind.DEVICE,
        "device-unknown",
        "warning",
        "What was meant for that device is done by another, or not at all; the archive only logs it.",
    ),
    _rule(Kind.HL7_APPLICATION, "hl7-application-unknown", "warning", "Messages for it are not sent."),
    _rule(Kind.ID_GENERATOR, "id-generator-unknown", "warning", "IDs cannot be generated when one is missing."),
    _rule(
        Kind.BULK_DATA_DESCRIPTOR,
        "bulk-data-descriptor-unknown",
        "warning",
        "Metadata is not split into attributes and bulk data as intended.",
    ),
    _rule(Kind.PDQ_SERVICE, "pdq-service-unknown", "warning", "Patients are not verified."),
    LintRule(
        "commitment-queue-missing",
        "error",
        "An archive whose exporters ask for storage commitment has the queue StgCmtSCU.",
        "The request is never sent, so the external archive is never recorded and nothing is purged.",
        "Add the queue.",
        "dcmcfg apply FILE",
        _commitment_queue,
    ),
)
