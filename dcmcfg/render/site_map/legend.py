"""The legend of a map: a sample of each line that occurs, and the signs of findings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dcmcfg.render.site_map.drawing import LABEL, SOFT, Line, Marker, TextItem
from dcmcfg.render.site_map.text_metrics import fit_text
from dcmcfg.schema.findings import SEVERITIES, Severity
from dcmcfg.topology.edge_kinds import EdgeKind

_SAMPLE, _SPACE, _ITEM_GAP, _ROW = 26, 6, 20, 18
_SIGN = 7
_NOTE = "Arrows show where objects go; dashed lines are requests without objects."


@dataclass(frozen=True)
class Legend:
    """The parts of a legend; ``bottom`` is its lower edge."""

    lines: tuple[Line, ...]
    texts: tuple[TextItem, ...]
    markers: tuple[Marker, ...]
    bottom: float


def place_legend(
    kinds: Sequence[EdgeKind], severities: Collection[Severity], *, x: float, y: float, width: float
) -> Legend:
    """Return the legend of *kinds* and of the signs of *severities*, in rows of *width* from (*x*, *y*)."""
    lines, texts, markers = [], [], []
    position, row = x, y
    if not kinds and not severities:
        return Legend((), (), (), y)
    samples: list[tuple[str, EdgeKind | Severity]] = [(kind.label, kind) for kind in kinds]
    samples += [(severity, severity) for severity in SEVERITIES if severity in severities]
    for label, subject in samples:
        sample = _SAMPLE if isinstance(subject, EdgeKind) else 2 * _SIGN
        item_width = sample + _SPACE + LABEL.measure(label)
        if position > x and position + item_width > x + width:
            position, row = x, row + _ROW
        if isinstance(subject, EdgeKind):
            lines.append(Line(kind=subject, points=((position, row), (position + sample, row)), arrow_at_end=True))
        else:
            markers.append(Marker(position + _SIGN, row, subject))
        texts.append(TextItem(position + sample + _SPACE, row + 4, label, LABEL))
        position += item_width + _ITEM_GAP
    note_width = SOFT.measure(_NOTE)
    if position + note_width > x + width:
        position, row = x, row + _ROW
    texts.append(TextItem(position, row + 4, fit_text(_NOTE, SOFT.size, width), SOFT))
    return Legend(tuple(lines), tuple(texts), tuple(markers), row)
