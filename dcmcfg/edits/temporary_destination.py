"""Add and remove a temporary destination: an AE for one run of ``verify``, with a mark in the tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.edits.removal import remove_network_ae, remove_subtrees
from dcmcfg.edits.temporary_mark import OwnerProcess, find_marked_destinations, format_mark
from dcmcfg.errors import Refused
from dcmcfg.model.devices import DICOM, Configuration, Device, NetworkAE
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import AE_TITLE_REGISTRY, find_registrations
from dcmcfg.schema_names import (
    ACCEPTED_MOVE_DESTINATION,
    DICOM_AE_TITLE,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_DEVICES_ROOT_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_TLS_CIPHER_SUITE,
    TLS_PROTOCOL,
)

#: The prefix of the titles of temporary destinations; nine more characters make 16.
TITLE_PREFIX = "DCMCFG_"
_ATTEMPTS = 100


@dataclass(frozen=True)
class ConnectionSecurity:
    """The security of connections to a destination: plain, or TLS with ``cipher_suites`` (JSSE names).

    Without ``versions``, the archive uses its default TLS versions.
    """

    cipher_suites: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    @property
    def tls(self) -> bool:
        return bool(self.cipher_suites)


UNSECURED = ConnectionSecurity()


@dataclass(frozen=True)
class TemporaryDestination:
    """An AE for one run, with its address and the process that owns it."""

    ae_title: str
    host: str
    port: int
    owner: OwnerProcess
    _: KW_ONLY
    security: ConnectionSecurity = UNSECURED

    @property
    def device(self) -> str:
        """The name of its device, which contains nothing else."""
        return self.ae_title.lower()


def derive_security(requester: NetworkAE, *, require_tls: bool) -> ConnectionSecurity:
    """Return the security for a destination to which *requester* can send, derived from its own connections.

    It is plain if *requester* has a connection without TLS, unless *require_tls*. Otherwise, it has the TLS settings of
    the first connection with TLS.
    """
    connections = [each for each in requester.connections if each.installed and each.protocol == DICOM]
    tls_connection = next((each for each in connections if each.tls), None)
    entry = requester.device.tree.get(tls_connection.dn) if tls_connection is not None else None
    if entry is None or (not require_tls and not all(each.tls for each in connections)):
        return UNSECURED
    return ConnectionSecurity(entry.texts(DICOM_TLS_CIPHER_SUITE), entry.texts(TLS_PROTOCOL))


def find_free_title(configuration: Configuration, make_random_suffix: Callable[[], str]) -> str:
    """Return an unused title in *configuration* with nine characters from *make_random_suffix*.

    It is not the title or another title of an AE, a registration, or a device name. Raises :class:`Refused` if none is
    found.
    """
    tree = configuration.tree
    taken = {entry.text(DICOM_AE_TITLE) for entry in AE_TITLE_REGISTRY.find_entries(tree)}
    # The device gets the title in lower case as its name, and names of devices ignore case.
    taken |= {device.name.upper() for device in configuration.devices}
    for ae in configuration.network_aes():
        taken |= {ae.title, *ae.other_titles}
    for _ in range(_ATTEMPTS):
        title = f"{TITLE_PREFIX}{make_random_suffix().upper()}"
        if title not in taken:
            return title
    raise Refused(f"all titles {TITLE_PREFIX}… are in use", next_step="to list the AE titles in use: dcmcfg ae list")


def add_temporary_destination(configuration: Configuration, requester: NetworkAE, new: TemporaryDestination) -> Edit:
    """Return the edit that adds *new*, and allows *requester* to use it as a Move Destination.

    The device is added first and removed last, because it has the mark by which the remains of a destination are found.
    The AE has no transfer capabilities, so that the archive sends it everything (``RetrieveServiceImpl``). The title is
    added to ``dcmAcceptedMoveDestination`` of *requester* if that has values; without values, the archive accepts every
    destination. Raises the errors of :func:`add_network_ae`.
    """
    mark = format_mark(new.ae_title, new.owner)
    new_ae = NewNetworkAE(
        new.ae_title,
        new.host,
        new.port,
        cipher_suites=new.security.cipher_suites,
        description=mark,
        device_description=mark,
    )
    edit = add_network_ae(configuration, new_ae)
    changes = sorted((_set_tls_versions(each, new.security) for each in edit.changes), key=_change_rank)
    if requester.entry.texts(ACCEPTED_MOVE_DESTINATION):
        changes.append(_modify_accepted_destination(requester, Operation.ADD, new.ae_title))
    return Edit(tuple(changes), edit.warnings)


def remove_temporary_destination(configuration: Configuration, title: str) -> Edit:
    """Return the edit that removes all remains of the temporary destination *title*; empty if there are none.

    Only this value is removed from lists of accepted Move Destinations, so that later changes of the lists are kept.
    """
    tree = configuration.tree
    aes = tuple(configuration.network_aes())
    changes: list[Change] = [
        _modify_accepted_destination(ae, Operation.DELETE, title)
        for ae in aes
        if title in ae.entry.texts(ACCEPTED_MOVE_DESTINATION)
    ]
    device = _find_device(configuration, title)
    if (ae := next((each for each in aes if each.title == title), None)) is not None:
        edit = remove_network_ae(ae, keep_connection=False)
    # A device with other AEs is kept, because somebody else has added them.
    elif device is not None and not device.network_aes:
        edit = remove_subtrees(References(tree), [device.entry.dn])
    else:
        edit = Edit(())
    # A registration may remain without its AE; with the AE, the edit deletes it too, so each delete is kept once.
    deletes = dict.fromkeys((*map(Delete, find_registrations(tree, EntityKind.AE, title)), *edit.changes))
    return Edit((*changes, *deletes))


def _find_device(configuration: Configuration, title: str) -> Device | None:
    """Return the device of the temporary destination *title*, if it still has the mark; else None."""
    marked = title in {each.ae_title for each in find_marked_destinations(configuration)}
    return next((each for each in configuration.devices if marked and each.name.lower() == title.lower()), None)


def _modify_accepted_destination(ae: NetworkAE, operation: Operation, title: str) -> Modify:
    return Modify(ae.entry.dn, (Modification(operation, ACCEPTED_MOVE_DESTINATION, (title.encode(),)),))


def _set_tls_versions(change: Change, security: ConnectionSecurity) -> Change:
    if security.versions and isinstance(change, Add) and change.entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
        return Add(change.entry.with_values(TLS_PROTOCOL, [each.encode() for each in security.versions]))
    return change


def _change_rank(change: Change) -> int:
    """Return the sort rank: containers and the device, the registration, other entries, then AEs."""
    entry = change.entry if isinstance(change, Add) else None
    if entry is None or entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS):
        return 3
    if (
        entry.is_a(AE_TITLE_REGISTRY.container_class)
        or entry.is_a(DICOM_DEVICES_ROOT_OBJECT_CLASS)
        or entry.is_a(DICOM_DEVICE_OBJECT_CLASS)
    ):
        return 0
    return 1 if entry.is_a(AE_TITLE_REGISTRY.entry_class) else 2
