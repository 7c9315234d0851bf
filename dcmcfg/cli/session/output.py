"""The output of commands: files (``-`` is standard output), and the one JSON object of ``--json``."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TextIO

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.errors import DcmcfgError
from dcmcfg.printable import escape_unprintable_lines
from dcmcfg.render.terminal.styles import ColorMode, override_color_mode

STDOUT = "-"
_READABLE = 0o666
_READABLE_BY_ALL = 0o644
_OWNER_ONLY = 0o600


def require_new_file(target: str) -> None:
    """Raise :class:`DcmcfgError` if the file *target* exists."""
    if Path(target).exists():
        raise _make_exists_error(target)


def require_writable_file(target: str, *, must_be_new: bool) -> None:
    """Raise :class:`DcmcfgError` where :func:`write_atomically` would.

    A temporary file is created and removed, because permissions alone do not show whether a write succeeds.
    """
    path = Path(target).resolve()
    if path.is_dir():
        raise DcmcfgError("a folder, not a file", subject=target, next_step="specify a file in this folder")
    if must_be_new:
        require_new_file(target)
    if path.exists() and not path.is_file():  # a device or a pipe, whose folder need not be writable
        return
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        Path(temporary).unlink()
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def require_writable_folder(target: str) -> None:
    """Raise :class:`DcmcfgError` where :func:`make_folder` would, or if the folder *target* is not writable."""
    path = Path(target).resolve()
    if path.exists() and not path.is_dir():
        raise _make_no_folder_error(target)
    try:
        handle, temporary = tempfile.mkstemp(prefix=".", dir=path if path.exists() else path.parent)
        os.close(handle)
        Path(temporary).unlink()
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def make_folder(target: str) -> None:
    """Create the folder *target*, for its owner only, unless it exists; raises :class:`DcmcfgError` if that fails."""
    path = Path(target).resolve()
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise _make_no_folder_error(target) from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def write_report(target: str, text: Iterable[str], *, must_be_new: bool) -> None:
    """Write *text*, which names studies of patients, as :func:`write_atomically` does.

    A new file is readable by its owner only; a replaced file keeps its permissions.
    """
    write_atomically(target, text, private=not Path(target).exists(), must_be_new=must_be_new)


def print_text(text: Iterable[str]) -> None:
    """Print *text* on standard output as in a file; on a terminal, control characters are escaped."""
    is_terminal = sys.stdout.isatty()
    for piece in text:
        click.echo(escape_unprintable_lines(piece) if is_terminal else piece, nl=False)


def write_atomically(
    target: str,
    text: Iterable[str],
    *,
    private: bool = False,
    must_be_new: bool = False,
    readable_by_all: bool = False,
) -> None:
    """Write *text* to the file *target*, completely or not at all; ``-`` is standard output.

    A *private* file is readable by its owner only, and synced to disk before this returns. With *must_be_new*, an
    existing file is an error. Otherwise a replaced file keeps its permissions. With *readable_by_all*, all accounts can
    read a new file, whatever the umask is: a program of another account reads it. Raises :class:`DcmcfgError` if the
    file cannot be written.
    """
    if target == STDOUT:
        print_text(text)
        return
    path = Path(target).resolve()  # the rename must replace the target of a symbolic link, not the link
    if must_be_new:
        require_new_file(target)
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/null: write to it, because a rename would replace it with a file.
            path.write_text("".join(text), "utf-8")
            return
        with _open_and_rename(path, private=private, must_be_new=must_be_new, readable_by_all=readable_by_all) as file:
            file.writelines(text)
    except FileExistsError:
        raise _make_exists_error(target) from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def write_octets(target: str, octets: bytes) -> None:
    """Write *octets* to the new file *target*, readable by its owner only; ``-`` is standard output.

    Raises :class:`DcmcfgError` if the file exists or cannot be written.
    """
    if target == STDOUT:
        click.echo(octets, nl=False)
        return
    path = Path(target).resolve()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
    except FileExistsError:
        raise DcmcfgError("the file exists", subject=target, next_step="specify a new file") from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def print_written_file(target: str) -> None:
    """Print the name of the written file *target* on standard error if that is a terminal: scripts stay silent."""
    if target != STDOUT and sys.stderr.isatty():
        print_message(f"Written: {target}")


@contextmanager
def redirect_output(target: str, *, private: bool, must_be_new: bool = False) -> Iterator[None]:
    """Write the standard output of the block to the file *target*; ``-`` is standard output itself.

    An existing file is replaced, whole or not at all, and keeps its permissions; with *must_be_new* it is an error.
    A new *private* file is readable by its owner only. If the block raises an exception, the file is unchanged. Raises
    :class:`DcmcfgError`, before the block if possible, if the file cannot be written.
    """
    if target == STDOUT:
        yield
        return
    require_writable_file(target, must_be_new=must_be_new)
    path = Path(target).resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8") as device, _redirect_plain(device):
                yield
            return
        with (
            _open_and_rename(path, private=private and not path.exists(), must_be_new=must_be_new) as file,
            _redirect_plain(file),
        ):
            yield
        print_written_file(target)
    # JSON that was printed is lost with the file, so the report of the failure must contain it.
    except FileExistsError:
        invocation.current().json_printed = False
        raise _make_exists_error(target) from None
    except OSError as error:
        invocation.current().json_printed = False
        raise _make_write_error(error, target, path) from error


@contextmanager
def _redirect_plain(file: TextIO) -> Iterator[None]:
    """Redirect standard output to *file*, without colours even with ``--color always``: programs read the file."""
    with redirect_stdout(file), override_color_mode(ColorMode.NEVER):
        yield


@contextmanager
def _open_and_rename(
    path: Path, *, private: bool, must_be_new: bool, readable_by_all: bool = False
) -> Iterator[TextIO]:
    """Open a temporary file next to *path*, and rename it to *path* at the end; an exception removes it."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            if private:
                file.flush()
                os.fsync(file.fileno())
        if not private:
            new_mode = _READABLE_BY_ALL if readable_by_all else _READABLE & ~_get_umask()
            Path(temporary).chmod(S_IMODE(path.stat().st_mode) if path.exists() else new_mode)
        if must_be_new:
            # Creating the name is atomic: of two processes at the same time, only one succeeds.
            path.touch(mode=_OWNER_ONLY, exist_ok=False)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _make_write_error(error: OSError, target: str, path: Path) -> DcmcfgError:
    """Return a :class:`DcmcfgError` for *error*, with a next step for its cause."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            next_step = f"create the folder {path.parent} first, or specify a file in an existing folder"
        case PermissionError():
            next_step = "specify a file in a folder that this account can write to"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            next_step = "delete files on this disk, or specify a file on another disk"
        case _:
            next_step = "specify another file"
    return DcmcfgError(f"the file cannot be written ({error.strerror})", subject=target, next_step=next_step)


def _make_no_folder_error(target: str) -> DcmcfgError:
    return DcmcfgError("a file, not a folder", subject=target, next_step="specify a folder")


def _make_exists_error(target: str) -> DcmcfgError:
    next_step = "specify a new file, or add --replace" if _has_option("--replace") else "specify a new file"
    return DcmcfgError("the file exists", subject=target, next_step=next_step)


def _has_option(name: str) -> bool:
    """Return whether the running command has the option *name*."""
    context = click.get_current_context(silent=True)
    return context is not None and any(name in each.opts for each in context.command.params)


def _get_umask() -> int:
    mask = os.umask(0o077)  # the umask can only be read by setting it
    os.umask(mask)
    return mask


def print_json(result: object, *, indent: int | None = 2) -> None:
    """Print *result* as JSON on standard output; a later failure is printed on standard error only."""
    invocation.current().json_printed = True
    click.echo(json.dumps(result, indent=indent))
