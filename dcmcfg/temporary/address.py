"""Where the archive finds this machine, and where that is listened on.

What speaks against a temporary destination before it is added, as far as the configuration tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.storage.local_host import ALL_ADDRESSES, find_listen_addresses, find_source_address
from dcmcfg.errors import DicomError
from dcmcfg.model.devices import DICOM, Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.network_address import format_host_port
from dcmcfg.route.request import RouteRequest
from dcmcfg.route.route import find_route
from dcmcfg.temporary.run import Addition


@dataclass(frozen=True)
class ReceiverAddress:
    """The address of this machine that the archive is given, and the one that is listened on; port 0 is a free one.

    ``reason`` says where it comes from, as a phrase.
    """

    host: str
    port: int
    listening_host: str
    reason: str

    def __str__(self) -> str:
        return format_host_port(self.host, self.port)


def find_receiver_address(
    archive: Peer, server_hosts: Sequence[str], requested_address: tuple[str, int | None] | None
) -> ReceiverAddress:
    """Return where *archive* is to send to: what was *requested_address*, else this machine's address on the way to it.

    Where the tree has the archive on this very machine and one of the *server_hosts* (hosts of the directory and of the
    archive's web interface) is on another, the way to that one counts. What was said and is no address of this
    machine is another's that passes on to it, so all of its own addresses are listened on.
    Raises :class:`DicomError` when no way to the archive is known.
    """
    if requested_address is not None:
        host, port = requested_address
        listen = host if find_listen_addresses(host) else ALL_ADDRESSES
        return ReceiverAddress(host, port or 0, listen, "as --temporary-address says")
    on_the_way = {host: find_source_address(host, archive.port) for host in (archive.host, *server_hosts)}
    others = {host: own for host, own in on_the_way.items() if own and not _is_loopback(own)}
    own, towards = on_the_way[archive.host], archive.host
    if own is not None and _is_loopback(own) and others:
        towards, own = next(iter(others.items()))
    if own is None:
        raise DicomError(
            "there is no way to the archive's host, so it is not known by which address the archive finds this machine",
            subject=str(archive),
            next_step="--temporary-address HOST says it, --connect HOST:PORT where the archive is",
        )
    return ReceiverAddress(own, 0, own, f"by which this machine reaches {towards}")


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def find_warnings(tree: Tree, addition: Addition, calling_ae_title: str) -> tuple[str, ...]:
    """Return what will keep objects from the destination of *addition* in *tree*, which holds it, as sentences."""
    return tuple(_find_warnings(Configuration(tree), addition, calling_ae_title))


def _find_warnings(configuration: Configuration, addition: Addition, calling: str) -> Iterator[str]:
    asked, title = (
        configuration.get_device(addition.device_name).get_network_ae(addition.archive_ae_title),
        addition.destination.title,
    )
    ways = [each for each in asked.connections if each.installed and each.protocol == DICOM]
    if not any(each.tls == addition.destination.security.tls for each in ways):
        yield f"{asked.title} has no connection in use that calls as {title} listens, so it cannot send to it."
    route = find_route(configuration, RouteRequest(asked, title, calling))
    straight = dict.fromkeys(
        step.called_ae_title
        for way in route.paths
        for step in way.messages
        if step.kind == "C-MOVE" and step.move_destination == title
    )
    for other in straight:
        yield (
            f"{other} is asked to send straight to {title}, which it does not know: what is not in the archive's own "
            "storage will not arrive (dcmcfg set-external-retrieve has it sent by way of the archive)."
        )
