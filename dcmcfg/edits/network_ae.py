"""Add a network AE, with the device and the connection that it requires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.changes import Add
from dcmcfg.dn import DN, NormalDN
from dcmcfg.edits.cipher_suites import collect_offered_cipher_suites
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.name_rules import check_new_ae_title, require_valid_name
from dcmcfg.edits.network_entries import (
    build_ae_entry,
    build_connection_entry,
    build_device_entry,
    build_registration_entry,
)
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import DICOM, Configuration, Device, NetworkAE
from dcmcfg.model.registries import AE_TITLE_REGISTRY
from dcmcfg.network_address import format_host_port, parse_host, parse_port
from dcmcfg.plan import entry_diff
from dcmcfg.route.command import format_command
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    COMMON_NAME,
    DICOM_AE_TITLE,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_DESCRIPTION,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_DEVICES_ROOT_OBJECT_CLASS,
    DICOM_HOSTNAME,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_PORT,
    DICOM_SOP_CLASS,
    DICOM_TLS_CIPHER_SUITE,
    DICOM_TRANSFER_ROLE,
    OBJECT_CLASS,
    OBJECT_STORAGE_ID,
)
from dcmcfg.suggestions import suggest_names
from dcmcfg.unsafe_names import needs_escaping_in_dn
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX

#: The names that ``dcmldap`` uses for new connections.
PLAIN_CONNECTION_NAME, TLS_CONNECTION_NAME = "dicom", "dicom-tls"


@dataclass(frozen=True)
class NewNetworkAE:
    """The desired settings of a new AE.

    - ``device``: the name of the device; the default is a new device with the title in lower case as its name.
    - ``cipher_suites``: JSSE names; with them, the connection uses TLS.
    - ``connection``: the name of the connection; None selects an equal connection, or a new one.
    - ``port``: without it, the connection only initiates associations.
    - ``acceptor``: whether the AE accepts associations.
    - ``device_description`` and ``device_type`` (dicomPrimaryDeviceType): for a new device.

    Raises :class:`~dcmcfg.errors.MalformedInput` for an invalid title, host or port.
    """

    title: str
    host: str
    port: int | None
    _: KW_ONLY
    device: str | None = None
    cipher_suites: tuple[str, ...] = ()
    connection: str | None = None
    description: str | None = None
    device_description: str | None = None
    device_type: str | None = None
    acceptor: bool = True
    capabilities: tuple[TransferCapability, ...] = ()
    #: The AE whose capabilities are copied too.
    template: NetworkAE | None = None

    def __post_init__(self) -> None:
        parse_ae_title(self.title)
        parse_host(self.host)
        if self.port is not None:
            parse_port(str(self.port))

    @property
    def device_name(self) -> str:
        """The name of the existing or new device."""
        return self.title.lower() if self.device is None else self.device

    def build_capability_entries(self, ae: DN) -> Iterator[Entry]:
        """Yield the entries of the capabilities below the AE at *ae*."""
        yield from (capability.build_entry(ae) for capability in self.capabilities)
        if self.template is not None:
            source = self.template.capability_source
            yield from (each.with_dn(each.dn.rebased(source.entry.dn, ae)) for each in source.capabilities)


def add_network_ae(configuration: Configuration, new: NewNetworkAE) -> Edit:
    """Return the edit that adds *new* to *configuration*; see :meth:`NetworkAEAdder.add`."""
    return NetworkAEAdder(configuration).add(new)


@dataclass(frozen=True)
class _Connection:
    """An existing or new connection of a device; it is ``usable`` if it is installed and for DICOM."""

    entry: Entry
    usable: bool = True

    @property
    def name(self) -> str:
        return self.entry.dn.rdn.parts[0][1]

    @property
    def address(self) -> tuple[str, str | None]:
        return (self.entry.text(DICOM_HOSTNAME) or "").casefold(), self.entry.text(DICOM_PORT)

    @property
    def suites(self) -> frozenset[str]:
        return frozenset(self.entry.texts(DICOM_TLS_CIPHER_SUITE))

    def matches(self, new: NewNetworkAE) -> bool:
        address = (new.host.casefold(), None if new.port is None else str(new.port))
        return self.usable and self.address == address and bool(self.suites) == bool(new.cipher_suites)

    def __str__(self) -> str:
        port = self.entry.text(DICOM_PORT)
        host = format_host_port(self.entry.text(DICOM_HOSTNAME) or "", None)
        return f"{self.name} has the address {host}{f':{port}' if port else ''}{' with TLS' if self.suites else ''}"


@dataclass
class _Device:
    """An existing or new device; ``titles`` (AE title → connections) and ``connections`` grow with additions."""

    entry: Entry
    titles: dict[str, tuple[_Connection, ...]] = field(default_factory=dict)
    connections: list[_Connection] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.entry.text(DICOM_DEVICE_NAME) or ""


class NetworkAEAdder:
    """Adds network AEs to a configuration one after the other; each addition takes the earlier ones into account.

    The configuration is indexed once, so the time of an addition does not depend on the number of AEs. Raises
    :class:`~dcmcfg.errors.NotFound` without a configuration root.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._tree = configuration.tree
        self._added: dict[NormalDN, Entry] = {}
        self._registry = self._find_or_build_container(
            configuration.root, AE_TITLE_REGISTRY.container_class, AE_TITLE_REGISTRY.name
        )
        self._devices_root = self._find_or_build_container(
            configuration.root, DICOM_DEVICES_ROOT_OBJECT_CLASS, "Devices"
        )
        self._registered = {entry.text(DICOM_AE_TITLE) for entry in self._tree.children(self._registry.dn)}
        self._devices = {device.name.casefold(): _describe_device(device) for device in configuration.devices}
        self._holders: dict[str, _Device] = {}
        self._offered_suites = collect_offered_cipher_suites(configuration)
        self._titles_by_case: dict[str, str] = {}
        self._other_titles: dict[str, str] = {}
        for device in configuration.devices:
            state = self._devices[device.name.casefold()]
            for ae in device.network_aes:
                own_dns = {each.dn for each in ae.connections}
                self._remember_title(
                    ae.title, state, tuple(each for each in state.connections if each.entry.dn in own_dns)
                )
                for other in ae.other_titles:
                    self._other_titles.setdefault(other, f"{device.name}/{ae.title}")

    def add(self, new: NewNetworkAE) -> Edit:
        """Return the edit that adds *new*: registration, device, connection, AE and capabilities, as ``dcmldap`` does.

        The edit for an existing AE with the same settings changes nothing. A connection with the same address is
        shared. A connection with another address is never changed; the AE gets its own one then. Raises
        :class:`Refused` if the title is already used, if no device is specified and the default one has AEs, if a
        connection with the desired name has another address, and for names that the archive cannot handle.
        """
        warnings = list(check_new_ae_title(new.title))
        device = self._devices.get(new.device_name.casefold())
        if (holder := self._holders.get(new.title)) is not None:
            return self._confirm_existing(new, holder)
        self._require_free(new, device)
        if device is None:
            require_valid_name(new.device_name, "device", "specify another name with --device")
        connection, connection_warnings = _choose_connection(new, device)
        entries = self._build_entries(new, device, connection)
        warnings += [*self._find_warnings(new, device), *connection_warnings]
        self._remember(new, entries, connection)
        return Edit(tuple(map(Add, entries)), tuple(warnings))

    def _build_entries(self, new: NewNetworkAE, device: _Device | None, connection: _Connection | str) -> list[Entry]:
        entries = self._list_missing_containers()
        entries.append(build_registration_entry(self._registry.dn, new.title))
        if device is None:
            dn = self._devices_root.dn.child(DICOM_DEVICE_NAME, new.device_name)
            entries.append(
                build_device_entry(dn, new.device_description, (new.device_type,) if new.device_type else ())
            )
        else:
            dn = device.entry.dn
        if isinstance(connection, str):
            entries.append(
                build_connection_entry(dn.child(COMMON_NAME, connection), new.host, new.port, new.cipher_suites)
            )
            reference = entries[-1].dn
        else:
            reference = connection.entry.dn
        ae = build_ae_entry(
            dn.child(DICOM_AE_TITLE, new.title),
            [reference],
            new.description,
            acceptor=new.acceptor,
            is_archive_ae=device is not None and device.entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS),
        )
        return [*entries, ae, *new.build_capability_entries(ae.dn)]

    def _confirm_existing(self, new: NewNetworkAE, holder: _Device) -> Edit:
        """Return the adds of the existing entries, if they have all settings of *new*; else raise :class:`Refused`."""
        if new.device_name.casefold() != holder.name.casefold():
            raise Refused(
                f"the title {new.title} is already used by an AE of the device {holder.name}",
                next_step=f"to see that AE: dcmcfg show {holder.name}/{new.title}",
            )
        ae = self._get(holder.entry.dn.child(DICOM_AE_TITLE, new.title))
        connections = holder.titles[new.title]
        matching = next((each for each in connections if each.matches(new)), None)
        if ae is None or matching is None:
            raise self._build_differs_error(
                new,
                holder,
                f"the AE's connection {'; '.join(map(str, connections)) or 'is missing'}",
                connections[0] if len(connections) == 1 else None,
            )
        given = {DICOM_DESCRIPTION: new.description, DICOM_ASSOCIATION_ACCEPTOR: None if new.acceptor else "FALSE"}
        if different := [name for name, text in given.items() if text and ae.text(name) != text]:
            raise self._build_differs_error(new, holder, f"the AE has a different value of {', '.join(different)}")
        capabilities = list(new.build_capability_entries(ae.dn))
        for desired in capabilities:
            existing = self._get(desired.dn)
            if existing is None or not entry_diff.are_equal(existing, desired, self._tree.schema):
                raise self._build_differs_error(
                    new, holder, f"the capability {desired.text(COMMON_NAME)} of the AE is missing or has other values"
                )
        registered = build_registration_entry(self._registry.dn, new.title)
        # The plan reports the equal entries as unchanged, and adds what is missing: a container or the registration.
        entries = (*self._list_missing_containers(), registered, holder.entry, matching.entry, ae, *capabilities)
        return Edit(tuple(map(Add, entries)))

    def _list_missing_containers(self) -> list[Entry]:
        return [entry for entry in (self._registry, self._devices_root) if self._get(entry.dn) is None]

    def _build_differs_error(
        self, new: NewNetworkAE, holder: _Device, reason: str, connection: _Connection | None = None
    ) -> Refused:
        """Return the error for an AE with other settings; *connection* is its only one, which differs."""
        change = (
            f"to change the address: {_format_connection_change(new, holder.name, connection)}"
            if connection is not None
            else "to change the AE: dcmcfg connection set, dcmcfg set or dcmcfg capability"
        )
        return Refused(
            f"the device {holder.name} already has the AE {new.title}, but {reason}",
            next_step=f"to see the AE: {format_command('show', f'{holder.name}/{new.title}')}; {change}",
        )

    def _require_free(self, new: NewNetworkAE, device: _Device | None) -> None:
        if new.title in self._registered:
            raise Refused(
                f"the title {new.title} is in the registry of unique AE titles, but no AE has this title",
                next_step="to remove an unused registration: dcmcfg check --fix --rule registry-orphan",
            )
        # The user has not chosen this device: its name only follows from the title. It may be another system.
        if new.device is None and device is not None and device.titles:
            raise Refused(
                f"the device {device.name} exists and has the AE {', '.join(device.titles)}",
                next_step=f"to add {new.title} to this device: --device {device.name}; to create another device: "
                "--device NAME",
            )

    def _find_warnings(self, new: NewNetworkAE, device: _Device | None) -> Iterator[str]:
        if (other := self._other_titles.get(new.title)) is not None:
            yield f"the AE {other} also has the title {new.title} (dcmOtherAETitle)."
        if (similar_title := self._titles_by_case.get(new.title.casefold())) is not None:
            yield f"the AE {similar_title} already exists; the two titles differ only in upper and lower case."
        if device is None and new.device is not None:
            similar = suggest_names(new.device, (each.name for each in self._devices.values()))
            if similar:
                yield f"the device {new.device} does not exist and will be created; did you mean {', '.join(similar)}?"
        if new.template is not None:
            yield from _warn_about_uncopied(new.title, new.template)
        if new.cipher_suites and self._offered_suites and not self._offered_suites.intersection(new.cipher_suites):
            yield "the archive offers none of the specified cipher suites, so TLS connections will fail."
        if device is not None and device.entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
            yield from _warn_about_archive_ae(new, device)

    def _remember(self, new: NewNetworkAE, entries: Iterable[Entry], connection: _Connection | str) -> None:
        """Record the added entries for later additions."""
        folded = new.device_name.casefold()
        for entry in entries:
            self._added[self._tree.key(entry.dn)] = entry
            if entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
                self._devices[folded] = _Device(entry)
            elif entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
                connection = _Connection(entry)
                self._devices[folded].connections.append(connection)
        connections = (connection,) if isinstance(connection, _Connection) else ()
        self._remember_title(new.title, self._devices[folded], connections)
        self._registered.add(new.title)

    def _remember_title(self, title: str, device: _Device, connections: tuple[_Connection, ...]) -> None:
        device.titles[title] = connections
        self._holders.setdefault(title, device)
        self._titles_by_case.setdefault(title.casefold(), title)

    def _get(self, dn: DN) -> Entry | None:
        key = self._tree.key(dn)
        return self._added.get(key) or self._tree.entries.get(key)

    def _find_or_build_container(self, root: DN, object_class: str, name: str) -> Entry:
        """Return the container with *object_class* below *root*, or the entry to create."""
        found = (entry for entry in self._tree.children(root) if entry.is_a(object_class))
        dn = root.child(COMMON_NAME, name)
        return next(found, Entry.from_values(dn, {OBJECT_CLASS: object_class, COMMON_NAME: name}))


def _describe_device(device: Device) -> _Device:
    connections = [
        _Connection(entry, usable=each.installed and each.protocol == DICOM)
        for each in device.connections
        if (entry := device.tree.get(each.dn)) is not None
    ]
    return _Device(device.entry, {}, connections)


def _choose_connection(new: NewNetworkAE, device: _Device | None) -> tuple[_Connection | str, list[str]]:
    """Return the connection of *device* to share, or the name of a new one, with warnings about it."""
    existing = {each.name.casefold(): each for each in device.connections} if device is not None else {}
    if new.connection is not None:
        return _get_named_connection(new, new.connection, existing), []
    matching = next((each for each in existing.values() if each.matches(new)), None)
    if matching is not None:
        return matching, list(_warn_about_shared_connection(matching, new))
    default_name = TLS_CONNECTION_NAME if new.cipher_suites else PLAIN_CONNECTION_NAME
    # dcmldap would change the address of this connection, and move the other AEs that use it.
    conflicting = existing.get(default_name)
    if conflicting is None:
        return default_name, []
    # A title that requires escaping must not become part of the name: the archive could not load the connection.
    free_name = _find_free_name(
        default_name if needs_escaping_in_dn(new.title) else f"{default_name}-{new.title.lower()}", existing
    )
    return free_name, [
        f"the connection {conflicting}. dcmcfg does not change this connection; {new.title} gets the new connection "
        f"{free_name}."
    ]


def _get_named_connection(new: NewNetworkAE, name: str, existing: Mapping[str, _Connection]) -> _Connection | str:
    connection = existing.get(name.casefold())
    if connection is None:
        require_valid_name(name, "connection", "specify another name with --connection")
        return name
    if not connection.matches(new):
        raise Refused(
            f"the connection {connection}, not "
            f"{format_host_port(new.host, new.port)}{' with TLS' if new.cipher_suites else ''}",
            next_step="to create a new connection: --connection NAME; to change this connection for all entries that "
            f"use the connection: {_format_connection_change(new, new.device_name, connection)}",
        )
    return connection


def _format_connection_change(new: NewNetworkAE, device_name: str, connection: _Connection) -> str:
    """Return the command that gives *connection* of the device *device_name* the address and TLS setting of *new*."""
    words = ["connection", "set", f"{device_name}/{connection.name}"]
    if connection.usable:  # else the address may be the same
        words.append(format_host_port(new.host, new.port))
    if bool(connection.suites) != bool(new.cipher_suites):
        words.append("--tls" if new.cipher_suites else "--no-tls")
    return format_command(*words)


def _warn_about_archive_ae(new: NewNetworkAE, device: _Device) -> Iterator[str]:
    """Yield warnings about an AE of the archive itself."""
    # Only the attributes of the capabilities matter here, so any DN will do.
    capabilities = tuple(new.build_capability_entries(DN()))
    if not capabilities:
        yield (
            f"{new.title} is an AE of the archive itself and has no capabilities, so the archive accepts no SOP class "
            "for this title."
        )
    is_storage_scp = any(
        each.text(DICOM_TRANSFER_ROLE) == "SCP"
        and (each.text(DICOM_SOP_CLASS) or "").startswith(STORAGE_SOP_CLASS_PREFIX)
        for each in capabilities
    )
    if is_storage_scp and OBJECT_STORAGE_ID not in device.entry:
        yield (
            f"{new.title} has no dcmObjectStorageID, so the AE cannot store objects. To set the attribute: dcmcfg set "
            f"{device.name}/{new.title} dcmObjectStorageID=…"
        )


def _warn_about_uncopied(title: str, template: NetworkAE) -> Iterator[str]:
    """Yield warnings about attributes of *template* that *title* does not get: all but its capabilities."""
    if not template.capability_source.capabilities:
        yield f"{template.title} has no capabilities, so {title} gets no capabilities."
    copied = build_ae_entry(template.entry.dn, (), "any")
    names = [each.name for each in template.entry.attributes if each.name not in copied]
    if names:
        yield f"dcmcfg copies only the capabilities of {template.title}, not these attributes: {', '.join(names)}."


def _warn_about_shared_connection(shared: _Connection, new: NewNetworkAE) -> Iterator[str]:
    if shared.suites != frozenset(new.cipher_suites):
        yield (
            f"{new.title} uses an existing connection: {shared}. dcmcfg does not change the cipher suites of this "
            f"connection: {', '.join(sorted(shared.suites))}."
        )


def _find_free_name(desired: str, existing: Mapping[str, _Connection]) -> str:
    """Return *desired*, with a number appended if the name exists in *existing*."""
    # One more name than there are connections, so at least one is free.
    names = (desired, *(f"{desired}-{number}" for number in range(2, len(existing) + 3)))
    return next(name for name in names if name.casefold() not in existing)
