"""The findings of a node in a drawing: a sign, and the messages where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.drawing import LABEL, Marker, TextItem
from dcmcfg.render.site_map.labels import find_worst_severity
from dcmcfg.render.site_map.text_metrics import wrap_text
from dcmcfg.schema.findings import SEVERITIES, EntryFinding

_LINE, _SIGN_SPACE = 14, 16
_MAXIMUM_LINES = 3


@dataclass(frozen=True)
class FindingLines:
    """The message of the worst finding, with the number of the others; ``bottom`` is the lower edge."""

    texts: tuple[TextItem, ...]
    marker: Marker | None
    bottom: float


def place_findings(findings: Sequence[EntryFinding], *, x: float, y: float, width: float) -> FindingLines:
    """Return the lines about *findings* from (*x*, *y*) down; nothing without findings."""
    if not findings:
        return FindingLines((), None, y)
    worst = min(findings, key=lambda each: SEVERITIES.index(each.severity))
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    text = escape_unprintable(worst.message + more)
    lines = wrap_text(text, LABEL.size, width - _SIGN_SPACE, _MAXIMUM_LINES)
    texts = tuple(
        TextItem(x + _SIGN_SPACE, y + 11 + _LINE * number, line, LABEL, extra_class=f"m-{worst.severity}")
        for number, line in enumerate(lines)
    )
    return FindingLines(texts, make_marker(findings, x + 6, y + 7), y + _LINE * len(lines) + 2)


def make_marker(findings: Sequence[EntryFinding], x: float, y: float) -> Marker | None:
    """Return the sign of *findings* with its centre at (*x*, *y*); None without findings."""
    severity = find_worst_severity(findings)
    return None if severity is None else Marker(x, y, severity)
