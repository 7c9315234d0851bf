"""Find this machine's own addresses, and the process that listens on a port."""

from __future__ import annotations

import ipaddress
import socket

import psutil

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 — see find_listen_addresses


def is_this_machine(host: str) -> bool:
    """Return whether *host*, a name or an address, is this machine; False also if the name cannot be resolved."""
    return bool(_find_own_addresses(host))


def find_listen_addresses(host: str) -> tuple[str, ...]:
    """Return the addresses to listen on to be reached as *host*; empty if *host* is another machine.

    A host name that resolves only to a loopback address here (Debian writes ``127.0.1.1`` next to it in /etc/hosts) has
    another address in the rest of the network. Therefore all interfaces listen then. ``localhost`` stays on loopback.
    :data:`ALL_ADDRESSES` is returned unchanged.
    """
    if host == ALL_ADDRESSES:
        return (ALL_ADDRESSES,)
    own_addresses = _find_own_addresses(host)
    if own_addresses and all(_is_loopback(address) for address in own_addresses) and not _is_loopback_name(host):
        return (ALL_ADDRESSES,)
    return tuple(sorted(own_addresses, key=lambda address: (":" in address, address)))


def find_source_address(host: str, port: int) -> str | None:
    """Return this machine's address for connections to *host*, None if there is no route; nothing is sent.

    The address comes from this machine's routing table; a device on the way may translate it.
    """
    try:
        candidates = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return None
    for family, kind, protocol, _, address in candidates:
        try:
            with socket.socket(family, kind, protocol) as probe:
                # For a UDP socket, connect() selects a route and sends nothing.
                probe.connect(address)
                return _strip_zone(str(probe.getsockname()[0]))
        except OSError:
            continue
    return None


def find_listening_process(port: int) -> str:
    """Return the process that listens on TCP *port*: ``name (pid n)``, ``another user's process``, or ``""``."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return "another user's process"  # macOS shows connections to root only.
    listening = (item for item in connections if item.status == psutil.CONN_LISTEN)
    pids = {item.pid for item in listening if getattr(item.laddr, "port", None) == port}
    known_pids = sorted(pid for pid in pids if pid is not None)
    if known_pids:
        return ", ".join(_format_process(pid) for pid in known_pids)
    return "another user's process" if pids else ""


def _format_process(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def _resolve(host: str) -> set[str]:
    try:
        results = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {_strip_zone(str(address[0])) for *_, address in results}


def _find_own_addresses(host: str) -> set[str]:
    """Return those addresses of *host* that belong to this machine; all of 127/8 does."""
    interfaces = _list_interface_addresses()
    return {address for address in _resolve(host) if address in interfaces or address.startswith("127.")}


def _list_interface_addresses() -> set[str]:
    families = (socket.AF_INET, socket.AF_INET6)
    items = (item for interface in psutil.net_if_addrs().values() for item in interface)
    return {_strip_zone(item.address) for item in items if item.family in families}


def _strip_zone(address: str) -> str:
    return address.partition("%")[0]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _is_loopback_name(host: str) -> bool:
    try:
        return _is_loopback(_strip_zone(host))
    except ValueError:
        return host.lower().rstrip(".") in {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
