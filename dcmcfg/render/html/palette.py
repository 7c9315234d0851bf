"""The colours of web pages and diagrams, for light and for dark displays.

On ``paper`` and on ``card``, text in each colour has a contrast of at least 4.5:1, and each fill one of at least 3:1
(WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Name → colour. ``ink`` and ``soft`` are for text, ``paper`` and ``card`` for backgrounds, ``line`` for borders. The
#: others rate: good, fair (good with a reservation), bad, worse, open (undecided). A ``fill-`` is for areas of charts.
LIGHT: Mapping[str, str] = {
    "ink": "#1c1f23",
    "soft": "#566070",
    "paper": "#ffffff",
    "card": "#f5f7f9",
    "line": "#d9dee4",
    "accent": "#2456a6",
    "good": "#17734a",
    "fair": "#1a659f",
    "bad": "#bf2329",
    "worse": "#86379a",
    "open": "#7f5a00",
    "fill-good": "#2f9e6e",
    "fill-fair": "#4a90c8",
    "fill-bad": "#d2453f",
    "fill-worse": "#a457b8",
    "fill-open": "#828d99",
    "tint-good": "#e6f4ec",
    "tint-bad": "#fcebeb",
}
DARK: Mapping[str, str] = {
    "ink": "#e6e9ed",
    "soft": "#9ba7b4",
    "paper": "#16191d",
    "card": "#20252b",
    "line": "#39414b",
    "accent": "#8db8f5",
    "good": "#4cc38a",
    "fair": "#7cb8e8",
    "bad": "#ff7176",
    "worse": "#cf8fdd",
    "open": "#e2b340",
    "fill-good": "#2f9e6e",
    "fill-fair": "#5b9fd4",
    "fill-bad": "#e0564f",
    "fill-worse": "#b873c9",
    "fill-open": "#77828f",
    "tint-good": "#1b2d25",
    "tint-bad": "#352023",
}


def format_variables(palette: Mapping[str, str]) -> str:
    """Return CSS declarations of a variable for each colour: ``--ink: #1c1f23; …``."""
    return "; ".join(f"--{name}: {colour}" for name, colour in palette.items())
