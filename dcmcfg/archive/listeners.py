"""List the listeners of the archive's device in the tree, and test which of them accept TCP connections."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from dcmcfg.model.devices import Configuration, Device

#: Protocols for which the archive opens a TCP port; ``HTTP`` belongs to the web server.
_PROTOCOLS = frozenset({"DICOM", "HL7", "HL7_MLLP2"})
_LOOPBACK_PREFIXES = ("localhost", "127.", "::1")
_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class ArchiveListener:
    """A connection of the archive's device with a port; ``name`` is its cn."""

    name: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """``HOST:PORT`` as in the messages of the archive."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ProbedListener:
    """A listener and the result of a TCP connection to it: open, closed, or None if unknown.

    Of several connections with one address and port (``shares_port``), only one can listen; a TCP connection does not
    show which. ``is_used_by_other`` is True if something answers at a listener that the archive could not open: another
    process, or another connection of the archive. Then ``is_open`` is None.
    """

    listener: ArchiveListener
    is_open: bool | None
    shares_port: bool = False
    is_used_by_other: bool = False


def list_listeners(device: Device) -> tuple[ArchiveListener, ...]:
    """Return the installed TCP listeners of *device*, sorted by name."""
    return tuple(
        ArchiveListener(each.dn.rdns[0].parts[0][1], each.host, each.port)
        for each in device.connections
        if each.installed and each.port and each.protocol in _PROTOCOLS
    )


def probe_listeners(
    listeners: Sequence[ArchiveListener], archive_url: str, unbound_address: str = ""
) -> tuple[ProbedListener, ...]:
    """Open a TCP connection to each of *listeners* and close it again, for at most two seconds each.

    *unbound_address* is the address, ``HOST:PORT``, of the listener that the archive could not open, if it reported
    one.

    For a loopback host (``localhost``), the host of *archive_url* is used instead.
    """
    address_counts = Counter(each.address.lower() for each in listeners)
    return tuple(
        _probe_listener(each, archive_url, unbound_address, shares_port=address_counts[each.address.lower()] > 1)
        for each in listeners
    )


def find_conflicting_connections(configuration: Configuration, device_name: str, address: str) -> tuple[str, ...]:
    """Return, as ``DEVICE/CN``, the installed connections of devices other than *device_name* at *address*.

    *address* is ``HOST:PORT``; host names are compared case-insensitively and are not resolved.
    """
    return tuple(
        f"{device.name}/{each.name}"
        for device in configuration.devices
        if device.name != device_name
        for each in list_listeners(device)
        if each.address.lower() == address.lower()
    )


def _probe_listener(
    listener: ArchiveListener, archive_url: str, unbound_address: str, *, shares_port: bool
) -> ProbedListener:
    is_open = is_port_open(_replace_loopback_host(listener.host, archive_url), listener.port)
    if is_open and shares_port:
        return ProbedListener(listener, None, shares_port=True)
    if is_open and listener.address.lower() == unbound_address.lower():
        return ProbedListener(listener, None, is_used_by_other=True)
    return ProbedListener(listener, is_open, shares_port)


def _replace_loopback_host(host: str, archive_url: str) -> str:
    return (urlsplit(archive_url).hostname or host) if host.lower().startswith(_LOOPBACK_PREFIXES) else host


def is_port_open(host: str, port: int) -> bool | None:
    """Return whether something listens on *port* of *host*; None if that is unknown."""
    try:
        socket.create_connection((host, port), _TIMEOUT_S).close()
    except ConnectionRefusedError:
        # A refusal normally comes from the host itself; any other failure may come from the network in between.
        return False
    except (OSError, UnicodeError):
        return None
    return True
