"""The transfer capabilities of an AE: more of them, fewer, those of another AE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.devices import STORAGE_SOP_CLASSES, Configuration, NetworkAE
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused

SCU, SCP = "SCU", "SCP"
ROLES = (SCU, SCP)
_SYNTAXES = "dicomTransferSyntax"
_NAMED = 3

#: A SOP class (UID) in a role.
Ability = tuple[str, str]


@dataclass(frozen=True)
class Lacking:
    """A SOP class in a role that one AE can and another cannot; ``syntaxes`` (UIDs) are those that it cannot."""

    name: str
    sop_class: str
    role: str
    syntaxes: tuple[str, ...]
    #: Whether the other has the SOP class in that role, with other transfer syntaxes.
    partly: bool


def ability(entry: Entry) -> Ability:
    """Return the SOP class and role of a capability's *entry*."""
    return entry.text("dicomSOPClass") or "", entry.text("dicomTransferRole") or ""


def plain_name(entry: Entry) -> str:
    """Return what the SOP class of a capability is called by the entry's name: ``CT Image Storage``."""
    name = entry.text("cn") or ""
    role = entry.text("dicomTransferRole")
    return name.removesuffix(f" {role}") if role else name


def names_in_use(configuration: Configuration) -> Mapping[str, str]:
    """Return the UIDs of the SOP classes that AEs have capabilities of, by what the entries call them."""
    found: dict[str, str] = {}
    for ae in configuration.network_aes():
        for each in ae.capabilities:
            found.setdefault(plain_name(each), ability(each)[0])
    return found


def is_of_storage(entry: Entry) -> bool:
    """Tell whether a capability is of a storage SOP class: by its UID, or a private one by its name."""
    named = "Storage" in plain_name(entry) and "Commitment" not in plain_name(entry)
    return ability(entry)[0].startswith(STORAGE_SOP_CLASSES) or named


def add_capabilities(configuration: Configuration, ae: NetworkAE, wanted: Iterable[TransferCapability]) -> Edit:
    """Return the edit that gives *ae* the capabilities *wanted*; those it has keep their syntaxes and get more.

    Raises :class:`Refused` where the name of one is that of another SOP class or role.
    """
    held = _by_ability(ae)
    by_name = {(entry.text("cn") or "").casefold(): entry for entry in ae.capabilities}
    changes: list[Change] = []
    new: list[Entry] = []
    for capability in wanted:
        there = held.get((capability.sop_class, capability.role))
        if there is not None:
            values = tuple(syntax.encode() for syntax in capability.transfer_syntaxes)
            changes.append(Modify(there.dn, (Modification(Operation.ADD, _SYNTAXES, values),)))
            continue
        if capability.name.casefold() in by_name:
            raise Refused(f"{ae.title} has a capability {capability.name} already, which is another")
        entry = capability.entry(ae.entry.dn)
        by_name[capability.name.casefold()] = entry
        new.append(entry)
    return Edit((*changes, *map(Add, new)), tuple(_doubts(configuration, ae, [*ae.capabilities, *new])) if new else ())


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
    return Edit(tuple(Delete(each.dn) for each in going), tuple(_doubts(configuration, ae, left)))


def copy_capabilities(configuration: Configuration, source: NetworkAE, ae: NetworkAE, *, replace: bool) -> Edit:
    """Return the edit that gives *ae* the capabilities of *source*, entries and names as they are there.

    With *replace* those of its own that *source* does not have go. Raises :class:`Refused` when there are none.
    """
    if not source.capabilities:
        raise Refused(f"{source.title} has no capabilities to copy", next_step=_nothing_to_copy(source))
    held = _by_ability(ae)
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
            changes.append(Modify(there.dn, (Modification(operation, _SYNTAXES, each.values(_SYNTAXES)),)))
    after = [*kept] if replace else [*ae.capabilities, *kept]
    return Edit(tuple(changes), tuple(_doubts(configuration, ae, after)) if kept else ())


def lacking(one: NetworkAE, other: NetworkAE, *, sending: bool = False) -> tuple[Lacking, ...]:
    """Return what *one* can and *other* cannot, by name; with *sending*, what *one* may send (SCU) *other* takes (SCP).

    A SOP class or syntax ``*`` of the other stands for all. With *sending* an AE of another system without any SCP
    capability takes everything, as the archive has it.
    """
    if sending and not other.device.is_archive and not any(ability(each)[1] == SCP for each in other.capabilities):
        return ()
    theirs: dict[Ability, set[str]] = {}
    for each in other.shared_from.capabilities:
        theirs.setdefault(ability(each), set()).update(each.texts(_SYNTAXES))
    found = []
    for each in one.shared_from.capabilities:
        sop_class, role = ability(each)
        if sending and role != SCU:
            continue
        as_role = SCP if sending else role
        can = theirs.get((sop_class, as_role), theirs.get(("*", as_role)))
        missing = [uid for uid in each.texts(_SYNTAXES) if can is None or not {uid, "*"} & can]
        if can is None or (missing and not (sending and len(missing) < len(each.texts(_SYNTAXES)))):
            found.append(Lacking(plain_name(each), sop_class, as_role, tuple(missing), partly=can is not None))
    return tuple(sorted(found, key=lambda each: (each.name, each.role)))


def withheld(configuration: Configuration, entries: Iterable[Entry], ae: NetworkAE) -> tuple[str, ...]:
    """Return the names of the storage SOP classes that archives would not send to *ae* with the capabilities *entries*.

    None where it lists no SCP capability: then everything is sent.
    """
    taken = {sop_class for sop_class, role in map(ability, entries) if role == SCP}
    if not taken or "*" in taken:
        return ()
    sent = {
        ability(each)[0]: plain_name(each)
        for device in configuration.devices
        if device.is_archive and device.name != ae.device.name
        for sender in device.network_aes
        for each in sender.capabilities
        if ability(each)[1] == SCU and is_of_storage(each)
    }
    return tuple(sorted(name for uid, name in sent.items() if uid not in taken))


def _by_ability(ae: NetworkAE) -> dict[Ability, Entry]:
    found: dict[Ability, Entry] = {}
    for each in ae.capabilities:
        found.setdefault(ability(each), each)
    return found


def _doubts(configuration: Configuration, ae: NetworkAE, after: list[Entry]) -> Iterator[str]:
    """Yield what becomes of *ae* once *after* are its capabilities."""
    shared = ae.shared_from
    if shared is not ae:
        yield f"{ae.title} shares the capabilities of {shared.title}; its own count for nothing."
        return
    scps = [each for each in after if ability(each)[1] == SCP]
    had_scps = any(ability(each)[1] == SCP for each in ae.capabilities)
    if ae.device.is_archive:
        if not scps and had_scps:
            yield f"{ae.title} has no SCP capability any more: it accepts nothing."
        return
    if had_scps and not scps:
        yield f"{ae.title} lists no SCP capability any more, so the archive sends it everything."
    before = withheld(configuration, ae.capabilities, ae)
    if names := [name for name in withheld(configuration, after, ae) if name not in before]:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        if had_scps:
            yield f"the archive will not send {ae.title} what it does not list: {', '.join(names[:_NAMED])}{more}."
        else:
            yield (
                f"{ae.title} has listed no SCP capability, and was sent everything; from now on the archive will not "
                f"send it {', '.join(names[:_NAMED])}{more}."
            )


def _nothing_to_copy(source: NetworkAE) -> str:
    shared = source.shared_from
    return f"it shares those of {shared.title}" if shared is not source else "an AE without any can do everything"
