"""Rules for AEs that the archive looks up but does not find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.lint.ae_lookups import find_looked_up_references
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.corrections import build_correction
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema_names import (
    ACCEPTED_MOVE_DESTINATION,
    ALT_C_MOVE_SCP,
    C_STORE_SCU_OF_C_MOVE_SCP,
    DCM_PROPERTY,
    DCM_URI,
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AET,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP,
    RETRIEVE_AET,
    STG_CMT_SCP,
    XDSI_FALLBACK_C_MOVE_SCP,
)

WILDCARD_TITLE = "*"
#: The archive's AE title in the default configuration. The official container image replaces it by the variable
#: AE_TITLE but keeps the old title in some values.
_DEFAULT_TITLE = "DCM4CHEE"
_FALLBACK = (FALLBACK_C_MOVE_SCP, FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP, XDSI_FALLBACK_C_MOVE_SCP)
_EXTERNAL = (STG_CMT_SCP, RETRIEVE_AET, EXTERNAL_RETRIEVE_AET, ALT_C_MOVE_SCP, C_STORE_SCU_OF_C_MOVE_SCP)


def _classify(context: LintContext, reference: Reference) -> str:
    """Return the name of the rule for *reference* if no AE has the title."""
    entry = context.tree.get(reference.dn)
    attribute = reference.attribute
    if reference.use is NameUse.LOCAL:
        return "local-ae-unknown"
    if attribute in _FALLBACK:
        return "fallback-scp-unknown"
    if attribute in _EXTERNAL:
        return "external-archive-unknown"
    if attribute == ACCEPTED_MOVE_DESTINATION:
        return "accepted-destination-unknown"
    if attribute == DCM_URI and entry is not None and entry.is_a("dcmUPSProcessingRule"):
        return "ups-destination-unknown"
    if attribute == DCM_URI and entry is not None and entry.is_a(EXPORTER_OBJECT_CLASS):
        return "exporter-destination-unknown"
    return "remote-ae-unknown"


def _build_finder(rule_name: str) -> Callable[[LintContext], Iterator[Violation]]:
    def find_violations(context: LintContext) -> Iterator[Violation]:
        for reference in context.compute_once(_group_unknown_references).get(rule_name, ()):
            yield Violation(
                reference.dn,
                _build_message(context, reference),
                reference.attribute,
                reference.value,
                fix_command=_build_command(context, reference),
                correction_commands=_build_correction(context, reference),
            )

    return find_violations


def _group_unknown_references(context: LintContext) -> dict[str, list[Reference]]:
    """Return the references to titles that no AE carries, by the name of the rule that each breaks."""
    found: dict[str, list[Reference]] = {}
    for reference in find_looked_up_references(context):
        if (
            # The rules wildcard-as-peer and other-title-as-destination report the excluded references.
            reference.name != WILDCARD_TITLE
            and context.references.resolve(reference) is None
            and not _is_other_title(context, reference)
        ):
            found.setdefault(_classify(context, reference), []).append(reference)
    return found


def _build_command(context: LintContext, reference: Reference) -> tuple[str, ...]:
    """Return the command that makes the reference resolve to an AE; empty for an AE of the archive's own."""
    if new := _find_new_default_title(context, reference):
        return ("ae", "rename", reference.name, new, "--references-only")
    return () if reference.use is NameUse.LOCAL else ("ae", "add", f"{reference.name}@HOST:PORT")


def _find_new_default_title(context: LintContext, reference: Reference) -> str:
    """Return the archive's current AE title if *reference* has the title of the default configuration.

    The current title is that of the archive's only storage SCP. Empty if there are several, or if another device has a
    similar title.
    """
    if reference.name != _DEFAULT_TITLE or context.find_similar_titles(_DEFAULT_TITLE):
        return ""
    key = context.references.find_device_key(reference.dn)
    own = (device for device in context.archives if context.tree.key(device.entry.dn) == key)
    titles = [
        ae.title for device in own for ae in device.network_aes if ae.is_storage_scp and ae.title != WILDCARD_TITLE
    ]
    return titles[0] if len(titles) == 1 else ""


def _build_message(context: LintContext, reference: Reference) -> str:
    name = reference.name
    if reference.use is NameUse.LOCAL:
        other_ae = context.find_network_ae(name)
        if other_ae is not None:
            return f"{name} is an AE of the device {other_ae.device.name}, not of this device"
    if similar := sorted(context.find_similar_titles(name)):
        return (
            f"no AE has the title {name!r}; upper and lower case and spaces matter; did you mean "
            f"{', '.join(map(repr, similar))}?"
        )
    if new := _find_new_default_title(context, reference):
        return (
            f"no AE has the title {name}. If AE_TITLE sets another title (here {new}), the container image does not "
            f"replace {name} in this attribute"
        )
    suggestions = context.suggest_names(EntityKind.AE, name)
    return f"no AE has the title {name}" + (f"; did you mean {', '.join(suggestions)}?" if suggestions else "")


def _build_correction(context: LintContext, reference: Reference) -> tuple[tuple[str, ...], ...]:
    """Return the command that replaces this title by the probably intended one; empty without a suggestion."""
    if _find_new_default_title(context, reference):
        return ()
    similar_titles = context.suggest_names(EntityKind.AE, reference.name)
    if reference.use is NameUse.LOCAL:
        similar_titles = tuple(each for each in similar_titles if each in _list_own_titles(context, reference))
    return build_correction(context, reference, similar_titles)


def _list_own_titles(context: LintContext, reference: Reference) -> frozenset[str]:
    """Return the AE titles of the device that has *reference*."""
    key = context.references.find_device_key(reference.dn)
    return frozenset(
        title
        for title, aes in context.aes_by_title.items()
        if any(context.tree.key(ae.device.entry.dn) == key for ae in aes)
    )


def _is_other_title(context: LintContext, reference: Reference) -> bool:
    return reference.use is NameUse.REMOTE and reference.name in context.aes_by_other_title


def _find_other_title_as_destination(context: LintContext) -> Iterator[Violation]:
    for reference in find_looked_up_references(context):
        if context.references.resolve(reference) is None and _is_other_title(context, reference):
            ae = context.aes_by_other_title[reference.name]
            yield Violation(
                reference.dn,
                f"{reference.name} is in dcmOtherAETitle of {ae.title}, but is not the AE's own title, so the archive "
                "finds no AE with this title",
                reference.attribute,
                reference.value,
            )


def _find_wildcard_as_peer(context: LintContext) -> Iterator[Violation]:
    for reference in find_looked_up_references(context):
        if reference.name == WILDCARD_TITLE:
            message = "the archive cannot call an AE with the title *"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


def _find_condition_on_unknown_ae(context: LintContext) -> Iterator[Violation]:
    for reference in context.references.by_attribute.get(DCM_PROPERTY, ()):
        if (
            # A negated condition on an unknown AE always holds, so its rule still applies.
            reference.value.startswith(b"ReceivingApplicationEntityTitle=")
            and context.is_in_archive(reference)
            and reference.name not in context.aes_by_title
            and reference.name not in context.aes_by_other_title
        ):
            message = f"no AE has the title {reference.name}, so the condition never matches"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


def _find_ui_reference_unknown(context: LintContext) -> Iterator[Violation]:
    for reference in context.references.all:
        if reference.is_ui_reference and not context.references.find_entries(reference.kind, reference.name):
            message = f"the {reference.kind.value.label} {reference.name} does not exist"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


_ADD = "dcmcfg ae add AET@HOST:PORT"

RULES = (
    LintRule(
        "fallback-scp-unknown",
        "error",
        requirement="The fallback C-MOVE SCP and its C-FIND SCP must be AEs in the configuration.",
        reason="If the archive does not have a study, the archive forwards the retrieve to the fallback C-MOVE SCP. "
        "If an AE is unknown, the retrieve fails (A702).",
        fix="Add the AE, or use the title of an existing AE.",
        example_command=_ADD,
        find_violations=_build_finder("fallback-scp-unknown"),
        part="references",
    ),
    LintRule(
        "external-archive-unknown",
        "error",
        requirement="The external archives in storages, exporters and retrieve settings must be AEs in the "
        "configuration.",
        reason="The archive looks up the title to retrieve purged studies or to request storage commitment. If the "
        "title is unknown, the retrieve fails (A702), and the Error Comment contains only the first part of the "
        "title.",
        fix="Add the AE, or use the title of an existing AE.",
        example_command=_ADD,
        find_violations=_build_finder("external-archive-unknown"),
        part="references",
    ),
    LintRule(
        "exporter-destination-unknown",
        "error",
        requirement="The AE in an exporter's URI must be in the configuration.",
        reason="If the AE is missing, every task of the exporter fails.",
        fix="Add the AE, or correct the URI.",
        example_command=_ADD,
        find_violations=_build_finder("exporter-destination-unknown"),
        part="references",
    ),
    LintRule(
        "remote-ae-unknown",
        "error",
        requirement="Each AE to which the archive connects must be in the configuration.",
        reason="The archive looks up the title among the AEs of all devices. If the title is unknown, the archive "
        "cannot connect.",
        fix="Add the AE, or use the title of an existing AE.",
        example_command=_ADD,
        find_violations=_build_finder("remote-ae-unknown"),
        part="references",
    ),
    LintRule(
        "local-ae-unknown",
        "error",
        requirement="If the archive acts as an AE, this AE must belong to the archive's own device.",
        reason="If the AE belongs to another device, requests that the archive makes under the AE's title fail. If "
        "dcmShareTransferCapabilitiesFromAETitle contains the title of such an AE, the archive accepts no presentation "
        "context.",
        fix="Use the title of an AE of the same device.",
        example_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_build_finder("local-ae-unknown"),
        part="references",
    ),
    LintRule(
        "accepted-destination-unknown",
        "warning",
        requirement="Each title in dcmAcceptedMoveDestination must be the title of an AE in the configuration.",
        reason="The archive first accepts the destination, but then responds with A801, because no AE has the title.",
        fix="Correct the title, remove the title from dcmAcceptedMoveDestination, or add the AE.",
        example_command=_ADD,
        find_violations=_build_finder("accepted-destination-unknown"),
        part="references",
    ),
    LintRule(
        "ups-destination-unknown",
        "warning",
        requirement="The AE in the URI of a UPS processing rule must be in the configuration.",
        reason="The archive uses the AE in the URI for workitems that have no destination. If the AE is unknown, "
        "these workitems fail.",
        fix="Add the AE, or correct the URI. If nobody uses the rule, remove the rule.",
        example_command=_ADD,
        find_violations=_build_finder("ups-destination-unknown"),
        part="references",
    ),
    LintRule(
        "other-title-as-destination",
        "error",
        requirement="Some settings contain the title of an AE that the archive looks up. This title must be the AE's "
        "own title (dicomAETitle).",
        reason="The archive searches only dicomAETitle. Callers can use a title from dcmOtherAETitle as called AE "
        "title, but the archive finds no Move Destination or peer with such a title (A801, A702).",
        fix="Use the AE's own title, or add an AE with the other title.",
        example_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_find_other_title_as_destination,
        part="references",
    ),
    LintRule(
        "wildcard-as-peer",
        "warning",
        requirement="The archive must not connect to an AE with the title `*`.",
        reason="The AE `*` accepts any called AE title, but the archive cannot resolve `*` as a destination.",
        fix="Use the title of the intended AE instead of `*`.",
        example_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_find_wildcard_as_peer,
        part="references",
    ),
    LintRule(
        "condition-on-unknown-ae",
        "warning",
        requirement="A condition on the receiving AE must contain the title of an AE in the configuration.",
        reason="A condition with an unknown AE title never matches, so the archive might never apply the rule.",
        fix="Correct the title in the condition.",
        example_command="dcmcfg edit TARGET",
        find_violations=_find_condition_on_unknown_ae,
        part="references",
    ),
    LintRule(
        "ui-reference-unknown",
        "warning",
        requirement="Every item to which the UI configuration refers must exist.",
        reason="If the item does not exist, the web UI offers a choice that always fails, or shows an empty list.",
        fix="Correct or remove the name of the item.",
        example_command="dcmcfg set TARGET ATTR-=VALUE",
        find_violations=_find_ui_reference_unknown,
        part="references",
    ),
)
