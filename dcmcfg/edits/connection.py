"""Network connections of a device: new ones, others in their place, gone ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.changes import Add, Modification, Modify, Operation
from dcmcfg.devices import DICOM, Configuration, Connection, Device
from dcmcfg.edits.connection_users import ConnectionUsers, connection_name, told_users
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_entries import connection_entry
from dcmcfg.edits.new_names import require_name
from dcmcfg.edits.removal import removal
from dcmcfg.entry import Entry
from dcmcfg.errors import Ambiguous, NotFound, Refused
from dcmcfg.network_address import at
from dcmcfg.references.referring import References
from dcmcfg.spelling import listed

#: The protocols of the archive's Connection.Protocol, with the usual names without and with TLS.
_USUAL = {
    DICOM: ("dicom", "dicom-tls"),
    "HL7": ("hl7", "hl7-tls"),
    "HL7_MLLP2": ("hl7", "hl7-tls"),
    "SYSLOG_TLS": ("syslog-tls", "syslog-tls"),
    "SYSLOG_UDP": ("syslog", "syslog"),
    "HTTP": ("http", "https"),
}
PROTOCOLS = tuple(_USUAL)
_EXTENDED = "dcmNetworkConnection"
_REFERENCE = "dicomNetworkConnectionReference"
_OWN_HOST = (
    "an archive whose own host name changes may answer the reload with 'Address already in use' and go on with the old "
    "settings; then restart it."
)


@dataclass(frozen=True)
class ConnectionSettings:
    """What a connection shall be; None leaves an attribute as it is.

    An empty tuple of ``cipher_suites`` ends TLS, and an empty ``bind_address`` or ``client_bind_address`` takes that
    away. ``protocol`` is one of the archive's Connection.Protocol, such as DICOM or HL7.
    """

    host: str | None = None
    port: int | None = None
    cipher_suites: tuple[str, ...] | None = None
    protocol: str | None = None
    bind_address: str | None = None
    client_bind_address: str | None = None
    installed: bool | None = None

    def attributes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each attribute that is said, with its values; DICOM is the protocol's default, and left out."""
        texts = {
            "dicomHostname": self.host,
            "dicomPort": None if self.port is None else str(self.port),
            "dcmProtocol": "" if self.protocol == DICOM else self.protocol,
            "dcmBindAddress": self.bind_address,
            "dcmClientBindAddress": self.client_bind_address,
            "dicomInstalled": None if self.installed is None else ("" if self.installed else "FALSE"),
        }
        yield from ((name, (text,) if text else ()) for name, text in texts.items() if text is not None)
        if self.cipher_suites is not None:
            yield "dicomTLSCipherSuite", self.cipher_suites


def find_connection(configuration: Configuration, text: str) -> tuple[Device, Connection]:
    """Return the connection that *text* names: ``DEVICE/NAME``, or ``DEVICE`` or ``DEVICE/AE`` with one only.

    Raises :class:`NotFound`, and :class:`Ambiguous` for a device or AE that has several.
    """
    device, name = split_connection(configuration, text)
    if name is None:
        return device, _only(device, device.connections, f"the device {device.name}")
    for each in device.connections:
        if connection_name(each.dn).casefold() == name.casefold():
            return device, each
    for ae in device.network_aes:
        if ae.title == name:
            return device, _only(device, ae.connections, f"the AE {ae.qualified_title}")
    there = listed(name, (connection_name(each.dn) for each in device.connections))
    raise NotFound(f"the device {device.name} has no connection {name}", next_step=f"its connections are: {there}")


def _only(device: Device, connections: tuple[Connection, ...], whose: str) -> Connection:
    if len(connections) == 1:
        return connections[0]
    if not connections:
        raise NotFound(f"{whose} has no connection", next_step=f"dcmcfg connection add {device.name} makes one")
    which = ", ".join(f"{device.name}/{connection_name(each.dn)}" for each in connections)
    raise Ambiguous(f"{whose} has several connections", next_step=f"say which of {which}")


def split_connection(configuration: Configuration, text: str) -> tuple[Device, str | None]:
    """Return the device in ``DEVICE/NAME`` and the name, None for a device alone; raises :class:`NotFound`."""
    for device in configuration.devices:
        if device.name.casefold() == text.casefold():
            return device, None
    for device in configuration.devices:
        length = len(device.name)
        if text[length : length + 1] == "/" and text[:length].casefold() == device.name.casefold():
            return device, text[length + 1 :]
    return configuration.device(text.partition("/")[0]), None


def usual_name(wanted: ConnectionSettings) -> str:
    """Return what the default configuration calls a connection of that kind: ``dicom``, ``hl7-tls``, ``https``."""
    plain, secured = _USUAL[wanted.protocol or DICOM]
    return secured if wanted.cipher_suites else plain


def add_connection(device: Device, name: str | None, wanted: ConnectionSettings, *, titles: Iterable[str] = ()) -> Edit:
    """Return the edit that adds the connection *name* (None: the usual one) to *device*, for its AEs *titles* to use.

    One that is there and is as it is wanted counts as done. Raises :class:`Refused` for one that differs, for a name
    that the archive cannot handle, and where no host is said; :class:`NotFound` for an AE that the device has not.
    """
    edit = _added(device, name if name is not None else usual_name(wanted), wanted)
    used_by = [device.network_ae(title).entry for title in titles]
    reference = str(edit.changes[0].dn).encode()
    more = [Modify(entry.dn, (Modification(Operation.ADD, _REFERENCE, (reference,)),)) for entry in used_by]
    return Edit((*edit.changes, *more), edit.warnings)


def _added(device: Device, name: str, wanted: ConnectionSettings) -> Edit:
    require_name(name, "connection", "give it another name")
    if wanted.host is None:
        raise Refused("a connection has a host", next_step="say HOST or HOST:PORT")
    entry = connection_entry(device.entry.dn.child("cn", name), wanted.host, wanted.port)
    for attribute, values in wanted.attributes():
        entry = entry.with_values(attribute, tuple(value.encode() for value in values))
    held = next((each for each in device.connections if connection_name(each.dn).casefold() == name.casefold()), None)
    if held is None:
        return Edit((Add(entry),), tuple(_clash(device, entry)))
    there = _entry_of(device, held)
    if _is_so(there, wanted):
        return Edit((Add(there),))
    raise Refused(
        f"the device {device.name} has a connection {connection_name(held.dn)} already, to {at(held.host, held.port)}",
        next_step=f"dcmcfg connection set {device.name}/{connection_name(held.dn)} changes it; another NAME adds one",
    )


def set_connection(device: Device, connection: Connection, wanted: ConnectionSettings) -> Edit:
    """Return the edit that makes *connection* of *device* as it is *wanted*; the warnings say who moves with it."""
    entry = _entry_of(device, connection)
    modifications = [
        Modification(Operation.REPLACE, name, tuple(value.encode() for value in values))
        for name, values in wanted.attributes()
    ]
    needs_class = any(each.name.startswith("dcm") and each.values for each in modifications)
    if needs_class and not entry.is_a(_EXTENDED):
        modifications.insert(0, Modification(Operation.ADD, "objectClass", (_EXTENDED.encode(),)))
    warnings: list[str] = []
    if not _is_so(entry, wanted):
        users = ConnectionUsers(References(device.tree)).of(connection)
        warnings += [f"it changes for all who use it: {told_users(users)}."] if len(users) > 1 else []
        if device.is_archive and wanted.host not in (None, connection.host):
            warnings.append(_OWN_HOST)
        after = entry
        for each in modifications:
            after = after.with_values(each.name, each.values) if each.operation is Operation.REPLACE else after
        warnings += _clash(device, after)
    return Edit((Modify(entry.dn, tuple(modifications)),), tuple(warnings))


def remove_connection(device: Device, connection: Connection) -> Edit:
    """Return the edit that removes *connection*; raises :class:`Refused` while something refers to it.

    A reference that leads nowhere makes the archive lose the whole device, with all its AEs.
    """
    references = References(device.tree)
    users = ConnectionUsers(references).of(connection)
    if users:
        raise Refused(
            f"the connection {connection_name(connection.dn)} of {device.name} is used by {told_users(users)}; without "
            "it the archive would not load the device at all",
            next_step="give them another connection first (dicomNetworkConnectionReference), or remove them",
        )
    return removal(references, [connection.dn])


def _is_so(entry: Entry, wanted: ConnectionSettings) -> bool:
    return all(set(entry.texts(name)) == set(values) for name, values in wanted.attributes())


def _entry_of(device: Device, connection: Connection) -> Entry:
    return next(child for child in device.tree.children(device.entry.dn) if child.dn is connection.dn)


def _clash(device: Device, entry: Entry) -> Iterator[str]:
    """Yield that another connection of the device listens at the same port, which can be so for one of them only."""
    host, port = (entry.text("dicomHostname") or "").casefold(), entry.text("dicomPort")
    for other in device.connections:
        if other.dn != entry.dn and port and str(other.port) == port and other.host.casefold() == host:
            yield f"the connection {connection_name(other.dn)} of {device.name} has the address {host}:{port} too."
