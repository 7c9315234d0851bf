"""Format command lines of dcmcfg.

Kept apart: all layers above use it, and it loads nothing of dcmcfg.
"""

from __future__ import annotations

import shlex


def format_command(*words: str) -> str:
    """Return the command line that runs dcmcfg with *words*, quoted for a shell."""
    return f"dcmcfg {shlex.join(words)}"


def format_address_command(connection_name: str, address: str = "HOST:PORT") -> str:
    """Return the command line that changes the address of *connection_name*; the user replaces the placeholder."""
    return f"{format_command('connection', 'set', connection_name)} {address}"
