"""Devices, network AEs and connections: views of the entries of a tree (PS3.15 Annex H)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DCM_PROTOCOL,
    DICOM_AE_TITLE,
    DICOM_ASSOCIATION_INITIATOR,
    DICOM_CONFIGURATION_ROOT_OBJECT_CLASS,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_DEVICES_ROOT_OBJECT_CLASS,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_PORT,
    DICOM_SOP_CLASS,
    DICOM_TLS_CIPHER_SUITE,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    DICOM_TRANSFER_SYNTAX,
    OTHER_AE_TITLE,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
    TLS_PROTOCOL,
)
from dcmcfg.suggestions import format_known_names
from dcmcfg.unsigned_integer import parse_unsigned_integer
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX

DICOM = "DICOM"
#: The archive's default if dcmTLSProtocol is absent (Connection).
DEFAULT_TLS_VERSION = "TLSv1.2"
#: The value that stands for every transfer syntax.
ANY_TRANSFER_SYNTAX = "*"
_DEVICE_NAME_ATTRIBUTE = DICOM_DEVICE_NAME.lower()


# Positional, because keyword arguments make reading a tree slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class Connection:
    """A network connection of a device.

    ``port`` is None for a connection that only initiates. ``installed`` is False also if the device is not installed.
    """

    dn: DN
    host: str
    port: int | None
    protocol: str
    tls: bool
    installed: bool
    ciphers: frozenset[str] = frozenset()
    tls_versions: frozenset[str] = frozenset()

    def is_compatible_with(self, other: Connection) -> bool:
        """Return whether the connections are compatible.

        They are if they have the same protocol and both are plain, or both use TLS with a common version and cipher
        suite. Same as ``Connection.isCompatible``; names of cipher suites are Java's and compared literally.
        """
        if self.protocol != other.protocol or self.tls != other.tls:
            return False
        return not self.tls or bool(self.ciphers & other.ciphers and self.tls_versions & other.tls_versions)


# Positional, because keyword arguments make reading a tree slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class NetworkAE:
    """A network AE with its connections, in the order of the references; dangling references are omitted."""

    entry: Entry
    device: Device
    title: str
    connections: tuple[Connection, ...]
    installed: bool

    def find_listening_connection(self, *, tls: bool = False) -> Connection | None:
        """Return the first installed DICOM connection that listens, with or without TLS, or None."""
        fitting = (c for c in self.connections if c.installed and c.port and c.protocol == DICOM)
        return next((connection for connection in fitting if connection.tls == tls), None)

    @property
    def is_initiator(self) -> bool:
        """Whether the AE may open associations."""
        return self.entry.text(DICOM_ASSOCIATION_INITIATOR) == "TRUE"

    @property
    def qualified_title(self) -> str:
        """The unique name of the AE, ``DEVICE/AE``."""
        return f"{self.device.name}/{self.title}"

    @property
    def other_titles(self) -> tuple[str, ...]:
        """Additional titles that callers may use (dcmOtherAETitle); they are unknown as Move Destination."""
        return self.entry.texts(OTHER_AE_TITLE)

    @cached_property
    def capabilities(self) -> tuple[Entry, ...]:
        """The transfer capability entries of the AE, without shared ones."""
        tree = self.device.tree
        return tuple(
            child for child in tree.children(self.entry.dn) if child.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS)
        )

    @cached_property
    def transfer_syntaxes(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """The transfer syntaxes of own or shared capabilities, by role (``SCU``, ``SCP``) and SOP class.

        :data:`ANY_TRANSFER_SYNTAX` counts only as the first value, and then alone. Empty if the AE shares capabilities
        of a missing AE.
        """
        found: dict[str, dict[str, frozenset[str]]] = {"SCU": {}, "SCP": {}}
        source_title = self.entry.text("dcmShareTransferCapabilitiesFromAETitle")
        # The archive accepts no presentation context then.
        if source_title and all(each.title != source_title for each in self.device.network_aes):
            return found
        for capability in self.capability_source.capabilities:
            values = capability.texts(DICOM_TRANSFER_SYNTAX)
            syntaxes = (
                frozenset({ANY_TRANSFER_SYNTAX})
                if values[:1] == (ANY_TRANSFER_SYNTAX,)
                else frozenset(values) - {ANY_TRANSFER_SYNTAX}
            )
            by_sop_class = found.setdefault(capability.text(DICOM_TRANSFER_ROLE) or "", {})
            uid = capability.text(DICOM_SOP_CLASS) or ""
            by_sop_class[uid] = by_sop_class.get(uid, frozenset()) | syntaxes
        return found

    @property
    def is_storage_scp(self) -> bool:
        """Whether the own or shared capabilities contain a storage SOP class as SCP."""
        return any(
            capability.text(DICOM_TRANSFER_ROLE) == "SCP"
            and (capability.text(DICOM_SOP_CLASS) or "").startswith(STORAGE_SOP_CLASS_PREFIX)
            for capability in self.capability_source.capabilities
        )

    @property
    def capability_source(self) -> NetworkAE:
        """The AE whose capabilities apply: usually this AE, or the AE of the device that it shares them from."""
        source_title = self.entry.text("dcmShareTransferCapabilitiesFromAETitle")
        return next((ae for ae in self.device.network_aes if source_title and ae.title == source_title), self)


@dataclass(frozen=True)
class Device:
    """A device with its network AEs and connections."""

    entry: Entry
    tree: Tree

    @property
    def name(self) -> str:
        """The dicomDeviceName of the device."""
        return self.entry.text(DICOM_DEVICE_NAME) or ""

    @property
    def installed(self) -> bool:
        """Whether the device is installed; the default is TRUE (ApplicationEntity.isInstalled)."""
        return self.entry.text(DICOM_INSTALLED) != "FALSE"

    @property
    def is_archive(self) -> bool:
        """Whether the device has the archive's settings (object class dcmArchiveDevice)."""
        return self.entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """The network connections of the device, ordered by name."""
        return tuple(map(self._build_connection, self.children(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)))

    @cached_property
    def network_aes(self) -> tuple[NetworkAE, ...]:
        """The network AEs of the device, ordered by title."""
        return tuple(map(self._build_network_ae, self.children(DICOM_NETWORK_AE_OBJECT_CLASS)))

    def children(self, object_class: str) -> tuple[Entry, ...]:
        """Return the entries of *object_class* directly below the device, ordered by name."""
        known = self._children
        if object_class not in known:
            below = self.tree.children(self.entry.dn)
            known[object_class] = tuple(child for child in below if child.is_a(object_class))
        return known[object_class]

    @cached_property
    def _children(self) -> dict[str, tuple[Entry, ...]]:
        """Cache of :meth:`children` by class: rules call it for each AE of a device."""
        return {}

    @cached_property
    def titles(self) -> frozenset[str]:
        """The titles of the device's network AEs."""
        return frozenset(ae.title for ae in self.network_aes)

    @cached_property
    def storage_ids(self) -> frozenset[str]:
        """The dcmStorageID of each storage of the archive device."""
        return frozenset(text for storage in self.children(STORAGE_OBJECT_CLASS) for text in storage.texts(STORAGE_ID))

    def get_network_ae(self, ae_title: str) -> NetworkAE:
        """Return the AE *ae_title*; raises :class:`NotFound` with the device's AEs (some of many)."""
        for ae in self.network_aes:
            if ae.title == ae_title:
                return ae
        raise self.build_ae_not_found(ae_title)

    def build_ae_not_found(self, ae_title: str) -> NotFound:
        """Return the error for a missing AE *ae_title*, with a title that differs only in case, or the device's AEs."""
        message = f"the device {self.name} has no AE {ae_title}"
        for ae in self.network_aes:
            if ae.title.casefold() == ae_title.casefold():
                return NotFound(message, next_step=f"AE titles are case-sensitive: did you mean {ae.title}?")
        return NotFound(
            message,
            next_step=f"AEs of this device: {format_known_names(ae_title, (ae.title for ae in self.network_aes))}",
        )

    def find_called_ae(self, called_ae_title: str) -> NetworkAE | None:
        """Return the AE that accepts associations for *called_ae_title*, or None.

        This is the AE with that title, else the AE ``*``, else an AE with that other title, in the order of
        ``AssociationHandler`` and ``Device.getApplicationEntity``.
        """
        # Reversed, because later keys overwrite earlier ones: the first of several AEs must remain.
        own = {ae.title: ae for ae in reversed(self.network_aes)}
        others = (ae for ae in self.network_aes if called_ae_title in ae.other_titles)
        return own.get(called_ae_title) or own.get("*") or next(others, None)

    def _build_connection(self, entry: Entry) -> Connection:
        port = entry.text(DICOM_PORT)
        return Connection(
            entry.dn,
            entry.text(DICOM_HOSTNAME) or "",
            parse_unsigned_integer(port or ""),  # None for -1, a connection that does not listen
            entry.text(DCM_PROTOCOL) or DICOM,
            DICOM_TLS_CIPHER_SUITE in entry,  # only cipher suites switch TLS on (Connection.isTls)
            self._is_installed(entry),
            frozenset(entry.texts(DICOM_TLS_CIPHER_SUITE)),
            frozenset(entry.texts(TLS_PROTOCOL) or (DEFAULT_TLS_VERSION,)),
        )

    def _build_network_ae(self, entry: Entry) -> NetworkAE:
        references = (self._parse_reference(text) for text in entry.texts(DICOM_NETWORK_CONNECTION_REFERENCE))
        by_key = self._connections_by_key
        # The order of the references matters: the archive uses the first compatible connection.
        found = tuple(by_key[key] for key in references if key in by_key)
        return NetworkAE(entry, self, entry.text(DICOM_AE_TITLE) or "", found, self._is_installed(entry))

    @cached_property
    def _connections_by_key(self) -> Mapping[NormalDN | None, Connection]:
        return {self.tree.key(connection.dn): connection for connection in self.connections}

    def _parse_reference(self, reference: str) -> NormalDN | None:
        """Return the normal form of *reference*, or None if it is not a DN, as in a file that was not checked."""
        try:
            return self.tree.key(DN.parse(reference))
        except MalformedInput:
            return None

    def _is_installed(self, entry: Entry) -> bool:
        """Return whether neither the entry nor its device is marked FALSE (Connection.isInstalled)."""
        return self.installed and entry.text(DICOM_INSTALLED) != "FALSE"


@dataclass(frozen=True)
class Configuration:
    """The DICOM configuration in a tree: its root, its devices and the AEs of all devices."""

    tree: Tree

    @cached_property
    def root(self) -> DN:
        """The DN of the configuration root, found by its object class; raises :class:`NotFound`."""
        for entry in self.tree.entries.values():
            if entry.is_a(DICOM_CONFIGURATION_ROOT_OBJECT_CLASS):
                return entry.dn
        raise build_no_configuration_error()

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """All devices, ordered by name."""
        container = next((e for e in self.tree.children(self.root) if e.is_a(DICOM_DEVICES_ROOT_OBJECT_CLASS)), None)
        if container is None:
            return ()
        children = self.tree.children(container.dn)
        return tuple(Device(entry, self.tree) for entry in children if entry.is_a(DICOM_DEVICE_OBJECT_CLASS))

    def get_device(self, name: str) -> Device:
        """Return the device *name* (in any case); raises :class:`NotFound` with the existing devices."""
        for device in self.devices:
            if device.name.lower() == name.lower():
                return device
        raise self.build_device_not_found(name)

    def build_device_not_found(self, name: str) -> NotFound:
        """Return the error for a missing device *name*, with the AE of that name (in any case) or the devices."""
        folded = name.casefold()
        ae = self.find_network_ae(name) or next(
            (ae for ae in self.network_aes() if ae.title.casefold() == folded), None
        )
        if ae is not None:
            step = f"{ae.title} is an AE: specify {ae.qualified_title}, or its device {ae.device.name}"
            return NotFound(f"the device {name} does not exist", next_step=step)
        names = format_known_names(name, (device.name for device in self.devices))
        return NotFound(f"the device {name} does not exist", next_step=f"existing devices: {names}")

    def network_aes(self) -> Iterator[NetworkAE]:
        """Yield every AE of every device."""
        for device in self.devices:
            yield from device.network_aes

    def find_network_ae(self, ae_title: str) -> NetworkAE | None:
        """Return the AE *ae_title* (case-sensitive) of the first device that has it, or None."""
        return next((ae for ae in self.network_aes() if ae.title == ae_title), None)


def find_enclosing_device(name: NormalDN) -> NormalDN | None:
    """Return the name of the device at or above the entry *name*, or None outside all devices.

    The archive finds devices only by the RDN ``dicomDeviceName=NAME`` (``LdapDicomConfiguration.deviceRef``).
    """
    for index, rdn in enumerate(name):
        for kind, _ in rdn:
            if kind == _DEVICE_NAME_ATTRIBUTE:
                return name[index:]
    return None


def find_devices_dn(*trees: Tree) -> DN:
    """Return the DN of the devices' container in the first of *trees* that has one, or the empty DN."""
    entries = (entry for tree in trees for entry in tree.entries.values())
    return next((entry.dn for entry in entries if entry.is_a(DICOM_DEVICES_ROOT_OBJECT_CLASS)), DN())


def build_no_configuration_error() -> NotFound:
    """Return the error for a tree without a configuration root."""
    return NotFound(
        "no DICOM configuration below the base DN",
        next_step="check --base-dn (DCMCFG_BASE_DN); the configuration root has the object class "
        "dicomConfigurationRoot",
    )
