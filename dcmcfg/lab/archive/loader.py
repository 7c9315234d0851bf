"""Build a :class:`Device` from the entries of a device, with the same failures as the archive's own loader.

Simulates ``LdapDicomConfiguration.loadDevice`` with ``LdapArchiveConfiguration``, for the attributes that the
simulation uses. Durations are parsed like in the archive's ``Duration`` class.
"""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.lab.archive.configuration import Connection, Device, NetworkAE, TransferCapability, WebApplication
from dcmcfg.lab.archive.java_exceptions import DanglingReference, IllegalArgumentException, NameNotFoundException
from dcmcfg.lab.archive.loaded_lists import build_loaded_lists
from dcmcfg.schema.value_kinds import durations


def parse_duration(text: str) -> float:
    """Return the seconds of ``P[nD][T[nH][nM][n[.,n]S]]``; raises :class:`IllegalArgumentException`."""
    seconds = durations.parse_seconds(text)
    if seconds is None:
        raise IllegalArgumentException(text)
    return seconds


_PROTOCOLS = ("DICOM", "HL7", "HL7_MLLP2", "SYSLOG_TLS", "SYSLOG_UDP", "HTTP")
_ROLES = ("SCU", "SCP")
#: Attributes whose value is a constant of a Java enumeration, with the class and its constants.
_ENUM_CONSTANTS = {
    "dcmOverwritePolicy": (
        "org.dcm4chee.arc.conf.OverwritePolicy",
        ("NEVER", "ALWAYS", "SAME_SOURCE", "EVEN_WITH_EQUAL_DIGEST"),
    ),
    "dcmStorageDuration": ("org.dcm4chee.arc.conf.StorageDuration", ("PERMANENT", "CACHE", "TEMPORARY")),
}
_PORTS = range(1, 65536)
_NOT_LISTENING = -1  # Connection.NOT_LISTENING


def build_device(entries: Sequence[Entry]) -> Device:
    """Return the device with the subtree *entries*, its own entry first.

    Raises :class:`DanglingReference` if a connection reference does not name a connection of this device, and
    :class:`IllegalArgumentException` for a value that the archive cannot parse.
    """
    device = entries[0]
    # One bad value anywhere in the device makes all of it unloadable.
    for entry in entries:
        _require_valid_enums(entry)
    connections = {
        connection.dn: connection
        for connection in (
            _build_connection(entry, device) for entry in _select_entries(entries, "dicomNetworkConnection")
        )
    }
    storages = _select_entries(entries, "dcmStorage")
    return Device(
        name=device.text("dicomDeviceName") or "",
        connections=tuple(connections.values()),
        aes=tuple(
            _build_network_ae(entry, device, connections, entries)
            for entry in _select_entries(entries, "dicomNetworkAE")
        ),
        ae_cache_stale_timeout_s=_read_duration(device, "dcmAECacheStaleTimeout"),
        storages=frozenset(text for entry in storages for text in entry.texts("dcmStorageID")),
        external_availability=_find_first_value(storages, "dcmExternalRetrieveInstanceAvailability"),
        move_scp_of_store_scu=tuple(_split_pair(text) for text in device.texts("dcmCStoreSCUOfCMoveSCP")),
        web_applications=tuple(
            WebApplication(each.text("dcmWebServicePath") or "", frozenset(each.texts("dcmWebServiceClass")))
            for each in _select_entries(entries, "dcmWebApp")
        ),
        lists=build_loaded_lists(entries),
    )


def _select_entries(entries: Sequence[Entry], object_class: str) -> list[Entry]:
    return [entry for entry in entries if entry.is_a(object_class)]


def _build_connection(entry: Entry, device: Entry) -> Connection:
    port = int(entry.text("dicomPort") or _NOT_LISTENING)
    if port != _NOT_LISTENING and port not in _PORTS:
        raise IllegalArgumentException(f"port out of range:{port}")
    if (entry.text("dcmProtocol") or "DICOM") not in _PROTOCOLS:
        raise IllegalArgumentException(
            f"No enum constant org.dcm4che3.net.Connection.Protocol.{entry.text('dcmProtocol')}"
        )
    return Connection(
        dn=entry.dn.normalised(),
        host=entry.text("dicomHostname") or "",
        port=port if port != _NOT_LISTENING else None,
        installed=_is_installed(entry, device),
        bind_address=entry.text("dcmBindAddress"),
        protocol=entry.text("dcmProtocol") or "DICOM",
        cipher_suites=entry.texts("dicomTLSCipherSuite"),
        tls_versions=entry.texts("dcmTLSProtocol") or ("TLSv1.2",),
        needs_client_certificate=entry.text("dcmTLSNeedClientAuth") != "FALSE",
        retrieve_timeout_s=_read_milliseconds(entry, "dcmRetrieveTimeout"),
        store_timeout_s=_read_milliseconds(entry, "dcmStoreTimeout"),
        accept_timeout_s=_read_milliseconds(entry, "dcmAAACTimeout"),
    )


def _build_network_ae(
    entry: Entry, device: Entry, connections: dict[NormalDN, Connection], entries: Sequence[Entry]
) -> NetworkAE:
    interval_source = entry if "dcmSendPendingCMoveInterval" in entry else device
    return NetworkAE(
        title=entry.text("dicomAETitle") or "",
        installed=_is_installed(entry, device),
        acceptor=entry.text("dicomAssociationAcceptor") == "TRUE",
        connections=tuple(
            _resolve_connection(text, connections, entries) for text in entry.texts("dicomNetworkConnectionReference")
        ),
        other_titles=entry.texts("dcmOtherAETitle"),
        accepted_calling_ae_titles=entry.texts("dcmAcceptedCallingAETitle"),
        accepted_destinations=entry.texts("dcmAcceptedMoveDestination"),
        external_retrieve_destination=_read_inherited(entry, device, "dcmExternalRetrieveAEDestination"),
        alternative_move_scp=_read_inherited(entry, device, "dcmAltCMoveSCP"),
        fallback_move_scp=_read_inherited(entry, device, "dcmFallbackCMoveSCP"),
        fallback_destination=_read_inherited(entry, device, "dcmFallbackCMoveSCPDestination"),
        fallback_calling_ae_title=_read_inherited(entry, device, "dcmFallbackCMoveSCPCallingAET"),
        fallback_retries=int(_read_inherited(entry, device, "dcmFallbackCMoveSCPRetries") or 0),
        restrict_retrieve_silently=_read_inherited(entry, device, "dcmRestrictRetrieveSilently") == "TRUE",
        send_pending_interval_s=_read_duration(interval_source, "dcmSendPendingCMoveInterval"),
        return_retrieve_aets=entry.texts("dcmReturnRetrieveAET") or device.texts("dcmReturnRetrieveAET"),
        retrieve_aets=entry.texts("dcmRetrieveAET") or device.texts("dcmRetrieveAET"),
        object_storages=entry.texts("dcmObjectStorageID") or device.texts("dcmObjectStorageID"),
        qido_max_results=int(_read_inherited(entry, device, "dcmQidoMaxNumberOfResults") or 0),
        query_max_results=int(_read_inherited(entry, device, "dcmQueryMaxNumberOfResults") or 0),
        capabilities=_build_capabilities(entry, entries),
    )


def _resolve_connection(text: str, connections: dict[NormalDN, Connection], entries: Sequence[Entry]) -> Connection:
    try:
        dn = DN.parse(text).normalised()
    except MalformedInput:
        raise DanglingReference from NameNotFoundException(text)
    if dn not in connections:
        raise DanglingReference from NameNotFoundException(text)
    connection_entries = _select_entries(entries, "dicomNetworkConnection")
    # The archive checks the protocol when it assigns the connection to the AE, so only references matter.
    protocol = next(entry.text("dcmProtocol") for entry in connection_entries if entry.dn.normalised() == dn)
    if protocol not in (None, "DICOM"):
        raise IllegalArgumentException("protocol != DICOM - " + str(protocol))
    return connections[dn]


def _build_capabilities(ae: Entry, entries: Sequence[Entry]) -> tuple[TransferCapability, ...]:
    """Return the AE's own capabilities, or those of the AE that it shares them from; empty if that AE is missing."""
    source_title = ae.text("dcmShareTransferCapabilitiesFromAETitle")
    source_dns = {
        entry.dn for entry in _select_entries(entries, "dicomNetworkAE") if entry.text("dicomAETitle") == source_title
    }
    parents = source_dns if source_title else {ae.dn}
    return tuple(
        _build_capability(each)
        for each in _select_entries(entries, "dicomTransferCapability")
        if each.dn.parent in parents
    )


def _build_capability(entry: Entry) -> TransferCapability:
    role = entry.text("dicomTransferRole") or ""
    if role not in _ROLES:
        raise IllegalArgumentException(f"No enum constant org.dcm4che3.net.TransferCapability.Role.{role}")
    return TransferCapability(entry.text("dicomSOPClass") or "", role, entry.texts("dicomTransferSyntax"))


def _require_valid_enums(entry: Entry) -> None:
    for attribute, (java_class, constants) in _ENUM_CONSTANTS.items():
        text = entry.text(attribute)
        if text is not None and text not in constants:
            raise IllegalArgumentException(f"No enum constant {java_class}.{text}")


def _is_installed(entry: Entry, device: Entry) -> bool:
    """Return whether *entry* is installed: by default like its device; FALSE on the device takes precedence."""
    return "FALSE" not in (device.text("dicomInstalled"), entry.text("dicomInstalled"))


def _read_inherited(entry: Entry, device: Entry, attribute: str) -> str | None:
    text = entry.text(attribute)
    return text if text is not None else device.text(attribute)


def _read_milliseconds(entry: Entry, attribute: str) -> float | None:
    """Return a time in milliseconds as seconds; None (no limit) if it is 0 or absent."""
    return int(entry.text(attribute) or 0) / 1000 or None


def _read_duration(entry: Entry, attribute: str) -> float | None:
    text = entry.text(attribute)
    return None if text is None else parse_duration(text)


def _find_first_value(entries: Sequence[Entry], attribute: str) -> str | None:
    return next((text for entry in entries for text in entry.texts(attribute)), None)


def _split_pair(text: str) -> tuple[str, str]:
    first, equals, second = text.partition("=")
    if not (first and equals and second):
        raise IllegalArgumentException(f"CStoreSCUofCMoveSCP in incorrect format : {text}")
    return first, second
