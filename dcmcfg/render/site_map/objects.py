"""The map of a site as an object for ``--json``."""

from __future__ import annotations

from typing import Any

from dcmcfg.render.check import finding_with_fix_json
from dcmcfg.topology.graph import Edge, Node
from dcmcfg.topology.site_map import SiteMap


def site_map_json(site_map: SiteMap) -> dict[str, Any]:
    """Return *site_map* for ``--json``: ``nodes`` and ``edges``, and ``other_findings``, which concern no node.

    ``source`` and ``target`` of an edge are the ids of nodes: the source sends the request. ``object_flow`` is where
    the objects go: ``to_target``, ``to_source`` or ``none``. ``checked`` is false with ``--no-check``. The keys of
    findings are those of ``dcmcfg check --json``.
    """
    return {
        "title": site_map.title,
        "archives": [node.name for node in site_map.topology.archives],
        "around": None if site_map.center is None else site_map.center.id,
        "checked": site_map.is_checked,
        "nodes": [
            _node_json(node)
            | {"findings": [finding_with_fix_json(each) for each in site_map.findings.by_node.get(node.id, ())]}
            for node in site_map.topology.nodes
        ],
        "edges": [_edge_json(edge) for edge in site_map.topology.edges],
        "other_findings": [finding_with_fix_json(each) for each in site_map.findings.others],
    }


def _node_json(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind.value,
        "name": node.name,
        "role": None if node.role is None else node.role.value,
        "device": node.device or None,
        "dn": None if node.dn is None else str(node.dn),
        "description": node.description or None,
        "device_types": list(node.device_types),
        "addresses": list(node.addresses),
        "installed": node.installed,
        "services": [service.value for service in node.services],
        "accepted_callers": list(node.accepted_callers),
        "accepted_destinations": list(node.accepted_destinations),
    }


def _edge_json(edge: Edge) -> dict[str, Any]:
    return {
        "kind": edge.kind.value,
        "label": edge.kind.label,
        "object_flow": edge.kind.object_flow.value,
        "source": edge.source,
        "target": edge.target,
        "dn": None if edge.dn is None else str(edge.dn),
        "attribute": edge.attribute or None,
        "attribute_label": edge.label or None,
        "configured_by": edge.via or None,
        "rules": list(edge.rules),
        "assumed": edge.assumed,
    }
