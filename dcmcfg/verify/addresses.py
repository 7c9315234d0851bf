"""Who has to be called where for a verification, read from the tree."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from urllib.parse import urlsplit

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.local_host import is_this_machine
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.model.devices import Configuration, Connection, Device, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.network_address import format_host_port
from dcmcfg.route.ae_lookup import UnresolvedAE, check_return_destination, get_calling_ae_title, resolve_ae
from dcmcfg.route.connection_matching import ConnectionMatch, find_compatible_connection, match_connections
from dcmcfg.route.path import RouteMessage
from dcmcfg.route.request import RouteRequest, get_archive_ae
from dcmcfg.route.route import find_route
from dcmcfg.schema_names import (
    ACCEPTED_MOVE_DESTINATION,
    ALT_C_MOVE_SCP,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    RETRIEVE_TIMEOUT,
)
from dcmcfg.suggestions import suggest_names
from dcmcfg.unsigned_integer import parse_unsigned_integer
from dcmcfg.verify.evidence import CANNOT_LOAD_DEVICE, ConfiguredRoute

_PORTS = range(1, 65536)
#: Seconds that we wait longer than the archive itself, so that it is the archive that gives up first.
TIMEOUT_MARGIN_S = 60.0
#: Seconds to wait at least: the archive's stock dcmRetrieveTimeout.
STOCK_RETRIEVE_TIMEOUT_S = 300.0
#: Seconds to wait for an archive whose dcmRetrieveTimeout is 0 or absent, which waits for ever.
UNLIMITED_TIMEOUT_S = 3600.0
#: Seconds to wait at most: the operating system takes no number however large.
MAX_TIMEOUT_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class AddressOverride:
    """What the user says instead of the tree: a host, and a port unless the tree's is meant."""

    host: str
    port: int | None = None

    @staticmethod
    def parse(text: str) -> AddressOverride:
        """Return the address written ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``; raises :class:`MalformedInput`."""
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or port == 0 or parts.netloc != text or set(text) & set("@ ") or text.endswith(":"):
            raise MalformedInput(
                "not HOST or HOST:PORT",
                subject=repr(text),
                next_step="for example archive.hospital:11112 or [::1]:11112",
            )
        return AddressOverride(host, port)


@dataclass(frozen=True)
class Addresses:
    """Where everybody is; ``destination`` is None when the tree has no address for it."""

    archive: Peer
    destination: Peer | None
    route: ConfiguredRoute
    timeouts: DicomTimeouts
    _: KW_ONLY
    warnings: tuple[str, ...] = ()
    tls: bool = False  # the archive is called over TLS
    destination_requires_tls: bool = False  # the destination takes TLS connections only


def find_addresses(
    configuration: Configuration,
    device_name: str,
    destination_ae_title: str,
    *,
    ae_title: str | None = None,
    calling_ae_title: str = "",
    connect: AddressOverride | None = None,
    receive: bool = False,
    timeout_s: float | None = None,
    tls: bool = False,
    other_hosts: tuple[str, ...] = (),
) -> Addresses:
    """Return the addresses for a C-MOVE of a study from an AE of *device_name* to the AE *destination_ae_title*.

    ``ae_title`` is the archive AE that is asked; without it the only one that takes storage, or the only one.
    ``calling_ae_title`` is the title that asks. With ``tls`` the archive's TLS connection is meant, which is also taken
    where it has no other (a warning says so). ``other_hosts`` are the hosts of the site's servers
    (:func:`extract_hosts`): a ``localhost`` in the tree is warned about when one of them is another machine.

    Raises :class:`~dcmcfg.errors.NotFound` for a device or AE that is not in the tree (the destination only with
    ``receive``), :class:`~dcmcfg.errors.MalformedInput` when the AE must be named, and
    :class:`~dcmcfg.errors.DcmcfgError` for one that does not listen, or with ``tls`` not with TLS.
    """
    device = configuration.get_device(device_name)
    asked = get_archive_ae(device, ae_title)
    connection = asked.find_listening_connection(tls=tls)
    by_itself = not tls and connection is None and asked.find_listening_connection(tls=True) is not None
    connection = asked.find_listening_connection(tls=True) if by_itself else connection
    archive = _create_peer(asked, connection, connect, "--connect HOST:PORT gives the archive's address", tls=tls)
    target = configuration.find_network_ae(destination_ae_title)
    near = suggest_names(destination_ae_title, (ae.title for ae in configuration.network_aes()))
    if receive and target is None:
        meant = f"did you mean {', '.join(near)}? Else " if near else ""
        raise NotFound(
            f"the tree has no AE {destination_ae_title}, so there is no address to receive on",
            next_step=f"{meant}name another AE with --dest, or verify without --receive",
        )
    listening = (target.find_listening_connection() or target.find_listening_connection(tls=True)) if target else None
    receiver = None
    if target and (receive or _is_usable(listening)):
        receiver = _create_peer(target, listening, None, "name another AE with --dest, or verify without --receive")
    return Addresses(
        archive=archive,
        destination=receiver,
        route=_route(
            configuration,
            asked,
            target,
            near=near,
            asks=_find_move_requests(configuration, RouteRequest(asked, destination_ae_title, calling_ae_title)),
        ),
        timeouts=_timeouts(device, connection, timeout_s),
        warnings=(
            *((f"{asked.title} listens with TLS only, so it was called over TLS",) if by_itself else ()),
            *_warnings(
                archive, connect, target, receiver=receiver, destination=destination_ae_title, other_hosts=other_hosts
            ),
        ),
        tls=tls or by_itself,
        destination_requires_tls=listening is not None and listening.tls,
    )


def _create_peer(
    ae: NetworkAE,
    connection: Connection | None,
    override: AddressOverride | None,
    alternative_step: str,
    *,
    tls: bool = False,
) -> Peer:
    port = (override.port if override else None) or (connection.port if connection else None)
    host = override.host if override else connection.host if connection else ""
    if not host or not port:
        with_tls = " with TLS" if tls else ""
        raise DcmcfgError(
            f"{ae.title} has no installed DICOM connection that listens{with_tls}",
            subject=str(ae.entry.dn),
            next_step=f"dcmcfg connection list tells its connections; {alternative_step}",
        )
    try:
        return Peer(ae.title, host, port, "--connect" if override else "")
    except MalformedInput as error:  # the tree's fault, not the user's
        dn = connection.dn if connection else ae.entry.dn
        raise DcmcfgError(
            f"{ae.title} has a dicomPort that is no TCP port: {port}",
            subject=str(dn),
            next_step=f"correct it, then dcmcfg reload; or {alternative_step}",
        ) from error


def _is_usable(connection: Connection | None) -> bool:
    return connection is not None and connection.port is not None and connection.port in _PORTS


def _find_move_requests(configuration: Configuration, request: RouteRequest) -> tuple[RouteMessage, ...]:
    """Return the C-MOVE requests that the archive may send, in whatever state a study is."""
    steps = (step for way in find_route(configuration, request).paths for step in way.messages)
    return tuple(step for step in steps if step.kind == "C-MOVE")


def _route(
    configuration: Configuration,
    asked: NetworkAE,
    target: NetworkAE | None,
    *,
    near: tuple[str, ...],
    asks: tuple[RouteMessage, ...],
) -> ConfiguredRoute:
    setting = get_effective_setting(asked, EXTERNAL_RETRIEVE_AE_DESTINATION)
    destination = next(iter(setting.values), None)
    wrong = check_return_destination(configuration, asked, destination) if destination else None
    sources = {"AE": f"AE {asked.title}", "device": f"device {asked.device.name}", "": ""}
    return ConfiguredRoute(
        external_retrieve_destination=destination,
        destination_source=sources[setting.level],
        archive_ae_titles=frozenset(ae.title for ae in asked.device.network_aes),
        move_destination_known=target is not None and target.installed,
        similar_ae_titles=near if target is None else (),
        accepted_move_destinations=asked.entry.texts(ACCEPTED_MOVE_DESTINATION),
        unresolved_aes=frozenset(_find_unresolved_aes(configuration, target, asks)),
        external_requests=frozenset((step.called_ae_title, step.move_destination) for step in asks),
        calling_ae_titles=frozenset(step.calling_ae_title for step in asks),
        sending_ae_titles=frozenset({get_calling_ae_title(asked, target.title)} if target is not None else ()),
        storage_ids=asked.device.storage_ids,
        ae_titles=frozenset(ae.title for ae in configuration.network_aes()),
        ae_addresses=frozenset(_collect_ae_addresses(asked, target, asks)),
        connection_matches=tuple(_match_all_connections(configuration, asked, target, asks)),
        device=asked.device.name,
        alternative_move_scp=_only(get_effective_setting(asked, ALT_C_MOVE_SCP).values),
        fallback_move_scp=_only(get_effective_setting(asked, FALLBACK_C_MOVE_SCP).values),
        fallback_destination=_only(get_effective_setting(asked, FALLBACK_C_MOVE_SCP_DESTINATION).values),
        misrouting_reason=wrong.reason if wrong else "",
        misrouting_fix=wrong.next_step if wrong else "",
    )


def _only(values: tuple[str, ...]) -> str:
    """Return the first of *values*; empty for none."""
    return next(iter(values), "")


def _find_unresolved_aes(
    configuration: Configuration, target: NetworkAE | None, asks: tuple[RouteMessage, ...]
) -> Iterator[tuple[str, str, str]]:
    titles = {step.receiver_ae_title for step in asks} | ({target.title} if target is not None else set())
    for title in titles:
        found = resolve_ae(configuration, title)
        if isinstance(found, UnresolvedAE):
            yield title, found.reason, found.next_step


def _collect_ae_addresses(
    asked: NetworkAE, target: NetworkAE | None, asks: tuple[RouteMessage, ...]
) -> Iterator[tuple[str, str]]:
    yield from ((step.receiver_ae_title, str(step.address)) for step in asks if step.address is not None)
    connection = find_compatible_connection(target, asked) if target is not None else None
    if target is not None and connection is not None:
        yield target.title, format_host_port(connection.host, connection.port or 0)


def _match_all_connections(
    configuration: Configuration, asked: NetworkAE, target: NetworkAE | None, asks: tuple[RouteMessage, ...]
) -> Iterator[ConnectionMatch]:
    if target is not None:
        yield match_connections(target, asked)
    others = (configuration.find_network_ae(title) for title in dict.fromkeys(step.receiver_ae_title for step in asks))
    yield from (match_connections(other, asked) for other in others if other is not None)


def _timeouts(device: Device, connection: Connection | None, timeout_s: float | None) -> DicomTimeouts:
    """Return time-outs no longer than *timeout_s*; without it, no shorter than the archive's own dcmRetrieveTimeout."""
    if timeout_s is not None:
        usual = DicomTimeouts()
        return DicomTimeouts(
            connect=min(usual.connect, timeout_s), acse=min(usual.acse, timeout_s), dimse=timeout_s, network=timeout_s
        )
    patience_s = _get_retrieve_timeout_s(device, connection)
    return DicomTimeouts(dimse=patience_s, network=patience_s)


def _get_retrieve_timeout_s(device: Device, connection: Connection | None) -> float:
    """Return the seconds that the archive may keep silent (dcmRetrieveTimeout is in milliseconds; 0 is for ever)."""
    entry = device.tree.get(connection.dn) if connection else None
    text = (entry.text(RETRIEVE_TIMEOUT) if entry else None) or "0"
    milliseconds = parse_unsigned_integer(text) or 0
    if connection is None:
        return STOCK_RETRIEVE_TIMEOUT_S + TIMEOUT_MARGIN_S
    if milliseconds == 0:
        return UNLIMITED_TIMEOUT_S
    return min(max(milliseconds / 1000, STOCK_RETRIEVE_TIMEOUT_S) + TIMEOUT_MARGIN_S, MAX_TIMEOUT_S)


def _warnings(
    archive: Peer,
    connect: AddressOverride | None,
    target: NetworkAE | None,
    *,
    receiver: Peer | None,
    destination: str,
    other_hosts: tuple[str, ...],
) -> Iterator[str]:
    remote = next((host for host in other_hosts if not is_this_machine(host)), None)
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
    elif (
        connection := target.find_listening_connection() or target.find_listening_connection(tls=True)
    ) and not _is_usable(connection):
        yield f"{destination} has the dicomPort {connection.port}: {CANNOT_LOAD_DEVICE}"
    elif not target.installed:
        yield f"{destination} is not installed (dicomInstalled), so the archive will refuse this Move Destination"


def extract_hosts(*urls: str) -> tuple[str, ...]:
    """Return the hosts in *urls*; a server behind a socket file (``ldapi://``) has none, it is on this machine."""
    parts = (urlsplit(url) for url in urls)
    return tuple(part.hostname for part in parts if part.hostname and part.scheme != "ldapi")


def is_loopback(host: str) -> bool:
    """Tell whether *host* means the machine that it is said on: ``localhost`` or a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in {"localhost", "localhost.localdomain"}
