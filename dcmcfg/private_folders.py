"""Private folders of one account: created without access for others, and refused if others can write to them."""

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
    """Create *folder* and its missing parents for the owner only; existing folders are unchanged.

    Raises :class:`OSError`. ``Path.mkdir`` is not enough: it applies its mode only to the last folder, and the umask
    to the parents.
    """
    if not folder.parent.exists() and folder.parent != folder:
        create_private_folder(folder.parent)
    folder.mkdir(mode=_PRIVATE, exist_ok=True)


def require_ownership(
    path: Path, *, parent_folder: Path | None = None, allow_root: bool = False, alternative: str = ""
) -> None:
    """Raise :class:`Refused` if another account owns *path*, or if others can write to it.

    With *allow_root*, root may own it too. *alternative* is another suggested action for a wrong owner. Write access is
    checked by :func:`require_not_shared_for_writing`.
    """
    status = _stat(path)
    if status is not None and status.st_uid != os.geteuid() and not (allow_root and status.st_uid == 0):
        owner = get_account_name_of(status.st_uid)
        current_account = get_account_name_of(os.geteuid())
        raise Refused(
            f"the owner is the account {owner}, but dcmcfg runs as {current_account}",
            subject=str(path),
            next_step=f"sudo chown -R {shlex.quote(current_account)} "
            f"{_format_path(path, parent_folder)}{alternative and f'; or {alternative}'}",
        )
    require_not_shared_for_writing(path, parent_folder=parent_folder)


def require_not_shared_for_writing(path: Path, *, parent_folder: Path | None = None) -> None:
    """Raise :class:`Refused` if others can write to the folder or file *path*; a missing *path* is accepted.

    The suggested command fixes *path*, or the whole folder *parent_folder* that contains it, so that one command is
    enough for all files.
    """
    status = _stat(path)
    if status is None:
        return
    is_world_writable = bool(status.st_mode & stat.S_IWOTH)
    if is_world_writable or (status.st_mode & stat.S_IWGRP and not is_private_group(status.st_gid, status.st_uid)):
        raise Refused(
            (
                f"{'everybody' if is_world_writable else f'the group {get_group_name(status.st_gid)}'} can write to "
                "this path"
            ),
            subject=str(path),
            next_step="check that nobody has modified the content, then run: chmod "
            f"{'-R ' if parent_folder else ''}go-w {_format_path(path, parent_folder)}",
        )


def _format_path(path: Path, parent_folder: Path | None) -> str:
    """Return the path for a command: *parent_folder*, or *path* if a link leads out of it (``-R`` follows no links)."""
    if parent_folder is not None and path.resolve().is_relative_to(parent_folder.resolve()):
        path = parent_folder
    return shlex.quote(str(path.resolve() if path.is_symlink() else path))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # The code that uses the path reports the error.
        return None


def is_private_group(gid: int, uid: int) -> bool:
    """Return whether the group *gid* has only the account *uid*: many systems create such a group for each account.

    Another account with this primary group is not detected: with accounts in a directory, this would require a list of
    all accounts.
    """
    with suppress(KeyError):
        owner, group = pwd.getpwuid(uid), grp.getgrgid(gid)
        return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
    return False


def get_account_name_of(uid: int) -> str:
    """Return the name of the account *uid*, or its number if it has no name."""
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def get_group_name(gid: int) -> str:
    """Return the name of the group *gid*, or its number if it has no name."""
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
