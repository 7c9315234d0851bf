"""Texts about nodes and edges that all formats of a map share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dcmcfg.onboarding.role import ARCHIVE_TYPE
from dcmcfg.printable import format_count
from dcmcfg.schema.findings import SEVERITIES, EntryFinding, Severity
from dcmcfg.suggestions import join_limited
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Edge, Node, NodeKind, PeerRole, Topology

_MAXIMUM_NAMES = 2
_AE_TITLE_ENDINGS = (" AE Title", " AE title", " AETitle")
_KIND_LABELS: Mapping[NodeKind, str] = {
    NodeKind.ARCHIVE: "archive",
    NodeKind.ARCHIVE_AE: "AE of the archive",
    NodeKind.AE: "AE",
    NodeKind.UNKNOWN_AE: "no AE has this title",
    NodeKind.STORAGE: "storage",
    NodeKind.EXPORTER: "exporter",
    NodeKind.WEB_APPLICATION: "web application",
    NodeKind.HL7_APPLICATION: "HL7 application",
}
_ROLE_LABELS: Mapping[PeerRole | None, str] = {
    PeerRole.MODALITY: "modality",
    PeerRole.WORKSTATION: "workstation or other destination",
    PeerRole.ARCHIVE: "other archive",
}


def describe_node(node: Node) -> str:
    """Return what *node* is, in a few words: its role, the types of its device."""
    if node.kind is not NodeKind.AE or node.role not in _ROLE_LABELS:
        return _KIND_LABELS[node.kind]
    types = ", ".join(each for each in node.device_types if each != ARCHIVE_TYPE)
    return f"{_ROLE_LABELS[node.role]} ({types})" if types else _ROLE_LABELS[node.role]


def describe_place(node: Node) -> str:
    """Return the device and the addresses of *node*, and whether it is installed."""
    # An exporter is a part of the archive; only its name matters.
    device = "" if node.kind is NodeKind.EXPORTER else node.device
    parts = [device, *node.addresses, "" if node.installed else "not installed"]
    return " · ".join(part for part in parts if part)


def describe_edges(kind: EdgeKind, edges: Sequence[Edge]) -> str:
    """Return the label of *edges* of one *kind* at the same node or group, with the exporters or rules that make them.

    For a permission, whether an access list restricts it.
    """
    if kind.is_permission:
        is_listed = any(edge.attribute for edge in edges)
        return f"{kind.label} (access list)" if is_listed else kind.label
    names = list(dict.fromkeys(edge.via for edge in edges if edge.via))
    return f"{kind.label}: {join_limited(names, _MAXIMUM_NAMES)}" if names else kind.label


def list_rule_names(kind: EdgeKind, edges: Sequence[Edge]) -> str:
    """Return the rules that use the exporters of *edges*, in one line; empty for other kinds than exports."""
    rules = list(dict.fromkeys(rule for edge in edges for rule in edge.rules))
    if kind is not EdgeKind.EXPORT or not rules:
        return ""
    return f"{'rule' if len(rules) == 1 else 'rules'}: {join_limited(rules, _MAXIMUM_NAMES)}"


def list_purposes(topology: Topology, node: Node) -> tuple[str, ...]:
    """Return the settings of the archive's device that name its AE *node*, as the web form calls them."""
    edges = topology.edges_by_node.get(node.id, ())
    labels = (
        edge.label or edge.attribute
        for edge in edges
        if edge.kind is EdgeKind.INTERNAL
        and edge.target == node.id
        and topology.nodes_by_id[edge.source].kind is NodeKind.ARCHIVE
    )
    return tuple(dict.fromkeys(_strip_ending(label) for label in labels))


def _strip_ending(label: str) -> str:
    return next((label.removesuffix(each) for each in _AE_TITLE_ENDINGS if label.endswith(each)), label)


def find_worst_severity(findings: Iterable[EntryFinding]) -> Severity | None:
    """Return the worst severity of *findings*, None if there are none."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in SEVERITIES if severity in found), None)


def format_severity_counts(findings: Sequence[EntryFinding]) -> str:
    """Return the numbers of *findings* by severity: ``1 error, 2 warnings``; empty without findings."""
    counts = ((severity, sum(each.severity == severity for each in findings)) for severity in SEVERITIES)
    return ", ".join(format_count(count, severity) for severity, count in counts if count)
