"""Route the lines of a map: edges of one kind between the same blocks of an archive share one vertical line.

A bus has a branch to each of its groups and to each of its blocks. Every group of a bus has the edges to every block of
it, so sharing hides nothing, and a picture has few lines even with many destinations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dcmcfg.render.site_map.archive_layout import ArchiveLayout, BlockPlace
from dcmcfg.render.site_map.drawing import Line
from dcmcfg.render.site_map.group_layout import GroupLayout
from dcmcfg.topology.edge_kinds import EdgeKind, ObjectFlow
from dcmcfg.topology.grouping import ArchiveBlock, PeerGroup

#: The distance between two vertical lines, and between a line and a box.
LANE, LANE_MARGIN = 10, 26
#: The distance between two lines that end at the same block.
PORT = 10
_MINIMUM_DISTANCE = 4
_BEND = 10
#: The frame of an archive is wider than its blocks on both sides.
_FRAME = 12


@dataclass(frozen=True)
class Bus:
    """The edges of one ``kind`` between ``groups`` (their numbers) and ``blocks``.

    ``enters_blocks`` is whether the arrows point to the blocks: there the objects arrive, or the requests without
    objects.
    """

    kind: EdgeKind
    blocks: tuple[ArchiveBlock, ...]
    groups: tuple[int, ...]
    enters_blocks: bool


def find_buses(groups: Sequence[tuple[int, PeerGroup]]) -> tuple[Bus, ...]:
    """Return the buses of *groups*, each with its number, in the order of their kinds."""
    found: dict[tuple[EdgeKind, tuple[int, ...], bool], tuple[tuple[ArchiveBlock, ...], list[int]]] = {}
    for number, group in groups:
        members = {node.id for node in group.members}
        for kind in group.kinds:
            links = [link for link in group.links if link.kind is kind]
            blocks = tuple(link.block for link in links)
            is_source = links[0].edges[0].source in members
            # Without objects, the arrow shows the direction of the request.
            enters_blocks = is_source if kind.object_flow is not ObjectFlow.TO_SOURCE else not is_source
            key = kind, tuple(sorted(map(id, blocks))), enters_blocks
            found.setdefault(key, (blocks, []))[1].append(number)
    order = {kind: position for position, kind in enumerate(EdgeKind)}
    buses = [Bus(key[0], blocks, tuple(numbers), key[2]) for key, (blocks, numbers) in found.items()]
    return tuple(sorted(buses, key=lambda bus: order[bus.kind]))


def count_ports(buses: Sequence[Bus], block: ArchiveBlock) -> int:
    """Return how many of *buses* have a branch to *block*."""
    return sum(any(each is block for each in bus.blocks) for bus in buses)


@dataclass(frozen=True, kw_only=True)
class _Branch:
    """A branch at the height ``y``, from ``x`` to the vertical line."""

    x: float
    y: float
    has_arrow: bool
    groups: tuple[int, ...]
    blocks: tuple[int, ...]


def route_lines(
    buses: Sequence[Bus], columns: Sequence[GroupLayout], archive: ArchiveLayout, *, is_right: bool
) -> Iterator[Line]:
    """Yield the lines of *buses*, which are all on the same side of *archive*; *columns* are the placed groups."""
    layouts = {layout.number: layout for layout in columns}
    heights = _allocate_ports(buses, layouts, archive)
    lanes = _order_lanes(buses, layouts, heights)
    direction = 1 if is_right else -1
    for lane, index in enumerate(lanes):
        bus = buses[index]
        places = [archive.find_block(block) for block in bus.blocks]
        edge = (places[0].right if is_right else places[0].x) + direction * (_FRAME + LANE_MARGIN)
        branches = []
        for number in bus.groups:
            frame = layouts[number].frame
            x, y = frame.x if is_right else frame.x + frame.width, layouts[number].port_y[bus.kind]
            numbers = tuple(place.number for place in places)
            branches.append(_Branch(x=x, y=y, has_arrow=not bus.enters_blocks, groups=(number,), blocks=numbers))
        for place in places:
            x, y = place.right if is_right else place.x, heights[index, place.number]
            branches.append(_Branch(x=x, y=y, has_arrow=bus.enters_blocks, groups=bus.groups, blocks=(place.number,)))
        yield from _draw_bus(bus.kind, branches, edge + direction * LANE * lane)


def _allocate_ports(
    buses: Sequence[Bus], layouts: Mapping[int, GroupLayout], archive: ArchiveLayout
) -> Mapping[tuple[int, int], float]:
    """Return the height of each branch to a block, by the numbers of the bus and of the block.

    No branch runs at nearly the same height as that of a group, which would look like one line.
    """
    used = [layouts[number].port_y[bus.kind] for bus in buses for number in bus.groups]
    heights: dict[tuple[int, int], float] = {}
    for place in archive.places:
        ends = [
            (_find_center(bus, layouts), index)
            for index, bus in enumerate(buses)
            if any(block is place.block for block in bus.blocks)
        ]
        y = place.y + PORT
        for _, index in sorted(ends):
            straight = _find_straight(buses[index], layouts, place)
            if straight is not None and straight >= y and used.count(straight) == 1:
                heights[index, place.number] = straight
                y = straight + PORT
                continue
            while any(abs(y - other) < _MINIMUM_DISTANCE for other in used):
                y += 1
            heights[index, place.number] = y
            y += PORT
    return heights


def _find_straight(bus: Bus, layouts: Mapping[int, GroupLayout], place: BlockPlace) -> float | None:
    """Return the height at which *bus*, between one group and one block, is a straight line; None if there is none."""
    if len(bus.groups) > 1 or len(bus.blocks) > 1:
        return None
    y = layouts[bus.groups[0]].port_y[bus.kind]
    return y if y < place.y + place.height - PORT / 2 else None


def _find_center(bus: Bus, layouts: Mapping[int, GroupLayout]) -> float:
    return sum(layouts[number].port_y[bus.kind] for number in bus.groups) / len(bus.groups)


def _order_lanes(
    buses: Sequence[Bus], layouts: Mapping[int, GroupLayout], heights: Mapping[tuple[int, int], float]
) -> list[int]:
    """Return the numbers of *buses* from the archive outwards, in an order with few crossings."""

    def rank(index: int) -> tuple[bool, float]:
        center = _find_center(buses[index], layouts)
        ends = [y for (bus, _), y in heights.items() if bus == index]
        # A line that goes down to its block crosses fewer others if those from above are nearer to the archive.
        goes_up = sum(ends) / len(ends) < center
        return goes_up, -center if goes_up else center

    return sorted(range(len(buses)), key=rank)


def _draw_bus(kind: EdgeKind, branches: Sequence[_Branch], lane: float) -> Iterator[Line]:
    """Yield the branches, of which the highest and the lowest bend into the vertical line, and the line between."""
    top, bottom = min(each.y for each in branches), max(each.y for each in branches)
    bend = min(_BEND, (bottom - top) / 2)
    for each in branches:
        points = [(each.x, each.y), (lane, each.y)]
        is_end = each.y in (top, bottom)
        if is_end and top != bottom:
            points.append((lane, top + bend if each.y == top else bottom - bend))
        yield Line(
            kind=kind,
            points=tuple(points),
            arrow_at_start=each.has_arrow,
            joint=None if is_end else (lane, each.y),
            groups=each.groups,
            blocks=each.blocks,
        )
    if bottom - top > 2 * bend:
        groups = tuple(dict.fromkeys(number for each in branches for number in each.groups))
        blocks = tuple(dict.fromkeys(number for each in branches for number in each.blocks))
        yield Line(kind=kind, points=((lane, top + bend), (lane, bottom - bend)), groups=groups, blocks=blocks)
