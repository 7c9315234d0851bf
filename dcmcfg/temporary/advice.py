"""What else to do when nothing has come to a temporary destination."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.network_address import at
from dcmcfg.verify.verdict import Verdict

#: Move Destination unknown (PS3.4 C.4.2.1.5), and the archive's own for one that it does not accept.
_NOT_TAKEN = (0xA801, 0xC801)


def advised(verdict: Verdict, new: TemporaryDestination, ldap_url: str) -> Verdict:
    """Return *verdict* with a next step more where *new* got nothing.

    That the archive can reach this machine is not known before it tries; it may be told of another address of it.
    """
    if verdict.accepted or verdict.received.number:
        return verdict
    if verdict.reported.status in _NOT_TAKEN:
        step = (
            f"the archive has reloaded and does not take {new.title}: does it read its configuration from {ldap_url}?"
        )
    else:
        step = unreached(new)
    return replace(verdict, next_steps=(*verdict.next_steps, step))


def unreached(new: TemporaryDestination) -> str:
    """Return what to look at where nothing came to *new* of all that was asked for."""
    return (
        f"nothing came to {at(new.host, new.port)}: can the archive reach this machine there (firewall, container, "
        "NAT)? --temporary-address HOST[:PORT] says by which address it does"
    )
