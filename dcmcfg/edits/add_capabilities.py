"""More transfer capabilities of an AE."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.capabilities import SYNTAXES, by_ability
from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.devices import Configuration, NetworkAE
from dcmcfg.edits.capability_doubts import doubts
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused


def add_capabilities(configuration: Configuration, ae: NetworkAE, wanted: Iterable[TransferCapability]) -> Edit:
    """Return the edit that gives *ae* the capabilities *wanted*; those it has keep their syntaxes and get more.

    Raises :class:`Refused` where the name of one is that of another SOP class or role.
    """
    held = by_ability(ae)
    by_name = {(entry.text("cn") or "").casefold(): entry for entry in ae.capabilities}
    changes: list[Change] = []
    new: list[Entry] = []
    for capability in wanted:
        there = held.get((capability.sop_class, capability.role))
        if there is not None:
            values = tuple(syntax.encode() for syntax in capability.transfer_syntaxes)
            changes.append(Modify(there.dn, (Modification(Operation.ADD, SYNTAXES, values),)))
            continue
        if capability.name.casefold() in by_name:
            raise Refused(f"{ae.title} has a capability {capability.name} already, which is another")
        entry = capability.entry(ae.entry.dn)
        by_name[capability.name.casefold()] = entry
        new.append(entry)
    return Edit((*changes, *map(Add, new)), tuple(doubts(configuration, ae, [*ae.capabilities, *new])) if new else ())
