"""Find temporary destinations that a run has left behind, excluding those in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dcmcfg.dicom.connect import measure_connect_time
from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.edits.temporary_mark import MarkedDestination, find_marked_destinations, find_title_occurrences
from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.model.devices import Configuration
from dcmcfg.temporary.maker_process import is_on_this_machine, is_running
from dcmcfg.temporary.title_claims import is_held, read_title_claims
from dcmcfg.timestamps import format_timestamp

#: A destination of another machine counts as left behind from this age on, if its address does not respond.
ABANDONED_AFTER = timedelta(days=1)
#: A process that uses a destination listens on it, so short time-outs are sufficient.
_TIMEOUTS = DicomTimeouts(connect=2, acse=2, dimse=2, network=2)
_CALLING_AE_TITLE = "DCMCFG"

ReachabilityCheck = Callable[[Peer, bool], bool]


@dataclass(frozen=True)
class LeftoverDestination:
    """A temporary destination that no known process uses.

    ``is_certain`` is false if it may still be in use, because another machine created it recently. ``in_tree`` is false
    if the tree contains nothing of it, and only the archive may still know it.
    """

    ae_title: str
    origin: str
    is_certain: bool = True
    in_tree: bool = True

    @property
    def description(self) -> str:
        """The creator and creation time, and any uncertainty."""
        if not self.in_tree:
            return f"{self.origin}; the archive may still know the destination"
        return self.origin if self.is_certain else f"{self.origin}; the destination may be in use"

    def __str__(self) -> str:
        return f"{self.ae_title} ({self.description})"


def is_reachable(peer: Peer, tls: bool) -> bool:
    """Return whether *peer* responds to a C-ECHO; with *tls*, only whether its port accepts connections."""
    try:
        if tls:
            # An echo over TLS would require a trusted CA, and perhaps a certificate.
            measure_connect_time(peer, _TIMEOUTS)
        else:
            send_echo(peer, _CALLING_AE_TITLE, _TIMEOUTS)
    except DcmcfgError:
        return False
    return True


def find_leftover_destinations(
    state: Path,
    ldap_url: str,
    configuration: Configuration,
    now: datetime,
    *,
    check_reachable: ReachabilityCheck = is_reachable,
) -> tuple[LeftoverDestination, ...]:
    """Return the destinations left in *configuration*, found by marks and by claims in *state* on *ldap_url*.

    Destinations in use are omitted: their process holds the claim or runs on this machine, or *check_reachable* returns
    true for their address and title.
    """
    remnants = {each.ae_title: each for each in find_marked_destinations(configuration)}
    leftovers = [
        *_find_claimed(state, ldap_url, configuration, remnants),
        *_find_marked(state, remnants, now, check_reachable),
    ]
    # If a title has a claim and a mark, the claim wins: it shows that this account added the destination.
    return tuple(sorted({each.ae_title: each for each in reversed(leftovers)}.values(), key=lambda each: each.ae_title))


def _find_claimed(
    state: Path, ldap_url: str, configuration: Configuration, remnants: dict[str, MarkedDestination]
) -> Iterator[LeftoverDestination]:
    for claim in read_title_claims(state):
        if is_held(state, claim.ae_title) or not (claim.concerns_directory(ldap_url) or claim.ae_title in remnants):
            continue
        in_tree = bool(find_title_occurrences(configuration.tree, claim.ae_title))
        yield LeftoverDestination(claim.ae_title, claim.origin, in_tree=in_tree)


def _find_marked(
    state: Path, remnants: dict[str, MarkedDestination], now: datetime, check_reachable: ReachabilityCheck
) -> Iterator[LeftoverDestination]:
    for remnant in remnants.values():
        owner = remnant.owner
        is_local = is_on_this_machine(owner)
        if is_held(state, remnant.ae_title) or (is_local and is_running(owner)):
            continue
        # The network is tried last, because an address without a machine costs the whole time-out.
        if _is_listening(remnant, check_reachable):
            continue
        yield LeftoverDestination(
            remnant.ae_title,
            f"of {owner}, {format_timestamp(owner.created)}",
            is_certain=is_local or now - owner.created > ABANDONED_AFTER,
        )


def _is_listening(remnant: MarkedDestination, check_reachable: ReachabilityCheck) -> bool:
    try:
        return check_reachable(Peer(remnant.ae_title, remnant.host or "", remnant.port or 0), remnant.tls)
    except MalformedInput:  # Its connection was removed, or cannot be called any more.
        return False
