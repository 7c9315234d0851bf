"""Check whether two AEs can connect, and whether the called AE accepts the caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.model.devices import DICOM, Connection, NetworkAE
from dcmcfg.route.command import format_command
from dcmcfg.schema_names import ACCEPTED_CALLING_AE_TITLE, DICOM_ASSOCIATION_ACCEPTOR
from dcmcfg.suggestions import join_limited

#: Number of cipher suites and versions that a description lists by name; it only counts the others.
_MAX_NAMES_SHOWN = 3
#: The fix for a pair of AEs without compatible connections.
COMPATIBLE_CONNECTION_STEP = (
    "give both AEs a connection of the same kind (plain, or TLS with a common TLS version and cipher suite), then run "
    "dcmcfg reload"
)


@dataclass(frozen=True)
class ConnectionMatch:
    """Whether the archive can call the AE ``ae_title`` according to the tree.

    ``description`` explains the result in words. ``tls`` is True for a TLS connection.
    """

    ae_title: str
    is_compatible: bool
    description: str
    tls: bool = False


def find_compatible_connection(remote: NetworkAE, local: NetworkAE) -> Connection | None:
    """Return the connection at which *local* calls *remote*: that of the first compatible pair; None if there is none.

    As in ``ApplicationEntity.findCompatibleConnection``, the remote connection must be installed and have a port, and
    the local one must be installed. The local initiator flag and the remote acceptor flag are ignored.
    """
    for remote_connection in remote.connections:
        if (
            remote_connection.installed
            and remote_connection.port
            and any(
                local_connection.installed and local_connection.is_compatible_with(remote_connection)
                for local_connection in local.connections
            )
        ):
            return remote_connection
    return None


def match_connections(remote: NetworkAE, local: NetworkAE) -> ConnectionMatch:
    """Return whether *local* can call *remote*, and with which kind of connection."""
    remote_connection = find_compatible_connection(remote, local)
    if remote_connection is None:
        return ConnectionMatch(remote.title, is_compatible=False, description=explain_incompatibility(remote, local))
    if not remote_connection.tls:
        return ConnectionMatch(remote.title, is_compatible=True, description="both plain")
    # The pair was found above, so there is one.
    local_connection = next(
        each for each in local.connections if each.installed and each.is_compatible_with(remote_connection)
    )
    versions, suites = (
        local_connection.tls_versions & remote_connection.tls_versions,
        local_connection.ciphers & remote_connection.ciphers,
    )
    return ConnectionMatch(
        remote.title,
        is_compatible=True,
        description=f"both {_join_names(versions)} with {_join_names(suites)}",
        tls=True,
    )


def find_listening_connection(ae: NetworkAE) -> Connection | None:
    """Return the first installed DICOM connection on which *ae* listens, plain or TLS; None if there is none."""
    return next((each for each in ae.connections if each.installed and each.port and each.protocol == DICOM), None)


def explain_incompatibility(remote: NetworkAE, local: NetworkAE) -> str:
    """Return why no connection of *local* is compatible with one of *remote*, in words."""
    remote_connections = [each for each in remote.connections if each.installed and each.port]
    local_connections = [each for each in local.connections if each.installed]
    if not remote_connections:
        return f"{remote.title} has no installed connection with a port"
    if not local_connections:
        return f"{local.title} has no installed connection"
    if not {each.tls for each in remote_connections} & {each.tls for each in local_connections}:
        kinds = ("TLS", "plain") if remote_connections[0].tls else ("plain", "TLS")
        return f"{remote.title} offers only {kinds[0]} connections, but {local.title} has only {kinds[1]} connections"
    if _collect_cipher_suites(local_connections) & _collect_cipher_suites(remote_connections):
        return _describe_mismatch(
            "TLS version",
            remote=remote,
            remote_names=_collect_tls_versions(remote_connections),
            local=local,
            local_names=_collect_tls_versions(local_connections),
        )
    return _describe_mismatch(
        "TLS cipher suite",
        remote=remote,
        remote_names=_collect_cipher_suites(remote_connections),
        local=local,
        local_names=_collect_cipher_suites(local_connections),
    )


def _describe_mismatch(
    property_name: str,
    *,
    remote: NetworkAE,
    remote_names: frozenset[str],
    local: NetworkAE,
    local_names: frozenset[str],
) -> str:
    return (
        f"the connections of {local.title} and {remote.title} have no {property_name} in common: {local.title} has "
        f"{_join_names(local_names)}; {remote.title} has {_join_names(remote_names)}"
    )


def _collect_cipher_suites(connections: Iterable[Connection]) -> frozenset[str]:
    return frozenset().union(*(each.ciphers for each in connections))


def _collect_tls_versions(connections: Iterable[Connection]) -> frozenset[str]:
    return frozenset().union(*(each.tls_versions for each in connections if each.tls))


def _join_names(names: Iterable[str]) -> str:
    return join_limited(sorted(names), _MAX_NAMES_SHOWN)


def explain_rejection(ae: NetworkAE, calling_ae_title: str) -> str:
    """Return why *ae* rejects an association from *calling_ae_title*, with the numbers of PS3.8 Table 9-21.

    Empty if it accepts. As in ``AssociationHandler`` and ``ArchiveAssociationHandler``: the AE must be installed, an
    acceptor and listening (else 1/1/7), and the caller must be in dcmAcceptedCallingAETitle if that is set (else
    1/1/3).
    """
    if not ae.installed:
        return f"{ae.title} is not installed (rejection 1/1/7)"
    if ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) != "TRUE":
        return f"dicomAssociationAcceptor of {ae.title} is not TRUE (rejection 1/1/7)"
    if find_listening_connection(ae) is None:
        return f"{ae.title} has no installed connection with a port"
    accepted = ae.entry.texts(ACCEPTED_CALLING_AE_TITLE)
    if accepted and calling_ae_title not in accepted:
        return f"{calling_ae_title} is not in dcmAcceptedCallingAETitle of {ae.title} (rejection 1/1/3)"
    return ""


def suggest_acceptance_command(ae: NetworkAE, calling_ae_title: str) -> str:
    """Return the command that fixes the first reason of :func:`explain_rejection`; useless if it found no reason."""
    if not ae.device.installed:
        return format_command("set", ae.device.name, "dicomInstalled=TRUE")
    if not ae.installed:
        return format_command("set", ae.qualified_title, "dicomInstalled=TRUE")
    if ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) != "TRUE":
        return format_command("set", ae.qualified_title, "dicomAssociationAcceptor=TRUE")
    if find_listening_connection(ae) is None:
        return (
            f"give {ae.title} a connection with a port (to list the connections: "
            f"{format_command('connection', 'list', ae.device.name)})"
        )
    return format_command("set", ae.qualified_title, f"dcmAcceptedCallingAETitle+={calling_ae_title}")
