"""Ports that the archive opens more than once.

At start and at each reload the archive opens the port of every installed connection of its own device, whether an AE
refers to it or not (``Device.bindConnections``, ``Connection.bind``). It opens none for protocols that it has no
handler for: HTTP, whose port the application server opens, and the SYSLOG protocols.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address

from dcmcfg.connection_users import connection_name
from dcmcfg.devices import DICOM
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.lint.survey import Survey

_HIGHEST_PORT = 65535
#: The protocols whose ports the archive opens (``Connection.registerTCPProtocolHandler``).
_OPENED = (DICOM, "HL7", "HL7_MLLP2")
_UDP = ("SYSLOG_UDP",)
_ARCHIVE, _HTTP, _SYSLOG = "archive", "HTTP", "SYSLOG"
#: Whose ports are compared with those of an opener for a warning. Connections of HTTP may well share one.
_OTHERS = {
    _ARCHIVE: (_SYSLOG, _HTTP),
    _SYSLOG: (_ARCHIVE, _SYSLOG, _HTTP),
    _HTTP: (_ARCHIVE, _SYSLOG),
}
_LOOPBACK, _LOOPBACK_6 = "127.0.0.1", "::1"


@dataclass(frozen=True)
class _Listener:
    """A connection that is installed and has a port."""

    entry: Entry
    port: int

    @property
    def name(self) -> str:
        return connection_name(self.entry.dn)

    @property
    def protocol(self) -> str:
        return self.entry.text("dcmProtocol") or DICOM

    @property
    def opener(self) -> str:
        """What opens the port: the archive, or nothing of it (by the kind of protocol)."""
        if self.protocol in _OPENED:
            return _ARCHIVE
        return _HTTP if self.protocol == _HTTP else _SYSLOG

    @property
    def place(self) -> tuple[str, int]:
        return "UDP" if self.protocol in _UDP else "TCP", self.port

    @cached_property
    def bound_to(self) -> str:
        """The address as it is written: dcmBindAddress, else dicomHostname; empty if neither is there."""
        return self.entry.text("dcmBindAddress") or self.entry.text("dicomHostname") or ""

    @cached_property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address, None of a host name: which address that is, only the archive's machine knows."""
        return _address(self.bound_to)

    @property
    def is_everywhere(self) -> bool:
        return self.address is not None and self.address.is_unspecified

    @property
    def is_localhost(self) -> bool:
        return self.bound_to.casefold() == "localhost"

    @property
    def compared(self) -> str:
        return str(self.address) if self.address is not None else self.bound_to.rstrip(".").casefold()


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that Java takes *text* for without asking a name server (``InetAddress.getByName``)."""
    plain = text.removeprefix("[").removesuffix("]")
    if not plain:
        return ip_address("0.0.0.0")  # noqa: S104 — read, not bound
    if plain.casefold() == "localhost":
        return ip_address(_LOOPBACK)
    try:
        found = ip_address(plain)
    except ValueError:
        return _short_address(plain)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _short_address(text: str) -> IPv4Address | None:
    """Return the IPv4 address in *text* of fewer than four numbers, the last of which fills the octets left."""
    parts = text.split(".")
    if len(parts) > 3 or not all(part.isascii() and part.isdecimal() and len(part) <= 10 for part in parts):
        return None
    *first, last = map(int, parts)
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return IPv4Address(sum(number << 8 * (3 - place) for place, number in enumerate(first)) + last)


class _Taken:
    """The listeners of one port, asked for the first that is, or may be, in the way of another."""

    def __init__(self) -> None:
        self._first: _Listener | None = None
        self._everywhere: _Listener | None = None
        self._named: _Listener | None = None
        self._localhost: _Listener | None = None
        self._by_address: dict[str, _Listener] = {}

    def certainly_by(self, new: _Listener) -> _Listener | None:
        """Return a listener at the address of *new*, at a part of it, or at all addresses."""
        if new.is_everywhere:
            return self._first
        return self._by_address.get(new.compared) or self._everywhere

    def perhaps_by(self, new: _Listener) -> _Listener | None:
        """Return a listener whose address may be that of *new*, as one of the two is a host name."""
        if new.address is None:
            return self._first
        if new.is_localhost and (other := self._by_address.get(_LOOPBACK_6)) is not None:
            return other
        if new.compared == _LOOPBACK_6 and self._localhost is not None:
            return self._localhost
        return self._named

    def take(self, new: _Listener) -> None:
        """Count *new* among the listeners."""
        self._first = self._first or new
        self._by_address.setdefault(new.compared, new)
        if new.is_everywhere:
            self._everywhere = self._everywhere or new
        if new.address is None:
            self._named = self._named or new
        if new.is_localhost:
            self._localhost = self._localhost or new


class _Ports:
    """The ports of one device: who takes them, and which are unused."""

    def __init__(self, listeners: Iterable[_Listener]) -> None:
        self._taken: dict[tuple[str, int, str], _Taken] = {}
        self._used = {listener.port for listener in listeners}
        self._proposed: dict[int, int] = {}

    def by(self, place: tuple[str, int], opener: str) -> _Taken:
        """Return the listeners at *place* (transport and port) whose ports *opener* opens."""
        return self._taken.setdefault((*place, opener), _Taken())

    def unused(self, port: int) -> int | None:
        """Return a port above *port* that no connection of the device has, another one each time; None at the end."""
        number = self._proposed.get(port, port) + 1
        while number in self._used:
            number += 1
        self._proposed[port] = number
        return number if number <= _HIGHEST_PORT else None


def _conflicts(survey: Survey) -> Iterator[Breach]:
    for device, listeners in _listeners(survey).items():
        ports = _Ports(listeners)
        for new in listeners:
            if new.opener != _ARCHIVE:
                continue
            taken = ports.by(new.place, _ARCHIVE)
            other = taken.certainly_by(new)
            taken.take(new)
            if other is not None:
                yield _breach(survey, device, new, other, f"{_same(new, other)}{_unused(ports, new)}")


def _doubtful(survey: Survey) -> Iterator[Breach]:
    for device, listeners in _listeners(survey).items():
        ports = _Ports(listeners)
        for new in listeners:
            if (found := _doubt(ports, new)) is not None:
                yield _breach(survey, device, new, *found)
            ports.by(new.place, new.opener).take(new)


def _doubt(ports: _Ports, new: _Listener) -> tuple[_Listener, str] | None:
    """Return the listener that may be in the way of *new*, and why; None if another surely is, which is an error."""
    if new.opener == _ARCHIVE:
        taken = ports.by(new.place, _ARCHIVE)
        if taken.certainly_by(new) is not None:
            return None
        if (other := taken.perhaps_by(new)) is not None:
            unknown = "and dcmcfg does not look host names up"
            return other, f"the connection {other.name} has port {other.port} too ({_addresses(new, other)}), {unknown}"
    for opener in _OTHERS[new.opener]:
        if (other := ports.by(new.place, opener).certainly_by(new)) is not None:
            unopened = new if new.opener != _ARCHIVE else other
            return other, f"{_same(new, other)}; the archive itself opens no port for {unopened.protocol}"
    return None


def _listeners(survey: Survey) -> Mapping[NormalDN, list[_Listener]]:
    """Return the listeners of each archive that is installed, in the order in which they are judged."""
    key = survey.tree.key
    archives = [each for each in survey.judged if each.is_a("dcmArchiveDevice") and each.is_a("dicomDevice")]
    found: dict[NormalDN, list[_Listener]] = {key(each.dn): [] for each in archives if _installed(each)}
    for entry in survey.judged if found else ():
        if entry.is_a("dicomNetworkConnection") and _installed(entry):
            port = _port(entry.text("dicomPort") or "")
            if port is not None and (listeners := found.get(key(entry.dn)[1:])) is not None:
                listeners.append(_Listener(entry, port))
    return found


def _installed(entry: Entry) -> bool:
    return entry.text("dicomInstalled") != "FALSE"


def _port(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return port if 1 <= (port := int(text)) <= _HIGHEST_PORT else None


def _breach(survey: Survey, device: NormalDN, new: _Listener, other: _Listener, message: str) -> Breach:
    related = (other.entry.dn, survey.tree.entries[device].dn)
    return Breach(new.entry.dn, message, "dicomPort", str(new.port).encode(), related=related)


def _same(new: _Listener, other: _Listener) -> str:
    return f"the connection {other.name} has port {other.port} too ({_addresses(new, other)})"


def _addresses(new: _Listener, other: _Listener) -> str:
    """Return the two addresses in words: the one, or both where they are written otherwise."""
    written = dict.fromkeys(each.bound_to or "all addresses" for each in (other, new))
    return " and ".join(written)


def _unused(ports: _Ports, new: _Listener) -> str:
    port = ports.unused(new.port)
    return "" if port is None else f"; port {port} is unused in the configuration"


_FIX = "Give one of the two another port or another dcmBindAddress, or set its dicomInstalled to FALSE."
RULES = (
    LintRule(
        "port-taken",
        "error",
        "No two installed connections of the archive have the same port at the same address.",
        "The archive opens the port for one of them only. A reload answers 500 although the new configuration is in "
        "force, and the port of the other connection is closed. The next start of the archive fails.",
        _FIX,
        "dcmcfg connection set DEVICE/NAME HOST:PORT",
        _conflicts,
        kind="stops-next-start",
    ),
    LintRule(
        "port-perhaps-taken",
        "warning",
        "No two installed connections of the archive have the same port at addresses that may be the same.",
        "If a host name is the address of the other connection, or if another program has opened the port, the archive "
        "cannot open it.",
        _FIX,
        "dcmcfg connection set DEVICE/NAME HOST:PORT",
        _doubtful,
    ),
)
