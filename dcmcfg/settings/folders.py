"""Where dcmcfg keeps on this machine what it must not forget."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def state_folder() -> Path:
    """Return the user's state folder of dcmcfg (``~/.local/state/dcmcfg``), which may not exist yet."""
    return platformdirs.user_state_path("dcmcfg")


def undo_folder() -> Path:
    """Return where undo files are kept, which may not exist yet."""
    return state_folder() / "undo"
