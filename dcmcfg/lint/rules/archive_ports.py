"""Rules for ports that several connections of the archive open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.dn import NormalDN
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.listeners import ARCHIVE, HIGHEST_PORT, HTTP, SYSLOG, ListeningConnection
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema_names import DICOM_PORT

#: Opener of a port → the openers to compare with for a warning. Two HTTP connections may share a port.
_COMPARED_OPENERS = {ARCHIVE: (SYSLOG, HTTP), SYSLOG: (ARCHIVE, SYSLOG, HTTP), HTTP: (ARCHIVE, SYSLOG)}
_LOOPBACK_6 = "::1"


class _PortListeners:
    """The listeners of one port, for finding actual or possible conflicts."""

    def __init__(self) -> None:
        self._first: ListeningConnection | None = None
        self._on_all_addresses: ListeningConnection | None = None
        self._by_host_name: ListeningConnection | None = None
        self._localhost: ListeningConnection | None = None
        self._by_address: dict[str, ListeningConnection] = {}

    def find_conflict(self, listener: ListeningConnection) -> ListeningConnection | None:
        """Return a listener whose address overlaps with the address of *listener*, or None."""
        if listener.is_on_all_addresses:
            return self._first
        return self._by_address.get(listener.comparison_key) or self._on_all_addresses

    def find_possible_conflict(self, listener: ListeningConnection) -> ListeningConnection | None:
        """Return a listener whose address may equal that of *listener* because one of them is a host name, or None."""
        if listener.address is None:
            return self._first
        # ``localhost`` counts as 127.0.0.1, but a host may resolve it to ::1.
        if listener.is_localhost and (other := self._by_address.get(_LOOPBACK_6)) is not None:
            return other
        if listener.comparison_key == _LOOPBACK_6 and self._localhost is not None:
            return self._localhost
        return self._by_host_name

    def add(self, listener: ListeningConnection) -> None:
        """Add *listener*."""
        self._first = self._first or listener
        self._by_address.setdefault(listener.comparison_key, listener)
        if listener.is_on_all_addresses:
            self._on_all_addresses = self._on_all_addresses or listener
        if listener.address is None:
            self._by_host_name = self._by_host_name or listener
        if listener.is_localhost:
            self._localhost = self._localhost or listener


class _DevicePorts:
    """The ports of one device: their listeners, and unused ports."""

    def __init__(self, listeners: Iterable[ListeningConnection]) -> None:
        self._listeners: dict[tuple[str, int, str], _PortListeners] = {}
        self._used = {listener.port for listener in listeners}
        self._proposed: dict[int, int] = {}

    def get_listeners(self, transport_port: tuple[str, int], opener: str) -> _PortListeners:
        """Return the listeners at *transport_port* (transport and port) whose ports *opener* opens."""
        return self._listeners.setdefault((*transport_port, opener), _PortListeners())

    def find_unused(self, port: int) -> int | None:
        """Return an unused port above *port*, a different one at each call; None if there are no more."""
        number = self._proposed.get(port, port) + 1
        while number in self._used:
            number += 1
        self._proposed[port] = number
        return number if number <= HIGHEST_PORT else None


def _find_port_in_use(context: LintContext) -> Iterator[Violation]:
    for device, listeners in context.listeners.items():
        ports = _DevicePorts(listeners)
        for new in listeners:
            # Other programs open the other ports, so a conflict is only possible, not certain.
            if new.opener != ARCHIVE:
                continue
            port_listeners = ports.get_listeners(new.transport_port, ARCHIVE)
            other = port_listeners.find_conflict(new)
            port_listeners.add(new)
            # Observed on 5.35.1: the reload answers 500, but the new configuration is in force and the later port is
            # closed.
            if other is not None:
                yield _build_violation(
                    context, device, new, other, message=f"{_describe_conflict(new, other)}{_suggest_port(ports, new)}"
                )


def _find_port_possibly_in_use(context: LintContext) -> Iterator[Violation]:
    for device, listeners in context.listeners.items():
        ports = _DevicePorts(listeners)
        for new in listeners:
            if (found := _find_possible_conflict(ports, new)) is not None:
                other, message = found
                yield _build_violation(context, device, new, other, message=message)
            ports.get_listeners(new.transport_port, new.opener).add(new)


def _find_possible_conflict(ports: _DevicePorts, new: ListeningConnection) -> tuple[ListeningConnection, str] | None:
    """Return the possible conflict with *new* and its reason; None if there is an actual conflict (an error)."""
    if new.opener == ARCHIVE:
        port_listeners = ports.get_listeners(new.transport_port, ARCHIVE)
        if port_listeners.find_conflict(new) is not None:
            return None
        if (other := port_listeners.find_possible_conflict(new)) is not None:
            return (
                other,
                f"{_describe_conflict(new, other)}. dcmcfg does not resolve host names, so the two addresses may be "
                "equal",
            )
    # The archive starts without these ports, but the other program may have opened them first.
    for opener in _COMPARED_OPENERS[new.opener]:
        if (other := ports.get_listeners(new.transport_port, opener).find_conflict(new)) is not None:
            unopened = new if new.opener != ARCHIVE else other
            return other, (
                f"{_describe_conflict(new, other)}; the archive itself opens no port for {unopened.protocol}, but "
                "another program may have opened this port"
            )
    return None


def _build_violation(
    context: LintContext, device: NormalDN, new: ListeningConnection, other: ListeningConnection, *, message: str
) -> Violation:
    related = (other.entry.dn, context.tree.entries[device].dn)
    return Violation(new.entry.dn, message, DICOM_PORT, str(new.port).encode(), related_dns=related)


def _describe_conflict(new: ListeningConnection, other: ListeningConnection) -> str:
    return f"the connection {other.name} also has port {other.port} (addresses: {_format_addresses(new, other)})"


def _format_addresses(new: ListeningConnection, other: ListeningConnection) -> str:
    """Return both addresses as a phrase, or only one if they are written in the same way."""
    addresses = dict.fromkeys(each.bind_host or "all addresses" for each in (other, new))
    return " and ".join(addresses)


def _suggest_port(ports: _DevicePorts, new: ListeningConnection) -> str:
    port = ports.find_unused(new.port)
    return "" if port is None else f"; port {port} is unused in the configuration"


_FIX = "On one of the two connections, set another port, set another dcmBindAddress, or set dicomInstalled to FALSE."
RULES = (
    LintRule(
        "port-taken",
        "error",
        requirement="Installed connections of the archive with the same port must have different addresses.",
        reason="The archive opens the port for only one of the connections. The archive responds to a reload with "
        "HTTP status 500. The archive uses the new configuration, but the port of the second connection is closed. "
        "The next start of the "
        "archive fails.",
        fix=_FIX,
        example_command="dcmcfg connection set DEVICE/NAME HOST:PORT",
        find_violations=_find_port_in_use,
        impact="stops-next-start",
        needs_whole_tree=False,
    ),
    LintRule(
        "port-possibly-taken",
        "warning",
        requirement="Installed connections of the archive with the same port must have different IP addresses (not "
        "host names).",
        reason="The archive cannot open the port in two cases: a host name resolves to the address of the other "
        "connection, or another program uses the port.",
        fix=_FIX,
        example_command="dcmcfg connection set DEVICE/NAME HOST:PORT",
        find_violations=_find_port_possibly_in_use,
        needs_whole_tree=False,
    ),
)
