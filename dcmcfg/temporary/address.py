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
from dcmcfg.temporary.run import DestinationAddition


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
    """Return where *archive* is to send to: *requested_address*, else this machine's address on the way to it.

    Where the tree has the archive on this very machine and one of the *server_hosts* (hosts of the directory and of the
    archive's web interface) is on another, the way to that one counts. A *requested_address* that is not one of this
    machine belongs to another one that forwards to it, so the receiver listens on all addresses. Raises
    :class:`DicomError` when no way to the archive is known.
    """
    if requested_address is not None:
        host, port = requested_address
        listening_host = host if find_listen_addresses(host) else ALL_ADDRESSES
        return ReceiverAddress(host, port or 0, listening_host, "as --temporary-address says")
    source_addresses = {host: find_source_address(host, archive.port) for host in (archive.host, *server_hosts)}
    remote_addresses = {
        host: source_address
        for host, source_address in source_addresses.items()
        if source_address and not _is_loopback(source_address)
    }
    source_address, target_host = source_addresses[archive.host], archive.host
    if source_address is not None and _is_loopback(source_address) and remote_addresses:
        target_host, source_address = next(iter(remote_addresses.items()))
    if source_address is None:
        raise DicomError(
            "there is no way to the archive's host, so it is not known by which address the archive finds this machine",
            subject=str(archive),
            next_step="--temporary-address HOST says it, --connect HOST:PORT where the archive is",
        )
    return ReceiverAddress(source_address, 0, source_address, f"by which this machine reaches {target_host}")


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def find_delivery_warnings(tree: Tree, addition: DestinationAddition, calling_ae_title: str) -> tuple[str, ...]:
    """Return what will keep objects from the destination of *addition* in *tree*, which holds it, as sentences."""
    return tuple(_iterate_warnings(Configuration(tree), addition, calling_ae_title))


def _iterate_warnings(
    configuration: Configuration, addition: DestinationAddition, calling_ae_title: str
) -> Iterator[str]:
    archive_ae, title = (
        configuration.get_device(addition.device_name).get_network_ae(addition.archive_ae_title),
        addition.destination.ae_title,
    )
    connections = [each for each in archive_ae.connections if each.installed and each.protocol == DICOM]
    if not any(each.tls == addition.destination.security.tls for each in connections):
        yield f"{archive_ae.title} has no connection in use that calls as {title} listens, so it cannot send to it."
    route = find_route(configuration, RouteRequest(archive_ae, title, calling_ae_title))
    direct_senders = dict.fromkeys(
        message.called_ae_title
        for path in route.paths
        for message in path.messages
        if message.kind == "C-MOVE" and message.move_destination == title
    )
    for sender in direct_senders:
        yield (
            f"{sender} is asked to send straight to {title}, which it does not know: what is not in the archive's own "
            "storage will not arrive (dcmcfg set-external-retrieve has it sent by way of the archive)."
        )
