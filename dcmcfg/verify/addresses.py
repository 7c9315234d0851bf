"""Find the addresses of all AEs in a verification, from the tree."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from urllib.parse import urlsplit

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.local_host import is_this_machine
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.model.connections import format_connection_target
from dcmcfg.model.devices import Configuration, Connection, Device, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.network_address import format_host_port
from dcmcfg.route.ae_lookup import UnresolvedAE, check_return_destination, get_masqueraded_calling_ae_title, resolve_ae
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
#: Seconds that dcmcfg waits longer than the archive, so that the archive's own time-out comes first.
TIMEOUT_MARGIN_S = 60.0
#: Minimum time-out in seconds: the archive's stock dcmRetrieveTimeout.
STOCK_RETRIEVE_TIMEOUT_S = 300.0
#: Time-out in seconds for an archive with a dcmRetrieveTimeout of 0 or none, which waits for ever.
UNLIMITED_TIMEOUT_S = 3600.0
#: Maximum time-out in seconds, because operating systems do not accept arbitrarily large ones.
MAX_TIMEOUT_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class AddressOverride:
    """An address from the user in place of the tree's: a host, and optionally a port."""

    host: str
    port: int | None = None

    @staticmethod
    def parse(text: str) -> AddressOverride:
        """Return the address ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``; raises :class:`MalformedInput`."""
        try:
            # urlsplit reads IPv6 addresses in brackets, and refuses ports that are out of range.
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        # The netloc differs from the text if the text has a path, a query or a fragment.
        if not host or port == 0 or parts.netloc != text or set(text) & set("@ ") or text.endswith(":"):
            raise MalformedInput(
                "the address must have the form HOST or HOST:PORT",
                subject=repr(text),
                next_step="Use for example archive.hospital:11112 or [::1]:11112",
            )
        return AddressOverride(host, port)


@dataclass(frozen=True)
class VerificationAddresses:
    """The addresses for a verification; ``destination`` is None if the tree has no address for it."""

    archive: Peer
    destination: Peer | None
    route: ConfiguredRoute
    timeouts: DicomTimeouts
    _: KW_ONLY
    warnings: tuple[str, ...] = ()
    tls: bool = False  # call the archive over TLS
    destination_requires_tls: bool = False  # the destination accepts TLS connections only


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
) -> VerificationAddresses:
    """Return the addresses for a C-MOVE of a study from an AE of *device_name* to the AE *destination_ae_title*.

    ``ae_title`` is the archive AE to call; by default the only storage SCP, otherwise the only AE. ``calling_ae_title``
    is the title of the requester. With ``tls``, the archive's TLS connection is used; it is also used, with a warning,
    if the archive has no other. ``other_hosts`` are the hosts of the site's servers (:func:`extract_hosts`): if one of
    them is another machine, a ``localhost`` in the tree causes a warning.

    Raises :class:`~dcmcfg.errors.NotFound` for a device or AE that is not in the tree (the destination only with
    ``receive``), :class:`~dcmcfg.errors.MalformedInput` if the AE must be specified, and
    :class:`~dcmcfg.errors.DcmcfgError` for one that does not listen, or with ``tls`` not with TLS.
    """
    device = configuration.get_device(device_name)
    archive_ae = get_archive_ae(device, ae_title)
    connection = archive_ae.find_listening_connection(tls=tls)
    tls_only = not tls and connection is None and archive_ae.find_listening_connection(tls=True) is not None
    connection = archive_ae.find_listening_connection(tls=True) if tls_only else connection
    archive = _create_peer(
        archive_ae, connection, connect, "set the archive's address with --connect HOST:PORT", tls=tls
    )
    destination_ae = configuration.find_network_ae(destination_ae_title)
    similar_ae_titles = suggest_names(destination_ae_title, (ae.title for ae in configuration.network_aes()))
    if receive and destination_ae is None:
        suggestion = f"did you mean {', '.join(similar_ae_titles)}? Otherwise " if similar_ae_titles else ""
        raise NotFound(
            f"the tree has no AE {destination_ae_title}, so the address for the receiver is unknown",
            next_step=f"{suggestion}specify another AE with --dest, or verify without --receive",
        )
    listening = (
        (destination_ae.find_listening_connection() or destination_ae.find_listening_connection(tls=True))
        if destination_ae
        else None
    )
    receiver = None
    if destination_ae and (receive or _is_usable(listening)):
        receiver = _create_peer(
            destination_ae, listening, None, "specify another AE with --dest, or verify without --receive"
        )
    return VerificationAddresses(
        archive=archive,
        destination=receiver,
        route=_build_configured_route(
            configuration,
            archive_ae,
            destination_ae,
            similar_ae_titles=similar_ae_titles,
            move_requests=_find_move_requests(
                configuration, RouteRequest(archive_ae, destination_ae_title, calling_ae_title)
            ),
        ),
        timeouts=_build_timeouts(device, connection, timeout_s),
        warnings=(
            *((f"{archive_ae.title} accepts only TLS, so dcmcfg used TLS",) if tls_only else ()),
            *_find_address_warnings(
                archive,
                connect,
                destination_ae,
                receiver=receiver,
                destination=destination_ae_title,
                other_hosts=other_hosts,
            ),
        ),
        tls=tls or tls_only,
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
            f"{ae.title} has no installed DICOM connection with a port{with_tls}",
            subject=str(ae.entry.dn),
            next_step=f"to see the connections of {ae.title}, run dcmcfg connection list; or {alternative_step}",
        )
    try:
        connection_name = (
            "" if override or connection is None else format_connection_target(ae.device.name, connection.dn)
        )
        return Peer(ae.title, host, port, "--connect" if override else "", connection_name=connection_name)
    except MalformedInput as error:  # The value comes from the tree, not from the user.
        dn = connection.dn if connection else ae.entry.dn
        raise DcmcfgError(
            f"the dicomPort of {ae.title} is not a TCP port: {port}",
            subject=str(dn),
            next_step=f"correct dicomPort, then run dcmcfg reload; or {alternative_step}",
        ) from error


def _is_usable(connection: Connection | None) -> bool:
    return connection is not None and connection.port is not None and connection.port in _PORTS


def _find_move_requests(configuration: Configuration, request: RouteRequest) -> tuple[RouteMessage, ...]:
    """Return the C-MOVE requests that the archive may send, for all states of a study."""
    messages = (message for path in find_route(configuration, request).paths for message in path.messages)
    return tuple(message for message in messages if message.kind == "C-MOVE")


def _build_configured_route(
    configuration: Configuration,
    archive_ae: NetworkAE,
    destination_ae: NetworkAE | None,
    *,
    similar_ae_titles: tuple[str, ...],
    move_requests: tuple[RouteMessage, ...],
) -> ConfiguredRoute:
    setting = get_effective_setting(archive_ae, EXTERNAL_RETRIEVE_AE_DESTINATION)
    destination = next(iter(setting.values), None)
    fallback = _get_first(get_effective_setting(archive_ae, FALLBACK_C_MOVE_SCP).values)
    fallback_destination = _get_first(get_effective_setting(archive_ae, FALLBACK_C_MOVE_SCP_DESTINATION).values)
    sources = {"AE": f"AE {archive_ae.title}", "device": f"device {archive_ae.device.name}", "": ""}
    return ConfiguredRoute(
        external_retrieve_destination=destination,
        destination_source=sources[setting.level],
        archive_ae_titles=frozenset(ae.title for ae in archive_ae.device.network_aes),
        move_destination_known=destination_ae is not None and destination_ae.installed,
        similar_ae_titles=similar_ae_titles if destination_ae is None else (),
        accepted_move_destinations=archive_ae.entry.texts(ACCEPTED_MOVE_DESTINATION),
        unresolved_aes=frozenset(_find_unresolved_aes(configuration, destination_ae, move_requests)),
        external_requests=frozenset((request.called_ae_title, request.move_destination) for request in move_requests),
        calling_ae_titles=frozenset(request.calling_ae_title for request in move_requests),
        sending_ae_titles=frozenset(
            {get_masqueraded_calling_ae_title(archive_ae, destination_ae.title)} if destination_ae is not None else ()
        ),
        storage_ids=archive_ae.device.storage_ids,
        ae_titles=frozenset(ae.title for ae in configuration.network_aes()),
        ae_addresses=frozenset(_collect_ae_addresses(archive_ae, destination_ae, move_requests)),
        connection_names=frozenset(_collect_connection_names(configuration, archive_ae, destination_ae, move_requests)),
        connection_matches=tuple(_match_all_connections(configuration, archive_ae, destination_ae, move_requests)),
        device=archive_ae.device.name,
        alternative_move_scp=_get_first(get_effective_setting(archive_ae, ALT_C_MOVE_SCP).values),
        fallback_move_scp=fallback,
        fallback_destination=fallback_destination,
        misrouting=check_return_destination(configuration, archive_ae, destination) if destination else None,
        fallback_misrouting=check_return_destination(
            configuration,
            archive_ae,
            fallback_destination,
            attribute=FALLBACK_C_MOVE_SCP_DESTINATION,
            external_ae_title=fallback,
        )
        if fallback and fallback_destination
        else None,
    )


def _get_first(values: tuple[str, ...]) -> str:
    """Return the first of *values*; empty if there is none."""
    return next(iter(values), "")


def _find_unresolved_aes(
    configuration: Configuration, destination_ae: NetworkAE | None, move_requests: tuple[RouteMessage, ...]
) -> Iterator[tuple[str, str, str]]:
    titles = {request.receiver_ae_title for request in move_requests} | (
        {destination_ae.title} if destination_ae is not None else set()
    )
    for title in titles:
        resolved = resolve_ae(configuration, title)
        if isinstance(resolved, UnresolvedAE):
            yield title, resolved.reason, resolved.next_step


def _collect_ae_addresses(
    archive_ae: NetworkAE, destination_ae: NetworkAE | None, move_requests: tuple[RouteMessage, ...]
) -> Iterator[tuple[str, str]]:
    yield from (
        (request.receiver_ae_title, str(request.address)) for request in move_requests if request.address is not None
    )
    connection = find_compatible_connection(destination_ae, archive_ae) if destination_ae is not None else None
    if destination_ae is not None and connection is not None:
        yield destination_ae.title, format_host_port(connection.host, connection.port or 0)


def _collect_connection_names(
    configuration: Configuration,
    archive_ae: NetworkAE,
    destination_ae: NetworkAE | None,
    move_requests: tuple[RouteMessage, ...],
) -> Iterator[tuple[str, str]]:
    called_aes = [configuration.find_network_ae(request.receiver_ae_title) for request in move_requests]
    for ae in (*called_aes, destination_ae):
        connection = find_compatible_connection(ae, archive_ae) if ae is not None else None
        if ae is not None and connection is not None:
            yield ae.title, format_connection_target(ae.device.name, connection.dn)


def _match_all_connections(
    configuration: Configuration,
    archive_ae: NetworkAE,
    destination_ae: NetworkAE | None,
    move_requests: tuple[RouteMessage, ...],
) -> Iterator[ConnectionMatch]:
    if destination_ae is not None:
        yield match_connections(destination_ae, archive_ae)
    called_aes = (
        configuration.find_network_ae(title)
        for title in dict.fromkeys(request.receiver_ae_title for request in move_requests)
    )
    yield from (match_connections(called_ae, archive_ae) for called_ae in called_aes if called_ae is not None)


def _build_timeouts(device: Device, connection: Connection | None, timeout_s: float | None) -> DicomTimeouts:
    """Return time-outs of at most *timeout_s*; without it, at least the archive's own dcmRetrieveTimeout."""
    if timeout_s is not None:
        defaults = DicomTimeouts()
        return DicomTimeouts(
            connect=min(defaults.connect, timeout_s),
            acse=min(defaults.acse, timeout_s),
            dimse=timeout_s,
            network=timeout_s,
        )
    retrieve_timeout_s = _get_retrieve_timeout_s(device, connection)
    return DicomTimeouts(dimse=retrieve_timeout_s, network=retrieve_timeout_s)


def _get_retrieve_timeout_s(device: Device, connection: Connection | None) -> float:
    """Return the seconds that the archive may be silent (dcmRetrieveTimeout is in milliseconds; 0 means unlimited)."""
    entry = device.tree.get(connection.dn) if connection else None
    text = (entry.text(RETRIEVE_TIMEOUT) if entry else None) or "0"
    milliseconds = parse_unsigned_integer(text) or 0
    if connection is None:
        return STOCK_RETRIEVE_TIMEOUT_S + TIMEOUT_MARGIN_S
    if milliseconds == 0:
        return UNLIMITED_TIMEOUT_S
    return min(max(milliseconds / 1000, STOCK_RETRIEVE_TIMEOUT_S) + TIMEOUT_MARGIN_S, MAX_TIMEOUT_S)


def _find_address_warnings(
    archive: Peer,
    connect: AddressOverride | None,
    destination_ae: NetworkAE | None,
    *,
    receiver: Peer | None,
    destination: str,
    other_hosts: tuple[str, ...],
) -> Iterator[str]:
    remote_host = next((host for host in other_hosts if not is_this_machine(host)), None)
    if remote_host and not connect and is_loopback(archive.host):
        yield (
            f"in LDAP, the host of {archive.ae_title} is {archive.host}, which is this machine. But the URLs of "
            f"this site refer to {remote_host}, which is another machine. Specify the archive's address with --connect "
            "HOST"
        )
    # If the tree has only "localhost", the site's own URLs show on which machine the archive runs.
    archive_host = archive.host if not is_loopback(archive.host) else remote_host
    if archive_host and receiver and is_loopback(receiver.host):
        yield (
            f"in LDAP, the host of {destination} is {receiver.host}. On the archive's machine ({archive_host}), "
            f"{receiver.host} means the archive's machine, not this machine"
        )
    if destination_ae is None:
        yield f"the tree has no AE {destination}: the archive will refuse this Move Destination as unknown"
    elif (
        connection := destination_ae.find_listening_connection() or destination_ae.find_listening_connection(tls=True)
    ) and not _is_usable(connection):
        yield f"{destination} has the dicomPort {connection.port}: {CANNOT_LOAD_DEVICE}"
    elif not destination_ae.installed:
        yield f"{destination} is not installed (dicomInstalled), so the archive will refuse this Move Destination"


def extract_hosts(*urls: str) -> tuple[str, ...]:
    """Return the hosts in *urls*; a server behind a socket file (``ldapi://``) is on this machine and has none."""
    parts = (urlsplit(url) for url in urls)
    return tuple(part.hostname for part in parts if part.hostname and part.scheme != "ldapi")


def is_loopback(host: str) -> bool:
    """Return whether *host* means the machine that uses it: ``localhost`` or a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A DNS name may end with a dot.
        return host.lower().rstrip(".") in {"localhost", "localhost.localdomain"}
