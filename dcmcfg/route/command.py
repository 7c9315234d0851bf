"""A command line of dcmcfg, as one types it."""

from __future__ import annotations

import shlex


def format_command(*words: str) -> str:
    """Return the line that calls dcmcfg with *words*, quoted where a shell needs it."""
    return f"dcmcfg {shlex.join(words)}"
