"""The transfer capabilities of one AE for another."""

from __future__ import annotations

from dcmcfg.capabilities import SYNTAXES, ability, by_ability
from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.devices import Configuration, NetworkAE
from dcmcfg.edits.capability_doubts import doubts
from dcmcfg.edits.edit import Edit
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused


def copy_capabilities(configuration: Configuration, source: NetworkAE, ae: NetworkAE, *, replace: bool) -> Edit:
    """Return the edit that gives *ae* the capabilities of *source*, entries and names as they are there.

    With *replace* those of its own that *source* does not have go. Raises :class:`Refused` when there are none.
    """
    if not source.capabilities:
        raise Refused(f"{source.title} has no capabilities to copy", next_step=_nothing_to_copy(source))
    held = by_ability(ae)
    changes: list[Change] = []
    kept: list[Entry] = []
    names = {entry.text("cn") for entry in ae.capabilities}
    if replace:
        wanted = {ability(each) for each in source.capabilities}
        gone = [each for each in ae.capabilities if ability(each) not in wanted]
        changes += (Delete(each.dn) for each in gone)
        names -= {each.text("cn") for each in gone}
    for each in source.capabilities:
        there = held.get(ability(each))
        if there is None:
            new = each.at(each.dn.rebased(source.entry.dn, ae.entry.dn))
            if new.text("cn") in names:
                raise Refused(f"{ae.title} has a capability {new.text('cn')} already, which is another")
            kept.append(new)
            changes.append(Add(new))
        else:
            operation = Operation.REPLACE if replace else Operation.ADD
            changes.append(Modify(there.dn, (Modification(operation, SYNTAXES, each.values(SYNTAXES)),)))
    after = [*kept] if replace else [*ae.capabilities, *kept]
    return Edit(tuple(changes), tuple(doubts(configuration, ae, after)) if kept else ())


def _nothing_to_copy(source: NetworkAE) -> str:
    shared = source.shared_from
    return f"it shares those of {shared.title}" if shared is not source else "an AE without any can do everything"
