"""What else to do when nothing has come to a temporary destination."""

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
    """Return *verdict* with the steps for a destination that is gone by now.

    What can be done about *destination* itself. That the archive can reach this machine is not known before it tries;
    it may be told of another address of it.
    """
    capabilities = format_command("capability", "list", evidence.request.archive.ae_title)
    own = f"{capabilities} names the SOP classes that the archive sends"
    anew = (f"verify --recall --dest {destination.title}", "verify --recall --temporary-dest")
    steps = tuple(
        each.replace(suggest_capability_check(destination.title), own).replace(*anew) for each in verdict.next_steps
    )
    if not verdict.accepted and not verdict.received.instance_count:
        steps = _choose_steps(steps, evidence, destination, ldap_url)
    lasting = tuple(each for each in steps if not _names_in_a_command(each, destination.title))
    return replace(verdict, next_steps=lasting or (steps and (advise_on_unreachable(destination),)))


def _names_in_a_command(step: str, title: str) -> bool:
    """Tell whether *step* has a command called with *title*, which nobody knows any more by then."""
    return re.search(rf"\bdcmcfg [^;,]*[ =]{re.escape(title)}\b", step) is not None


def _choose_steps(
    steps: tuple[str, ...], evidence: Evidence, new: TemporaryDestination, ldap_url: str
) -> tuple[str, ...]:
    """Return *steps*, or what stands in their place, where nothing came to *new*."""
    status, whom = evidence.outcome.status, find_called_ae(evidence)
    if is_refused_by_archive(evidence):
        reads = f"does it read its configuration from {ldap_url}?"
        return (f"the archive has reloaded and does not take {new.title}: {reads}",)
    if status == MOVE_DESTINATION_UNKNOWN:
        return steps[:1]  # the others have somebody enter it who will not find it
    if whom == new.title and "UnknownHostException" in evidence.outcome.comment:
        return (_advise_on_unresolved_host(new),)
    if whom == new.title and has_no_compatible_connection(evidence):
        return (_advise_on_incompatible_connection(evidence, new, ldap_url),)
    if whom == new.title and status and TLS_EXCEPTION_PREFIX not in evidence.outcome.comment:
        return (advise_on_unreachable(new),)
    return steps if whom or has_no_compatible_connection(evidence) else (*steps, advise_on_unreachable(new))


def _advise_on_unresolved_host(new: TemporaryDestination) -> str:
    return (
        f"the archive's machine or container cannot resolve {new.host}: --temporary-address HOST[:PORT] takes another "
        "name of this machine, or its address"
    )


def _advise_on_incompatible_connection(evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> str:
    archive, fit = evidence.request.archive.ae_title, evidence.route.get_connection_match(new.title)
    if fit is not None and not fit.is_compatible:
        return (
            f"by the tree, too, {archive} cannot call {new.title}: {fit.description}; dcmcfg connection list tells more"
        )
    words = f"by the tree a connection of {archive} fits that of {new.title}{f' ({fit.description})' if fit else ''}"
    left = f"does it read its configuration from {ldap_url}?"
    if new.security.tls:
        left = f"{advise_on_tls(archive)}. Without --tls it may be called plain"
    return f"{words}, and the archive has reloaded: {left}"


def advise_on_unreachable(destination: TemporaryDestination) -> str:
    """Return what to look at where nothing came to *destination* of all that was asked for."""
    return (
        f"nothing came to {format_host_port(destination.host, destination.port)}: can the archive reach this "
        "machine there (firewall, container, "
        "NAT)? --temporary-address HOST[:PORT] says by which address it does"
    )
