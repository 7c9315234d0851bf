"""The ports on which an archive listens.

At start and at each reload the archive opens the port of every installed connection of its own device, whether an AE
refers to it or not (``Device.bindConnections``, ``Connection.bind``). It opens none for protocols that it has no
handler for: HTTP, whose port the application server opens, and the SYSLOG protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address

from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import DICOM
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    BIND_ADDRESS,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DCM_PROTOCOL,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_PORT,
)

HIGHEST_PORT = 65535
#: The openers of ports: the archive itself, the application server (HTTP), or another program (SYSLOG).
ARCHIVE, HTTP, SYSLOG = "archive", "HTTP", "SYSLOG"
#: The protocols whose ports the archive opens (``Connection.registerTCPProtocolHandler``).
_ARCHIVE_PROTOCOLS = (DICOM, "HL7", "HL7_MLLP2")
_UDP_PROTOCOLS = ("SYSLOG_UDP",)
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ListeningConnection:
    """A connection that is installed and has a port."""

    entry: Entry
    port: int

    @property
    def name(self) -> str:
        return get_connection_name(self.entry.dn)

    @cached_property
    def protocol(self) -> str:
        return (self.entry.text(DCM_PROTOCOL) if self._is_extended else None) or DICOM

    @cached_property
    def opener(self) -> str:
        """The opener of the port, by the protocol."""
        if self.protocol in _ARCHIVE_PROTOCOLS:
            return ARCHIVE
        return HTTP if self.protocol == HTTP else SYSLOG

    @cached_property
    def transport_port(self) -> tuple[str, int]:
        return "UDP" if self.protocol in _UDP_PROTOCOLS else "TCP", self.port

    @cached_property
    def bind_host(self) -> str:
        """The bind address as text: dcmBindAddress, else dicomHostname; empty without either."""
        bound = self.entry.text(BIND_ADDRESS) if self._is_extended else None
        return bound or self.entry.text(DICOM_HOSTNAME) or ""

    @property
    def _is_extended(self) -> bool:
        """Whether the archive reads the ``dcm…`` attributes of the connection."""
        return self.entry.is_a(DCM_NETWORK_CONNECTION_OBJECT_CLASS)

    @cached_property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address, None for a host name, which only the archive's machine can resolve."""
        return _parse_address(self.bind_host)

    @property
    def is_on_all_addresses(self) -> bool:
        return self.address is not None and self.address.is_unspecified

    @cached_property
    def is_localhost(self) -> bool:
        return self.bind_host.casefold() == "localhost"

    @cached_property
    def comparison_key(self) -> str:
        # A dot at the end marks an absolute host name. It names the same host.
        return str(self.address) if self.address is not None else self.bind_host.rstrip(".").casefold()


def find_archive_listeners(tree: Tree, entries: Sequence[Entry]) -> Mapping[NormalDN, Sequence[ListeningConnection]]:
    """Return the listeners of each installed archive among the *entries* of *tree*, in their order."""
    key = tree.key
    archives = [each for each in entries if each.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)]
    found: dict[NormalDN, list[ListeningConnection]] = {key(each.dn): [] for each in archives if _is_installed(each)}
    # Most files have no archive, so there is no need to search them.
    for entry in entries if found else ():
        if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS) and _is_installed(entry):
            port = _parse_port(entry.text(DICOM_PORT) or "")
            if port is not None and (listeners := found.get(key(entry.dn)[1:])) is not None:
                listeners.append(ListeningConnection(entry, port))
    return found


def _is_installed(entry: Entry) -> bool:
    return entry.text(DICOM_INSTALLED) != "FALSE"


def _parse_port(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return port if 1 <= (port := int(text)) <= HIGHEST_PORT else None


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that Java reads from *text* without a name server (``InetAddress.getByName``)."""
    address = text.removeprefix("[").removesuffix("]")
    if not address:
        return ip_address("0.0.0.0")  # noqa: S104 — read, not bound
    if address.casefold() == "localhost":
        return ip_address(_LOOPBACK)
    try:
        found = ip_address(address)
    except ValueError:
        return _parse_short_address(address)
    # ``InetAddress`` converts an IPv4-mapped IPv6 address to IPv4.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _parse_short_address(text: str) -> IPv4Address | None:
    """Return the IPv4 address in *text* with fewer than four numbers; the last number fills the remaining octets."""
    parts = text.split(".")
    if len(parts) > 3 or not all(part.isascii() and part.isdecimal() and len(part) <= 10 for part in parts):
        return None
    *first, last = map(int, parts)
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return IPv4Address(sum(number << 8 * (3 - position) for position, number in enumerate(first)) + last)
