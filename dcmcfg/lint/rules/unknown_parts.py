"""Rules for references to missing queues, exporters, storages and other parts of the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.corrections import build_correction
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema.findings import Severity
from dcmcfg.schema_names import EXPORTER_OBJECT_CLASS, QUEUE_OBJECT_CLASS, STG_CMT_SCP

#: The archive itself names this queue. No attribute refers to it.
_COMMITMENT_QUEUE = "StgCmtSCU"


def _build_finder(kind: EntityKind) -> Callable[[LintContext], Iterator[Violation]]:
    def find_violations(context: LintContext) -> Iterator[Violation]:
        for reference in context.references.all:
            # The rule ui-reference-unknown reports the references of the UI configuration.
            if reference.kind is not kind or reference.is_ui_reference:
                continue
            if context.references.resolve(reference) is None:
                similar_names = _find_similar_names(context, reference)
                yield Violation(
                    reference.dn,
                    _build_message(context, reference, similar_names),
                    reference.attribute,
                    reference.value,
                    correction_commands=build_correction(context, reference, similar_names),
                )

    return find_violations


def _build_message(context: LintContext, reference: Reference, similar_names: Sequence[str]) -> str:
    word, name = reference.kind.value.label, reference.name
    if _belongs_to_another_device(context, reference):
        return f"the {word} {name} belongs to another device"
    hint = f"; did you mean {', '.join(similar_names)}?" if similar_names else ""
    return f"the {word} {name} does not exist{hint}"


def _belongs_to_another_device(context: LintContext, reference: Reference) -> bool:
    is_local = reference.use is NameUse.LOCAL
    return is_local and bool(context.references.find_entries(reference.kind, reference.name))


def _find_similar_names(context: LintContext, reference: Reference) -> tuple[str, ...]:
    """Return the names of parts that the reference can have and that are similar; empty if its name is no typo."""
    if _belongs_to_another_device(context, reference):
        return ()
    names = context.suggest_names(reference.kind, reference.name)
    if reference.use is not NameUse.LOCAL:
        return names
    references = context.references
    device_key = references.find_device_key(reference.dn)
    return tuple(
        name
        for name in names
        if any(
            references.find_device_key(each.dn) == device_key for each in references.find_entries(reference.kind, name)
        )
    )


def _find_commitment_queue_missing(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        queues = {queue.text("dcmQueueName") for queue in context.find_parts(device, QUEUE_OBJECT_CLASS)}
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            if STG_CMT_SCP in exporter and _COMMITMENT_QUEUE not in queues:
                message = f"storage commitment requires the queue {_COMMITMENT_QUEUE}, which does not exist"
                yield Violation(exporter.dn, message, STG_CMT_SCP, exporter.values(STG_CMT_SCP)[0])


def _build_rule(kind: EntityKind, name: str, severity: Severity, reason: str) -> LintRule:
    word = kind.value.label
    # ``HL7`` begins with a vowel when spoken.
    article = "An" if word[0] in "aeiouAEIOUH" else "A"
    return LintRule(
        name,
        severity,
        requirement=f"If the configuration refers to {article.lower()} {word}, this {word} must exist.",
        reason=reason,
        fix=f"Use the name of an existing {word}, or add the missing {word}.",
        example_command="dcmcfg set TARGET ATTR=NAME",
        find_violations=_build_finder(kind),
        part="references",
    )


RULES = (
    _build_rule(
        EntityKind.QUEUE,
        "queue-unknown",
        "error",
        "The archive cannot put tasks into a missing queue. Requests with the name of a missing queue fail with 404 "
        "or 400.",
    ),
    _build_rule(
        EntityKind.EXPORTER,
        "exporter-unknown",
        "error",
        "If a rule contains an unknown exporter, every C-STORE to which the rule applies fails.",
    ),
    _build_rule(
        EntityKind.STORAGE,
        "storage-unknown",
        "error",
        "The archive cannot store received objects, and cannot access objects that are already on this storage.",
    ),
    _build_rule(
        EntityKind.VIEW, "view-unknown", "error", "Every query and retrieve of an AE with a missing view fails."
    ),
    _build_rule(
        EntityKind.WEB_APP,
        "web-app-unknown",
        "error",
        "If the archive forwards or redirects a request to the missing web application, the request fails.",
    ),
    _build_rule(
        EntityKind.KEYCLOAK_CLIENT,
        "keycloak-client-unknown",
        "error",
        "The archive cannot get an access token, so the other server refuses the archive's requests.",
    ),
    _build_rule(
        EntityKind.DEVICE,
        "device-unknown",
        "warning",
        "No device or the wrong device performs the action, for example an export. The archive only writes a message "
        "to its log.",
    ),
    _build_rule(
        EntityKind.HL7_APPLICATION,
        "hl7-application-unknown",
        "warning",
        "The archive sends no messages to a missing HL7 application.",
    ),
    _build_rule(EntityKind.ID_GENERATOR, "id-generator-unknown", "warning", "The archive cannot generate missing IDs."),
    _build_rule(
        EntityKind.BULK_DATA_DESCRIPTOR,
        "bulk-data-descriptor-unknown",
        "warning",
        "The archive does not separate metadata and bulk data as configured.",
    ),
    _build_rule(
        EntityKind.PDQ_SERVICE,
        "pdq-service-unknown",
        "warning",
        "Without the PDQ service, the archive does not verify patients.",
    ),
    LintRule(
        "commitment-queue-missing",
        "error",
        requirement="An archive with exporters that request storage commitment must have the queue StgCmtSCU.",
        reason="Without the queue StgCmtSCU, the archive never requests storage commitment. Then the archive does not "
        "record the external archive and does not purge studies.",
        fix="Add the queue StgCmtSCU.",
        example_command="dcmcfg apply FILE",
        find_violations=_find_commitment_queue_missing,
        part="references",
    ),
)
