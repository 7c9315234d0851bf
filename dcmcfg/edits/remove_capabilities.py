"""Fewer transfer capabilities of an AE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dcmcfg.capabilities import ability
from dcmcfg.changes import Delete
from dcmcfg.devices import Configuration, NetworkAE
from dcmcfg.edits.capability_doubts import doubts
from dcmcfg.edits.edit import Edit
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound


def remove_capabilities(
    configuration: Configuration, ae: NetworkAE, sop_classes: Mapping[str, str], roles: Iterable[str]
) -> Edit:
    """Return the edit that takes *sop_classes* (UID → what the user calls it) in *roles* from *ae*.

    Raises :class:`NotFound` for one that it has in none of the roles.
    """
    wanted = tuple(roles)
    going: list[Entry] = []
    for uid, called in sop_classes.items():
        found = [each for each in ae.capabilities if ability(each)[0] == uid and ability(each)[1] in wanted]
        if not found:
            raise NotFound(
                f"{ae.title} has no capability for {called} as {' or '.join(wanted)}",
                next_step=f"dcmcfg capability list {ae.qualified_title} tells what it has",
            )
        going += found
    left = [each for each in ae.capabilities if each not in going]
    return Edit(tuple(Delete(each.dn) for each in going), tuple(doubts(configuration, ae, left)))
