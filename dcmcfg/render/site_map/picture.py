"""Render the map of a site as a picture in SVG.

Kept apart: a file and a page both contain the picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.render.site_map.labels import format_severity_counts
from dcmcfg.render.site_map.layout import MapHeading, lay_out
from dcmcfg.render.site_map.svg import render_svg
from dcmcfg.topology.site_map import SiteMap


def render_picture(site_map: SiteMap, *, subtitle: str | None = None) -> Iterator[str]:
    """Yield the picture of *site_map* as SVG.

    Its heading has the title and *subtitle*, which says where the configuration comes from; None for no heading.
    """
    heading = None
    if subtitle is not None:
        counts = format_severity_counts(site_map.all_findings)
        findings = (counts or "no findings") if site_map.is_checked else "not checked"
        heading = MapHeading(site_map.title, f"{subtitle} · {findings}")
    drawing = lay_out(site_map.topology, site_map.grouped, site_map.findings.by_node, heading)
    yield from render_svg(drawing, site_map.topology, site_map.findings.by_node, site_map.title)
