"""Next steps for a run whose temporary destination received nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from dcmcfg.dicom.status import MOVE_DESTINATION_UNKNOWN
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.network_address import format_host_port
from dcmcfg.route.command import format_command
from dcmcfg.verify.advice.case import suggest_capability_check
from dcmcfg.verify.advice.failed_call import TLS_EXCEPTION_PREFIX, advise_on_tls
from dcmcfg.verify.called_ae import find_called_ae, has_no_compatible_connection, is_refused_by_archive
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict


def adapt_next_steps(verdict: Verdict, evidence: Evidence, destination: TemporaryDestination, ldap_url: str) -> Verdict:
    """Return *verdict* with next steps that are valid after *destination* was removed.

    If nothing was received, the archive may not be able to reach this machine; another address may help.
    """
    capabilities = format_command("capability", "list", evidence.request.archive.ae_title)
    capability_step = f"To list the SOP classes that the archive sends: {capabilities}"
    purged_study_command = re.compile(rf"(verify (?:--recall|--study UID)) --dest {re.escape(destination.ae_title)}\b")
    steps = tuple(
        purged_study_command.sub(
            r"\1 --temporary-dest", each.replace(suggest_capability_check(destination.ae_title), capability_step)
        )
        for each in verdict.next_steps
    )
    if not verdict.is_accepted and not verdict.receipt.instance_count:
        steps = _choose_steps(steps, evidence, destination, ldap_url)
    remaining_steps = tuple(each for each in steps if not _has_command_with_title(each, destination.ae_title))
    return replace(verdict, next_steps=remaining_steps or (steps and (advise_on_unreachable(destination),)))


def _has_command_with_title(step: str, title: str) -> bool:
    """Return whether *step* contains a command with *title*, which does not exist any more at that time.

    The device of the AE has the same name in lower case.
    """
    return re.search(rf"\bdcmcfg (?:(?!\. )[^;,])*[ =]{re.escape(title)}\b", step, re.IGNORECASE) is not None


def _choose_steps(
    steps: tuple[str, ...], evidence: Evidence, destination: TemporaryDestination, ldap_url: str
) -> tuple[str, ...]:
    """Return *steps*, or their replacement, for a *destination* that received nothing."""
    status, called_ae_title = evidence.outcome.status, find_called_ae(evidence)
    if is_refused_by_archive(evidence):
        question = f"check that the archive reads its configuration from {ldap_url}"
        return (f"the archive has reloaded its configuration, but refuses {destination.ae_title}: {question}",)
    if status == MOVE_DESTINATION_UNKNOWN:
        return steps[:1]  # The other steps refer to the destination, which is removed.
    if called_ae_title == destination.ae_title and "UnknownHostException" in evidence.outcome.comment:
        return (_advise_on_unresolved_host(destination),)
    if called_ae_title == destination.ae_title and has_no_compatible_connection(evidence):
        return (_advise_on_incompatible_connection(evidence, destination, ldap_url),)
    if called_ae_title == destination.ae_title and status and TLS_EXCEPTION_PREFIX not in evidence.outcome.comment:
        return (advise_on_unreachable(destination),)
    return (
        steps
        if called_ae_title or has_no_compatible_connection(evidence)
        else (*steps, advise_on_unreachable(destination))
    )


def _advise_on_unresolved_host(destination: TemporaryDestination) -> str:
    return (
        f"the archive's machine or container cannot resolve {destination.host}: specify another name or the address "
        "of this machine with --temporary-address HOST[:PORT]"
    )


def _advise_on_incompatible_connection(evidence: Evidence, destination: TemporaryDestination, ldap_url: str) -> str:
    archive, match = evidence.request.archive.ae_title, evidence.route.get_connection_match(destination.ae_title)
    if match is not None and not match.is_compatible:
        return (
            f"according to the tree, {archive} cannot open an association to {destination.ae_title}: "
            f"{match.description}; for details: dcmcfg connection list"
        )
    description = f" ({match.description})" if match else ""
    finding = f"according to the tree, a connection of {archive} is compatible with {destination.ae_title}{description}"
    next_step = f"check that the archive reads its configuration from {ldap_url}"
    if destination.security.tls:
        next_step = f"{advise_on_tls(archive)}. If you omit --tls, the archive connects without TLS"
    return f"{finding}, and the archive has reloaded: {next_step}"


def advise_on_unreachable(destination: TemporaryDestination) -> str:
    """Return the advice for a *destination* that received nothing."""
    return (
        f"nothing was received at {format_host_port(destination.host, destination.port)}: check that the archive can "
        "reach this machine at this address (firewall, container, NAT), or specify another address with "
        "--temporary-address HOST[:PORT]"
    )
