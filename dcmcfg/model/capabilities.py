"""Transfer capabilities of AEs: read and compare them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass

from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.schema_names import COMMON_NAME, DICOM_SOP_CLASS, DICOM_TRANSFER_ROLE, DICOM_TRANSFER_SYNTAX
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX

SCU, SCP = "SCU", "SCP"
ROLES = (SCU, SCP)

#: A SOP class (UID) and a role (``SCU`` or ``SCP``).
SopClassRole = tuple[str, str]


@dataclass(frozen=True)
class MissingCapability:
    """A SOP class in a role that one AE supports and another AE does not.

    ``transfer_syntaxes`` are the UIDs of the transfer syntaxes that the other AE does not support.
    """

    name: str
    sop_class: str
    role: str
    transfer_syntaxes: tuple[str, ...]
    _: KW_ONLY
    #: Whether the other AE supports the SOP class in this role with other transfer syntaxes.
    sop_class_supported: bool


def get_sop_class_role(entry: Entry) -> SopClassRole:
    """Return the SOP class and role of the capability *entry*."""
    return entry.text(DICOM_SOP_CLASS) or "", entry.text(DICOM_TRANSFER_ROLE) or ""


def get_sop_class_name(entry: Entry) -> str:
    """Return the name of a capability's SOP class, taken from the entry's name: ``CT Image Storage``."""
    name = entry.text(COMMON_NAME) or ""
    role = entry.text(DICOM_TRANSFER_ROLE)
    return name.removesuffix(f" {role}") if role else name


def map_sop_class_names(configuration: Configuration) -> Mapping[str, str]:
    """Return the UIDs of all SOP classes in capabilities, by the names that the entries use."""
    found: dict[str, str] = {}
    for ae in configuration.network_aes():
        for each in ae.capabilities:
            found.setdefault(get_sop_class_name(each), get_sop_class_role(each)[0])
    return found


def is_storage_capability(entry: Entry) -> bool:
    """Return whether a capability has a storage SOP class, by its UID or, for a private SOP class, by its name."""
    # Storage Commitment has a similar name, but is not a storage SOP class.
    has_storage_name = "Storage" in get_sop_class_name(entry) and "Commitment" not in get_sop_class_name(entry)
    return get_sop_class_role(entry)[0].startswith(STORAGE_SOP_CLASS_PREFIX) or has_storage_name


def find_unrestricted_roles(ae: NetworkAE) -> frozenset[str]:
    """Return the roles in which the archive treats *ae* as supporting every SOP class.

    An AE of another system without SCP capabilities accepts everything; without any capability it may also send
    everything. An AE of an archive supports only the listed SOP classes.
    """
    listed_roles = {get_sop_class_role(each)[1] for each in ae.capability_source.capabilities}
    if ae.device.is_archive or SCP in listed_roles:
        return frozenset()
    return frozenset((SCP,) if listed_roles else ROLES)


def find_missing_capabilities(
    ae: NetworkAE, other_ae: NetworkAE, *, sending: bool = False
) -> tuple[MissingCapability, ...]:
    """Return the capabilities of *ae* that *other_ae* does not have, ordered by name.

    With *sending*, compare the SCU capabilities of *ae* with the SCP capabilities of *other_ae*. A SOP class or
    transfer syntax ``*`` of *other_ae* stands for all, and so does an unrestricted role: see
    :func:`find_unrestricted_roles`.
    """
    unrestricted_roles = find_unrestricted_roles(other_ae)
    other_syntaxes: dict[SopClassRole, set[str]] = {}
    for each in other_ae.capability_source.capabilities:
        other_syntaxes.setdefault(get_sop_class_role(each), set()).update(each.texts(DICOM_TRANSFER_SYNTAX))
    found = []
    for each in ae.capability_source.capabilities:
        sop_class, role = get_sop_class_role(each)
        if sending and role != SCU:
            continue
        other_role = SCP if sending else role
        if other_role in unrestricted_roles:
            continue
        # A capability for the SOP class itself takes precedence over one for all SOP classes.
        supported = other_syntaxes.get((sop_class, other_role), other_syntaxes.get(("*", other_role)))
        missing = [uid for uid in each.texts(DICOM_TRANSFER_SYNTAX) if supported is None or not {uid, "*"} & supported]
        # A sender needs only one common transfer syntax. Otherwise, each missing one is a difference.
        if supported is None or (missing and not (sending and len(missing) < len(each.texts(DICOM_TRANSFER_SYNTAX)))):
            found.append(
                MissingCapability(
                    get_sop_class_name(each),
                    sop_class,
                    other_role,
                    tuple(missing),
                    sop_class_supported=supported is not None,
                )
            )
    return tuple(sorted(found, key=lambda each: (each.name, each.role)))


def find_withheld_sop_classes(configuration: Configuration, entries: Iterable[Entry], ae: NetworkAE) -> tuple[str, ...]:
    """Return the names of storage SOP classes that archives would not send to *ae* with the capabilities *entries*.

    Empty if *entries* contain no SCP capability, because archives send everything then.
    """
    accepted = {sop_class for sop_class, role in map(get_sop_class_role, entries) if role == SCP}
    if not accepted or "*" in accepted:
        return ()
    sent = {
        get_sop_class_role(each)[0]: get_sop_class_name(each)
        for device in configuration.devices
        if device.is_archive and device.name != ae.device.name
        for sender in device.network_aes
        for each in sender.capabilities
        if get_sop_class_role(each)[1] == SCU and is_storage_capability(each)
    }
    return tuple(sorted(name for uid, name in sent.items() if uid not in accepted))


def find_capabilities(ae: NetworkAE, sop_class: str, roles: Collection[str], *, label: str) -> tuple[Entry, ...]:
    """Return the own capabilities of *ae* for *sop_class* (UID) in one of *roles*.

    Raises :class:`~dcmcfg.errors.NotFound` without any; *label* is what the user calls the SOP class.
    """
    found = tuple(
        each
        for each in ae.capabilities
        if get_sop_class_role(each)[0] == sop_class and get_sop_class_role(each)[1] in roles
    )
    if not found:
        raise NotFound(
            f"{ae.title} has no capability for {label} as {' or '.join(roles)}",
            next_step=f"to list its capabilities: dcmcfg capability list {ae.qualified_title}",
        )
    return found


def index_capabilities(ae: NetworkAE) -> dict[SopClassRole, Entry]:
    """Return the capabilities of *ae* by SOP class and role; the first one of duplicates."""
    found: dict[SopClassRole, Entry] = {}
    for each in ae.capabilities:
        found.setdefault(get_sop_class_role(each), each)
    return found
