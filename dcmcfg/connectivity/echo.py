"""C-ECHO to AEs of a tree, at their addresses in the tree."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.connectivity.call import CallResult, PeerEndpoint
from dcmcfg.connectivity.probe import DEFAULT_PARALLEL, PROBE_TIMEOUTS, probe_all
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.errors import MalformedInput
from dcmcfg.model.connections import format_connection_target
from dcmcfg.model.devices import Configuration, Connection, NetworkAE
from dcmcfg.model.targets import resolve_network_ae
from dcmcfg.route.ae_lookup import suggest_install_command
from dcmcfg.route.command import format_address_command, format_command


@dataclass(frozen=True)
class EchoTarget:
    """An AE with the endpoint to call; without an ``endpoint``, the ``problem`` and the next step."""

    ae: NetworkAE
    endpoint: PeerEndpoint | None
    problem: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class AeEchoResult:
    """The result of calling an AE; ``call_result`` is None if it was not called."""

    target: EchoTarget
    call_result: CallResult | None = None

    def map_next_steps(self, transform: Callable[[str], str]) -> AeEchoResult:
        """Return a copy with *transform* applied to the next steps."""
        call_result = self.call_result and replace(self.call_result, next_step=transform(self.call_result.next_step))
        return AeEchoResult(replace(self.target, next_step=transform(self.target.next_step)), call_result)

    def add_address_command(self, *, is_named: bool) -> AeEchoResult:
        """Return a copy whose next step has the command that changes the address, if the AE cannot be reached there.

        Without *is_named*, the command has a placeholder for the connection, so that the next step of several AEs is
        the same. The address of a node is not in the tree, so the copy is unchanged.
        """
        call_result, endpoint = self.call_result, self.target.endpoint
        if call_result is None or call_result.is_reached or endpoint is None:
            return self
        if all(
            (each.host, each.port) != (endpoint.peer.host, endpoint.peer.port) for each in self.target.ae.connections
        ):
            return self
        command = format_address_command(endpoint.get_connection_name if is_named else "DEVICE/NAME")
        steps = [*filter(None, [call_result.next_step]), f"to change the address: {command}"]
        return replace(self, call_result=replace(call_result, next_step="; ".join(steps)))


def select_targets(configuration: Configuration, names: Sequence[str], *, tls: bool = False) -> tuple[EchoTarget, ...]:
    """Return the AEs with these *names*, each once, in that order; without names every AE, in the tree's order.

    An AE is called over TLS if it has no other connection, and always with *tls*. Raises the errors of
    :func:`~dcmcfg.model.targets.resolve_network_ae` for an unknown or ambiguous name.
    """
    aes = [resolve_network_ae(configuration, each) for each in names] if names else configuration.network_aes()
    # Several names may stand for one AE, such as its title alone and with its device.
    return tuple(_create_target(ae, tls=tls) for ae in {str(ae.entry.dn): ae for ae in aes}.values())


def call_at_node(echo_targets: Sequence[EchoTarget], device_name: str, host: str) -> tuple[EchoTarget, ...]:
    """Return *echo_targets*, with *host* as the host of those of the device *device_name*: a node of the archive."""
    return tuple(
        replace(each, endpoint=replace(each.endpoint, peer=replace(each.endpoint.peer, host=host)))
        if each.endpoint is not None and each.ae.device.name == device_name
        else each
        for each in echo_targets
    )


def echo_all(
    echo_targets: Sequence[EchoTarget],
    calling_ae_title: str,
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = DEFAULT_PARALLEL,
    timeouts: DicomTimeouts = PROBE_TIMEOUTS,
    on_result: Callable[[AeEchoResult], None] = lambda _: None,
) -> tuple[AeEchoResult, ...]:
    """Return the results of calling each of *echo_targets* that has an address, as *calling_ae_title*.

    The others are not called. *tls* is required if one of them is called over TLS. *on_result* is called with each
    result as it arrives.
    """
    numbered_endpoints = [
        (number, each.endpoint) for number, each in enumerate(echo_targets) if each.endpoint is not None
    ]

    def report_result(index: int, call_result: CallResult) -> None:
        on_result(AeEchoResult(echo_targets[numbered_endpoints[index][0]], call_result))

    endpoints = [endpoint for _, endpoint in numbered_endpoints]
    call_results = probe_all(
        endpoints, calling_ae_title, tls=tls, parallel=parallel, timeouts=timeouts, on_result=report_result
    )
    by_number = {number: call_result for (number, _), call_result in zip(numbered_endpoints, call_results, strict=True)}
    return tuple(AeEchoResult(each, by_number.get(number)) for number, each in enumerate(echo_targets))


def _create_target(ae: NetworkAE, *, tls: bool) -> EchoTarget:
    if not ae.installed:
        return EchoTarget(ae, None, "not installed (dicomInstalled)", suggest_install_command(ae))
    plain_connection = ae.find_listening_connection()
    connection = (
        ae.find_listening_connection(tls=True) if tls else plain_connection or ae.find_listening_connection(tls=True)
    )
    if connection is None:
        problem = f"no installed DICOM connection with a port{' and TLS' if tls else ''}"
        return EchoTarget(
            ae,
            None,
            problem,
            _suggest_without_tls(ae, plain_connection) if plain_connection else _suggest_connection_list(ae),
        )
    name = format_connection_target(ae.device.name, connection.dn)
    try:
        peer = Peer(ae.title, connection.host, connection.port or 0)
    except MalformedInput as error:
        # LDAP accepts any number as a port.
        problem = f"{connection.host}:{connection.port} is not an address: {error.message}"
        return EchoTarget(ae, None, problem, f"to correct the address: {format_address_command(name)}")
    return EchoTarget(ae, PeerEndpoint(peer, connection.tls, name))


def _suggest_without_tls(ae: NetworkAE, plain_connection: Connection) -> str:
    command = format_command(
        "connection", "set", format_connection_target(ae.device.name, plain_connection.dn), "--tls"
    )
    return f"remove --tls, because the AE's connection does not use TLS; if the peer uses TLS at this port: {command}"


def _suggest_connection_list(ae: NetworkAE) -> str:
    return f"to list the connections of the device: {format_command('connection', 'list', ae.device.name)}"
