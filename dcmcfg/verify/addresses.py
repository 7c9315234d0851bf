"""Who has to be called where for a verification, read from the tree."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.storage.local_host import is_this_machine
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.model.devices import Configuration, Connection, Device, NetworkAE
from dcmcfg.model.retrieve_settings import effective
from dcmcfg.network_address import at
from dcmcfg.route.ae_lookup import Unresolved, astray, calling_title, resolve
from dcmcfg.route.connection_matching import Fit, connection_to, fit
from dcmcfg.route.path import Step
from dcmcfg.route.request import Question, asked_ae
from dcmcfg.route.route import find_route
from dcmcfg.suggestions import near_misses
from dcmcfg.unsigned_integer import whole_number
from dcmcfg.verify.evidence import CANNOT_LOAD, ConfiguredRoute

_PORTS = range(1, 65536)
#: Seconds that we wait longer than the archive itself, so that it is the archive that gives up first.
MARGIN_S = 60.0
#: Seconds to wait at least: the archive's stock dcmRetrieveTimeout.
STOCK_RETRIEVE_TIMEOUT_S = 300.0
#: Seconds to wait for an archive whose dcmRetrieveTimeout is 0 or absent, which waits for ever.
UNLIMITED_S = 3600.0
#: Seconds to wait at most: the operating system takes no number however large.
LONGEST_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Address:
    """What the user says instead of the tree: a host, and a port unless the tree's is meant."""

    host: str
    port: int | None = None

    @staticmethod
    def parse(text: str) -> Address:
        """Return the address written ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``; raises :class:`MalformedInput`."""
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or port == 0 or parts.netloc != text or set(text) & set("@ ") or text.endswith(":"):
            raise MalformedInput(
                "not HOST or HOST:PORT", on=repr(text), next_step="for example archive.hospital:11112 or [::1]:11112"
            )
        return Address(host, port)


@dataclass(frozen=True)
class Addresses:
    """Where everybody is; ``destination`` is None when the tree has no address for it."""

    archive: Peer
    destination: Peer | None
    route: ConfiguredRoute
    timeouts: Timeouts
    warnings: tuple[str, ...] = ()
    tls: bool = False  # the archive is called over TLS
    receives_tls: bool = False  # the destination takes TLS connections only


def find_addresses(
    configuration: Configuration,
    device_name: str,
    destination: str,
    *,
    ae: str | None = None,
    calling: str = "",
    connect: Address | None = None,
    receive: bool = False,
    timeout_s: float | None = None,
    tls: bool = False,
    elsewhere: tuple[str, ...] = (),
) -> Addresses:
    """Return the addresses for a C-MOVE of a study from an AE of the device *device_name* to the AE *destination*.

    ``ae`` is the archive AE that is asked; without it the only one that takes storage, or the only one.
    ``calling`` is the title that asks. With ``tls`` the archive's TLS connection is meant, which is also taken where it
    has no other (a warning says so).
    ``elsewhere`` are the hosts of the site's servers (:func:`server_hosts`): a ``localhost`` in the tree is warned
    about when one of them is another machine.

    Raises :class:`~dcmcfg.errors.NotFound` for a device or AE that is not in the tree (the destination only with
    ``receive``), :class:`~dcmcfg.errors.MalformedInput` when the AE must be named, and
    :class:`~dcmcfg.errors.DcmcfgError` for one that does not listen, or with ``tls`` not with TLS.
    """
    device = configuration.device(device_name)
    asked = asked_ae(device, ae)
    connection = asked.listening(tls=tls)
    by_itself = not tls and connection is None and asked.listening(tls=True) is not None
    connection = asked.listening(tls=True) if by_itself else connection
    archive = _peer(asked, connection, connect, "--connect HOST:PORT gives the archive's address", tls=tls)
    target = configuration.network_ae(destination)
    near = near_misses(destination, (ae.title for ae in configuration.network_aes()))
    if receive and target is None:
        meant = f"did you mean {', '.join(near)}? Else " if near else ""
        raise NotFound(
            f"the tree has no AE {destination}, so there is no address to receive on",
            next_step=f"{meant}name another AE with --dest, or verify without --receive",
        )
    listening = (target.listening() or target.listening(tls=True)) if target else None
    receiver = None
    if target and (receive or _is_usable(listening)):
        receiver = _peer(target, listening, None, "name another AE with --dest, or verify without --receive")
    return Addresses(
        archive=archive,
        destination=receiver,
        route=_route(configuration, asked, target, near, _asks(configuration, Question(asked, destination, calling))),
        timeouts=_timeouts(device, connection, timeout_s),
        warnings=(
            *((f"{asked.title} listens with TLS only, so it was called over TLS",) if by_itself else ()),
            *_warnings(archive, connect, target, receiver, destination, elsewhere),
        ),
        tls=tls or by_itself,
        receives_tls=listening is not None and listening.tls,
    )


def _peer(
    ae: NetworkAE, connection: Connection | None, instead: Address | None, way_out: str, *, tls: bool = False
) -> Peer:
    port = (instead.port if instead else None) or (connection.port if connection else None)
    host = instead.host if instead else connection.host if connection else ""
    if not host or not port:
        with_tls = " with TLS" if tls else ""
        raise DcmcfgError(
            f"{ae.title} has no installed DICOM connection that listens{with_tls}",
            on=str(ae.entry.dn),
            next_step=f"dcmcfg connection list tells its connections; {way_out}",
        )
    try:
        return Peer(ae.title, host, port, "--connect" if instead else "")
    except MalformedInput as error:  # the tree's fault, not the user's
        dn = connection.dn if connection else ae.entry.dn
        raise DcmcfgError(
            f"{ae.title} has a dicomPort that is no TCP port: {port}",
            on=str(dn),
            next_step=f"correct it, then dcmcfg reload; or {way_out}",
        ) from error


def _is_usable(connection: Connection | None) -> bool:
    return connection is not None and connection.port is not None and connection.port in _PORTS


def _asks(configuration: Configuration, question: Question) -> tuple[Step, ...]:
    """Return the C-MOVE requests that the archive may send, in whatever state a study is."""
    steps = (step for way in find_route(configuration, question).ways for step in way.steps)
    return tuple(step for step in steps if step.message == "C-MOVE")


def _route(
    configuration: Configuration,
    asked: NetworkAE,
    target: NetworkAE | None,
    near: tuple[str, ...],
    asks: tuple[Step, ...],
) -> ConfiguredRoute:
    setting = effective(asked, "dcmExternalRetrieveAEDestination")
    destination = next(iter(setting.values), None)
    wrong = astray(configuration, asked, destination) if destination else None
    sources = {"AE": f"AE {asked.title}", "device": f"device {asked.device.name}", "": ""}
    return ConfiguredRoute(
        destination=destination,
        source=sources[setting.level],
        archive_titles=frozenset(ae.title for ae in asked.device.network_aes),
        destination_known=target is not None and target.installed,
        near_destination=near if target is None else (),
        accepted=asked.entry.texts("dcmAcceptedMoveDestination"),
        hidden=frozenset(_hidden(configuration, target, asks)),
        asks=frozenset((step.called, step.destination) for step in asks),
        asks_as=frozenset(step.calling for step in asks),
        sends_as=frozenset({calling_title(asked, target.title)} if target is not None else ()),
        storages=asked.device.storage_ids,
        titles=frozenset(ae.title for ae in configuration.network_aes()),
        places=frozenset(_places(asked, target, asks)),
        fits=tuple(_fits(configuration, asked, target, asks)),
        device=asked.device.name,
        alternative=_only(effective(asked, "dcmAltCMoveSCP").values),
        fallback=_only(effective(asked, "dcmFallbackCMoveSCP").values),
        fallback_destination=_only(effective(asked, "dcmFallbackCMoveSCPDestination").values),
        astray=wrong.why if wrong else "",
        mending=wrong.next_step if wrong else "",
    )


def _only(values: tuple[str, ...]) -> str:
    """Return the first of *values*; empty for none."""
    return next(iter(values), "")


def _hidden(
    configuration: Configuration, target: NetworkAE | None, asks: tuple[Step, ...]
) -> Iterator[tuple[str, str, str]]:
    titles = {step.receiver for step in asks} | ({target.title} if target is not None else set())
    for title in titles:
        found = resolve(configuration, title)
        if isinstance(found, Unresolved):
            yield title, found.why, found.next_step


def _places(asked: NetworkAE, target: NetworkAE | None, asks: tuple[Step, ...]) -> Iterator[tuple[str, str]]:
    yield from ((step.receiver, str(step.address)) for step in asks if step.address is not None)
    connection = connection_to(target, asked) if target is not None else None
    if target is not None and connection is not None:
        yield target.title, at(connection.host, connection.port or 0)


def _fits(
    configuration: Configuration, asked: NetworkAE, target: NetworkAE | None, asks: tuple[Step, ...]
) -> Iterator[Fit]:
    if target is not None:
        yield fit(target, asked)
    others = (configuration.network_ae(title) for title in dict.fromkeys(step.receiver for step in asks))
    yield from (fit(other, asked) for other in others if other is not None)


def _timeouts(device: Device, connection: Connection | None, timeout_s: float | None) -> Timeouts:
    """Return time-outs no longer than *timeout_s*; without it, no shorter than the archive's own dcmRetrieveTimeout."""
    if timeout_s is not None:
        usual = Timeouts()
        return Timeouts(
            connect=min(usual.connect, timeout_s), acse=min(usual.acse, timeout_s), dimse=timeout_s, network=timeout_s
        )
    patience_s = _archive_patience_s(device, connection)
    return Timeouts(dimse=patience_s, network=patience_s)


def _archive_patience_s(device: Device, connection: Connection | None) -> float:
    """Return the seconds that the archive may keep silent (dcmRetrieveTimeout is in milliseconds; 0 is for ever)."""
    entry = device.tree.get(connection.dn) if connection else None
    text = (entry.text("dcmRetrieveTimeout") if entry else None) or "0"
    milliseconds = whole_number(text) or 0
    if connection is None:
        return STOCK_RETRIEVE_TIMEOUT_S + MARGIN_S
    if milliseconds == 0:
        return UNLIMITED_S
    return min(max(milliseconds / 1000, STOCK_RETRIEVE_TIMEOUT_S) + MARGIN_S, LONGEST_S)


def _warnings(
    archive: Peer,
    connect: Address | None,
    target: NetworkAE | None,
    receiver: Peer | None,
    destination: str,
    elsewhere: tuple[str, ...],
) -> Iterator[str]:
    remote = next((host for host in elsewhere if not is_this_machine(host)), None)
    if remote and not connect and is_loopback(archive.host):
        yield (
            f"the tree gives {archive.host} as the host of {archive.ae_title}, which is this machine, although "
            f"{remote} is another one: --connect HOST gives the archive's address"
        )
    away = archive.host if not is_loopback(archive.host) else remote
    if away and receiver and is_loopback(receiver.host):
        yield (
            f"the tree gives {receiver.host} as the host of {destination}: an archive on {away} takes that for its "
            "own machine"
        )
    if target is None:
        yield f"the tree has no AE {destination}: the archive will not know this Move Destination"
    elif (connection := target.listening() or target.listening(tls=True)) and not _is_usable(connection):
        yield f"{destination} has the dicomPort {connection.port}: {CANNOT_LOAD}"
    elif not target.installed:
        yield f"{destination} is not installed (dicomInstalled), so the archive will refuse this Move Destination"


def server_hosts(*urls: str) -> tuple[str, ...]:
    """Return the hosts in *urls*; a server behind a socket file (``ldapi://``) has none, it is on this machine."""
    parts = (urlsplit(url) for url in urls)
    return tuple(part.hostname for part in parts if part.hostname and part.scheme != "ldapi")


def is_loopback(host: str) -> bool:
    """Tell whether *host* means the machine that it is said on: ``localhost`` or a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in {"localhost", "localhost.localdomain"}
