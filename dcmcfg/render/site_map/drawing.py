"""The parts of a drawing: boxes, texts and lines with their places, in pixels from the top left."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from dcmcfg.render.site_map.text_metrics import measure_text
from dcmcfg.schema.findings import Severity
from dcmcfg.topology.edge_kinds import EdgeKind


@dataclass(frozen=True)
class TextStyle:
    """A font: its class in the style sheet, its size, and whether it is bold or monospaced."""

    css_class: str
    size: float
    _: KW_ONLY
    bold: bool = False
    monospaced: bool = False

    def measure(self, text: str) -> float:
        """Return the estimated width of *text*."""
        return measure_text(text, self.size, bold=self.bold, monospaced=self.monospaced)


TITLE = TextStyle("t-title", 17, bold=True)
SUBTITLE = TextStyle("t-soft", 11)
HEADING = TextStyle("t-head", 13, bold=True)
NAME = TextStyle("t-name", 13, monospaced=True)
CHIP = TextStyle("t-chip", 11, monospaced=True)
BODY = TextStyle("t-body", 11)
SOFT = TextStyle("t-soft", 11)
LABEL = TextStyle("t-label", 11)
STYLES = (TITLE, SUBTITLE, HEADING, NAME, CHIP, BODY, LABEL)


@dataclass(frozen=True)
class TextItem:
    """A text whose baseline starts at (``x``, ``y``); ``kind`` colours it as the edges of this kind."""

    x: float
    y: float
    text: str
    style: TextStyle
    _: KW_ONLY
    kind: EdgeKind | None = None
    extra_class: str = ""


@dataclass(frozen=True)
class Marker:
    """The sign of findings of which ``severity`` is the worst, with its centre at (``x``, ``y``)."""

    x: float
    y: float
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class NodeItem:
    """The place of a node: a rectangle with its texts, and the sign of its findings.

    It belongs to the group or to the block of this number.
    """

    node_id: str
    x: float
    y: float
    width: float
    height: float
    texts: tuple[TextItem, ...]
    marker: Marker | None = None
    css_class: str = "node"
    group: int | None = None
    block: int | None = None


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle around a group, a block of an archive or an archive, with texts that belong to no node."""

    x: float
    y: float
    width: float
    height: float
    css_class: str
    texts: tuple[TextItem, ...] = ()
    group: int | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through ``points``, with arrow heads at its start and end; each segment is horizontal or vertical.

    A dot at ``joint`` shows that it meets another line there. ``groups`` and ``blocks`` are the
    numbers of those whose edges it shows: a line of a storage has no group, a sample in the legend has neither.
    """

    kind: EdgeKind
    points: tuple[tuple[float, float], ...]
    arrow_at_start: bool = False
    arrow_at_end: bool = False
    joint: tuple[float, float] | None = None
    groups: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A complete drawing of ``width`` and ``height``; frames are drawn first, then lines, then nodes."""

    width: float
    height: float
    frames: tuple[Frame, ...] = ()
    lines: tuple[Line, ...] = ()
    nodes: tuple[NodeItem, ...] = ()
    texts: tuple[TextItem, ...] = ()
    markers: tuple[Marker, ...] = ()
