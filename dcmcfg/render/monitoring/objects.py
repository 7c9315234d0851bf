"""Render a report as the object of ``--json``."""

from __future__ import annotations

import json
from typing import Any

from dcmcfg.monitoring.report import Figure, PartResult, SiteReport


def site_report_json(report: SiteReport) -> dict[str, Any]:
    """Return *report* for ``--json``: the state and exit code of the site, and an object for each part."""
    return {
        "site": report.site_name,
        "state": report.state.value,
        "exit_code": report.state.exit_code,
        "duration_seconds": round(report.seconds, 3),
        "parts": [_part_json(each) for each in report.parts],
        "warnings": list(report.notes),
    }


def _part_json(part: PartResult) -> dict[str, Any]:
    return {
        "name": part.part.value,
        "state": part.state.value,
        "summary": part.summary,
        "details": list(part.details),
        "duration_seconds": round(part.seconds, 3),
        "figures": [_figure_json(each) for each in part.figures],
    }


def _figure_json(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.metric.name,
        "labels": dict(zip(figure.metric.labels, figure.label_values, strict=True)),
        "value": round(figure.value, 6),
        "unit": figure.metric.unit or None,
        "warning": figure.limit.warning,
        "critical": figure.limit.critical,
    }


def format_json_text(report: SiteReport) -> str:
    """Return *report* as the text of a JSON file."""
    return json.dumps(site_report_json(report), indent=2) + "\n"
