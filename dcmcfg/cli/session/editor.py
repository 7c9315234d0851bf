"""The user's own editor on a private file, which is kept until what it says is done."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dcmcfg.errors import DcmcfgError, NegativeResult
from dcmcfg.private_folders import create_private_folder
from dcmcfg.settings.folders import get_state_subfolder

_VARIABLES = ("VISUAL", "EDITOR")
_FALLBACKS = ("sensible-editor", "editor", "vi", "nano")


class SavedText:
    """A text in a new private file at ``path``, and *resumed_file*, the file of an earlier edit that it continues.

    A file that the user keeps elsewhere is the user's own, and stays as it is.
    """

    def __init__(self, text: str, resumed_file: Path | None = None) -> None:
        self.path = _create_private_file(text)
        self._original = text
        self._resumed_file = resumed_file
        self._owns_resumed_file = (
            resumed_file is not None and resumed_file.resolve().parent == self.path.resolve().parent
        )

    def save(self) -> Path | None:
        """Return the file that holds what was written, to go on with; None when there is nothing to keep.

        A text that is as it was given, or in which nothing stands any more, is none.
        """
        try:
            octets = self.path.read_bytes()
        except FileNotFoundError:
            octets = b""
        if octets == self._original.encode() or not _has_content(octets):
            self.path.unlink(missing_ok=True)
            return self._resumed_file
        self._remove_resumed_file()
        return self.path

    def remove(self) -> None:
        """Remove the text, and the one of the earlier edit: what they say is done."""
        self.path.unlink(missing_ok=True)
        self._remove_resumed_file()

    def _remove_resumed_file(self) -> None:
        if self._resumed_file is not None and self._owns_resumed_file:
            self._resumed_file.unlink(missing_ok=True)


def _has_content(octets: bytes) -> bool:
    return any(line.strip() and not line.startswith(b"#") for line in octets.splitlines())


def _create_private_file(text: str) -> Path:
    folder = get_state_subfolder("edits")
    try:
        create_private_folder(folder)
        handle, name = tempfile.mkstemp(prefix="edit-", suffix=".ldif", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DcmcfgError(f"the file cannot be written ({error.strerror})", subject=str(folder)) from error
    return Path(name)


def require_editor(*, asks_confirmation: bool) -> None:
    """Raise :class:`NegativeResult` where an editor would wait for ever: standard input is no terminal.

    An editor that the user has named may be a script; it is accepted unless *asks_confirmation*.
    """
    if sys.stdin.isatty():
        return
    if asks_confirmation or not any(os.environ.get(variable) for variable in _VARIABLES):
        raise NegativeResult(
            "there is no terminal to edit on, nothing was changed",
            next_step="dcmcfg set and dcmcfg apply need none; with --yes, $VISUAL or $EDITOR may be a script",
        )


def edit_file(path: Path) -> None:
    """Have the user edit *path* with ``$VISUAL``, ``$EDITOR`` or what there is.

    Raises :class:`DcmcfgError` when there is no editor, or it ends with an error.
    """
    words = _find_editor()
    source = None if sys.stdin.isatty() else subprocess.DEVNULL  # where nobody types, nothing is waited for
    try:
        code = subprocess.run([*words, str(path)], stdin=source, check=False).returncode  # noqa: S603 — the user's choice
    except OSError as error:
        raise DcmcfgError(
            f"the editor cannot be started ({error.strerror})", subject=words[0], next_step="set VISUAL or EDITOR"
        ) from error
    if code:
        raise DcmcfgError(f"the editor ended with {code}", subject=words[0])


def _find_editor() -> list[str]:
    for variable in _VARIABLES:
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in _FALLBACKS:
        if (path := shutil.which(name)) is not None:
            return [path]
    raise DcmcfgError("there is no editor", next_step="set VISUAL or EDITOR")
