"""Queues, exporters, storages and other parts of the archive that are named and not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema.findings import Severity
from dcmcfg.schema_names import EXPORTER_OBJECT_CLASS, QUEUE_OBJECT_CLASS, STG_CMT_SCP

_COMMITMENT_QUEUE = "StgCmtSCU"


def _build_finder(kind: EntityKind) -> Callable[[LintContext], Iterator[Violation]]:
    def find_violations(context: LintContext) -> Iterator[Violation]:
        for reference in context.references.all:
            if reference.kind is not kind or reference.is_ui_reference:
                continue
            if context.references.resolve(reference) is None:
                message = _build_message(context, kind, reference.name, local=reference.use is NameUse.LOCAL)
                yield Violation(reference.dn, message, reference.attribute, reference.value)

    return find_violations


def _build_message(context: LintContext, kind: EntityKind, name: str, *, local: bool) -> str:
    word = kind.value.label
    if local and context.references.find_entries(kind, name):
        return f"the {word} {name} belongs to another device"
    similar = context.suggest_names(kind, name)
    return f"there is no {word} {name}" + (f"; near misses: {', '.join(similar)}" if similar else "")


def _find_commitment_queue_missing(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        queues = {queue.text("dcmQueueName") for queue in context.find_parts(device, QUEUE_OBJECT_CLASS)}
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            if STG_CMT_SCP in exporter and _COMMITMENT_QUEUE not in queues:
                message = f"storage commitment is requested through the queue {_COMMITMENT_QUEUE}, which is not there"
                yield Violation(exporter.dn, message, STG_CMT_SCP, exporter.values(STG_CMT_SCP)[0])


def _build_rule(kind: EntityKind, name: str, severity: Severity, reason: str) -> LintRule:
    word = kind.value.label
    article = "An" if word[0] in "aeiouAEIOUH" else "A"
    return LintRule(
        name,
        severity,
        requirement=f"{article} {word} that is referred to exists.",
        reason=reason,
        fix=f"Name {article.lower()} {word} that is there, or add it.",
        fix_command="dcmcfg set TARGET ATTR=NAME",
        find_violations=_build_finder(kind),
        part="references",
    )


RULES = (
    _build_rule(
        EntityKind.QUEUE,
        "queue-unknown",
        "error",
        "The task cannot be queued; a request that names it ends in 404 or 400.",
    ),
    _build_rule(
        EntityKind.EXPORTER, "exporter-unknown", "error", "A rule that names it fails every C-STORE that it applies to."
    ),
    _build_rule(
        EntityKind.STORAGE,
        "storage-unknown",
        "error",
        "What is received cannot be stored, what was stored there is no longer accessible.",
    ),
    _build_rule(EntityKind.VIEW, "view-unknown", "error", "Each query and retrieve by the AE fails."),
    _build_rule(
        EntityKind.WEB_APP, "web-app-unknown", "error", "The request that would be forwarded or redirected there fails."
    ),
    _build_rule(
        EntityKind.KEYCLOAK_CLIENT,
        "keycloak-client-unknown",
        "error",
        "No token can be fetched, so requests are refused.",
    ),
    _build_rule(
        EntityKind.DEVICE,
        "device-unknown",
        "warning",
        "What was meant for that device is done by another, or not at all; the archive only logs it.",
    ),
    _build_rule(EntityKind.HL7_APPLICATION, "hl7-application-unknown", "warning", "Messages for it are not sent."),
    _build_rule(
        EntityKind.ID_GENERATOR, "id-generator-unknown", "warning", "IDs cannot be generated when one is missing."
    ),
    _build_rule(
        EntityKind.BULK_DATA_DESCRIPTOR,
        "bulk-data-descriptor-unknown",
        "warning",
        "Metadata is not split into attributes and bulk data as intended.",
    ),
    _build_rule(EntityKind.PDQ_SERVICE, "pdq-service-unknown", "warning", "Patients are not verified."),
    LintRule(
        "commitment-queue-missing",
        "error",
        requirement="An archive whose exporters ask for storage commitment has the queue StgCmtSCU.",
        reason="The request is never sent, so the external archive is never recorded and nothing is purged.",
        fix="Add the queue.",
        fix_command="dcmcfg apply FILE",
        find_violations=_find_commitment_queue_missing,
        part="references",
    ),
)
