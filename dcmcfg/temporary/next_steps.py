"""What else to do when nothing has come to a temporary destination."""

from __future__ import annotations

import re
from dataclasses import replace

from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.network_address import at
from dcmcfg.route.command import command
from dcmcfg.verify.advice.case import lacking
from dcmcfg.verify.advice.failed_call import HANDSHAKE_FAILED, unable_over_tls
from dcmcfg.verify.called_ae import DESTINATION_UNKNOWN, called, no_connection_fits, refused_by_the_archive
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict


def advised(verdict: Verdict, evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> Verdict:
    """Return *verdict* with the steps for a destination that is gone by now: what can be done about *new* itself.

    That the archive can reach this machine is not known before it tries; it may be told of another address of it.
    """
    capabilities = command("capability", "list", evidence.question.archive.ae_title)
    own = f"{capabilities} names the SOP classes that the archive sends"
    anew = (f"verify --recall --dest {new.title}", "verify --recall --temporary-dest")
    steps = tuple(each.replace(lacking(new.title), own).replace(*anew) for each in verdict.next_steps)
    if not verdict.accepted and not verdict.received.number:
        steps = _steps(steps, evidence, new, ldap_url)
    lasting = tuple(each for each in steps if not _names_in_a_command(each, new.title))
    return replace(verdict, next_steps=lasting or (steps and (unreached(new),)))


def _names_in_a_command(step: str, title: str) -> bool:
    """Tell whether *step* has a command called with *title*, which nobody knows any more by then."""
    return re.search(rf"\bdcmcfg [^;,]*[ =]{re.escape(title)}\b", step) is not None


def _steps(steps: tuple[str, ...], evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> tuple[str, ...]:
    """Return *steps*, or what stands in their place, where nothing came to *new*."""
    status, whom = evidence.outcome.status, called(evidence)
    if refused_by_the_archive(evidence):
        reads = f"does it read its configuration from {ldap_url}?"
        return (f"the archive has reloaded and does not take {new.title}: {reads}",)
    if status == DESTINATION_UNKNOWN:
        return steps[:1]  # the others have somebody enter it who will not find it
    if whom == new.title and "UnknownHostException" in evidence.outcome.comment:
        return (_unresolved(new),)
    if whom == new.title and no_connection_fits(evidence):
        return (_not_fitting(evidence, new, ldap_url),)
    if whom == new.title and status and HANDSHAKE_FAILED not in evidence.outcome.comment:
        return (unreached(new),)
    return steps if whom or no_connection_fits(evidence) else (*steps, unreached(new))


def _unresolved(new: TemporaryDestination) -> str:
    return (
        f"the archive's machine or container cannot resolve {new.host}: --temporary-address HOST[:PORT] takes another "
        "name of this machine, or its address"
    )


def _not_fitting(evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> str:
    archive, fit = evidence.question.archive.ae_title, evidence.route.fit(new.title)
    if fit is not None and not fit.fits:
        return f"by the tree, too, {archive} cannot call {new.title}: {fit.words}; dcmcfg connection list tells more"
    words = f"by the tree a connection of {archive} fits that of {new.title}{f' ({fit.words})' if fit else ''}"
    left = f"does it read its configuration from {ldap_url}?"
    if new.line.tls:
        left = f"{unable_over_tls(archive)}. Without --tls it may be called plain"
    return f"{words}, and the archive has reloaded: {left}"


def unreached(new: TemporaryDestination) -> str:
    """Return what to look at where nothing came to *new* of all that was asked for."""
    return (
        f"nothing came to {at(new.host, new.port)}: can the archive reach this machine there (firewall, container, "
        "NAT)? --temporary-address HOST[:PORT] says by which address it does"
    )
