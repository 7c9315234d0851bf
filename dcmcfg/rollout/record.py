"""The record of one roll-out: user, time, directory, plan, undo and progress.

The record is written completely, or not at all, before the first change of the directory.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Protocol

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.ldif import read_files
from dcmcfg.files.private import sync_folder, write_private
from dcmcfg.format_number import FileFormat
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.ldif_output import format_plan, format_undo
from dcmcfg.plan.plan import Plan
from dcmcfg.private_folders import create_private_folder, require_ownership
from dcmcfg.rollout.journal import NEW_JOURNAL, Journal, RolloutProgress
from dcmcfg.rollout.lock import get_account_name, make_directory_key
from dcmcfg.rollout.publication import PUBLICATION_FILE, Publication, format_publication
from dcmcfg.timestamps import format_iso_ms, format_timestamp

HEADER_FILE, PLAN_FILE, UNDO_FILE, JOURNAL_FILE = "head.json", "plan.ldif", "undo.ldif", "journal"
#: The comments of a plan are in its first octets.
_HEAD_LENGTH = 64 * 1024
#: The format of ``head.json``. LDIF files (:mod:`dcmcfg.plan.ldif_output`) and the journal have their own formats.
HEADER_FORMAT = FileFormat(
    "the record of a change",
    2,
    {0: {"when": "started_at", "manner": "strategy", "undoes": "undo_of", "left_out": "rejected_count"}},
)


@dataclass(frozen=True, kw_only=True)
class RolloutHeader:
    """The constant data of a roll-out.

    - ``started_at``: the time in UTC (RFC 3339), in milliseconds; in seconds in older records.
    - ``site``: the headline of the plan.
    - ``command``: the command line.
    - ``counts``: the number of entries to ``add``, ``change``, ``rename`` and ``delete``.
    - ``undo_sizes``: the number of undo records for each step.
    - ``undo_of``: the number of the roll-out that this one reverts, or None.
    - ``sha256``: the digests of plan and undo.
    - ``rejected_count``: the number of inapplicable changes, which are not part of the plan.
    - ``rejects``: the file with the inapplicable changes.
    - ``reload_requested``: whether the nodes of the archive are to load the change; None in records of format 1.
    """

    started_at: str
    user: str
    host: str
    ldap_url: str
    site: str
    command: str
    strategy: str
    counts: Mapping[str, int]
    undo_sizes: tuple[int, ...]
    undo_of: int | None
    sha256: Mapping[str, str]
    rejected_count: int = 0
    rejects: str = ""
    reload_requested: bool | None = None

    @property
    def steps(self) -> int:
        return len(self.undo_sizes)

    def to_json(self) -> str:
        """Return the header as JSON, for :attr:`RolloutRecord.header`."""
        return json.dumps(HEADER_FORMAT.add_number(asdict(self))) + "\n"


class RolloutRecord:
    """The folder of one roll-out: ``head.json``, ``plan.ldif``, ``undo.ldif`` of the whole plan, and ``journal``.

    All files except the journal are written once, before the first change of the directory. Every method and attribute
    raises :class:`DcmcfgError` if a file cannot be read, or was modified, :class:`~dcmcfg.errors.UnknownFormat` for a
    file of a newer dcmcfg, and :class:`~dcmcfg.errors.Refused` if others can write to the file, or if an account other
    than this one and root owns it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder / JOURNAL_FILE)

    @cached_property
    def header(self) -> RolloutHeader:
        path = self._trusted_path(HEADER_FILE)
        try:
            content = HEADER_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
            return RolloutHeader(**content | {"undo_sizes": tuple(content["undo_sizes"])})
        # In a damaged file, any key may be missing or have a value of another type.
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DcmcfgError(
                "the record of a change cannot be read; nothing was changed",
                subject=str(path),
                next_step=f"compare the configuration with {self.folder}/plan.ldif, then move the folder "
                f"{self.folder} to another place",
            ) from error

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def undo_file(self) -> Path:
        """The file that reverts the whole roll-out with ``dcmcfg apply``."""
        return self.folder / UNDO_FILE

    def read_progress(self) -> RolloutProgress:
        """Return the current progress according to the journal."""
        self._trusted_path(JOURNAL_FILE)
        return self.journal.read_progress(self.header.steps)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The steps in the order in which they are applied."""
        return self._changes(PLAN_FILE)

    def read_plan_head(self) -> bytes:
        """Return the first octets of the plan, which contain its comments."""
        path = self._trusted_path(PLAN_FILE)
        try:
            with path.open("rb") as file:
                return file.read(_HEAD_LENGTH)
        except OSError as error:
            raise DcmcfgError(f"the plan cannot be read ({error.strerror})", subject=str(path)) from error

    def may_mention(self, name: str) -> bool:
        """Return whether the plan may contain the attribute *name* (lower case); a fast check without parsing LDIF."""
        path = self._trusted_path(PLAN_FILE)
        try:
            return name.encode() in path.read_bytes().lower()
        except OSError as error:
            raise DcmcfgError(f"the plan cannot be read ({error.strerror})", subject=str(path)) from error

    def get_undo_changes(self, last: int, first: int = 1) -> tuple[Change, ...]:
        """Return the changes that revert the steps *first* to *last* (1-based), starting with the last step."""
        sizes = self.header.undo_sizes
        # The file starts with the undo of the last step, so the undo of the first steps is at its end.
        end = len(self._undo) - sum(sizes[: first - 1])
        return self._undo[end - sum(sizes[first - 1 : last]) : end]

    @cached_property
    def _undo(self) -> tuple[Change, ...]:
        return self._changes(UNDO_FILE)

    def _changes(self, name: str) -> tuple[Change, ...]:
        path = self._trusted_path(name)
        records = read_files([path])
        if compute_digest(path.read_text("utf-8")) != self.header.sha256.get(name):
            raise DcmcfgError(
                f"somebody has modified this file of change {self.number}; dcmcfg changed nothing",
                subject=str(path),
                next_step=f"inspect the file; to apply the file anyway: dcmcfg apply {path}",
            )
        return tuple(desired.change for desired in collect_desired_changes(records))

    def _trusted_path(self, name: str) -> Path:
        path = self.folder / name
        require_ownership(path, parent_folder=self.folder.parent.parent, allow_root=True)
        return path


def compute_digest(text: str) -> str:
    """Return the SHA-256 digest of *text* in UTF-8, for :attr:`RolloutHeader.sha256`."""
    return hashlib.sha256(text.encode()).hexdigest()


#: The folder in the user's state folder that has a numbered folder for each roll-out.
ROLLOUTS_FOLDER = "rollouts"


class RolloutObserver(Protocol):
    """Passes on the record of a roll-out, for example to a shared history. Its methods raise no errors."""

    def handle_recorded(self, record: RolloutRecord) -> None:
        """Handle a record that is on the disk, before the first change of the directory."""

    def handle_ended(self, record: RolloutRecord) -> None:
        """Handle the end of the roll-out, also if it failed."""


@dataclass(frozen=True)
class RolloutSharing:
    """How others learn about a roll-out: the folder of the shared history, and observers.

    ``history_dir`` is noted in the record. With ``is_locked``, the lock in this folder is held during the roll-out.
    """

    history_dir: Path | None = None
    is_locked: bool = False
    observers: tuple[RolloutObserver, ...] = ()

    @property
    def lock_folder(self) -> Path | None:
        """The folder with the lock of all accounts; None if there is none."""
        return self.history_dir if self.is_locked else None

    def handle_recorded(self, record: RolloutRecord) -> None:
        """Notify all observers that *record* is on the disk."""
        for observer in self.observers:
            observer.handle_recorded(record)

    def handle_ended(self, record: RolloutRecord) -> None:
        """Notify all observers that the roll-out of *record* has ended."""
        for observer in self.observers:
            observer.handle_ended(record)


PRIVATE = RolloutSharing()


@dataclass(frozen=True)
class RolloutContext:
    """The user's ``state_folder``, and the data of a new roll-out for its record.

    ``site`` is the headline of the plan; ``undo_of`` is the number of the roll-out that this one reverts;
    ``rejected_count`` is the number of inapplicable changes, which are not part of the plan, and ``rejects`` the
    absolute path of the file with them. With ``reload_requested``, the nodes of the archive are to load the change.
    ``sharing`` publishes the roll-out. ``plan_comments`` are more comments at the start of the recorded plan.
    """

    state_folder: Path
    site: str
    command: str = ""
    undo_of: int | None = None
    _: KW_ONLY
    rejected_count: int = 0
    rejects: str = ""
    reload_requested: bool = False
    sharing: RolloutSharing = PRIVATE
    plan_comments: tuple[str, ...] = ()


def write_record(context: RolloutContext, ldap_url: str, plan: Plan, strategy: str) -> RolloutRecord:
    """Write the record of a new roll-out; it is on the disk when the function returns.

    The caller must hold the lock of the directory. A folder gets its number when it is complete. An incomplete folder
    of a killed process has no number, and the next call removes it. Raises :class:`DcmcfgError` if the record cannot be
    written; then the directory must not be changed.
    """
    rollouts = context.state_folder / ROLLOUTS_FOLDER
    require_ownership(rollouts, parent_folder=context.state_folder)
    new_folder = rollouts / f".new-{make_directory_key(ldap_url)}"
    try:
        create_private_folder(rollouts)
        shutil.rmtree(new_folder, ignore_errors=True)
        new_folder.mkdir(mode=0o700)
        for name, text in _format_files(context, ldap_url, plan, strategy):
            write_private(new_folder / name, text)
        # The rename below must not reach the disk before the names of the files.
        sync_folder(new_folder)
        # The record becomes visible with one rename, so that it is never seen incomplete.
        folder = _assign_number(new_folder)
        # After a power failure, the record must be found if a request was sent.
        sync_folder(rollouts)
    except OSError as error:
        shutil.rmtree(new_folder, ignore_errors=True)
        raise DcmcfgError(
            f"the record of the change cannot be written ({error.strerror})",
            subject=str(rollouts),
            next_step="nothing was changed",
        ) from error
    return RolloutRecord(folder)


def _format_files(context: RolloutContext, ldap_url: str, plan: Plan, strategy: str) -> Iterable[tuple[str, str]]:
    pieces, now = plan.make_undo_per_step(), datetime.now(UTC)
    undo = format_undo(
        chain.from_iterable(reversed(pieces)),
        comments=(f"dcmcfg undo of {format_timestamp(now)} on {context.site}", "May contain secrets."),
    )
    comments = (f"dcmcfg plan for {context.site}", "May contain secrets.", *context.plan_comments)
    planned = format_plan(plan, comments=comments)
    header = RolloutHeader(
        started_at=format_iso_ms(now),
        user=get_account_name(),
        host=socket.gethostname(),
        ldap_url=ldap_url,
        site=context.site,
        command=context.command,
        strategy=strategy,
        counts=dict(Counter(_classify_change(change) for change in plan.changes)),
        undo_sizes=tuple(map(len, pieces)),
        undo_of=context.undo_of,
        sha256={PLAN_FILE: compute_digest(planned), UNDO_FILE: compute_digest(undo)},
        rejected_count=context.rejected_count,
        rejects=context.rejects,
        reload_requested=context.reload_requested,
    )
    yield from ((PLAN_FILE, planned), (UNDO_FILE, undo), (HEADER_FILE, header.to_json()), (JOURNAL_FILE, NEW_JOURNAL))
    if (history_dir := context.sharing.history_dir) is not None:
        yield PUBLICATION_FILE, format_publication(Publication(str(history_dir)))


def _assign_number(new_folder: Path) -> Path:
    """Rename *new_folder* to the next number; a roll-out on another directory may take a number at the same time."""
    number = max((int(path.name) for path in new_folder.parent.glob("*") if path.name.isdigit()), default=0)
    while True:
        number += 1
        folder = new_folder.with_name(str(number))
        if folder.exists():
            continue
        try:
            new_folder.rename(folder)
        except OSError:
            # Another process may have taken the number after the check above; the next number is tried then.
            if not folder.exists():
                raise
        else:
            return folder


def _classify_change(change: Change) -> str:
    match change:
        case Add():
            return "add"
        case Modify():
            return "change"
        case Delete():
            return "delete"
        case Rename():
            return "rename"
