"""Write a drawing of a map as SVG: one picture that needs no other file, and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.colors import format_styles
from dcmcfg.render.site_map.drawing import Drawing, Frame, Line, Marker, NodeItem, TextItem
from dcmcfg.render.site_map.tooltips import describe_details
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Topology

_CORNER, _ARROW_LENGTH, _ARROW_HALF = 5, 7, 4
_SMALLEST, _LARGEST = 0.86, 1.2


def render_svg(
    drawing: Drawing, topology: Topology, findings: Mapping[str, Sequence[EntryFinding]], title: str
) -> Iterator[str]:
    """Yield the picture *drawing* of *topology* as SVG 1.1; all text is escaped.

    A node has its details and *findings* as a tooltip, and its id as ``data-node``; a line has the numbers of its ends.
    """
    width, height = _format(drawing.width), _format(drawing.height)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {width} {height}" '
    # In a narrower page, the picture keeps a size at which its text is readable, and its box scrolls.
    yield f'width="{width}" height="{height}" style="min-width:{_format(drawing.width * _SMALLEST)}px;'
    yield f'max-width:{_format(drawing.width * _LARGEST)}px" '
    yield f'role="img" aria-label="{escape(escape_unprintable(title))}">\n'
    yield f"<title>{escape(escape_unprintable(title))}</title>\n<style>{format_styles()}</style>\n"
    yield f'<rect class="paper" width="{width}" height="{height}"/>\n'
    yield from map(_render_frame, drawing.frames)
    yield from map(_render_line, drawing.lines)
    yield from map(_render_marker, drawing.markers)
    yield from map(_render_text, drawing.texts)
    for node in drawing.nodes:
        yield from _render_node(node, describe_details(topology, node.node_id, findings.get(node.node_id, ())))
    yield "</svg>\n"


def _render_frame(frame: Frame) -> str:
    group = "" if frame.group is None else f' data-group="{frame.group}"'
    return (
        f'<g class="box"{group}><rect class="frame {frame.css_class}" {_format_rect(frame)} rx="6"/>'
        f"{''.join(map(_render_text, frame.texts))}</g>\n"
    )


def _render_node(node: NodeItem, details: str) -> Iterator[str]:
    severity = f" s-{node.marker.severity}" if node.marker is not None else ""
    number = f'data-group="{node.group}"' if node.group is not None else f'data-block="{node.block}"'
    yield f'<g class="{node.css_class}{severity}" data-node="{escape(node.node_id)}" {number}>'
    yield f"<title>{escape(details)}</title>"
    yield f'<rect class="hit" {_format_rect(node)} rx="3"/>'
    yield from map(_render_text, node.texts)
    if node.marker is not None:
        yield _render_marker(node.marker)
    yield "</g>\n"


def _render_text(item: TextItem) -> str:
    classes = [item.style.css_class, item.extra_class, "" if item.kind is None else _name(item.kind)]
    return (
        f'<text class="{" ".join(filter(None, classes))}" x="{_format(item.x)}" y="{_format(item.y)}">'
        f"{escape(item.text)}</text>"
    )


def _render_line(line: Line) -> str:
    ends = "".join(
        f' data-{name}="{" ".join(map(str, numbers))}"'
        for name, numbers in (("groups", line.groups), ("blocks", line.blocks))
        if numbers
    )
    points = _shorten(line)
    arrows = []
    if line.arrow_at_start:
        arrows.append(_render_arrow(line.kind, line.points[0], points[1]))
    if line.arrow_at_end:
        arrows.append(_render_arrow(line.kind, line.points[-1], points[-2]))
    if line.joint is not None:
        x, y = map(_format, line.joint)
        arrows.append(f'<circle class="arrow {_name(line.kind)}" cx="{x}" cy="{y}" r="2.7"/>')
    path = "".join(_trace(points))
    css_class = "link" if ends else "sample"
    ends += f' data-kind="{line.kind.value}"'
    return f'<g class="{css_class}"{ends}><path class="edge {_name(line.kind)}" d="{path}"/>{"".join(arrows)}</g>\n'


def _shorten(line: Line) -> list[tuple[float, float]]:
    """Return the points of *line* without the parts below its arrow heads, and without segments of no length."""
    points = [line.points[0]]
    points += [point for before, point in zip(line.points, line.points[1:], strict=False) if point != before]
    for index, neighbour, has_arrow in ((0, 1, line.arrow_at_start), (-1, -2, line.arrow_at_end)):
        if has_arrow:
            (x, y), (other_x, _) = points[index], points[neighbour]
            points[index] = (x + (_ARROW_LENGTH - 1) * (1 if other_x > x else -1), y)
    return points


def _trace(points: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Yield a path through *points* with round corners."""
    yield f"M{_format(points[0][0])} {_format(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_CORNER, _measure(before, corner) / 2, _measure(corner, after) / 2)
        start, end = _move(corner, before, radius), _move(corner, after, radius)
        yield f"L{_format(start[0])} {_format(start[1])}Q{_format(corner[0])} {_format(corner[1])} "
        yield f"{_format(end[0])} {_format(end[1])}"
    yield f"L{_format(points[-1][0])} {_format(points[-1][1])}"


def _measure(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _move(point: tuple[float, float], towards: tuple[float, float], distance: float) -> tuple[float, float]:
    length = _measure(point, towards) or 1
    return (
        point[0] + (towards[0] - point[0]) * distance / length,
        point[1] + (towards[1] - point[1]) * distance / length,
    )


def _render_arrow(kind: EdgeKind, tip: tuple[float, float], before: tuple[float, float]) -> str:
    direction = 1 if before[0] > tip[0] else -1
    back = _format(tip[0] + direction * _ARROW_LENGTH)
    upper, lower = _format(tip[1] - _ARROW_HALF), _format(tip[1] + _ARROW_HALF)
    return f'<path class="arrow {_name(kind)}" d="M{_format(tip[0])} {_format(tip[1])}L{back} {upper}V{lower}z"/>'


def _render_marker(marker: Marker) -> str:
    """Return a circle for errors, a triangle for warnings, and a diamond for notes: a print has no colours."""
    x, y = marker.x, marker.y
    match marker.severity:
        case "error":
            shape = f'<circle class="m-error" cx="{_format(x)}" cy="{_format(y)}" r="5"/>'
        case "warning":
            shape = f'<path class="m-warning" d="M{_format(x)} {_format(y - 5)}l6 10h-12z"/>'
        case _:
            shape = f'<path class="m-note" d="M{_format(x)} {_format(y - 5)}l5 5l-5 5l-5 -5z"/>'
    return shape


def _format_rect(item: Frame | NodeItem) -> str:
    return f'x="{_format(item.x)}" y="{_format(item.y)}" width="{_format(item.width)}" height="{_format(item.height)}"'


def _format(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _name(kind: EdgeKind) -> str:
    return f"k-{kind.value}"
