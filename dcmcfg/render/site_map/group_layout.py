"""Lay out a group of systems: one system as a card, several as a grid of AE titles below the edges of the group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.drawing import CHIP, HEADING, LABEL, NAME, SOFT, Frame, NodeItem, TextItem
from dcmcfg.render.site_map.finding_lines import make_marker, place_findings
from dcmcfg.render.site_map.labels import describe_edges, describe_node, describe_place, list_rule_names
from dcmcfg.render.site_map.text_metrics import fit_text
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Node
from dcmcfg.topology.grouping import PeerGroup

Findings = Mapping[str, Sequence[EntryFinding]]

_PADDING, _MINIMUM_WIDTH = 12, 284
_CHIP_HEIGHT, _CHIP_GAP, _SIGN_SPACE = 18, 6, 17
_LINE, _PORT_LINE, _INDENT = 15, 17, 12
_NO_EDGES = "exchanges nothing with the archive"
#: A grid has about as many rows as this number times its columns.
_ROWS_PER_COLUMN = 16


@dataclass(frozen=True, kw_only=True)
class GroupLayout:
    """A placed group; ``port_y`` is the height at which the edges of each kind leave it."""

    number: int
    members: tuple[Node, ...]
    frame: Frame
    nodes: tuple[NodeItem, ...]
    port_y: Mapping[EdgeKind, float]

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.frame.y + self.frame.height


def compute_chip_columns(groups: Iterable[PeerGroup]) -> int:
    """Return in how many columns the AE titles of *groups*, which stand below each other, are readable."""
    count = sum(len(group.members) for group in groups if len(group.members) > 1)
    return max(2, round(sqrt(count / _ROWS_PER_COLUMN)))


def compute_group_width(group: PeerGroup, chip_columns: int) -> float:
    """Return the width that *group* requires for *chip_columns* AE titles in a row."""
    if len(group.members) == 1:
        return _MINIMUM_WIDTH
    chips = chip_columns * _measure_chip(group.members) + (chip_columns - 1) * _CHIP_GAP
    return max(_MINIMUM_WIDTH, chips + 2 * _PADDING)


def place_group(group: PeerGroup, number: int, findings: Findings, *, x: float, y: float, width: float) -> GroupLayout:
    """Return *group*, the group of this *number*, with its top left corner at (*x*, *y*)."""
    writer = _Writer(x + _PADDING, y + 6, width - 2 * _PADDING)
    nodes: list[NodeItem] = []
    if len(group.members) == 1:
        nodes.append(_place_card(group.members[0], findings, writer))
    else:
        writer.add_heading(group.title, str(len(group.members)))
    ports = _place_ports(group, writer)
    if len(group.members) > 1:
        nodes += _place_grid(group.members, findings, writer)
    frame = Frame(
        x=x,
        y=y,
        width=width,
        height=writer.y + 8 - y,
        css_class=f"group role-{group.role.value}",
        texts=tuple(writer.texts),
        group=number,
    )
    return GroupLayout(
        number=number,
        members=group.members,
        frame=frame,
        nodes=tuple(replace(node, group=number) for node in nodes),
        port_y=ports,
    )


@dataclass
class _Writer:
    """Writes lines of text from top to bottom; ``y`` is the upper edge of the next one."""

    x: float
    y: float
    width: float
    texts: list[TextItem] = field(default_factory=list)

    def add_heading(self, title: str, count: str) -> None:
        count_width = HEADING.measure(count)
        title = fit_text(title, HEADING.size, self.width - count_width - 10, bold=True)
        self.texts.append(TextItem(self.x, self.y + 14, title, HEADING))
        self.texts.append(TextItem(self.x + self.width - count_width, self.y + 14, count, HEADING))
        self.y += 22

    def add_note(self, text: str) -> None:
        """Add a line that belongs to the edge above."""
        fitted = fit_text(escape_unprintable(text), SOFT.size, self.width - _INDENT)
        self.texts.append(TextItem(self.x + _INDENT, self.y + 10, fitted, SOFT))
        self.y += _LINE

    def add_port(self, text: str, kind: EdgeKind) -> float:
        """Add the label of an edge, and return the height of its line."""
        fitted = fit_text(escape_unprintable(text), LABEL.size, self.width)
        self.texts.append(TextItem(self.x, self.y + 12, fitted, LABEL, kind=kind))
        self.y += _PORT_LINE
        return self.y - _PORT_LINE + 8


def _place_card(node: Node, findings: Findings, writer: _Writer) -> NodeItem:
    top = writer.y
    name = fit_text(escape_unprintable(node.name), NAME.size, writer.width, monospaced=True)
    texts = [TextItem(writer.x, top + 14, name, NAME)]
    y = top + 18
    for line in filter(None, (describe_node(node), describe_place(node), node.description)):
        texts.append(TextItem(writer.x, y + 12, fit_text(escape_unprintable(line), SOFT.size, writer.width), SOFT))
        y += _LINE
    found = place_findings(findings.get(node.id, ()), x=writer.x, y=y + 3, width=writer.width)
    y = found.bottom
    writer.y = y + 5
    return NodeItem(
        node_id=node.id,
        x=writer.x - 6,
        y=top - 2,
        width=writer.width + 12,
        height=y - top + 4,
        texts=(*texts, *found.texts),
        marker=found.marker,
    )


def _place_ports(group: PeerGroup, writer: _Writer) -> Mapping[EdgeKind, float]:
    ports = {}
    for kind, members in group.kinds.items():
        edges = group.list_edges(kind)
        label = describe_edges(kind, edges)
        is_share = len(members) < len(group.members)
        ports[kind] = writer.add_port(f"{label}: {len(members)} of {len(group.members)}" if is_share else label, kind)
        if rules := list_rule_names(kind, edges):
            writer.add_note(rules)
    if not ports:
        writer.add_note(_NO_EDGES)
    if len(group.members) > 1:
        writer.y += 4
    return ports


def _place_grid(members: Sequence[Node], findings: Findings, writer: _Writer) -> list[NodeItem]:
    """Return the AE titles, in rows; below the types of their devices, if these differ."""
    nodes: list[NodeItem] = []
    parts = _split_by_type(members)
    for device_type, part in parts.items():
        if len(parts) > 1:
            label = f"{device_type or 'no type'} · {len(part)}"
            fitted = fit_text(escape_unprintable(label), SOFT.size, writer.width)
            writer.texts.append(TextItem(writer.x, writer.y + 12, fitted, SOFT))
            writer.y += 17
        nodes += _place_chips(part, findings, writer, _measure_chip(members))
    return nodes


def _place_chips(part: Sequence[Node], findings: Findings, writer: _Writer, chip_width: float) -> Iterable[NodeItem]:
    columns = max(int((writer.width + _CHIP_GAP) // (chip_width + _CHIP_GAP)), 1)
    # The chips fill the width, whatever the group requires.
    chip_width = (writer.width + _CHIP_GAP) / columns - _CHIP_GAP
    rows = ceil(len(part) / columns)
    nodes = []
    for index, node in enumerate(part):
        # Titles are read from top to bottom, as in a directory listing.
        column, row = divmod(index, rows)
        x, y = writer.x + column * (chip_width + _CHIP_GAP), writer.y + row * _CHIP_HEIGHT
        title = fit_text(escape_unprintable(node.name), CHIP.size, chip_width - _SIGN_SPACE - 2, monospaced=True)
        nodes.append(
            NodeItem(
                node_id=node.id,
                x=x,
                y=y,
                width=chip_width,
                height=_CHIP_HEIGHT - 2,
                texts=(TextItem(x + _SIGN_SPACE, y + 12, title, CHIP),),
                marker=make_marker(findings.get(node.id, ()), x + 8, y + 8),
                css_class="node chip",
            )
        )
    writer.y += rows * _CHIP_HEIGHT + 4
    return nodes


def _split_by_type(members: Sequence[Node]) -> Mapping[str, Sequence[Node]]:
    found: dict[str, list[Node]] = {}
    for node in sorted(members, key=lambda each: (not each.device_types, each.device_types, each.name)):
        found.setdefault(", ".join(node.device_types), []).append(node)
    return found


def _measure_chip(members: Iterable[Node]) -> float:
    longest = max((CHIP.measure(escape_unprintable(node.name)) for node in members), default=0)
    # No name makes all chips wide: an AE title has at most 16 characters.
    return min(longest, CHIP.measure("M" * 18)) + _SIGN_SPACE + 4
