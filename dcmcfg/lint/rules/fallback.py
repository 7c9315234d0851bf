"""Rules for the AE that retrieves are forwarded to if the archive does not hold the study."""

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
                f"requests are forwarded unchanged to {entry.text(FALLBACK_C_MOVE_SCP)}; "
                "incomplete local studies are not completed"
            )
            yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_DESTINATION)


def _find_fallback_retries(context: LintContext) -> Iterator[Violation]:
    for _, entry in _iterate_entries(context):
        value = entry.text(FALLBACK_C_MOVE_SCP_RETRIES) or ""
        # The archive retries while the number of failures is below the value, or always with 0 (ArchiveAEExtension).
        if value.startswith("-"):
            message = "a negative number means never"
        elif value == "0":
            message = "0 means without limit"
        else:
            continue
        yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_RETRIES, value.encode())


def _find_alternative_is_external(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        title = entry.text(ALT_C_MOVE_SCP)
        # CommonCMoveSCP passes no destination for this AE (recording move-unconfigured-storage-alt).
        if title is not None and title in context.find_external_archives(device):
            message = f"{title} is also the external archive: the archive asks it to send directly to the destination"
            yield Violation(entry.dn, message, ALT_C_MOVE_SCP, entry.values(ALT_C_MOVE_SCP)[0])


RULES = (
    LintRule(
        "fallback-loop",
        "warning",
        requirement="The archive forwards requests to another archive, not to itself.",
        reason="The archive calls itself. No limit that ends this loop is known.",
        fix="Set the AE title of the other archive.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCP=AET",
        find_violations=_find_fallback_loop,
    ),
    LintRule(
        "fallback-without-destination",
        "note",
        requirement="dcmFallbackCMoveSCP is set together with dcmFallbackCMoveSCPDestination.",
        reason="Without dcmFallbackCMoveSCPDestination, the archive forwards only requests without any match. It "
        "keeps their original destination, which the other archive must know.",
        fix="Set the destination to a storage SCP of the archive, unless this is intended.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCPDestination=AET",
        find_violations=_find_fallback_without_destination,
    ),
    LintRule(
        "fallback-retries",
        "warning",
        requirement="dcmFallbackCMoveSCPRetries is a positive number of retries.",
        reason="The archive treats 0 as without limit and a negative number as never, the opposite of its description.",
        fix="Set a positive number.",
        example_command="dcmcfg set TARGET dcmFallbackCMoveSCPRetries=NUMBER",
        find_violations=_find_fallback_retries,
        part="formats",
        needs_whole_tree=False,
    ),
    LintRule(
        "alternative-is-external",
        "warning",
        requirement="dcmAltCMoveSCP is not the external archive.",
        reason="The archive does not replace the Move Destination for this AE, regardless of "
        "dcmExternalRetrieveAEDestination.",
        fix="Unset dcmAltCMoveSCP, or name another AE.",
        example_command="dcmcfg unset TARGET dcmAltCMoveSCP",
        find_violations=_find_alternative_is_external,
    ),
)
