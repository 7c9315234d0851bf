r"""Render a report as OpenMetrics text that is also valid in Prometheus' own text format (version 0.0.4).

The textfile collector of node_exporter reads only Prometheus' format, in files ``*.prom``. All metrics are gauges,
because ``gauge`` is the same in both formats. For Prometheus' format, ``# UNIT`` and ``# EOF`` are comments. There are
no timestamps, because the collector refuses them. Each sample has the label ``site``, so that the files of several
sites do not contain the same sample.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.monitoring.metrics import METRICS
from dcmcfg.monitoring.report import Figure, SiteReport
from dcmcfg.printable import escape_unprintable

PREFIX = "dcmcfg_"
_SITE_LABEL = "site"


def format_openmetrics(report: SiteReport) -> str:
    """Return the figures of *report* as text; it ends with ``# EOF``."""
    return "".join(f"{line}\n" for line in _format_lines(report))


def _format_lines(report: SiteReport) -> Iterator[str]:
    for metric in METRICS:
        figures = [each for each in report.figures if each.metric is metric]
        if figures:
            name = f"{PREFIX}{metric.name}"
            yield f"# HELP {name} {metric.help}"
            yield f"# TYPE {name} gauge"
            if metric.unit:
                yield f"# UNIT {name} {metric.unit}"
            yield from (f"{name}{{{_format_labels(report, each)}}} {_format_value(each.value)}" for each in figures)
    yield "# EOF"


def _format_labels(report: SiteReport, figure: Figure) -> str:
    pairs = ((_SITE_LABEL, report.site_name), *zip(figure.metric.labels, figure.label_values, strict=True))
    return ",".join(f'{name}="{_escape(value)}"' for name, value in pairs)


def _escape(value: str) -> str:
    """Return *value* for a label: a backslash and a double quote are escaped; unprintable characters are visible."""
    return escape_unprintable(value).replace("\\", "\\\\").replace('"', '\\"')


def _format_value(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}".rstrip("0")
