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


def create_private_folder(folder: Path) -> None:
    """Make *folder*, and those above it that are missing, for their owner only; one that is there stays as it is.

    Raises :class:`OSError`. ``Path.mkdir`` gives its mode to the last one alone, and the umask to those above.
    """
    if not folder.parent.exists() and folder.parent != folder:
        create_private_folder(folder.parent)
    folder.mkdir(mode=_PRIVATE, exist_ok=True)


def require_ownership(
    path: Path, *, parent_folder: Path | None = None, allow_root: bool = False, alternative: str = ""
) -> None:
    """Raise :class:`Refused` where another account owns *path*, and as :func:`require_not_shared_for_writing` does.

    With *allow_root*, root may own it too. *alternative* says what else can be done about another owner.
    """
    status = _stat(path)
    if status is not None and status.st_uid != os.geteuid() and not (allow_root and status.st_uid == 0):
        owner = _get_account_name(status.st_uid)
        current_account = _get_account_name(os.geteuid())
        raise Refused(
            f"it belongs to the account {owner}, and this one is {current_account}",
            subject=str(path),
            next_step=f"sudo chown -R {shlex.quote(current_account)} "
            f"{_format_path(path, parent_folder)}{alternative and f'; or {alternative}'}",
        )
    require_not_shared_for_writing(path, parent_folder=parent_folder)


def require_not_shared_for_writing(path: Path, *, parent_folder: Path | None = None) -> None:
    """Raise :class:`Refused` where others may write to the folder or file *path*; what is not there is nobody's.

    The suggested command closes *path*, or all of the folder *parent_folder* in which it is: one command for all that
    is open.
    """
    status = _stat(path)
    if status is None:
        return
    is_world_writable = bool(status.st_mode & stat.S_IWOTH)
    if is_world_writable or (status.st_mode & stat.S_IWGRP and not is_private_group(status.st_gid, status.st_uid)):
        raise Refused(
            f"{'everybody' if is_world_writable else f'the group {get_group_name(status.st_gid)}'} may write to it",
            subject=str(path),
            next_step=f"chmod {'-R ' if parent_folder else ''}go-w {_format_path(path, parent_folder)}, once you "
            "know that nobody has",
        )


def _format_path(path: Path, parent_folder: Path | None) -> str:
    """Return what a command names: *parent_folder*, or *path* where a link leads out of it (``-R`` follows none)."""
    if parent_folder is not None and path.resolve().is_relative_to(parent_folder.resolve()):
        path = parent_folder
    return shlex.quote(str(path.resolve() if path.is_symlink() else path))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # it is reported where it is used
        return None


def is_private_group(gid: int, uid: int) -> bool:
    """Return whether the group *gid* is that of the account *uid* alone: many systems give each account such a group.

    Another account that has it as its primary group is not found: where accounts are in a directory, all of them
    would have to be listed.
    """
    with suppress(KeyError):
        owner, group = pwd.getpwuid(uid), grp.getgrgid(gid)
        return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
    return False


def _get_account_name(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def get_group_name(gid: int) -> str:
    """Return the name of the group *gid*, or its number where it has none."""
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
