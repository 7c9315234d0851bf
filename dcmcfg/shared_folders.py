"""Shared folders of one group: mode 2770, without access for anybody else, and without symbolic links."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from dcmcfg.errors import Refused
from dcmcfg.private_folders import get_account_name_of, get_group_name

#: The permission bits of the folder and of its group. The set-group-ID bit gives new files the group of the folder.
SHARED_FOLDER_MODE = 0o2770
#: The permission bits of a file that the accounts of the group may read.
GROUP_READABLE = 0o640
#: The permission bits of a file that the accounts of the group may write, such as a lock.
GROUP_WRITABLE = 0o660
#: File systems whose files are on another machine, so that several hosts may use them at the same time.
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "afs"}
    | {"fuse.sshfs", "9p", "gfs2", "ocfs2", "beegfs", "gpfs", "virtiofs"}
)
_MOUNT_TABLE = Path("/proc/self/mountinfo")
#: An octal escape in the mount table (proc_pid_mountinfo(5)), such as ``\040`` for a space.
_OCTAL_ESCAPE = re.compile(rb"\\([0-7]{3})")


def require_shared_folder(folder: Path) -> os.stat_result:
    """Return the status of *folder*, a shared folder of one group; raises :class:`Refused` if it is unsafe.

    The folder must be a directory and no symbolic link, with mode 2770 (3770 is accepted, too). Its owner is root, this
    account or a member of its group, and this account is a member of the group. Nobody else may replace a folder above
    it. Raises :class:`OSError` if the folder does not exist or cannot be read.
    """
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise _refuse("it is a symbolic link", folder, f"specify the folder itself: {folder.resolve()}")
    if not stat.S_ISDIR(status.st_mode):
        raise _refuse("it is not a folder", folder, "specify a folder")
    group = get_group_name(status.st_gid)
    quoted = shlex.quote(str(folder))
    if status.st_mode & stat.S_IRWXO:
        raise _refuse(
            "all accounts have access to this folder",
            folder,
            f"check that nobody has modified the content, then run: sudo chgrp GROUP {quoted} && "
            f"sudo chmod 2770 {quoted}",
        )
    if status.st_mode & SHARED_FOLDER_MODE != SHARED_FOLDER_MODE:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise _refuse(f"its mode is {mode}, not 2770", folder, f"sudo chgrp GROUP {quoted} && sudo chmod 2770 {quoted}")
    if os.geteuid() != 0 and status.st_gid == 0:
        # Never suggest to make an account a member of the group root.
        raise _refuse(f"its group is {group}", folder, f"sudo chgrp GROUP {quoted} && sudo chmod 2770 {quoted}")
    if os.geteuid() != 0 and status.st_gid not in {os.getegid(), *os.getgroups()}:
        account = get_account_name_of(os.geteuid())
        raise _refuse(
            f"the account {account} is not a member of the folder's group {group}",
            folder,
            f"sudo usermod -aG {shlex.quote(group)} {shlex.quote(account)}, then log in again",
        )
    if status.st_uid not in (0, os.geteuid()) and not _is_member(status.st_uid, status.st_gid):
        raise _refuse(
            f"the folder's owner {get_account_name_of(status.st_uid)} is not a member of the folder's group {group}",
            folder,
            f"sudo chown root {quoted}",
        )
    _require_safe_parents(folder, status.st_gid)
    return status


def _require_safe_parents(folder: Path, gid: int) -> None:
    """Refuse *folder* if accounts outside the group *gid* can rename it, a folder above it, or a link to one."""
    # A link above the folder leads to other folders, which must be safe too.
    for parent in dict.fromkeys((*folder.parents, *folder.resolve().parents)):
        status = parent.lstat()
        owner = get_account_name_of(status.st_uid)
        if status.st_uid not in (0, os.geteuid()) and not _is_member(status.st_uid, gid):
            raise _refuse(
                f"the account {owner} can replace this folder, because {owner} owns {parent}",
                folder,
                f"sudo chown root {shlex.quote(str(parent))}",
            )
        writers = status.st_mode & (stat.S_IWOTH | (stat.S_IWGRP if status.st_gid not in (0, gid) else 0))
        # In a sticky folder, such as /tmp, an account can rename only its own files. A link has no mode of its own.
        if writers and not stat.S_ISLNK(status.st_mode) and not status.st_mode & stat.S_ISVTX:
            raise _refuse(
                f"other accounts can replace this folder, because they can write to {parent}",
                folder,
                f"sudo chmod go-w {shlex.quote(str(parent))}",
            )


def _is_member(uid: int, gid: int) -> bool:
    """Return whether the account *uid* is a member of the group *gid*, according to the system's databases."""
    with suppress(KeyError):
        account = pwd.getpwuid(uid)
        return gid in os.getgrouplist(account.pw_name, account.pw_gid)
    return False


def _refuse(problem: str, folder: Path, next_step: str) -> Refused:
    return Refused(problem, subject=str(folder), next_step=next_step.replace("GROUP", _suggest_group()))


def _suggest_group() -> str:
    """Return the first group of this account besides its primary group, or the word ``GROUP``."""
    for gid in os.getgroups():
        with suppress(KeyError):
            if gid != os.getegid():
                return shlex.quote(grp.getgrgid(gid).gr_name)
    return "GROUP"


def find_network_file_system(path: Path, mount_table: Path = _MOUNT_TABLE) -> str:
    """Return the type of the network file system that contains *path*, such as ``nfs4``; empty if it is local.

    The type is also empty if *mount_table* cannot be read, as on systems other than Linux.
    """
    try:
        lines = mount_table.read_bytes().splitlines()
    except OSError:
        return ""
    target, best = os.fsencode(path.resolve()), (b"", "")
    for line in lines:
        before, _, after = line.partition(b" - ")
        fields, types = before.split(), after.split()
        if len(fields) > _MOUNT_POINT and types:
            mount_point = _OCTAL_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), fields[_MOUNT_POINT])
            is_above = target == mount_point or target.startswith(mount_point.rstrip(b"/") + b"/")
            # The last mount on a mount point hides the earlier ones.
            if is_above and len(mount_point) >= len(best[0]):
                best = mount_point, types[0].decode("ascii", "replace")
    return best[1] if best[1] in _NETWORK_FILE_SYSTEMS else ""


#: The position of the mount point in a line of the mount table.
_MOUNT_POINT = 4
