"""Edit a private file in the user's editor; the file is kept until its changes are applied."""

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
#: The first two are Debian's links to the configured editor.
_FALLBACKS = ("sensible-editor", "editor", "vi", "nano")


class SavedText:
    """A text in a new private file at ``path``; *resumed_file* is the file of the earlier edit that it continues.

    A *resumed_file* outside the folder of dcmcfg belongs to the user, and is never changed or removed.
    """

    def __init__(self, text: str, resumed_file: Path | None = None) -> None:
        self.path = _create_private_file(text)
        self._original = text
        self._resumed_file = resumed_file
        self._owns_resumed_file = (
            resumed_file is not None and resumed_file.resolve().parent == self.path.resolve().parent
        )

    def save(self) -> Path | None:
        """Keep the edited text, and return the file to continue with; None if there is nothing to keep.

        A text that is unchanged, or has only comments and empty lines, is not kept.
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
        """Remove the text and that of the earlier edit, after their changes are applied."""
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
        # mkstemp creates the file readable by its owner only: the text may contain secrets.
        handle, name = tempfile.mkstemp(prefix="edit-", suffix=".ldif", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DcmcfgError(f"the file cannot be written ({error.strerror})", subject=str(folder)) from error
    return Path(name)


def require_editor(*, asks_confirmation: bool) -> None:
    """Raise :class:`NegativeResult` if standard input is not a terminal: an editor would wait forever.

    An editor that the user has configured may be a script, so it is accepted unless *asks_confirmation*.
    """
    if sys.stdin.isatty():
        return
    if asks_confirmation or not any(os.environ.get(variable) for variable in _VARIABLES):
        raise NegativeResult(
            "there is no terminal for the editor; nothing was changed",
            next_step="use dcmcfg set or dcmcfg apply; or pass --yes, and set $VISUAL or $EDITOR to a script that "
            "edits the file",
        )


def edit_file(path: Path) -> None:
    """Open *path* in ``$VISUAL``, ``$EDITOR`` or the first installed fallback, and wait until the editor ends.

    Raises :class:`DcmcfgError` if there is no editor, or if it ends with an error.
    """
    words = _find_editor()
    # Without a terminal, an editor script must not wait for input.
    source = None if sys.stdin.isatty() else subprocess.DEVNULL
    try:
        code = subprocess.run([*words, str(path)], stdin=source, check=False).returncode  # noqa: S603 — the user's choice
    except OSError as error:
        raise DcmcfgError(
            f"the editor cannot be started ({error.strerror})",
            subject=words[0],
            next_step="set VISUAL or EDITOR to the command of your editor",
        ) from error
    if code:
        raise DcmcfgError(f"the editor ended with exit code {code}", subject=words[0])


def _find_editor() -> list[str]:
    for variable in _VARIABLES:
        # The value may have arguments, such as `code --wait`.
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in _FALLBACKS:
        if (path := shutil.which(name)) is not None:
            return [path]
    raise DcmcfgError("no editor found", next_step="set VISUAL or EDITOR to the command of your editor")
