"""Folders that belong to one account: no umask opens them, and one that others may write to is not trusted."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from dcmcfg.errors import Refused

_PRIVATE = 0o700


def make_private(folder: Path) -> None:
    """Make *folder*, and those above it that are missing, for their owner only; one that is there stays as it is.

    Raises :class:`OSError`. ``Path.mkdir`` gives its mode to the last one alone, and the umask to those above.
    """
    if not folder.parent.is_dir() and folder.parent != folder:
        make_private(folder.parent)
    folder.mkdir(mode=_PRIVATE, exist_ok=True)


def require_own(path: Path, *, instead: str = "") -> None:
    """Raise :class:`Refused` where another account owns the folder *path*, and as :func:`require_unshared` does.

    *instead* says what else can be done about another owner.
    """
    held = _stat(path)
    if held is not None and held.st_uid != os.geteuid():
        owner = _account(held.st_uid)
        mine = _account(os.geteuid())
        raise Refused(
            f"it belongs to the account {owner}, and this one is {mine}",
            on=str(path),
            next_step=f"sudo chown -R {shlex.quote(mine)} {shlex.quote(str(path))}{instead and f'; or {instead}'}",
        )
    require_unshared(path)


def require_unshared(path: Path) -> None:
    """Raise :class:`Refused` where others may write to the folder or file *path*; what is not there is nobody's."""
    held = _stat(path)
    if held is None:
        return
    everybody = bool(held.st_mode & stat.S_IWOTH)
    if everybody or (held.st_mode & stat.S_IWGRP and not _is_own_group(held)):
        raise Refused(
            f"{'everybody' if everybody else f'the group {_group(held.st_gid)}'} may write to it",
            on=str(path),
            next_step=f"chmod go-w {shlex.quote(str(path))}, once you know that nobody has",
        )


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # it is reported where it is used
        return None


def _is_own_group(held: os.stat_result) -> bool:
    """Return whether the group of a file is its owner's alone: many systems give each account such a group."""
    with suppress(KeyError):
        owner, group = pwd.getpwuid(held.st_uid), grp.getgrgid(held.st_gid)
        return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
    return False


def _account(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
