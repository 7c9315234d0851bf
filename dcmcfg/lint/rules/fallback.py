"""The AE that retrieves are forwarded to when the archive does not have the study."""

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
    """Yield each archive with its own entry, then with the entries of its AEs."""
    for device in context.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            yield device, entry


def _find_fallback_loop(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        for name in (FALLBACK_C_MOVE_SCP, ALT_C_MOVE_SCP):
            title = entry.text(name)
            if title in device.titles:
                message = f"{title} is an AE of this archive, so the request comes back to it"
                yield Violation(entry.dn, message, name, entry.values(name)[0])


def _find_fallback_without_destination(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        if (
            FALLBACK_C_MOVE_SCP in entry
            and FALLBACK_C_MOVE_SCP_DESTINATION not in entry
            and FALLBACK_C_MOVE_SCP_DESTINATION not in device.entry
        ):
            message = (
                f"requests pass through to {entry.text(FALLBACK_C_MOVE_SCP)}; "
                "studies that are incomplete here are not completed"
            )
            yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_DESTINATION)


def _find_fallback_retries(context: LintContext) -> Iterator[Violation]:
    for _, entry in _iterate_entries(context):
        value = entry.text(FALLBACK_C_MOVE_SCP_RETRIES) or ""
        if value.startswith("-"):
            message = "a negative number is never"
        elif value == "0":
            message = "0 is without end"
        else:
            continue
        yield Violation(entry.dn, message, FALLBACK_C_MOVE_SCP_RETRIES, value.encode())


def _find_alternative_is_external(context: LintContext) -> Iterator[Violation]:
    for device, entry in _iterate_entries(context):
        title = entry.text(ALT_C_MOVE_SCP)
        if title is not None and title in context.find_external_archives(device):
            message = f"{title} is the external archive too: it is asked to send straight to the destination"
            yield Violation(entry.dn, message, ALT_C_MOVE_SCP, entry.values(ALT_C_MOVE_SCP)[0])


RULES = (
    LintRule(
        "fallback-loop",
        "warning",
        requirement="Requests are forwarded to another archive.",
        reason="The archive calls itself; nothing was found that ends the loop.",
        fix="Name the other archive.",
        fix_command="dcmcfg set TARGET dcmFallbackCMoveSCP=AET",
        find_violations=_find_fallback_loop,
    ),
    LintRule(
        "fallback-without-destination",
        "note",
        requirement="dcmFallbackCMoveSCP goes with dcmFallbackCMoveSCPDestination.",
        reason="Alone, only requests without any match are forwarded, with their original destination, which the other "
        "archive must know.",
        fix="Set the destination to a storage SCP of the archive, unless that is intended.",
        fix_command="dcmcfg set TARGET dcmFallbackCMoveSCPDestination=AET",
        find_violations=_find_fallback_without_destination,
    ),
    LintRule(
        "fallback-retries",
        "warning",
        requirement="dcmFallbackCMoveSCPRetries is a number of retries.",
        reason="The archive takes 0 as without end and a negative number as never, the opposite of the description.",
        fix="Set a positive number.",
        fix_command="dcmcfg set TARGET dcmFallbackCMoveSCPRetries=NUMBER",
        find_violations=_find_fallback_retries,
        part="formats",
        needs_whole_tree=False,
    ),
    LintRule(
        "alternative-is-external",
        "warning",
        requirement="dcmAltCMoveSCP is not the external archive.",
        reason="For it the move destination is not replaced, whatever dcmExternalRetrieveAEDestination says.",
        fix="Unset dcmAltCMoveSCP, or name another AE.",
        fix_command="dcmcfg unset TARGET dcmAltCMoveSCP",
        find_violations=_find_alternative_is_external,
    ),
)
