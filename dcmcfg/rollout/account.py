"""The account that runs this."""

from __future__ import annotations

import getpass
import os


def account() -> str:
    """Return the name of the account that runs this, its number where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without name
        return str(os.getuid())
