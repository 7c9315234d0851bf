"""What AEs can by their transfer capabilities, one by one and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dcmcfg.entry import Entry
from dcmcfg.model.devices import STORAGE_SOP_CLASSES, Configuration, NetworkAE

SCU, SCP = "SCU", "SCP"
ROLES = (SCU, SCP)
SYNTAXES = "dicomTransferSyntax"

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


def open_roles(ae: NetworkAE) -> frozenset[str]:
    """Return the roles in which *ae* counts as able to do everything, as the archive has it.

    An AE of another system takes everything while it lists no SCP capability, and one that lists nothing at all may
    send everything too. An archive's own does what it lists.
    """
    listed = {ability(each)[1] for each in ae.shared_from.capabilities}
    if ae.device.is_archive or SCP in listed:
        return frozenset()
    return frozenset((SCP,) if listed else ROLES)


def lacking(one: NetworkAE, other: NetworkAE, *, sending: bool = False) -> tuple[Lacking, ...]:
    """Return what *one* can and *other* cannot, by name; with *sending*, what *one* may send (SCU) *other* takes (SCP).

    A SOP class or syntax ``*`` of the other stands for all, and so does what it leaves open: see :func:`open_roles`.
    """
    left_open = open_roles(other)
    theirs: dict[Ability, set[str]] = {}
    for each in other.shared_from.capabilities:
        theirs.setdefault(ability(each), set()).update(each.texts(SYNTAXES))
    found = []
    for each in one.shared_from.capabilities:
        sop_class, role = ability(each)
        if sending and role != SCU:
            continue
        as_role = SCP if sending else role
        if as_role in left_open:
            continue
        can = theirs.get((sop_class, as_role), theirs.get(("*", as_role)))
        missing = [uid for uid in each.texts(SYNTAXES) if can is None or not {uid, "*"} & can]
        if can is None or (missing and not (sending and len(missing) < len(each.texts(SYNTAXES)))):
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


def by_ability(ae: NetworkAE) -> dict[Ability, Entry]:
    """Return the capabilities of *ae* by SOP class and role; of several for one the first."""
    found: dict[Ability, Entry] = {}
    for each in ae.capabilities:
        found.setdefault(ability(each), each)
    return found
