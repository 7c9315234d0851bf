"""Lay out the map of a site: senders on the left, the archives in the middle, destinations on the right.

The layout is deterministic: it depends only on the grouped topology. Every text has a place of its own in a box, and
lines run only in the gaps between the columns, so no text overlaps another text or a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.archive_layout import place_archives
from dcmcfg.render.site_map.drawing import SUBTITLE, TITLE, Drawing, TextItem
from dcmcfg.render.site_map.group_layout import GroupLayout, compute_chip_columns, compute_group_width, place_group
from dcmcfg.render.site_map.legend import place_legend
from dcmcfg.render.site_map.routing import LANE, LANE_MARGIN, Bus, count_ports, find_buses, route_lines
from dcmcfg.render.site_map.text_metrics import fit_text
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.graph import Topology
from dcmcfg.topology.grouping import GroupedTopology, PeerGroup

_MARGIN, _GROUP_GAP = 20, 14
_MIDDLE_WIDTH = 360
_MINIMUM_WIDTH = 760


@dataclass(frozen=True)
class MapHeading:
    """The heading of a map: what it shows, and where that comes from."""

    title: str
    subtitle: str = ""


@dataclass(frozen=True)
class _Side:
    """The groups on one side of the archives, with their numbers."""

    groups: tuple[tuple[int, PeerGroup], ...]

    @cached_property
    def buses(self) -> tuple[Bus, ...]:
        return find_buses(self.groups)

    @cached_property
    def chip_columns(self) -> int:
        return compute_chip_columns(group for _, group in self.groups)

    @cached_property
    def width(self) -> float:
        return max((compute_group_width(group, self.chip_columns) for _, group in self.groups), default=0)

    @property
    def gap(self) -> float:
        return 2 * LANE_MARGIN + LANE * len(self.buses) if self.groups else 0


def lay_out(
    topology: Topology,
    grouped: GroupedTopology,
    findings: Mapping[str, Sequence[EntryFinding]],
    heading: MapHeading | None = None,
) -> Drawing:
    """Return the drawing of *grouped*, the groups of *topology*; *findings* of each node are marked, by its ``id``.

    Without *heading*, the drawing starts with its legend.
    """
    left, right = _split_sides(grouped.groups)
    middle_x = _MARGIN + left.width + left.gap
    right_x = middle_x + _MIDDLE_WIDTH + right.gap
    width = max(right_x + right.width + _MARGIN, _MINIMUM_WIDTH)
    texts, legend_y = _place_heading(heading, width) if heading is not None else ((), 24)
    severities = {finding.severity for found in findings.values() for finding in found}
    legend = place_legend(grouped.edge_kinds, severities, x=_MARGIN, y=legend_y, width=width - 2 * _MARGIN)
    top = legend.bottom + 16
    ports = [
        max(count_ports(side.buses, block) for side in (left, right)) for blocks in grouped.archives for block in blocks
    ]
    archive = place_archives(topology, grouped, findings, x=middle_x, y=top, width=_MIDDLE_WIDTH, ports=ports)
    left_column = _place_column(left.groups, findings, x=_MARGIN, y=top, width=left.width)
    right_column = _place_column(right.groups, findings, x=right_x, y=top, width=right.width)
    columns = (*left_column, *right_column)
    return Drawing(
        width=width,
        height=max([archive.bottom, *(group.bottom for group in columns)]) + _MARGIN,
        frames=(*archive.frames, *(group.frame for group in columns)),
        lines=(
            *legend.lines,
            *archive.lines,
            *route_lines(left.buses, columns, archive, is_right=False),
            *route_lines(right.buses, columns, archive, is_right=True),
        ),
        nodes=(*archive.nodes, *(node for group in columns for node in group.nodes)),
        texts=(*texts, *legend.texts),
        markers=legend.markers,
    )


def _split_sides(groups: Sequence[PeerGroup]) -> tuple[_Side, _Side]:
    numbered = sorted(enumerate(groups), key=lambda each: not each[1].links)
    return (
        _Side(tuple(each for each in numbered if each[1].is_sender)),
        _Side(tuple(each for each in numbered if not each[1].is_sender)),
    )


def _place_heading(heading: MapHeading, width: float) -> tuple[tuple[TextItem, ...], float]:
    """Return the heading, and the height of the first line below it."""
    space = width - 2 * _MARGIN
    title = fit_text(escape_unprintable(heading.title), TITLE.size, space, bold=True)
    subtitle = fit_text(escape_unprintable(heading.subtitle), SUBTITLE.size, space)
    return (TextItem(_MARGIN, 32, title, TITLE), TextItem(_MARGIN, 51, subtitle, SUBTITLE)), 74


def _place_column(
    groups: Iterable[tuple[int, PeerGroup]],
    findings: Mapping[str, Sequence[EntryFinding]],
    *,
    x: float,
    y: float,
    width: float,
) -> list[GroupLayout]:
    placed = []
    for number, group in groups:
        layout = place_group(group, number, findings, x=x, y=y, width=width)
        placed.append(layout)
        y = layout.bottom + _GROUP_GAP
    return placed
