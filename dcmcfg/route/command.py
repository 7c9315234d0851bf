"""A command line of dcmcfg, as one types it.

Kept apart: all layers above use it, and it loads nothing of dcmcfg.
"""

from __future__ import annotations

import shlex


def format_command(*words: str) -> str:
    """Return the line that calls dcmcfg with *words*, quoted where a shell needs it."""
    return f"dcmcfg {shlex.join(words)}"
