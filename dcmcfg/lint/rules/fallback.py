"""Rules for the AE to which the archive forwards retrieves of studies that it does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import Device
from dcmcfg.schema_names import (
    ALT_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    FALLBACK_C_MOVE_SCP_RETRIES,
)


def _iterate_entries(context: LintContext) -> Iterator[tuple[Device, Entry]]:
    """Yield each archive with its own entry, and then with the entry of each of its AEs."""
    for device in context.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            yield device, entry


def _find_fallback_loop(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        for name in (FALLBACK_C_MOVE_SCP, ALT_C_MOVE_SCP):
            title = entry.text(name)
            # CommonCMoveSCP has no guard against its own titles. The loop itself was not observed.
            if title in device.titles:
                message = f"{title} is an AE of this archive, so the archive forwards the request to itself"
                yield Violation(entry.dn, message, name, entry.values(name)[0])


def _find_fallback_without_destination(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        if (
            FALLBACK_C_MOVE_SCP in entry
            and FALLBACK_C_MOVE_SCP_DESTINATION not in entry
            and FALLBACK_C_MOVE_SCP_DESTINATION not in device.entry
        ):
            # CommonCMoveSCP retries incomplete studies only if both attributes are set (recording
            # fallback-nodest-calling-aet).
            message = (
                f"the archive forwards requests unchanged to {entry.text(FALLBACK_C_MOVE_SCP)}, and does not "
                "retrieve the missing objects of incomplete local studies"
            )
            yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_DESTINATION)


def _find_fallback_retries(context: LintContext) -> Iterator[Violation]:
    for _, entry in _iterate_entries(context):
        value = entry.text(FALLBACK_C_MOVE_SCP_RETRIES) or ""
        # The archive retries while the number of failures is below the value, or always with 0 (ArchiveAEExtension).
        if value.startswith("-"):
            message = "with a negative number, the archive never retries"
        elif value == "0":
            message = "with 0, the archive retries without limit"
        else:
            continue
        yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_RETRIES, value.encode())


def _find_alternative_is_external(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        title = entry.text(ALT_C_MOVE_SCP)
        # CommonCMoveSCP passes no destination for this AE (recording move-unconfigured-storage-alt).
        if title is not None and title in context.find_external_archives(device):
            message = f"{title} is also the external archive, so {title} sends objects directly to the destination"
            yield Violation(entry.dn, message, ALT_C_MOVE_SCP, entry.values(ALT_C_MOVE_SCP)[0])


RULES = (
    LintRule(
        "fallback-loop",
        "warning",
        requirement="The archive must forward requests to another archive, not to itself.",
        reason="If the archive forwards a request to itself, it sends the request again and again. This loop might "
        "not end.",
        fix="Set dcmFallbackCMoveSCP to the AE title of another archive.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCP=AET",
        find_violations=_find_fallback_loop,
    ),
    LintRule(
        "fallback-without-destination",
        "note",
        requirement="If dcmFallbackCMoveSCP is set, dcmFallbackCMoveSCPDestination must also be set.",
        reason="Without dcmFallbackCMoveSCPDestination, the archive forwards a request only if no study matches. The "
        "forwarded request keeps its original destination, so the other archive must know this destination.",
        fix="Set dcmFallbackCMoveSCPDestination to a storage SCP of the archive. If the other archive should send "
        "objects directly to the destinations, ignore this note.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCPDestination=AET",
        find_violations=_find_fallback_without_destination,
    ),
    LintRule(
        "fallback-retries",
        "warning",
        requirement="dcmFallbackCMoveSCPRetries must be a positive number.",
        reason="With 0, the archive retries without limit. With a negative number, the archive never retries. The "
        "description "
        "of the attribute states the opposite.",
        fix="Set a positive number.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCPRetries=NUMBER",
        find_violations=_find_fallback_retries,
        part="formats",
        needs_whole_tree=False,
    ),
    LintRule(
        "alternative-is-external",
        "warning",
        requirement="dcmAltCMoveSCP must not be the title of an external archive.",
        reason="In requests to the AE in dcmAltCMoveSCP, the archive keeps the original Move Destination, even if "
        "dcmExternalRetrieveAEDestination is set.",
        fix="Unset dcmAltCMoveSCP, or set it to the title of another AE.",
        example_command="dcmcfg unset TARGET dcmAltCMoveSCP",
        find_violations=_find_alternative_is_external,
    ),
)
