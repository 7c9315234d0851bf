"""The shared history of a group of accounts: a folder with a redacted record of each change.

A change is recorded privately first. Its redacted record is a copy, which every later command of the same account
writes again if it is missing, damaged or out of date. So a failure to write it never loses a change.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.private_folders import get_account_name_of
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.lock import is_directory_locked, is_file_locked, make_shared_lock_path, open_shared_lock
from dcmcfg.rollout.publication import Publication, read_publication, write_publication
from dcmcfg.rollout.record import ROLLOUTS_FOLDER, RolloutRecord
from dcmcfg.rollout.shared_record import SharedRecord, compute_record_id, make_shared_record, parse_shared_record
from dcmcfg.shared_folders import GROUP_READABLE, find_network_file_system, require_shared_folder
from dcmcfg.timestamps import make_iso_key

#: A shared record of another account is not read beyond this size.
_MAX_SIZE = 256 * 1024 * 1024
_SUFFIX = ".json"
#: The start of the name of a file that is being written, and the time in seconds after which its writer has ended.
_NEW, _MAX_WRITE_S = ".new-", 3600
_UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9_.-]")
#: The files of a private record that change after it was written, and that the shared record reflects.
_STATE_FILES = ("journal", "reload.json")


class SharedHistory:
    """The folder of a shared history, which this account uses; *warn* is called with each problem, once.

    Methods do not raise an error for a folder that is missing, full or read-only: they warn. Methods that read or write
    the folder raise :class:`~dcmcfg.errors.Refused` if others could modify it.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder = folder
        self.account = get_account_name_of(os.geteuid())
        self._warn = warn
        self._warned: set[str] = set()

    def is_usable(self) -> bool:
        """Return whether the folder exists; warns if it does not, and raises :class:`Refused` if it is unsafe."""
        try:
            require_shared_folder(self.folder)
        except OSError as error:
            self._warn_once(
                f"the shared history {self.folder} cannot be used ({error.strerror}). dcmcfg records changes only for "
                "this account, and does not prevent changes by other accounts at the same time. When the folder is "
                "available again, the next dcmcfg command adds the missing records"
            )
            return False
        return True

    def find_network_file_system(self) -> str:
        """Return the type of the network file system that contains the folder; empty if it is local."""
        return find_network_file_system(self.folder)

    def publish(self, record: RolloutRecord) -> None:
        """Write the shared record of *record*, a change of this account; a failure is only a warning."""
        try:
            publication = read_publication(record.folder)
            if publication is not None and Path(publication.history_dir) == self.folder and self.is_usable():
                self._write(record)
        except OSError as error:
            self._warn_about(record, error.strerror or str(error))
        except DcmcfgError as error:
            self._warn_about(record, error.message)

    def publish_pending(self, state: Path) -> None:
        """Write the shared records of this account that are missing, damaged or out of date.

        These are changes in the state folder *state* that were recorded for this folder: for example, of a process that
        was killed between the private and the shared record. A change that another process is applying is omitted.
        """
        try:
            sizes = self._list_sizes() if self.is_usable() else None
        except OSError as error:
            self._warn_once(f"the shared history {self.folder} cannot be read ({error.strerror})")
            return
        if sizes is None:
            return
        self._remove_leftovers()
        for path in (state / ROLLOUTS_FOLDER).glob("*"):
            record = RolloutRecord(path)
            # A record that cannot be read is reported by the commands that need it.
            with suppress(DcmcfgError, OSError):
                if path.name.isdigit() and self._is_outdated(record, sizes) and not _is_running(record, state):
                    self.publish(record)

    def read_records(self) -> tuple[SharedRecord, ...]:
        """Return the records of all accounts, the newest first; warns of each file that cannot be trusted or read."""
        found: list[SharedRecord] = []
        try:
            names = sorted(self._list_sizes()) if self.is_usable() else ()
        except OSError as error:
            self._warn_once(f"the shared history {self.folder} cannot be read ({error.strerror})")
            return ()
        for name in names:
            try:
                found.append(self._read(name))
            except OSError as error:
                self._warn_once(f"{self.folder / name}: the record cannot be read ({error.strerror})")
            except DcmcfgError as error:
                self._warn_once(f"{self.folder / name}: {error.message}; the record is ignored")
        return tuple(sorted(found, key=lambda record: (make_iso_key(record.started_at), record.number), reverse=True))

    def handle_recorded(self, record: RolloutRecord) -> None:
        """Publish *record* before the first change of the directory: other accounts see the change in progress."""
        self.publish(record)

    def handle_ended(self, record: RolloutRecord) -> None:
        """Publish the result of *record*."""
        self.publish(record)

    def can_lock(self, ldap_url: str) -> bool:
        """Return whether the lock of the directory at *ldap_url* can be used; warns if it cannot.

        Raises :class:`Refused` if the folder is unsafe.
        """
        if not self.is_usable():
            return False
        try:
            os.close(open_shared_lock(self.folder, ldap_url))
        except Refused:
            raise
        except DcmcfgError as error:
            next_step = f" To correct this: {error.next_step}" if error.next_step else ""
            self._warn_once(
                f"{error.message}. dcmcfg does not prevent changes by other accounts during this change.{next_step}"
            )
            return False
        return True

    def is_locked(self, ldap_url: str) -> bool:
        """Return whether an account of this host is applying a change on the directory at *ldap_url* now."""
        return is_file_locked(make_shared_lock_path(self.folder, ldap_url))

    def _warn_about(self, record: RolloutRecord, reason: str) -> None:
        self._warn_once(
            f"change {record.number} is recorded for this account, but not in the shared history {self.folder} "
            f"({reason}). The next command of dcmcfg tries again, for example: dcmcfg history"
        )

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)

    def _list_sizes(self) -> Mapping[str, int]:
        """Return the names of the files of records, and their sizes."""
        with os.scandir(self.folder) as entries:
            return {
                entry.name: entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
            }

    def _remove_leftovers(self) -> None:
        """Remove the incomplete files that killed processes of this account have left."""
        for path in self.folder.glob(f"{_NEW}*"):
            with suppress(OSError):
                status = path.lstat()
                if status.st_uid == os.geteuid() and time.time() - status.st_mtime > _MAX_WRITE_S:
                    path.unlink()

    def _is_outdated(self, record: RolloutRecord, sizes: Mapping[str, int]) -> bool:
        publication = read_publication(record.folder)
        if publication is None or Path(publication.history_dir) != self.folder:
            return False
        return publication.digest != _compute_state(record) or sizes.get(self._name(record)) != publication.size

    def _name(self, record: RolloutRecord) -> str:
        """Return the file name of the shared record of *record*: the digest keeps equal names of accounts apart."""
        account, host = (_UNSAFE_CHARACTER.sub("_", each) for each in (self.account, record.header.host))
        return f"{account.lstrip('.')}@{host}-{record.number}-{compute_record_id(record)}{_SUFFIX}"

    def _write(self, record: RolloutRecord) -> None:
        # The state is read before the content: if it changes in between, the record is written again later.
        state = _compute_state(record)
        name = self._name(record)
        new = self.folder / f"{_NEW}{name}-{socket.gethostname()}-{os.getpid()}"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, GROUP_READABLE)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), GROUP_READABLE)  # whatever the umask is
                # A network file system may give the file another owner.
                text = make_shared_record(record, self.account, os.fstat(file.fileno()).st_uid).to_json()
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.folder / name)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        write_publication(record.folder, Publication(str(self.folder), state, len(text.encode())))

    def _read(self, name: str) -> SharedRecord:
        path = self.folder / name
        # A link could lead to a file of another account, and a pipe would block.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Refused("not a regular file")
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise Refused("other accounts can write to the file")
            if status.st_size > _MAX_SIZE:
                raise Refused("the file is too large")
            text = file.read(_MAX_SIZE).decode("utf-8", "replace")
        record = parse_shared_record(text, str(path))
        owner = get_account_name_of(status.st_uid)
        if record.uid != status.st_uid:
            raise Refused(f"the file belongs to the account {owner}, but another account made the change")
        # The owner of the file is the account: an account cannot write records in the name of another account.
        return replace(record, account=owner)


def _compute_state(record: RolloutRecord) -> str:
    """Return the digest of the files of *record* that change after it was written."""
    digest = hashlib.sha256()
    for name in _STATE_FILES:
        try:
            digest.update((record.folder / name).read_bytes())
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        digest.update(b"\0")
    return digest.hexdigest()


def _is_running(record: RolloutRecord, state: Path) -> bool:
    """Return whether a process may be applying *record* now; that process shares it at its end."""
    return determine_status(record) is RolloutStatus.INTERRUPTED and is_directory_locked(state, record.header.ldap_url)
