"""The folders for dcmcfg's state on this machine.

Kept apart: only commands that store something on this machine load it.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

from dcmcfg.private_folders import require_ownership

_ELSEWHERE = "set XDG_STATE_HOME to a folder of your own"


def get_state_folder() -> Path:
    """Return the user's state folder of dcmcfg (``~/.local/state/dcmcfg``), which may not exist yet.

    Raises :class:`~dcmcfg.errors.Refused` if others may write to it or another account owns it, because they could
    manipulate the records that ``undo`` applies.
    """
    folder = platformdirs.user_state_path("dcmcfg")
    require_ownership(folder, parent_folder=folder, alternative=_ELSEWHERE)
    return folder


def get_state_subfolder(name: str) -> Path:
    """Return the subfolder *name* of the state folder, which may not exist; raises as :func:`get_state_folder`."""
    state = get_state_folder()
    require_ownership(state / name, parent_folder=state)
    return state / name
