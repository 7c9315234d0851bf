"""Ports that the archive opens more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.dn import NormalDN
from dcmcfg.lint.context import Survey
from dcmcfg.lint.listeners import ARCHIVE, HIGHEST_PORT, HTTP, SYSLOG, Listener
from dcmcfg.lint.rule import Breach, LintRule

#: Whose ports are compared with those of an opener for a warning. Connections of HTTP may well share one.
_OTHERS = {ARCHIVE: (SYSLOG, HTTP), SYSLOG: (ARCHIVE, SYSLOG, HTTP), HTTP: (ARCHIVE, SYSLOG)}
_LOOPBACK_6 = "::1"


class _Taken:
    """The listeners of one port, asked for the first that is, or may be, in the way of another."""

    def __init__(self) -> None:
        self._first: Listener | None = None
        self._everywhere: Listener | None = None
        self._named: Listener | None = None
        self._localhost: Listener | None = None
        self._by_address: dict[str, Listener] = {}

    def certainly_by(self, new: Listener) -> Listener | None:
        """Return a listener at the address of *new*, at a part of it, or at all addresses."""
        if new.is_everywhere:
            return self._first
        return self._by_address.get(new.compared) or self._everywhere

    def perhaps_by(self, new: Listener) -> Listener | None:
        """Return a listener whose address may be that of *new*, as one of the two is a host name."""
        if new.address is None:
            return self._first
        if new.is_localhost and (other := self._by_address.get(_LOOPBACK_6)) is not None:
            return other
        if new.compared == _LOOPBACK_6 and self._localhost is not None:
            return self._localhost
        return self._named

    def take(self, new: Listener) -> None:
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

    def __init__(self, listeners: Iterable[Listener]) -> None:
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
        return number if number <= HIGHEST_PORT else None


def _conflicts(survey: Survey) -> Iterator[Breach]:
    for device, listeners in survey.listeners.items():
        ports = _Ports(listeners)
        for new in listeners:
            if new.opener != ARCHIVE:
                continue
            taken = ports.by(new.place, ARCHIVE)
            other = taken.certainly_by(new)
            taken.take(new)
            if other is not None:
                yield _breach(survey, device, new, other, f"{_same(new, other)}{_unused(ports, new)}")


def _doubtful(survey: Survey) -> Iterator[Breach]:
    for device, listeners in survey.listeners.items():
        ports = _Ports(listeners)
        for new in listeners:
            if (found := _doubt(ports, new)) is not None:
                yield _breach(survey, device, new, *found)
            ports.by(new.place, new.opener).take(new)


def _doubt(ports: _Ports, new: Listener) -> tuple[Listener, str] | None:
    """Return the listener that may be in the way of *new*, and why; None if another surely is, which is an error."""
    if new.opener == ARCHIVE:
        taken = ports.by(new.place, ARCHIVE)
        if taken.certainly_by(new) is not None:
            return None
        if (other := taken.perhaps_by(new)) is not None:
            return other, f"{_same(new, other)}, and dcmcfg does not look host names up"
    for opener in _OTHERS[new.opener]:
        if (other := ports.by(new.place, opener).certainly_by(new)) is not None:
            unopened = new if new.opener != ARCHIVE else other
            return other, f"{_same(new, other)}; the archive itself opens no port for {unopened.protocol}"
    return None


def _breach(survey: Survey, device: NormalDN, new: Listener, other: Listener, message: str) -> Breach:
    related = (other.entry.dn, survey.tree.entries[device].dn)
    return Breach(new.entry.dn, message, "dicomPort", str(new.port).encode(), related=related)


def _same(new: Listener, other: Listener) -> str:
    return f"the connection {other.name} has port {other.port} too (bound to {_addresses(new, other)})"


def _addresses(new: Listener, other: Listener) -> str:
    """Return the two addresses in words: the one, or both where they are written otherwise."""
    written = dict.fromkeys(each.bound_to or "all addresses" for each in (other, new))
    return " and ".join(written)


def _unused(ports: _Ports, new: Listener) -> str:
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
