"""The colours of the pages: readable text and visible areas, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from dcmcfg.render.html.palette import DARK, LIGHT
from dcmcfg.render.html.stylesheet import STYLESHEET

PALETTES = {"light": LIGHT, "dark": DARK}
TEXTS = ("ink", "soft", "accent", "good", "fair", "bad", "worse", "open")


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2 of ``#rrggbb``."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_extremes_have_the_contrast_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_text_has_contrast_aa(palette: Mapping[str, str]) -> None:
    pairs = [(text, ground) for text in TEXTS for ground in ("paper", "card")]
    pairs += [("good", "tint-good"), ("bad", "tint-bad")]
    assert [pair for pair in pairs if contrast(palette[pair[0]], palette[pair[1]]) < 4.5] == []


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_areas_of_charts_are_visible(palette: Mapping[str, str]) -> None:
    assert [
        name for name in palette if name.startswith("fill-") and contrast(palette[name], palette["paper"]) < 3
    ] == []


def test_both_palettes_have_all_colours_that_the_style_sheet_uses() -> None:
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLESHEET))
    assert used <= LIGHT.keys() == DARK.keys()


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in STYLESHEET
    assert "@import" not in STYLESHEET
