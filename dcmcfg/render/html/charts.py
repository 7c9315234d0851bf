"""Draw charts as SVG: parts of a whole, columns over time, and labelled bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 720
_BAR, _GAP = 18, 8
_PLOT_HEIGHT, _PLOT_TOP, _AXIS = 150, 28, 44
#: The square of a legend in the colour of a CSS class.
_KEY = (
    '<svg class="chart" viewBox="0 0 10 10" aria-hidden="true"><rect class="{}" width="10" height="10" rx="2"/></svg>'
)


@dataclass(frozen=True)
class ChartItem:
    """A number with its name; ``css_class`` determines its colour."""

    name: str
    value: float
    css_class: str
    value_label: str = ""  # text for the number; empty for the number itself


def render_share_bar(title: str, parts: Sequence[ChartItem]) -> str:
    """Return one bar divided into *parts*, with a legend below, as HTML."""
    total = sum(part.value for part in parts)
    elements, x = [], 0.0
    for part in parts:
        width = _WIDTH * part.value / total if total else 0.0
        elements.append(
            f'<rect class="{part.css_class}" x="{x:.1f}" y="0" width="{width:.1f}" height="28">'
            f"<title>{escape(part.name)}: {_format_value(part)}</title></rect>"
        )
        x += width
    # The legend is HTML, because text of an SVG does not wrap, and shrinks with the picture.
    legend = "".join(
        f"<li>{_KEY.format(part.css_class)}{_format_value(part)} {escape(part.name)} "
        f"({escape(_format_percent(part.value, total))})</li>"
        for part in parts
    )
    return f'<figure>{_render_svg(title, _WIDTH, 28, elements)}<ul class="legend">{legend}</ul></figure>'


def render_column_chart(
    title: str, stacks: Sequence[Sequence[ChartItem]], labels: tuple[str, str, str], unit: str
) -> str:
    """Return a chart with a stacked column for each of *stacks*.

    *labels* are the texts below the chart: left, middle and right. *unit* is the unit of the height.
    """
    # The 1 avoids a division by zero if all columns are empty.
    highest = max((sum(part.value for part in stack) for stack in stacks), default=0) or 1
    plot_left = 56
    width = (_WIDTH - plot_left) / max(len(stacks), 1)
    elements = [*_draw_grid(highest, plot_left), f'<text class="small" x="0" y="12">{escape(unit)}</text>']
    for number, stack in enumerate(stacks):
        y = float(_PLOT_TOP + _PLOT_HEIGHT)
        for part in stack:
            height = _PLOT_HEIGHT * part.value / highest
            y -= height
            elements.append(
                f'<rect class="{part.css_class}" x="{plot_left + number * width + 0.5:.1f}" y="{y:.1f}" '
                # With many columns, the gap of 1 would be wider than a column, and the column would disappear.
                f'width="{max(width - 1, 0.5):.1f}" height="{height:.1f}">'
                f"<title>{escape(part.name)}: {_format_value(part)}</title></rect>"
            )
    label_positions = ((plot_left, "start"), (plot_left + (_WIDTH - plot_left) / 2, "middle"), (_WIDTH, "end"))
    for label, (x, anchor) in zip(labels, label_positions, strict=True):
        y = _PLOT_TOP + _PLOT_HEIGHT + 18
        elements.append(f'<text class="small" x="{x:.0f}" y="{y}" text-anchor="{anchor}">{escape(label)}</text>')
    return _render_svg(title, _WIDTH, _PLOT_TOP + _PLOT_HEIGHT + _AXIS / 2, elements)


def render_bar_chart(title: str, rows: Sequence[ChartItem]) -> str:
    """Return a chart with a bar for each of *rows*, with the name above the bar."""
    longest = max((row.value for row in rows), default=0) or 1
    max_width = _WIDTH - 90
    elements = []
    for number, row in enumerate(rows):
        y = number * (_BAR + _GAP + 14)
        # A value near 0 still has a visible bar.
        width = max(max_width * row.value / longest, 1)
        elements.append(f'<text class="small" x="0" y="{y + 11}">{escape(row.name)}</text>')
        elements.append(
            f'<rect class="{row.css_class}" x="0" y="{y + 16}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        )
        elements.append(f'<text x="{width + 8:.1f}" y="{y + 16 + 13}">{escape(_format_value(row))}</text>')
    return _render_svg(title, _WIDTH, len(rows) * (_BAR + _GAP + 14), elements)


def _draw_grid(highest: float, plot_left: float) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = _PLOT_TOP + _PLOT_HEIGHT * (1 - share)
        yield f'<line class="grid" x1="{plot_left}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{plot_left - 6}" y="{y + 4:.1f}" text-anchor="end">{highest * share:.3g}</text>'


def _render_svg(title: str, width: float, height: float, elements: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(elements)}</svg>"
    )


def _format_value(part: ChartItem) -> str:
    return part.value_label or f"{part.value:,.6g}"


def _format_percent(number: float, total: float) -> str:
    share = 100 * number / total if total else 0
    # Rounded values would show 0 % for a part that exists, or 100 % although another part exists.
    if 0 < share < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if 99.9 < share < 100 else f"{share:.3g} %"
