"""Build the graph of a site from its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration, Device, NetworkAE
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.tree import Tree
from dcmcfg.network_address import format_host_port
from dcmcfg.printable import escape_unprintable
from dcmcfg.schema.web_form import get_form_fields
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    ACCEPTED_MOVE_DESTINATION,
    DCM_URI,
    DICOM_AE_TITLE,
    DICOM_DESCRIPTION,
    DICOM_PRIMARY_DEVICE_TYPE,
    EXPORTER_OBJECT_CLASS,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
)
from dcmcfg.topology.access import ArchiveAE, Peer, find_permitted_edges, find_unknown_caller_edges
from dcmcfg.topology.edge_kinds import EdgeKind, determine_edge_kind
from dcmcfg.topology.graph import Edge, Node, NodeKind, PeerRole, Topology
from dcmcfg.topology.peer_roles import determine_peer_role
from dcmcfg.topology.services import find_services

#: Reference to the device of a scheduled station, in an hl7OrderScheduledStation.
_SCHEDULED_STATION = "hl7OrderScheduledStationDeviceReference"
_UNKNOWN_KINDS = {
    EntityKind.AE: NodeKind.UNKNOWN_AE,
    EntityKind.WEB_APP: NodeKind.WEB_APPLICATION,
    EntityKind.HL7_APPLICATION: NodeKind.HL7_APPLICATION,
}


def build_topology(tree: Tree, archive: str | None = None) -> Topology:
    """Return the graph of the site in *tree*.

    The devices of archives are in the middle; with *archive*, only the device of that name, and other archives are
    peers. Raises :class:`~dcmcfg.errors.NotFound` if *tree* has no configuration, or no device of that name.
    """
    configuration = Configuration(tree)
    if archive is not None:
        return _Builder(configuration, (configuration.get_device(archive),)).build()
    return _Builder(configuration, tuple(device for device in configuration.devices if device.is_archive)).build()


@dataclass(frozen=True)
class _Builder:
    configuration: Configuration
    archives: tuple[Device, ...]

    def build(self) -> Topology:
        configured = tuple(self._find_configured_edges())
        permitted = tuple(find_permitted_edges(self._archive_aes, self._peers))
        unknown_callers = tuple(self._find_unknown_callers())
        ends = {end for edge in configured for end in (edge.source, edge.target)}
        named = tuple(node for node in self._named_nodes.values() if node.id in ends)
        nodes = (
            *(self._build_archive_node(device) for device in self.archives),
            *(each.node for each in self._archive_aes),
            *(self._nodes_by_entry[self._key(entry)] for device in self.archives for entry in _list_storages(device)),
            *(each.node for each in self._peers),
            *named,
            *(caller for _, caller in unknown_callers),
        )
        unique = {node.id: node for node in nodes}
        calls = (edge for ae, caller in unknown_callers for edge in find_unknown_caller_edges(ae, caller))
        return Topology(tuple(unique.values()), (*configured, *permitted, *calls))

    @cached_property
    def _references(self) -> References:
        return References(self.configuration.tree)

    def _key(self, entry: Entry) -> object:
        return self.configuration.tree.key(entry.dn)

    @cached_property
    def _archive_keys(self) -> frozenset[object]:
        return frozenset(self._key(device.entry) for device in self.archives)

    @cached_property
    def _archive_aes(self) -> tuple[ArchiveAE, ...]:
        return tuple(
            ArchiveAE(ae, self._nodes_by_entry[self._key(ae.entry)])
            for device in self.archives
            for ae in device.network_aes
        )

    @cached_property
    def _peers(self) -> tuple[Peer, ...]:
        return tuple(
            Peer(ae, self._nodes_by_entry[self._key(ae.entry)])
            for device in self.configuration.devices
            if self._key(device.entry) not in self._archive_keys
            for ae in device.network_aes
        )

    @cached_property
    def _nodes_by_entry(self) -> Mapping[object, Node]:
        """The nodes of devices of archives, AEs and storages, by their entries."""
        found: dict[object, Node] = {}
        stations = self._find_scheduled_stations()
        for device in self.configuration.devices:
            if self._key(device.entry) in self._archive_keys:
                found[self._key(device.entry)] = self._build_archive_node(device)
                found.update((self._key(ae.entry), _build_archive_ae_node(ae)) for ae in device.network_aes)
                found.update((self._key(each), _build_storage_node(device, each)) for each in _list_storages(device))
            else:
                is_station = self._key(device.entry) in stations
                found.update(
                    (self._key(ae.entry), _build_peer_node(ae, is_scheduled_station=is_station))
                    for ae in device.network_aes
                )
        return found

    def _find_scheduled_stations(self) -> frozenset[object]:
        references = self._references.by_attribute.get(_SCHEDULED_STATION, ())
        resolved = (self._references.resolve(each) for each in references)
        return frozenset(self._key(entry) for entry in resolved if entry is not None)

    def _build_archive_node(self, device: Device) -> Node:
        return Node(
            id=_make_id("device", device.name),
            kind=NodeKind.ARCHIVE,
            name=device.name,
            device=device.name,
            dn=device.entry.dn,
            description=device.entry.text(DICOM_DESCRIPTION) or "",
            device_types=device.entry.texts(DICOM_PRIMARY_DEVICE_TYPE),
            installed=device.installed,
        )

    def _find_configured_edges(self) -> Iterator[Edge]:
        for reference in self._references.all:
            if self._references.find_device_key(reference.dn) not in self._archive_keys:
                continue
            entry = self.configuration.tree.get(reference.dn)
            if entry is None:
                continue
            kind = determine_edge_kind(reference, is_exporter=entry.is_a(EXPORTER_OBJECT_CLASS))
            if kind is None:
                continue
            edge = self._build_edge(reference, entry, kind)
            # A web application or exporter of an AE uses this AE: that is no relation between two nodes.
            if kind is not EdgeKind.INTERNAL or edge.source != edge.target:
                yield edge
        yield from self._find_other_exporters()

    def _build_edge(self, reference: Reference, entry: Entry, kind: EdgeKind) -> Edge:
        return Edge(
            kind=kind,
            source=self._find_source(entry).id,
            target=self._find_target(reference).id,
            dn=reference.dn,
            attribute=reference.attribute,
            label=_find_form_label(reference.attribute, entry),
            via="" if self._key(entry) in self._nodes_by_entry else _get_name(entry),
            rules=self._list_rules(entry),
        )

    def _find_source(self, entry: Entry) -> Node:
        """Return the node that uses a setting of *entry*: the AE that an exporter or rule names, else its parent."""
        device_key = self._references.find_device_key(entry.dn) or ()
        title = entry.text(DICOM_AE_TITLE)
        own = self._nodes_by_entry.get(self._key(entry))
        if own is not None:
            return own
        for ae in self._archive_aes:
            if title is not None and ae.ae.title == title and self._key(ae.ae.device.entry) == device_key:
                return ae.node
        parent = self._nodes_by_entry.get(self.configuration.tree.key(entry.dn.parent))
        return parent or self._nodes_by_entry[device_key]

    def _find_target(self, reference: Reference) -> Node:
        entry = self._references.resolve(reference)
        if entry is not None and (node := self._nodes_by_entry.get(self._key(entry))) is not None:
            return node
        node = _build_named_node(reference, entry, self._get_device_name(entry))
        return self._named_nodes.setdefault(node.id, node)

    @cached_property
    def _named_nodes(self) -> dict[str, Node]:
        """The nodes without an AE, storage or archive of their own, by ``id``; filled while edges are built."""
        return {}

    def _get_device_name(self, entry: Entry | None) -> str:
        key = None if entry is None else self._references.find_device_key(entry.dn)
        return next((each.name for each in self.configuration.devices if self._key(each.entry) == key), "")

    def _find_other_exporters(self) -> Iterator[Edge]:
        """Yield an edge for each exporter whose destination has no name in the tree, such as a URL."""
        with_target = {
            self.configuration.tree.key(each.dn)
            for each in self._references.by_attribute.get(DCM_URI, ())
            if determine_edge_kind(each, is_exporter=True) is not None
        }
        for device in self.archives:
            for entry in device.children(EXPORTER_OBJECT_CLASS):
                if self._key(entry) in with_target or DCM_URI not in entry:
                    continue
                name = _get_name(entry)
                node = Node(
                    id=_make_id("exporter", device.name, name),
                    kind=NodeKind.EXPORTER,
                    name=name,
                    device=device.name,
                    dn=entry.dn,
                    role=PeerRole.OTHER,
                    # Only the scheme: the rest of a URL may contain a password.
                    description=f"URI with the scheme {(entry.text(DCM_URI) or '').partition(':')[0]}:",
                )
                self._named_nodes[node.id] = node
                yield Edge(
                    kind=EdgeKind.EXPORT,
                    source=self._find_source(entry).id,
                    target=node.id,
                    dn=entry.dn,
                    attribute=DCM_URI,
                    label=_find_form_label(DCM_URI, entry),
                    via=name,
                    rules=self._list_rules(entry),
                )

    def _list_rules(self, entry: Entry) -> tuple[str, ...]:
        return self._rules_by_exporter.get(self._key(entry), ())

    @cached_property
    def _rules_by_exporter(self) -> Mapping[object, tuple[str, ...]]:
        """The names of the rules that use each exporter, by the exporter's entry."""
        found: dict[object, list[str]] = {}
        for reference in self._references.all:
            if reference.kind is not EntityKind.EXPORTER or reference.is_ui_reference:
                continue
            exporter, rule = self._references.resolve(reference), self.configuration.tree.get(reference.dn)
            if exporter is not None and rule is not None:
                found.setdefault(self._key(exporter), []).append(_get_name(rule))
        return {key: tuple(dict.fromkeys(names)) for key, names in found.items()}

    def _find_unknown_callers(self) -> Iterator[tuple[Node, Node]]:
        """Yield (AE of an archive, node) of each accepted caller without an AE: the archive accepts it all the same."""
        known = {ae.title for ae in self.configuration.network_aes()}
        for archive_ae in self._archive_aes:
            for title in archive_ae.node.accepted_callers:
                if title not in known:
                    yield (
                        archive_ae.node,
                        self._named_nodes.get(_name_unknown(title)) or _build_unknown_node(title),
                    )


def _build_archive_ae_node(ae: NetworkAE) -> Node:
    return replace(
        _build_ae_node(ae, NodeKind.ARCHIVE_AE),
        services=find_services(ae),
        accepted_callers=ae.entry.texts(ACCEPTED_CALLING_AE_TITLE),
        accepted_destinations=ae.entry.texts(ACCEPTED_MOVE_DESTINATION),
    )


def _build_peer_node(ae: NetworkAE, *, is_scheduled_station: bool) -> Node:
    role = determine_peer_role(ae, is_scheduled_station=is_scheduled_station)
    return replace(_build_ae_node(ae, NodeKind.AE), role=role)


def _build_ae_node(ae: NetworkAE, kind: NodeKind) -> Node:
    listening = (each for each in ae.connections if each.port is not None)
    return Node(
        id=_make_id("ae", ae.device.name, ae.title),
        kind=kind,
        name=ae.title,
        device=ae.device.name,
        dn=ae.entry.dn,
        description=ae.entry.text(DICOM_DESCRIPTION) or ae.device.entry.text(DICOM_DESCRIPTION) or "",
        device_types=ae.device.entry.texts(DICOM_PRIMARY_DEVICE_TYPE),
        addresses=tuple(
            f"{format_host_port(each.host, each.port)}{' (TLS)' if each.tls else ''}" for each in listening
        ),
        installed=ae.installed,
    )


def _list_storages(device: Device) -> tuple[Entry, ...]:
    return device.children(STORAGE_OBJECT_CLASS)


def _build_storage_node(device: Device, entry: Entry) -> Node:
    name = entry.text(STORAGE_ID) or ""
    return Node(
        id=_make_id("storage", device.name, name),
        kind=NodeKind.STORAGE,
        name=name,
        device=device.name,
        dn=entry.dn,
        description=entry.text(DICOM_DESCRIPTION) or "",
    )


def _build_named_node(reference: Reference, entry: Entry | None, device: str) -> Node:
    """Return the node of a name that is no AE, storage or archive of the tree: an application, or an unknown name."""
    if reference.kind is EntityKind.AE and entry is None:
        return _build_unknown_node(reference.name)
    kind = _UNKNOWN_KINDS.get(reference.kind, NodeKind.STORAGE)
    is_own = kind is NodeKind.STORAGE or (reference.use is NameUse.LOCAL and entry is not None)
    return Node(
        id=_make_id(kind.value, *filter(None, (device, reference.name))),
        kind=kind,
        name=reference.name,
        device=device,
        dn=None if entry is None else entry.dn,
        role=None if is_own else PeerRole.UNKNOWN if entry is None else PeerRole.OTHER,
        description="" if entry is None else entry.text(DICOM_DESCRIPTION) or "",
    )


def _name_unknown(title: str) -> str:
    return _make_id("unknown", title)


def _make_id(kind: str, *names: str) -> str:
    """Return the id of a node. It is printable, because it becomes an attribute in XML, which has no control codes."""
    return escape_unprintable(f"{kind}:{'/'.join(names)}")


def _build_unknown_node(title: str) -> Node:
    return Node(id=_name_unknown(title), kind=NodeKind.UNKNOWN_AE, name=title, role=PeerRole.UNKNOWN)


def _get_name(entry: Entry) -> str:
    """Return the name of an exporter, a rule or another part: the values of its RDN."""
    return "+".join(value for _, value in entry.dn.rdn.parts)


def _find_form_label(attribute: str, entry: Entry) -> str:
    fields = get_form_fields(attribute)
    return next((field.label for object_class, field in fields.items() if entry.is_a(object_class)), "")
