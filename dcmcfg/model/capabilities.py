"""What AEs support by their transfer capabilities, one by one and compared."""

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

#: A SOP class (UID) in a role.
SopClassRole = tuple[str, str]


@dataclass(frozen=True)
class MissingCapability:
    """A SOP class in a role that one AE supports and another does not.

    ``transfer_syntaxes`` (UIDs) are those that the other does not support.
    """

    name: str
    sop_class: str
    role: str
    transfer_syntaxes: tuple[str, ...]
    _: KW_ONLY
    #: Whether the other has the SOP class in that role, with other transfer syntaxes.
    sop_class_supported: bool


def get_sop_class_role(entry: Entry) -> SopClassRole:
    """Return the SOP class and role of a capability's *entry*."""
    return entry.text(DICOM_SOP_CLASS) or "", entry.text(DICOM_TRANSFER_ROLE) or ""


def get_sop_class_name(entry: Entry) -> str:
    """Return what the SOP class of a capability is called by the entry's name: ``CT Image Storage``."""
    name = entry.text(COMMON_NAME) or ""
    role = entry.text(DICOM_TRANSFER_ROLE)
    return name.removesuffix(f" {role}") if role else name


def map_sop_class_names(configuration: Configuration) -> Mapping[str, str]:
    """Return the UIDs of the SOP classes that AEs have capabilities of, by what the entries call them."""
    found: dict[str, str] = {}
    for ae in configuration.network_aes():
        for each in ae.capabilities:
            found.setdefault(get_sop_class_name(each), get_sop_class_role(each)[0])
    return found


def is_storage_capability(entry: Entry) -> bool:
    """Tell whether a capability is of a storage SOP class: by its UID, or a private one by its name."""
    has_storage_name = "Storage" in get_sop_class_name(entry) and "Commitment" not in get_sop_class_name(entry)
    return get_sop_class_role(entry)[0].startswith(STORAGE_SOP_CLASS_PREFIX) or has_storage_name


def find_unrestricted_roles(ae: NetworkAE) -> frozenset[str]:
    """Return the roles in which *ae* counts as able to do everything, as the archive has it.

    An AE of another system takes everything while it lists no SCP capability, and one that lists nothing at all may
    send everything too. An archive's own does what it lists.
    """
    listed_roles = {get_sop_class_role(each)[1] for each in ae.capability_source.capabilities}
    if ae.device.is_archive or SCP in listed_roles:
        return frozenset()
    return frozenset((SCP,) if listed_roles else ROLES)


def find_missing_capabilities(
    ae: NetworkAE, other_ae: NetworkAE, *, sending: bool = False
) -> tuple[MissingCapability, ...]:
    """Return what *ae* can and *other_ae* cannot, by name.

    With *sending*, what *ae* may send (SCU) *other_ae* takes (SCP). A SOP class or syntax ``*`` of the other stands for
    all, and so does what it leaves open: see :func:`find_unrestricted_roles`.
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
        supported = other_syntaxes.get((sop_class, other_role), other_syntaxes.get(("*", other_role)))
        missing = [uid for uid in each.texts(DICOM_TRANSFER_SYNTAX) if supported is None or not {uid, "*"} & supported]
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
    """Return the names of the storage SOP classes that archives would not send to *ae* with the capabilities *entries*.

    None where it lists no SCP capability: then everything is sent.
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
    """Return the capabilities of *ae* by SOP class and role; of several for one the first."""
    found: dict[SopClassRole, Entry] = {}
    for each in ae.capabilities:
        found.setdefault(get_sop_class_role(each), each)
    return found
