"""Estimate the width of text in a picture, for fonts that the reader's system chooses.

The widths are those of DejaVu Sans, rounded up: it is wider than the system fonts of Windows, macOS and Android.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Width in hundredths of the font size → the ASCII characters of this width.
_WIDTHS = {
    30: "'IJijl",
    35: " ,./:;\\f|",
    40: "!()-[]t",
    45: "r",
    50: '"*_`',
    55: "?csz",
    60: "FLPkvxy",
    65: "$0123456789ESTYabdeghnopqu{}",
    70: "ABCKRVXZ",
    75: "HNU",
    80: "&DGOQ",
    85: "#+<=>^w~",
    90: "M",
    95: "%",
    100: "@Wm",
}
_WIDTH_BY_CHARACTER = {character: width for width, characters in _WIDTHS.items() for character in characters}
#: Some non-ASCII letters are wider than an em; the middle dot separates words.
_WIDEST, _SPECIAL = 110, {"·": 35, "→": 85, "…": 100}
_MONOSPACED = 61
_BOLD = 1.13
ELLIPSIS = "…"


@lru_cache(maxsize=8192)
def measure_text(text: str, size: float, *, bold: bool = False, monospaced: bool = False) -> float:
    """Return the estimated width of *text* in a font of *size*, in the unit of *size*."""
    hundredths = sum(_measure_character(each, monospaced=monospaced) for each in text)
    return hundredths / 100 * size * (_BOLD if bold and not monospaced else 1)


def fit_text(text: str, size: float, width: float, *, bold: bool = False, monospaced: bool = False) -> str:
    """Return *text*, shortened with an ellipsis if it is wider than *width*."""
    if measure_text(text, size, bold=bold, monospaced=monospaced) <= width:
        return text
    low, high = 0, len(text)
    # The width grows with each character, so the longest fitting start is found by bisection.
    while low < high:
        middle = (low + high + 1) // 2
        shortened = text[:middle].rstrip() + ELLIPSIS
        if measure_text(shortened, size, bold=bold, monospaced=monospaced) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS


def wrap_text(text: str, size: float, width: float, max_lines: int) -> tuple[str, ...]:
    """Return *text* in at most *max_lines* lines, broken at spaces; the last line is shortened if it does not fit."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < max_lines - 1:
        line = words.pop(0)
        while words and measure_text(f"{line} {words[0]}", size) <= width:
            line += f" {words.pop(0)}"
        lines.append(fit_text(line, size, width))
    if words:
        lines.append(fit_text(" ".join(words), size, width))
    return tuple(lines)


def _measure_character(character: str, *, monospaced: bool) -> int:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 2 * _MONOSPACED if monospaced else _WIDEST
    if monospaced:
        return _MONOSPACED if character.isascii() else _WIDEST
    if character in _SPECIAL:
        return _SPECIAL[character]
    base = unicodedata.normalize("NFD", character)[0]
    return _WIDTH_BY_CHARACTER.get(base, _WIDEST)
