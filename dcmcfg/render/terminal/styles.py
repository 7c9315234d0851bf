"""Define the styles of output, and the modes for colours and for all columns of lists.

Every command imports this module, because each has the option ``--color``; so it does not import rich.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Literal

#: Signs of a change, as in Terraform and git.
ADDED, REMOVED, CHANGED = "+", "-", "~"
SIGN_STYLES = {ADDED: "green", REMOVED: "red", CHANGED: "yellow"}

SUCCESS = "green"
FAILURE = "red"
UNDECIDED = "yellow"
HEADING = "bold"
NEXT_STEP = "bold cyan"
NOTE = "dim"
#: Severity of a finding → its style.
SEVERITY_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}
#: First characters of a line of a unified diff → its style.
UNIFIED_DIFF_STYLES = {"---": "bold", "+++": "bold", "@@": "cyan", "-": SIGN_STYLES[REMOVED], "+": SIGN_STYLES[ADDED]}

#: Eight colours and their bright variants, which every terminal shows in the palette of the user.
_STANDARD: Literal["standard"] = "standard"


class ColorMode(Enum):
    """The mode of colours; ``AUTO`` colours output on a terminal with colours, unless ``NO_COLOR`` is set."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


_modes = [ColorMode.AUTO]
_wide = [False]


@contextmanager
def override_color_mode(mode: ColorMode) -> Iterator[None]:
    """Use *mode* inside the block."""
    _modes.append(mode)
    try:
        yield
    finally:
        _modes.pop()


@contextmanager
def show_all_columns() -> Iterator[None]:
    """Make lists show all columns at any width inside the block."""
    _wide.append(True)
    try:
        yield
    finally:
        _wide.pop()


def are_all_columns_shown() -> bool:
    """Return whether lists show all columns at any width."""
    return _wide[-1]


def choose_color_system() -> Literal["auto", "standard"] | None:
    """Return the colour system of a rich console: None for no colours, ``auto`` if the terminal decides.

    An explicit ``--color`` overrides ``NO_COLOR`` (https://no-color.org).
    """
    match _modes[-1]:
        case ColorMode.ALWAYS:
            return _STANDARD
        case ColorMode.NEVER:
            return None
        case ColorMode.AUTO:
            return None if os.environ.get("NO_COLOR") else "auto"


def get_unified_diff_style(line: str) -> str:
    """Return the style of a *line* of a unified diff; empty for context lines."""
    return next((style for start, style in UNIFIED_DIFF_STYLES.items() if line.startswith(start)), "")
