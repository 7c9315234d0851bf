"""The Move Destination of a run over many studies, which the archive has to know."""

from __future__ import annotations

from dcmcfg.errors import NotFound
from dcmcfg.route.command import command
from dcmcfg.verify.addresses import Addresses


def require_known(destination: str, addresses: Addresses) -> None:
    """Raise :class:`NotFound` for a destination to which the archive will send none of the studies."""
    route = addresses.route
    if route.destination_known:
        return
    if destination in route.titles:
        raise NotFound(
            f"{destination} is not installed (dicomInstalled), so the archive would refuse it for each study",
            next_step="have it installed, then dcmcfg reload; or name another AE with --dest",
        )
    meant = f"did you mean {', '.join(route.near_destination)}? Else " if route.near_destination else ""
    raise NotFound(
        f"the tree has no AE {destination}, so the archive would refuse it for each study",
        next_step=f"{meant}name another AE with --dest, or {command('ae', 'add', f'{destination}@HOST:PORT')}",
    )
