"""Where dcmcfg keeps on this machine what it must not forget."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def state_folder() -> Path:
    """Return the user's state folder of dcmcfg (``~/.local/state/dcmcfg``), which may not exist yet."""
    return platformdirs.user_state_path("dcmcfg")
