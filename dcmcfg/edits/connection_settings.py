"""The desired settings of a network connection, and the lookup of a connection by name.

Users specify ``DEVICE/NAME``, or ``DEVICE`` or ``DEVICE/AE`` if that has only one connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, NotFound
from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import DICOM, Configuration, Connection, Device
from dcmcfg.schema_names import (
    BIND_ADDRESS,
    DCM_PROTOCOL,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_PORT,
    DICOM_TLS_CIPHER_SUITE,
)
from dcmcfg.suggestions import format_known_names

#: The protocols of the archive's Connection.Protocol, each with the default connection names without and with TLS.
_DEFAULT_NAMES = {
    DICOM: ("dicom", "dicom-tls"),
    "HL7": ("hl7", "hl7-tls"),
    "HL7_MLLP2": ("hl7", "hl7-tls"),
    "SYSLOG_TLS": ("syslog-tls", "syslog-tls"),
    "SYSLOG_UDP": ("syslog", "syslog"),
    "HTTP": ("http", "https"),
}
PROTOCOLS = tuple(_DEFAULT_NAMES)


@dataclass(frozen=True)
class ConnectionSettings:
    """The desired settings of a connection; None does not change an attribute.

    An empty tuple of ``cipher_suites`` disables TLS. An empty ``bind_address`` or ``client_bind_address`` removes the
    attribute. ``protocol`` is one of the archive's Connection.Protocol, such as DICOM or HL7.
    """

    host: str | None = None
    port: int | None = None
    cipher_suites: tuple[str, ...] | None = None
    protocol: str | None = None
    _: KW_ONLY
    bind_address: str | None = None
    client_bind_address: str | None = None
    installed: bool | None = None

    def to_attributes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each specified attribute with its values; the default protocol DICOM is omitted."""
        # The archive omits default values too (LdapDicomConfiguration).
        texts = {
            DICOM_HOSTNAME: self.host,
            DICOM_PORT: None if self.port is None else str(self.port),
            DCM_PROTOCOL: "" if self.protocol == DICOM else self.protocol,
            BIND_ADDRESS: self.bind_address,
            "dcmClientBindAddress": self.client_bind_address,
            # Without this attribute, a connection is installed if its device is.
            DICOM_INSTALLED: None if self.installed is None else ("" if self.installed else "FALSE"),
        }
        yield from ((name, (text,) if text else ()) for name, text in texts.items() if text is not None)
        if self.cipher_suites is not None:
            yield DICOM_TLS_CIPHER_SUITE, self.cipher_suites


def get_default_connection_name(settings: ConnectionSettings) -> str:
    """Return the name of such a connection in the default configuration: ``dicom``, ``hl7-tls``, ``https``."""
    plain, secured = _DEFAULT_NAMES[settings.protocol or DICOM]
    return secured if settings.cipher_suites else plain


def matches_settings(entry: Entry, settings: ConnectionSettings) -> bool:
    """Return whether *entry* has all values that *settings* specify."""
    return all(set(entry.texts(name)) == set(values) for name, values in settings.to_attributes())


def find_connection_entry(device: Device, connection: Connection) -> Entry:
    """Return the entry of *connection*, a connection of *device*."""
    # A connection has the DN object of the entry from which it was built.
    return next(child for child in device.tree.children(device.entry.dn) if child.dn is connection.dn)


def warn_about_shared_address(device: Device, entry: Entry) -> Iterator[str]:
    """Yield a warning for each other connection of a remote *device* with the same host and port.

    The archive's own ports are checked in the plan (by the rules for its ports), with the addresses that it binds.
    """
    if device.is_archive:
        return
    host, port = (entry.text(DICOM_HOSTNAME) or "").casefold(), entry.text(DICOM_PORT)
    for other in device.connections:
        if other.dn != entry.dn and port and str(other.port) == port and other.host.casefold() == host:
            yield f"the connection {get_connection_name(other.dn)} of {device.name} also has the address {host}:{port}."


def find_connection(configuration: Configuration, text: str) -> tuple[Device, Connection]:
    """Return the connection *text*: ``DEVICE/NAME``, or ``DEVICE`` or ``DEVICE/AE`` with only one connection.

    Raises :class:`NotFound`, and :class:`AmbiguousName` for a device or AE with several connections.
    """
    device, name = split_connection(configuration, text)
    if name is None:
        return device, _require_single(device, device.connections, f"the device {device.name}")
    for each in device.connections:
        if get_connection_name(each.dn).casefold() == name.casefold():
            return device, each
    for ae in device.network_aes:
        # Unlike names of devices and connections, AE titles are case-sensitive.
        if ae.title == name:
            return device, _require_single(device, ae.connections, f"the AE {ae.qualified_title}")
    known_names = format_known_names(name, (get_connection_name(each.dn) for each in device.connections))
    raise NotFound(
        f"the device {device.name} has no connection {name}", next_step=f"connections of the device: {known_names}"
    )


def _require_single(device: Device, connections: tuple[Connection, ...], owner: str) -> Connection:
    if len(connections) == 1:
        return connections[0]
    if not connections:
        raise NotFound(
            f"{owner} has no connection",
            next_step=f"to add a connection: dcmcfg connection add {device.name} HOST:PORT",
        )
    candidates = ", ".join(f"{device.name}/{get_connection_name(each.dn)}" for each in connections)
    raise AmbiguousName(f"{owner} has several connections", next_step=f"specify one of {candidates}")


def split_connection(configuration: Configuration, text: str) -> tuple[Device, str | None]:
    """Return the device and the name in ``DEVICE/NAME`` (None: only a device); raises :class:`NotFound`."""
    for device in configuration.devices:
        if device.name.casefold() == text.casefold():
            return device, None
    for device in configuration.devices:
        # The names themselves may contain a slash, so the text is compared with each device.
        length = len(device.name)
        if text[length : length + 1] == "/" and text[:length].casefold() == device.name.casefold():
            return device, text[length + 1 :]
    return configuration.get_device(text.partition("/")[0]), None
