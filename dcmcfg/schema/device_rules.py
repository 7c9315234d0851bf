"""Rules about several entries of a device: connections and their users, TLS, key stores.

Violations prevent the archive from loading the device or from opening its ports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.archive_values import get_value_kinds
from dcmcfg.schema.findings import BIND_HOST, KEY_STORE, PROTOCOL, REQUIRED_REFERENCE, TLS, CheckRule, EntryFinding
from dcmcfg.schema.value_kinds.catalogue import CONNECTION_NAME
from dcmcfg.schema.value_kinds.java_names import find_cipher_suite_problem, find_tls_protocol_problem
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    BIND_ADDRESS,
    DCM_DEVICE_OBJECT_CLASS,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DCM_PROTOCOL,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_PORT,
    DICOM_TLS_CIPHER_SUITE,
    KEY_STORE_URL,
    TLS_PROTOCOL,
)

#: One of them is enough: the second names a Java system property that holds the PIN.
_PIN_ATTRIBUTES = ("dcmKeyStorePin", "dcmKeyStorePinProperty")
#: Attributes that hold a PIN in clear text.
SECRET_PIN_ATTRIBUTES = ("dcmKeyStorePin", "dcmKeyStoreKeyPin", "dcmTrustStorePin")
#: The archive's default if dcmProtocol is absent (Connection).
_DEFAULT_PROTOCOL = "DICOM"
#: The characters of host names and IP addresses.
_HOST = re.compile(r"[A-Za-z0-9._:%-]*", re.ASCII)


@dataclass(frozen=True)
class DeviceRules:
    """Rules about several entries of a device.

    ``find_entry`` returns the entry with a DN, or None if it was not read. Without ``require_pins``, the entries come
    from a file that may omit all PINs, as an export does: missing PINs are not reported then.
    """

    find_entry: Callable[[DN], Entry | None]
    require_pins: bool = True

    def find_problems(self, entry: Entry) -> Iterator[EntryFinding]:
        """Yield the problems of *entry* in relation to the other entries of its device."""
        yield from self._check_connections(entry)
        if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS) and self._is_listening(entry):
            yield from _check_tls(entry)
            yield from _check_bind_host(entry)
        if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
            yield from _check_key_store(entry, require_pin=self.require_pins)

    def _check_connections(self, entry: Entry) -> Iterator[EntryFinding]:
        """Yield references to connections of another device or with a protocol that the archive refuses."""
        if DICOM_NETWORK_CONNECTION_REFERENCE not in entry:
            return
        kinds = [
            kind
            for name, kind in get_value_kinds(DICOM_NETWORK_CONNECTION_REFERENCE).items()
            if entry.is_a(name) and kind.name == CONNECTION_NAME
        ]
        for value in entry.values(DICOM_NETWORK_CONNECTION_REFERENCE):
            target = self._find_target(value)
            if target is None or not target.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
                continue
            # LdapDicomConfiguration searches a reference only among the connections of the same device, and fails
            # otherwise.
            if kinds and target.dn.parent.normalised() != entry.dn.parent.normalised():
                yield _build_finding(
                    REQUIRED_REFERENCE,
                    entry,
                    DICOM_NETWORK_CONNECTION_REFERENCE,
                    "the connection belongs to another device",
                    value=value,
                )
                continue
            protocol = _get_protocol(target)
            for kind in kinds:
                if protocol not in kind.constants:
                    allowed = " or ".join(kind.constants)
                    yield _build_finding(
                        PROTOCOL,
                        entry,
                        DICOM_NETWORK_CONNECTION_REFERENCE,
                        f"the connection's protocol is {protocol}, not {allowed}",
                        value=value,
                    )

    def _find_target(self, value: bytes) -> Entry | None:
        try:
            return self.find_entry(DN.parse(value.decode("utf-8", "replace")))
        except MalformedInput:
            return None

    def _is_listening(self, connection: Entry) -> bool:
        """Return whether an archive listens on *connection*: only then a reload or start binds its port."""
        device = self.find_entry(connection.dn.parent) if len(connection.dn.rdns) > 1 else None
        if device is None or not device.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
            return False
        # Without its own value, a connection inherits the device's, whose default is TRUE (Connection.isInstalled).
        installed = (connection.text(DICOM_INSTALLED), device.text(DICOM_INSTALLED))
        return "FALSE" not in installed and connection.text(DICOM_PORT) not in (None, "-1")


def _check_tls(connection: Entry) -> Iterator[EntryFinding]:
    for value in connection.values(DICOM_TLS_CIPHER_SUITE):
        if problem := find_cipher_suite_problem(value.decode("utf-8", "replace")):
            yield _build_finding(TLS, connection, DICOM_TLS_CIPHER_SUITE, problem, value=value)
    # A connection uses TLS only if it has cipher suites (Connection.isTls). The loader reads dcmTLSProtocol only on
    # this object class.
    if connection.is_a(DCM_NETWORK_CONNECTION_OBJECT_CLASS) and connection.values(DICOM_TLS_CIPHER_SUITE):
        for value in connection.values(TLS_PROTOCOL):
            if problem := find_tls_protocol_problem(value.decode("utf-8", "replace")):
                yield _build_finding(TLS, connection, TLS_PROTOCOL, problem, value=value)


def _check_bind_host(connection: Entry) -> Iterator[EntryFinding]:
    # Without dcmBindAddress, the archive listens on the address of the host name.
    extended = connection.is_a(DCM_NETWORK_CONNECTION_OBJECT_CLASS) and connection.values(BIND_ADDRESS)
    name = BIND_ADDRESS if extended else DICOM_HOSTNAME
    for value in connection.values(name):
        if not _HOST.fullmatch(value.decode("utf-8", "replace")):
            yield _build_finding(
                BIND_HOST,
                connection,
                name,
                "the archive cannot listen on this address, because the value is not a host name",
                value=value,
            )


def _check_key_store(device: Entry, *, require_pin: bool) -> Iterator[EntryFinding]:
    """Yield key stores without a type or, with *require_pin*, without a PIN; a reload keeps the old key then."""
    url = KEY_STORE_URL
    if not device.is_a(DCM_DEVICE_OBJECT_CLASS) or not device.values(url):
        return
    if not device.values("dcmKeyStoreType"):
        yield _build_finding(KEY_STORE, device, url, "dcmKeyStoreType is missing", value=None)
    if require_pin and not any(device.values(name) for name in _PIN_ATTRIBUTES):
        yield _build_finding(KEY_STORE, device, url, f"{' or '.join(_PIN_ATTRIBUTES)} is missing", value=None)


def _get_protocol(connection: Entry) -> str:
    # The loader reads dcmProtocol only on this object class (LdapDicomConfiguration).
    found = connection.text(DCM_PROTOCOL) if connection.is_a(DCM_NETWORK_CONNECTION_OBJECT_CLASS) else None
    return found or _DEFAULT_PROTOCOL


def _build_finding(rule: CheckRule, entry: Entry, attribute: str, message: str, *, value: bytes | None) -> EntryFinding:
    return EntryFinding(rule, entry.dn, attribute, message, value=value, severity=rule.severity)
