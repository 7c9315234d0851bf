"""AEs that the archive will look for and not find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.lint.ae_lookups import find_looked_up_references
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.rewriting import rewrite_name
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
)
from dcmcfg.suggestions import suggest_names

WILDCARD_TITLE = "*"
#: The archive's AE in the default configuration. The official container image renames it by the variable AE_TITLE, and
#: leaves the old title in some values.
_DEFAULT_TITLE = "DCM4CHEE"
#: How like an AE's title another has to be for a correction to be offered: one letter of eight, two changed places.
_MISSPELLING_SIMILARITY = 0.8
_FALLBACK = (FALLBACK_C_MOVE_SCP, FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP, "dcmXDSiFallbackCMoveSCP")
_EXTERNAL = (STG_CMT_SCP, RETRIEVE_AET, EXTERNAL_RETRIEVE_AET, ALT_C_MOVE_SCP, C_STORE_SCU_OF_C_MOVE_SCP)


def _classify(context: LintContext, reference: Reference) -> str:
    """Return the name of the rule that *reference* is under when no AE carries the title."""
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
            reference.name != WILDCARD_TITLE
            and context.references.resolve(reference) is None
            and not _is_other_title(context, reference)
        ):
            found.setdefault(_classify(context, reference), []).append(reference)
    return found


def _build_command(context: LintContext, reference: Reference) -> tuple[str, ...]:
    """Return the command that lets the reference lead to an AE; none for an AE of the archive's own."""
    if new := _find_new_default_title(context, reference):
        return ("ae", "rename", reference.name, new, "--references-only")
    return () if reference.use is NameUse.LOCAL else ("ae", "add", f"{reference.name}@HOST:PORT")


def _find_new_default_title(context: LintContext, reference: Reference) -> str:
    """Return the title that the archive's AE has now, where *reference* gives the one of the default configuration.

    It is that of the archive's only storage SCP; empty where there are others, or another device has the title.
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
            return f"{name} is an AE of the device {other_ae.device.name}, not of this one"
    if similar := sorted(context.find_similar_titles(name)):
        return f"no AE has the title {name!r}; {', '.join(map(repr, similar))} differs by case or blanks, which count"
    if new := _find_new_default_title(context, reference):
        return f"no AE has the title {name}; the container image leaves it there when AE_TITLE is another, here {new}"
    suggestions = context.suggest_names(EntityKind.AE, name)
    return f"no AE has the title {name}" + (f"; near misses: {', '.join(suggestions)}" if suggestions else "")


def _build_correction(context: LintContext, reference: Reference) -> tuple[tuple[str, ...], ...]:
    """Return the command that replaces this title by the one that is probably meant; empty where there is none.

    It adds and removes in one change, since an empty list in between may let everybody in.
    """
    similar_titles = context.suggest_names(EntityKind.AE, reference.name)
    suggestions = suggest_names(reference.name, similar_titles, min_similarity=_MISSPELLING_SIMILARITY)
    entry = context.tree.get(reference.dn)
    if (
        reference.use is NameUse.LOCAL
        or not suggestions
        or entry is None
        or _find_new_default_title(context, reference)
    ):
        return ()
    attribute, target = reference.attribute, context.format_target(entry)
    corrected = rewrite_name(attribute, reference.value, reference.kind, old=reference.name, new=suggestions[0])
    old, new = (value.decode("utf-8", "replace") for value in (reference.value, corrected))
    definition = context.tree.schema.attribute(attribute)
    if definition is not None and definition.single_valued:
        return (("set", target, f"{attribute}={new}"),)
    addition = () if corrected in entry.values(attribute) else (f"{attribute}+={new}",)
    return (("set", target, *addition, f"{attribute}-={old}"),)


def _is_other_title(context: LintContext, reference: Reference) -> bool:
    return reference.use is NameUse.REMOTE and reference.name in context.aes_by_other_title


def _find_other_title_as_destination(context: LintContext) -> Iterator[Violation]:
    for reference in find_looked_up_references(context):
        if context.references.resolve(reference) is None and _is_other_title(context, reference):
            ae = context.aes_by_other_title[reference.name]
            yield Violation(
                reference.dn,
                f"{reference.name} is only another title (dcmOtherAETitle) of {ae.title}, so it is not found",
                reference.attribute,
                reference.value,
            )


def _find_wildcard_as_peer(context: LintContext) -> Iterator[Violation]:
    for reference in find_looked_up_references(context):
        if reference.name == WILDCARD_TITLE:
            message = "* stands for no AE that could be called"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


def _find_condition_on_unknown_ae(context: LintContext) -> Iterator[Violation]:
    for reference in context.references.by_attribute.get(DCM_PROPERTY, ()):
        if (
            reference.value.startswith(b"ReceivingApplicationEntityTitle=")
            and context.is_in_archive(reference)
            and reference.name not in context.aes_by_title
            and reference.name not in context.aes_by_other_title
        ):
            message = f"no AE has the title {reference.name}, so the condition never holds for it"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


def _find_ui_reference_unknown(context: LintContext) -> Iterator[Violation]:
    for reference in context.references.all:
        if reference.is_ui_reference and not context.references.find_entries(reference.kind, reference.name):
            message = f"there is no {reference.kind.value.label} {reference.name}"
            yield Violation(reference.dn, message, reference.attribute, reference.value)


_ADD = "dcmcfg ae add AET@HOST:PORT"

RULES = (
    LintRule(
        "fallback-scp-unknown",
        "error",
        requirement="The fallback C-MOVE SCP and its C-FIND SCP are AEs in the tree.",
        reason="A retrieve of a study that the archive does not have is forwarded there; unknown, it ends in A702.",
        fix="Add the AE, or name one that is there.",
        fix_command=_ADD,
        find_violations=_build_finder("fallback-scp-unknown"),
        part="references",
    ),
    LintRule(
        "external-archive-unknown",
        "error",
        requirement="An external archive, as storages, exporters and retrieve settings name it, is an AE in the tree.",
        reason="The archive looks the title up to fetch purged studies or to ask for storage commitment; unknown, it "
        "answers A702 and its comment cuts the title off.",
        fix="Add the AE, or name one that is there.",
        fix_command=_ADD,
        find_violations=_build_finder("external-archive-unknown"),
        part="references",
    ),
    LintRule(
        "exporter-destination-unknown",
        "error",
        requirement="The AE in an exporter's URI is in the tree.",
        reason="Every task of the exporter fails.",
        fix="Add the AE, or correct the URI.",
        fix_command=_ADD,
        find_violations=_build_finder("exporter-destination-unknown"),
        part="references",
    ),
    LintRule(
        "remote-ae-unknown",
        "error",
        requirement="An AE that the archive will call is in the tree.",
        reason="The archive looks the title up among the AEs of all devices; unknown, it cannot connect.",
        fix="Add the AE, or name one that is there.",
        fix_command=_ADD,
        find_violations=_build_finder("remote-ae-unknown"),
        part="references",
    ),
    LintRule(
        "local-ae-unknown",
        "error",
        requirement="An AE that the archive acts as is an AE of its own device.",
        reason="What is done under that title fails, and with dcmShareTransferCapabilitiesFromAETitle no presentation "
        "context is accepted.",
        fix="Name an AE of the same device.",
        fix_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_build_finder("local-ae-unknown"),
        part="references",
    ),
    LintRule(
        "accepted-destination-unknown",
        "warning",
        requirement="A title in dcmAcceptedMoveDestination is an AE in the tree.",
        reason="A retrieve to it is let through and then answered A801, as no AE carries it.",
        fix="Correct the title, take it off the list, or add the AE.",
        fix_command=_ADD,
        find_violations=_build_finder("accepted-destination-unknown"),
        part="references",
    ),
    LintRule(
        "ups-destination-unknown",
        "warning",
        requirement="The AE in the URI of a UPS processing rule is in the tree.",
        reason="It is used for workitems that name no destination of their own; those fail.",
        fix="Add the AE, correct the URI, or remove the rule if it is not used.",
        fix_command=_ADD,
        find_violations=_build_finder("ups-destination-unknown"),
        part="references",
    ),
    LintRule(
        "other-title-as-destination",
        "error",
        requirement="An AE that the archive looks up is named by its own title.",
        reason="Only dicomAETitle is searched. A dcmOtherAETitle is accepted from callers, but as a move destination "
        "or peer it is unknown (A801, A702).",
        fix="Name the AE by its own title, or add an AE of that title.",
        fix_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_find_other_title_as_destination,
        part="references",
    ),
    LintRule(
        "wildcard-as-peer",
        "warning",
        requirement="No AE that the archive would call is given as `*`.",
        reason="The AE `*` accepts any called title; as a destination it never resolves.",
        fix="Name the AE that is meant.",
        fix_command="dcmcfg set TARGET ATTR=AET",
        find_violations=_find_wildcard_as_peer,
        part="references",
    ),
    LintRule(
        "condition-on-unknown-ae",
        "warning",
        requirement="A condition on the receiving AE names one that is in the tree.",
        reason="The condition never holds for that title, so its rule may never apply.",
        fix="Correct the title in the condition.",
        fix_command="dcmcfg edit TARGET",
        find_violations=_find_condition_on_unknown_ae,
        part="references",
    ),
    LintRule(
        "ui-reference-unknown",
        "warning",
        requirement="What the UI configuration names exists.",
        reason="The page offers something that every use of fails, or shows an empty list.",
        fix="Correct or remove the name.",
        fix_command="dcmcfg set TARGET ATTR-=VALUE",
        find_violations=_find_ui_reference_unknown,
        part="references",
    ),
)
