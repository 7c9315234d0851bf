"""Rules for the compatibility of connections between two AEs."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.lint.ae_lookups import find_ae_lookups
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import DICOM, Connection, Device, NetworkAE
from dcmcfg.schema_names import (
    BIND_ADDRESS,
    DCM_URI,
    DICOM_AE_TITLE,
    DICOM_HOSTNAME,
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    KEY_STORE_URL,
)

_LIMIT = "dcmLimitOpenAssociations"
_STORES = "dcmMultipleStoreAssociations"
_MAXIMUM_DIGITS = 9
_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def _iterate_called_peers(context: LintContext) -> Iterator[tuple[Device, NetworkAE, str]]:
    """Yield each AE of another device that an archive calls, with a phrase of the attributes that name it."""
    for lookup in find_ae_lookups(context):
        if lookup.names_peer and lookup.ae.device.entry.dn != lookup.archive.entry.dn:
            yield lookup.archive, lookup.ae, ", ".join(lookup.attributes)


def _find_tls_mismatch(context: LintContext) -> Iterator[Violation]:
    for device, ae, attribute in _iterate_called_peers(context):
        local, remote = (
            _select_usable(_list_own_connections(device)),
            [each for each in _select_usable(ae.connections) if each.port],
        )
        # Other rules report AEs without a usable connection.
        if local and remote and not {each.tls for each in local} & {each.tls for each in remote}:
            offered = "TLS" if remote[0].tls else "plain connections"
            message = (
                f"{device.name} connects to this AE ({attribute}), but this AE offers only {offered}, and no AE of "
                f"{device.name} supports {offered}"
            )
            yield Violation(ae.entry.dn, message)


def _find_tls_ciphers(context: LintContext) -> Iterator[Violation]:
    for device, ae, attribute in _iterate_called_peers(context):
        local, remote = (
            _select_usable(_list_own_connections(device)),
            [each for each in _select_usable(ae.connections) if each.port],
        )
        # The rule tls-mismatch reports the other combinations.
        pairs = [(one, other) for one in local for other in remote if one.tls == other.tls]
        if pairs and not any(one.is_compatible_with(other) for one, other in pairs):
            message = (
                f"{device.name} connects to this AE ({attribute}), but {device.name} and this AE have no TLS version "
                "and cipher suite in common"
            )
            yield Violation(ae.entry.dn, message)


def _select_usable(connections: tuple[Connection, ...]) -> list[Connection]:
    return [each for each in connections if each.installed and each.protocol == DICOM]


def _list_own_connections(device: Device) -> tuple[Connection, ...]:
    return tuple(connection for ae in device.network_aes if ae.installed for connection in ae.connections)


def _get_values(context: LintContext, connection: Connection, name: str) -> set[str]:
    entry = context.tree.get(connection.dn)
    return set(entry.texts(name)) if entry is not None else set()


def _find_exporter_cannot_connect(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        own = {ae.title: ae for ae in device.network_aes}
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            uri = exporter.text(DCM_URI) or ""
            sender = own.get(exporter.text(DICOM_AE_TITLE) or "")
            receiver = context.find_network_ae(uri.removeprefix("dicom:")) if uri.startswith("dicom:") else None
            if sender is None or receiver is None or not (sender.installed and receiver.installed):
                continue
            # An exporter uses only the connections of its own AE, so tls-mismatch may miss this case.
            remote = [each for each in _select_usable(receiver.connections) if each.port]
            if remote and not any(
                one.is_compatible_with(other) for one in _select_usable(sender.connections) for other in remote
            ):
                message = f"{sender.title} has no connection that is compatible with a connection of {receiver.title}"
                yield Violation(exporter.dn, message, DICOM_AE_TITLE, exporter.values(DICOM_AE_TITLE)[0])


def _find_peer_blacklisted(context: LintContext) -> Iterator[Violation]:
    for device, ae, attributes in _iterate_called_peers(context):
        hosts = {connection.host.lower() for connection in ae.connections}
        for connection in _list_own_connections(device):
            for value in sorted(_get_values(context, connection, "dcmBlacklistedHostname")):
                if value.lower() in hosts:
                    message = (
                        f"{ae.title} ({attributes}) has the host {value}, so the archive rejects connections from "
                        "this AE"
                    )
                    yield Violation(connection.dn, message, "dcmBlacklistedHostname", value.encode())


def _find_loopback_address(context: LintContext) -> Iterator[Violation]:
    for device, ae, attribute in _iterate_called_peers(context):
        own = {connection.host.lower() for connection in _select_usable(_list_own_connections(device))}
        # An archive at a loopback address runs on one machine with its peers, as in a lab.
        if own & set(_LOOPBACK_HOSTS):
            continue
        for connection in _select_usable(ae.connections):
            if connection.port and connection.host.lower() in _LOOPBACK_HOSTS:
                message = (
                    f"{device.name} connects to {ae.title} ({attribute}), but the host {connection.host} is always the "
                    "machine of the archive itself"
                )
                yield Violation(connection.dn, message, DICOM_HOSTNAME, connection.host.encode())


def _find_bound_to_loopback(context: LintContext) -> Iterator[Violation]:
    name = BIND_ADDRESS
    for device in context.archives:
        for connection in _select_usable(_list_own_connections(device)):
            bound = _get_values(context, connection, name) & set(_LOOPBACK_HOSTS)
            if connection.port and bound and connection.host.lower() not in _LOOPBACK_HOSTS:
                message = (
                    f"peers connect to {connection.host}, but the archive accepts connections only from its own machine"
                )
                yield Violation(connection.dn, message, name, sorted(bound)[0].encode())


def _find_recall_association_limit(context: LintContext) -> Iterator[Violation]:
    """Find archives that cannot serve a recall, which needs two associations: requester and external archive."""
    for device in context.archives:
        if context.find_external_archives(device) and EXTERNAL_RETRIEVE_AE_DESTINATION in device.entry:
            value = device.entry.text(_LIMIT) or "0"
            if value == "1":
                message = "while a requester waits for a recall, the archive rejects the external archive's association"
                yield Violation(device.entry.dn, message, _LIMIT, value.encode())


def _find_store_association_limit(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for value in entry.texts(_STORES):
                title, colon, number = value.rpartition(":")
                ae = context.find_network_ae(title) if colon else None
                allowed = (ae.device.entry.text(_LIMIT) or "0") if ae is not None else "0"
                if _parse_number(number) > _parse_number(allowed) > 0:
                    message = f"the device of {title} accepts only {allowed} concurrent associations ({_LIMIT})"
                    yield Violation(entry.dn, message, _STORES, value.encode())


def _parse_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < _MAXIMUM_DIGITS else 0


def _find_tls_without_store(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        if any(connection.tls and connection.installed for connection in device.connections):
            for name, missing in ((KEY_STORE_URL, "key store"), ("dcmTrustStoreURL", "trust store")):
                if name not in device.entry and not _has_alternative(device, name):
                    yield Violation(device.entry.dn, f"the device has TLS connections but no {missing}", name)


def _has_alternative(device: Device, name: str) -> bool:
    # Without a trust store, the archive trusts the certificates in the directory (Device).
    return name == "dcmTrustStoreURL" and "dicomAuthorizedNodeCertificateReference" in device.entry


RULES = (
    LintRule(
        "tls-mismatch",
        "error",
        requirement="The archive and each AE to which the archive connects must have the same kind of connection: TLS "
        "or plain.",
        reason="A TLS connection and a plain connection are not compatible (IncompatibleConnectionException).",
        fix="Add the missing kind of connection (TLS or plain) to the archive's AE or to the peer.",
        example_command="dcmcfg connection add DEVICE/NAME HOST:PORT --ae AET",
        find_violations=_find_tls_mismatch,
    ),
    LintRule(
        "tls-ciphers",
        "error",
        requirement="The archive and each AE to which the archive connects over TLS must have a TLS version and a "
        "cipher suite in common.",
        reason="Without a common version and suite, the archive cannot connect to the AE. Use the Java names "
        "(TLS_RSA_WITH_AES_128_CBC_SHA), not the "
        "OpenSSL names.",
        fix="Set the same dicomTLSCipherSuite and dcmTLSProtocol on both connections.",
        example_command="dcmcfg set DN dicomTLSCipherSuite+=NAME",
        find_violations=_find_tls_ciphers,
    ),
    LintRule(
        "exporter-cannot-connect",
        "error",
        requirement="The sending AE of an exporter and the destination must have compatible connections.",
        reason="If the connections are not compatible, every task of the exporter fails "
        "(IncompatibleConnectionException), even if another AE of the archive has a compatible connection.",
        fix="Find out whether the destination's connection is plain or uses TLS. Add a connection of this kind to the "
        "sending AE.",
        example_command="dcmcfg set DEVICE/AE dicomNetworkConnectionReference+=DN",
        find_violations=_find_exporter_cannot_connect,
    ),
    LintRule(
        "peer-blacklisted",
        "note",
        requirement="The host of an AE to which the archive connects must not be blacklisted.",
        reason="The archive connects to the host but rejects connections from the host, for example for storage "
        "commitment results.",
        fix="Remove the host from dcmBlacklistedHostname. If the archive should reject connections from the host, "
        "ignore this note.",
        example_command="dcmcfg set DN dcmBlacklistedHostname-=HOST",
        find_violations=_find_peer_blacklisted,
    ),
    LintRule(
        "tls-without-store",
        "warning",
        requirement="An archive with TLS connections must have a key store and a trust store.",
        reason="Peers request a certificate by default (dcmTLSNeedClientAuth), so the TLS handshake fails without a "
        "key store and a trust store.",
        fix="Configure a key store and a trust store, or remove the TLS connections.",
        example_command="dcmcfg set DEVICE dcmKeyStoreURL=URL",
        find_violations=_find_tls_without_store,
    ),
    LintRule(
        "loopback-address",
        "warning",
        requirement="A peer with the host localhost must run on the same machine as the archive.",
        reason="If the peer has the host localhost, the archive connects to its own machine or container.",
        fix="Set the peer's host name.",
        example_command="dcmcfg set DN dicomHostname=HOST",
        find_violations=_find_loopback_address,
    ),
    LintRule(
        "bound-to-loopback",
        "warning",
        requirement="The archive's connections for remote peers must not be bound to localhost.",
        reason="If a connection is bound to localhost, peers on other machines cannot connect to the archive.",
        fix="Set dcmBindAddress to 0.0.0.0, or unset the attribute.",
        example_command="dcmcfg set DN dcmBindAddress=0.0.0.0",
        find_violations=_find_bound_to_loopback,
    ),
    LintRule(
        "recall-association-limit",
        "error",
        requirement="An archive with external archives must accept at least two concurrent associations.",
        reason="The requester uses one association, and the external archive uses a second association. If "
        "dcmLimitOpenAssociations is 1, the archive rejects the second association (A-ASSOCIATE-RJ 2/3/2).",
        fix="Set dcmLimitOpenAssociations to a higher number, or to 0 for no limit.",
        example_command="dcmcfg set DEVICE dcmLimitOpenAssociations=0",
        find_violations=_find_recall_association_limit,
    ),
    LintRule(
        "store-association-limit",
        "warning",
        requirement="If a destination limits concurrent associations, the archive must not exceed this limit.",
        reason="If the number of open associations reaches dcmLimitOpenAssociations of the destination, the "
        "destination rejects further associations (A-ASSOCIATE-RJ 2/3/2). So dcmMultipleStoreAssociations must not "
        "exceed dcmLimitOpenAssociations.",
        fix="Set a lower number in dcmMultipleStoreAssociations, or a higher dcmLimitOpenAssociations on the "
        "destination.",
        example_command="dcmcfg set TARGET dcmMultipleStoreAssociations=AET:NUMBER",
        find_violations=_find_store_association_limit,
    ),
)
