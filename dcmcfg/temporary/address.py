"""Determine the address at which the archive reaches this machine and the address to listen on.

Also warns about a temporary destination that cannot work according to the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.storage.local_host import ALL_ADDRESSES, find_listen_addresses, find_source_address
from dcmcfg.errors import DicomError
from dcmcfg.model.devices import DICOM, Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import find_storage_problem, get_effective_setting
from dcmcfg.model.tree import Tree
from dcmcfg.network_address import format_host_port
from dcmcfg.route.ae_lookup import suggest_setting_command
from dcmcfg.route.path import RetrieveBranch
from dcmcfg.route.request import RouteRequest
from dcmcfg.route.route import find_route
from dcmcfg.schema_names import EXTERNAL_RETRIEVE_AE_DESTINATION, FALLBACK_C_MOVE_SCP_DESTINATION
from dcmcfg.temporary.run import DestinationAddition

#: The setting with which the archive receives and forwards the objects of a branch, instead of the direct sending.
_RETURN_ATTRIBUTE_BY_BRANCH = {
    RetrieveBranch.EXTERNAL_DIRECT: EXTERNAL_RETRIEVE_AE_DESTINATION,
    RetrieveBranch.MIXED_DIRECT: EXTERNAL_RETRIEVE_AE_DESTINATION,
    RetrieveBranch.FALLBACK_DIRECT: FALLBACK_C_MOVE_SCP_DESTINATION,
}


@dataclass(frozen=True)
class ReceiverAddress:
    """The address of this machine for the archive, and the address to listen on; port 0 means any free port.

    ``reason`` is the origin of the address, as a phrase.
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
    """Return the address for *archive* to send to: *requested_address*, or this machine's address on the route to it.

    If the tree places the archive on this machine but one of the *server_hosts* (of the directory and of the archive's
    web interface) is on another machine, the route to that host is used. If *requested_address* does not belong to this
    machine, another machine forwards to this one, so the receiver listens on all addresses. Raises :class:`DicomError`
    if there is no route to the archive.
    """
    if requested_address is not None:
        host, port = requested_address
        listening_host = host if find_listen_addresses(host) else ALL_ADDRESSES
        return ReceiverAddress(host, port or 0, listening_host, "from --temporary-address")
    # A stock tree has localhost as the archive's host, although the archive may run on another machine.
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
            "no network route to the archive's host, so dcmcfg cannot determine the address at which the archive can "
            "reach this machine",
            subject=str(archive),
            next_step="specify this machine's address (--temporary-address HOST) or the archive's address "
            "(--connect HOST:PORT)",
        )
    return ReceiverAddress(source_address, 0, source_address, f"this machine's address on the route to {target_host}")


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def find_delivery_warnings(tree: Tree, addition: DestinationAddition, calling_ae_title: str) -> tuple[str, ...]:
    """Return warnings about obstacles to delivery to the destination of *addition* in *tree*, as sentences."""
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
        yield (
            f"{archive_ae.title} cannot send to {title}: {archive_ae.title} has no installed connection of the same "
            "kind (TLS or plain)."
        )
    route = find_route(configuration, RouteRequest(archive_ae, title, calling_ae_title))
    commands_by_sender: dict[str, dict[str, None]] = {}
    for path in route.paths:
        for message in path.messages:
            if message.kind == "C-MOVE" and message.move_destination == title:
                # A dictionary serves as an ordered set: several paths may need the same command.
                commands = commands_by_sender.setdefault(message.called_ae_title, {})
                commands |= dict.fromkeys(_suggest_return_through_archive(archive_ae, path.branch))
    for sender, commands in commands_by_sender.items():
        advice = f" To route these objects through the archive: {'; '.join(commands)}" if commands else ""
        yield (
            f"{sender} sends its objects directly to {title}, but does not know the AE {title}. So these objects will "
            f"not be delivered.{advice}"
        )


def _suggest_return_through_archive(archive_ae: NetworkAE, branch: RetrieveBranch) -> tuple[str, ...]:
    """Return the command that routes the objects of *branch* through the archive; empty if there is none."""
    attribute = _RETURN_ATTRIBUTE_BY_BRANCH.get(branch)
    # The archive ignores the setting for some senders (dcmAltCMoveSCP), so setting it again would not help.
    if attribute is None or get_effective_setting(archive_ae, attribute).values:
        return ()
    title = "AET" if find_storage_problem(archive_ae) else archive_ae.title
    return (suggest_setting_command(archive_ae, attribute, title),)
