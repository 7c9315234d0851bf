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
from dcmcfg.errors import DcmcfgError
from dcmcfg.printable import escape_unprintable_lines
from dcmcfg.render.terminal.styles import ColorMode, override_color_mode

STDOUT = "-"
_READABLE = 0o666
_OWNER_ONLY = 0o600


def require_new_file(target: str) -> None:
    """Raise :class:`DcmcfgError` when there is a file *target*."""
    if Path(target).exists():
        raise _make_exists_error(target)


def require_writable_file(target: str, *, must_be_new: bool) -> None:
    """Raise :class:`DcmcfgError` where :func:`write_atomically` would; nothing is left behind."""
    path = Path(target).resolve()
    if path.is_dir():
        raise DcmcfgError("a folder, not a file", subject=target, next_step="name a file in it")
    if must_be_new:
        require_new_file(target)
    if path.exists() and not path.is_file():
        return
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        Path(temporary).unlink()
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def require_writable_folder(target: str) -> None:
    """Raise :class:`DcmcfgError` where :func:`make_folder` would, or no file can be written in the folder *target*."""
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
    """Make the folder *target*, for its owner only, unless it is there; raises :class:`DcmcfgError`."""
    path = Path(target).resolve()
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise _make_no_folder_error(target) from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def write_report(target: str, text: Iterable[str], *, must_be_new: bool) -> None:
    """Write *text*, in which patients' studies are named, as :func:`write_atomically` does.

    A file that was not there is readable by its owner only; one that is replaced stays as readable as it was.
    """
    write_atomically(target, text, private=not Path(target).exists(), must_be_new=must_be_new)


def print_text(text: Iterable[str]) -> None:
    """Print *text* on standard output as it would be in a file; on a terminal, nothing in it moves the cursor."""
    is_terminal = sys.stdout.isatty()
    for piece in text:
        click.echo(escape_unprintable_lines(piece) if is_terminal else piece, nl=False)


def write_atomically(target: str, text: Iterable[str], *, private: bool = False, must_be_new: bool = False) -> None:
    """Write *text* to the file *target*, replacing it whole or not at all; ``-`` is standard output.

    A *private* file is readable by its owner only, and on the disk when this returns; a *must_be_new* one must not
    exist yet. Any other that is replaced stays as readable as it was. Raises :class:`DcmcfgError` when it cannot be
    written.
    """
    if target == STDOUT:
        print_text(text)
        return
    path = Path(target).resolve()
    if must_be_new:
        require_new_file(target)
    try:
        if path.exists() and not path.is_file():
            path.write_text("".join(text), "utf-8")  # a device or a pipe, which must not be replaced by a file
            return
        _write_and_rename(path, text, private=private, must_be_new=must_be_new)
    except FileExistsError:
        raise _make_exists_error(target) from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


def write_octets(target: str, octets: bytes) -> None:
    """Write *octets* to the new file *target*, readable by its owner only; ``-`` is standard output.

    Raises :class:`DcmcfgError` when the file exists or cannot be written.
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
        raise DcmcfgError("the file exists", subject=target, next_step="name a new file") from None
    except OSError as error:
        raise _make_write_error(error, target, path) from error


@contextmanager
def redirect_output(target: str, *, private: bool, must_be_new: bool = False) -> Iterator[None]:
    """Write what is printed on standard output meanwhile to the file *target*; ``-`` is standard output itself.

    An existing file is replaced, whole or not at all, and keeps its permissions; with *must_be_new* it is an error.
    A new *private* file is readable by its owner only. If an exception is raised meanwhile, the file stays as it was.
    Raises :class:`DcmcfgError`, at once if possible, when the file cannot be written.
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
    except FileExistsError:
        invocation.current().json_printed = False
        raise _make_exists_error(target) from None
    except OSError as error:
        invocation.current().json_printed = False
        raise _make_write_error(error, target, path) from error


@contextmanager
def _redirect_plain(file: TextIO) -> Iterator[None]:
    """Redirect standard output to *file*, without colours: programs read it, also with ``--color always``."""
    with redirect_stdout(file), override_color_mode(ColorMode.NEVER):
        yield


def _write_and_rename(path: Path, text: Iterable[str], *, private: bool, must_be_new: bool) -> None:
    with _open_and_rename(path, private=private, must_be_new=must_be_new) as file:
        file.writelines(text)


@contextmanager
def _open_and_rename(path: Path, *, private: bool, must_be_new: bool) -> Iterator[TextIO]:
    """Open a temporary file beside *path*, which then gets its name; an exception meanwhile removes it."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            if private:
                file.flush()
                os.fsync(file.fileno())
        if not private:
            Path(temporary).chmod(S_IMODE(path.stat().st_mode) if path.exists() else _READABLE & ~_get_umask())
        if must_be_new:
            path.touch(mode=_OWNER_ONLY, exist_ok=False)  # of two at once, one gets the name
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _make_write_error(error: OSError, target: str, path: Path) -> DcmcfgError:
    """Return *error* as one of ours, with what helps where that is known."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            next_step = f"make the folder {path.parent} first, or name a file in one that is there"
        case PermissionError():
            next_step = "name a file in a folder that this account may write to"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            next_step = "make room there, or name a file on another disk"
        case _:
            next_step = "name another file"
    return DcmcfgError(f"the file cannot be written ({error.strerror})", subject=target, next_step=next_step)


def _make_no_folder_error(target: str) -> DcmcfgError:
    return DcmcfgError("a file, not a folder", subject=target, next_step="name a folder")


def _make_exists_error(target: str) -> DcmcfgError:
    return DcmcfgError("the file exists", subject=target, next_step="name a new file, or say --replace")


def _get_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def print_json(result: object, *, indent: int | None = 2) -> None:
    """Print *result* as JSON on standard output; a failure after this is told on standard error only."""
    invocation.current().json_printed = True
    click.echo(json.dumps(result, indent=indent))
