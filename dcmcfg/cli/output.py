"""Files that commands write, ``-`` being standard output."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import click

from dcmcfg.errors import DcmcfgError

STDOUT = "-"
_READABLE = 0o666


def write_whole(target: str, text: Iterable[str], *, private: bool = False) -> None:
    """Write *text* to the file *target*, replacing it whole or not at all; ``-`` is standard output.

    A *private* file is readable by its owner only. Raises :class:`DcmcfgError` when it cannot be written.
    """
    if target == STDOUT:
        for piece in text:
            click.echo(piece, nl=False)
        return
    path = Path(target).resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_text("".join(text), "utf-8")  # a device or a pipe, which must not be replaced by a file
            return
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(text)
            if not private:
                Path(temporary).chmod(_READABLE & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise DcmcfgError(f"the file cannot be written ({error.strerror})", on=target) from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
