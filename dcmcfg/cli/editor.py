"""The user's own editor on a private file, which is kept until what it says is done."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.settings.folders import state_folder

_FALLBACKS = ("sensible-editor", "editor", "vi", "nano")


def private_file(text: str) -> Path:
    """Return a new file with *text* that only its owner may read."""
    folder = state_folder() / "edits"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="edit-", suffix=".ldif", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DcmcfgError(f"the file cannot be written ({error.strerror})", on=str(folder)) from error
    return Path(name)


def edit_file(path: Path) -> None:
    """Have the user edit *path* with ``$VISUAL``, ``$EDITOR`` or what there is.

    Raises :class:`DcmcfgError` when there is no editor, or it ends with an error.
    """
    words = _editor()
    try:
        code = subprocess.run([*words, str(path)], check=False).returncode  # noqa: S603 — the user's own choice
    except OSError as error:
        raise DcmcfgError(
            f"the editor cannot be started ({error.strerror})", on=words[0], next_step="set VISUAL or EDITOR"
        ) from error
    if code:
        raise DcmcfgError(f"the editor ended with {code}", on=words[0])


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in _FALLBACKS:
        if (found := shutil.which(name)) is not None:
            return [found]
    raise DcmcfgError("there is no editor", next_step="set VISUAL or EDITOR")
