"""What else to do when nothing has come to a temporary destination."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.network_address import at
from dcmcfg.verify.advice import refused_by_the_archive
from dcmcfg.verify.called import called
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict

#: Move Destination unknown (PS3.4 C.4.2.1.5), and the archive's own for one that it does not accept.
_UNKNOWN, _NOT_ACCEPTED = 0xA801, 0xC801


def advised(verdict: Verdict, evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> Verdict:
    """Return *verdict* with the steps for a destination that is gone by now: what can be done about *new* itself.

    That the archive can reach this machine is not known before it tries; it may be told of another address of it.
    """
    steps = tuple(each.replace(f"--dest {new.title}", "--temporary-dest") for each in verdict.next_steps)
    if not verdict.accepted and not verdict.received.number:
        steps = _steps(steps, evidence, new, ldap_url)
    return replace(verdict, next_steps=steps)


def _steps(steps: tuple[str, ...], evidence: Evidence, new: TemporaryDestination, ldap_url: str) -> tuple[str, ...]:
    """Return *steps*, or what stands in their place, where nothing came to *new*."""
    status, whom = evidence.outcome.status, called(evidence)
    if status == _NOT_ACCEPTED or (status == _UNKNOWN and refused_by_the_archive(evidence)):
        reads = f"does it read its configuration from {ldap_url}?"
        return (*steps, f"the archive has reloaded and does not take {new.title}: {reads}")
    if status == _UNKNOWN:
        return steps
    if whom == new.title and "UnknownHostException" in evidence.outcome.comment:
        return (_unresolved(new),)
    if whom == new.title and status:
        return (unreached(new),)
    return steps if whom else (*steps, unreached(new))


def _unresolved(new: TemporaryDestination) -> str:
    return (
        f"the archive's machine or container cannot resolve {new.host}: --temporary-address HOST[:PORT] takes another "
        "name of this machine, or its address"
    )


def unreached(new: TemporaryDestination) -> str:
    """Return what to look at where nothing came to *new* of all that was asked for."""
    return (
        f"nothing came to {at(new.host, new.port)}: can the archive reach this machine there (firewall, container, "
        "NAT)? --temporary-address HOST[:PORT] says by which address it does"
    )
