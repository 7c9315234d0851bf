"""How output looks: its styles, whether it is coloured, whether lists show all columns.

It is imported by every command, as ``--color`` is an option of each, and imports nothing of rich.
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

#: Eight colours and their bright forms, which every terminal shows in the user's own palette.
_STANDARD: Literal["standard"] = "standard"


class ColorMode(Enum):
    """When output is coloured: ``AUTO`` is at a terminal that shows colours, unless ``NO_COLOR`` is set."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


_modes = [ColorMode.AUTO]
_wide = [False]


@contextmanager
def override_color_mode(mode: ColorMode) -> Iterator[None]:
    """Have *mode* in force until the block ends."""
    _modes.append(mode)
    try:
        yield
    finally:
        _modes.pop()


@contextmanager
def show_all_columns() -> Iterator[None]:
    """Have lists show all columns, whatever the width, until the block ends."""
    _wide.append(True)
    try:
        yield
    finally:
        _wide.pop()


def are_all_columns_shown() -> bool:
    """Tell whether lists show all columns, whatever the width."""
    return _wide[-1]


def choose_color_system() -> Literal["auto", "standard"] | None:
    """Return the colour system of a rich console: None for no colours, ``auto`` where the terminal decides.

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
    """Return the style of a *line* of a unified diff, empty for context."""
    return next((style for start, style in UNIFIED_DIFF_STYLES.items() if line.startswith(start)), "")
