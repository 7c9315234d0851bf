"""Lay out the archives of a site: a frame for each device, with its AEs and storages from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.drawing import HEADING, NAME, SOFT, Frame, Line, NodeItem, TextItem
from dcmcfg.render.site_map.finding_lines import place_findings
from dcmcfg.render.site_map.labels import list_purposes
from dcmcfg.render.site_map.text_metrics import fit_text, wrap_text
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Node, NodeKind, Topology
from dcmcfg.topology.grouping import ArchiveBlock, GroupedTopology

_PADDING, _BLOCK_PADDING, _BLOCK_GAP = 12, 10, 8
_LINE, _PORT = 14, 10
_STORAGE_LANE = 9
_ARCHIVE_GAP = 24
_MAXIMUM_PURPOSE_LINES = 3


@dataclass(frozen=True, kw_only=True)
class BlockPlace:
    """The place of a block, and its number from top to bottom."""

    number: int
    block: ArchiveBlock
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width


@dataclass(frozen=True, kw_only=True)
class ArchiveLayout:
    """The placed archives."""

    frames: tuple[Frame, ...]
    nodes: tuple[NodeItem, ...]
    lines: tuple[Line, ...]
    places: tuple[BlockPlace, ...]
    bottom: float

    def find_block(self, block: ArchiveBlock) -> BlockPlace:
        """Return the place of *block*."""
        return next(place for place in self.places if place.block is block)


def place_archives(
    topology: Topology,
    grouped: GroupedTopology,
    findings: Mapping[str, Sequence[EntryFinding]],
    *,
    x: float,
    y: float,
    width: float,
    ports: Sequence[int],
) -> ArchiveLayout:
    """Return the archives from (*x*, *y*) down; *ports* has the number of lines that each block has room for."""
    placer = _ArchivePlacer(topology, grouped, findings, ports)
    for blocks in grouped.archives:
        y = placer.place(blocks, x=x, y=y, width=width) + _ARCHIVE_GAP
    return placer.build(y - _ARCHIVE_GAP)


class _ArchivePlacer:
    def __init__(
        self,
        topology: Topology,
        grouped: GroupedTopology,
        findings: Mapping[str, Sequence[EntryFinding]],
        ports: Sequence[int],
    ) -> None:
        self._topology, self._grouped, self._findings, self._ports = topology, grouped, findings, ports
        self._frames: list[Frame] = []
        self._nodes: list[NodeItem] = []
        self._lines: list[Line] = []
        self._places: list[BlockPlace] = []

    def build(self, bottom: float) -> ArchiveLayout:
        return ArchiveLayout(
            frames=tuple(self._frames),
            nodes=tuple(self._nodes),
            lines=tuple(self._lines),
            places=tuple(self._places),
            bottom=bottom,
        )

    def place(self, blocks: Sequence[ArchiveBlock], *, x: float, y: float, width: float) -> float:
        """Place the archive of *blocks*, and return its lower edge."""
        storages = [block for block in blocks if block.kind is NodeKind.STORAGE]
        used = [each for each in storages if any(link.storage is each for link in self._grouped.storage_links)]
        gutter = _STORAGE_LANE * len(used) + 8 if used else 0
        position, first = y + 6, len(self._places)
        frame_index = len(self._frames)
        for block in blocks:
            is_head = block.kind is NodeKind.ARCHIVE
            left = x + _PADDING + (0 if is_head else gutter)
            position = self._place_block(block, x=left, y=position, width=x + width - _PADDING - left) + _BLOCK_GAP
        bottom = position + 4
        css_class = "archive" if blocks[0].nodes[0].installed else "archive off"
        self._frames.insert(frame_index, Frame(x=x, y=y, width=width, height=bottom - y, css_class=css_class))
        self._connect_storages(self._places[first:], used, x + _PADDING)
        return bottom

    def _place_block(self, block: ArchiveBlock, *, x: float, y: float, width: float) -> float:
        number, top = len(self._places), y
        left, space = x + _BLOCK_PADDING, width - 2 * _BLOCK_PADDING
        y += 7
        texts = []
        if block.kind is NodeKind.ARCHIVE_AE:
            for line in self._describe_block(block, space):
                texts.append(TextItem(left, y + 11, line, SOFT))
                y += _LINE
            y += 4
        for node in block.nodes:
            item = self._place_node(node, x=left, y=y, width=space)
            self._nodes.append(replace(item, block=number))
            y = item.y + item.height + 3
        height = max(y + 4 - top, (self._ports[number] + 1) * _PORT + 6)
        self._places.append(BlockPlace(number=number, block=block, x=x, y=top, width=width, height=height))
        self._frames.append(
            Frame(
                x=x,
                y=top,
                width=width,
                height=height,
                css_class=f"block {block.kind.value}",
                texts=tuple(texts),
            )
        )
        return top + height

    def _describe_block(self, block: ArchiveBlock, width: float) -> tuple[str, ...]:
        node = block.nodes[0]
        services = " · ".join(service.label for service in node.services) or "offers no service"
        callers = f"callers: {len(node.accepted_callers)} accepted" if node.accepted_callers else "callers: any"
        if node.accepted_destinations:
            callers += f" · destinations: {len(node.accepted_destinations)} accepted"
        if not node.installed:
            callers += " · not installed"
        return (*wrap_text(services, SOFT.size, width, 2), fit_text(callers, SOFT.size, width))

    def _place_node(self, node: Node, *, x: float, y: float, width: float) -> NodeItem:
        style = HEADING if node.kind is NodeKind.ARCHIVE else NAME
        name = fit_text(escape_unprintable(node.name), style.size, width, bold=style.bold, monospaced=style.monospaced)
        texts = [TextItem(x, y + 14, name, style)]
        bottom = y + 18
        for line in self._describe_node(node, width):
            texts.append(TextItem(x, bottom + 11, line, SOFT))
            bottom += _LINE
        found = place_findings(self._findings.get(node.id, ()), x=x, y=bottom + 2, width=width)
        return NodeItem(
            node_id=node.id,
            x=x - 5,
            y=y,
            width=width + 10,
            height=found.bottom - y + 3,
            texts=(*texts, *found.texts),
            marker=found.marker,
            css_class=f"node part {node.kind.value}",
        )

    def _describe_node(self, node: Node, width: float) -> tuple[str, ...]:
        lines: list[str] = []
        if node.kind is NodeKind.ARCHIVE:
            addresses = dict.fromkeys(address for part in self._topology.list_parts(node) for address in part.addresses)
            lines.append(" · ".join(("archive", *addresses)))
        elif node.kind is NodeKind.STORAGE:
            lines.append("storage")
        fitted = [fit_text(escape_unprintable(line), SOFT.size, width) for line in lines]
        fitted += wrap_text(escape_unprintable(node.description), SOFT.size, width, 2)
        purposes = list_purposes(self._topology, node)
        if purposes:
            text = escape_unprintable(f"Used for: {', '.join(purposes)}")
            fitted += wrap_text(text, SOFT.size, width, _MAXIMUM_PURPOSE_LINES)
        return tuple(fitted)

    def _connect_storages(self, places: Sequence[BlockPlace], used: Sequence[ArchiveBlock], x: float) -> None:
        """Draw a line for each storage, from the blocks that store on it down to the storage."""
        by_id = {id(place.block): place for place in places}
        for lane, storage in enumerate(used):
            lane_x = x + _STORAGE_LANE * lane + 4
            target = by_id[id(storage)]
            for link in self._grouped.storage_links:
                if link.storage is storage and id(link.block) in by_id:
                    source = by_id[id(link.block)]
                    # Below the lines of other systems, which start at the top of a block.
                    source_y = source.y + source.height - 6 - 3 * lane
                    target_y = target.y + target.height / 2
                    points = ((source.x, source_y), (lane_x, source_y), (lane_x, target_y), (target.x, target_y))
                    self._lines.append(
                        Line(
                            kind=EdgeKind.STORAGE,
                            points=points,
                            arrow_at_end=True,
                            blocks=(source.number, target.number),
                        )
                    )
