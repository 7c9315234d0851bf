"""The Move Destination of a run over many studies, which the archive has to know."""

from __future__ import annotations

from dcmcfg.errors import NotFound
from dcmcfg.route.command import format_command
from dcmcfg.verify.addresses import Addresses


def require_known_destination(destination_ae_title: str, addresses: Addresses) -> None:
    """Raise :class:`NotFound` for a destination to which the archive will send none of the studies."""
    route = addresses.route
    if route.move_destination_known:
        return
    if destination_ae_title in route.ae_titles:
        raise NotFound(
            f"{destination_ae_title} is not installed (dicomInstalled), so the archive would refuse it for each study",
            next_step="have it installed, then dcmcfg reload; or name another AE with --dest",
        )
    suggestion = f"did you mean {', '.join(route.similar_ae_titles)}? Else " if route.similar_ae_titles else ""
    raise NotFound(
        f"the tree has no AE {destination_ae_title}, so the archive would refuse it for each study",
        next_step=f"{suggestion}name another AE with --dest, or "
        f"{format_command('ae', 'add', f'{destination_ae_title}@HOST:PORT')}",
    )
