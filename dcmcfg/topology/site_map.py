"""The map of a site: its graph, or the part around one AE, with findings at its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.builder import build_topology
from dcmcfg.topology.graph import Node, Topology
from dcmcfg.topology.grouping import GroupedTopology, group_topology
from dcmcfg.topology.marking import NodeFindings, place_findings
from dcmcfg.topology.selection import find_center, select_around


@dataclass(frozen=True)
class SiteMap:
    """The ``topology`` of a site with the ``findings`` at its nodes; ``is_checked`` is False without a check.

    With ``center``, the map shows only the surroundings of this AE.
    """

    topology: Topology
    findings: NodeFindings
    _: KW_ONLY
    is_checked: bool
    center: Node | None = None

    @cached_property
    def grouped(self) -> GroupedTopology:
        """The nodes in groups, for a picture."""
        return group_topology(self.topology)

    @property
    def title(self) -> str:
        """The heading of the map: its archives, or the AE in its middle."""
        archives = ", ".join(node.name for node in self.topology.archives)
        if self.center is not None:
            return f"Site map around {self.center.name}"
        return f"Site map of {archives}" if archives else "Site map"

    @cached_property
    def all_findings(self) -> tuple[EntryFinding, ...]:
        """All findings, each once, those of nodes first."""
        placed = (finding for found in self.findings.by_node.values() for finding in found)
        return tuple(dict.fromkeys((*placed, *self.findings.others)))


def build_site_map(
    tree: Tree, findings: Iterable[EntryFinding] | None, *, archive: str | None = None, around: str | None = None
) -> SiteMap:
    """Return the map of the site in *tree*, with *findings*; None if the tree was not checked.

    *archive* is the only device in the middle, *around* the AE whose surroundings are shown, as ``TITLE`` or
    ``DEVICE/TITLE``. Raises :class:`~dcmcfg.errors.NotFound`.
    """
    topology = build_topology(tree, archive)
    placed = place_findings(topology, tree, findings or ())
    if around is None:
        return SiteMap(topology, placed, is_checked=findings is not None)
    center = find_center(topology, Configuration(tree), around)
    part = select_around(topology, center)
    # The findings of other nodes, and those of none, concern what this map does not show.
    shown = {node_id: found for node_id, found in placed.by_node.items() if node_id in part.nodes_by_id}
    return SiteMap(part, NodeFindings(shown), is_checked=findings is not None, center=center)
