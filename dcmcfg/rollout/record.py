"""The record of one roll-out: who, when, where, what, the undo, and how far it has come.

It is written, whole or not at all, before the first change.
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
from dcmcfg.timestamps import format_iso, format_timestamp

HEADER_FILE, PLAN_FILE, UNDO_FILE, JOURNAL_FILE = "head.json", "plan.ldif", "undo.ldif", "journal"
#: Of ``head.json``. The LDIF files (:mod:`dcmcfg.plan.ldif_output`) and the journal have numbers of their own.
HEADER_FORMAT = FileFormat(
    "the record of a roll-out",
    1,
    {0: {"when": "started_at", "manner": "strategy", "undoes": "undo_of", "left_out": "rejected_count"}},
)


@dataclass(frozen=True, kw_only=True)
class RolloutHeader:
    """What does not change about a roll-out.

    ``started_at`` is UTC (RFC 3339); ``site`` the headline of its plan; ``command`` what was called; ``counts`` how
    many entries to ``add``, ``change``, ``rename`` and ``delete``; ``undo_sizes`` how many records of the undo
    belong to each step; ``undo_of`` the number of the roll-out that this one reverts; ``sha256`` the digests of plan
    and undo; ``rejected_count`` how many changes did not fit and are not part of the plan, and ``rejects`` the file
    that has them.
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

    @property
    def steps(self) -> int:
        return len(self.undo_sizes)

    def to_json(self) -> str:
        """Return it as JSON, for :attr:`RolloutRecord.header`."""
        return json.dumps(HEADER_FORMAT.add_number(asdict(self))) + "\n"


class RolloutRecord:
    """The folder of one roll-out: ``head.json``, ``plan.ldif``, ``undo.ldif`` of the whole plan, and ``journal``.

    Everything but the journal is written once, before the first change of the directory. Whatever is asked raises
    :class:`DcmcfgError` when a file cannot be read, or is not as it was written,
    :class:`~dcmcfg.errors.UnknownFormat` for one of a later dcmcfg, and :class:`~dcmcfg.errors.Refused` where others
    may write to that file, or another account than root owns it.
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
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DcmcfgError(
                "the record of a roll-out cannot be read, nothing was changed",
                subject=str(path),
                next_step=f"compare the tree with plan.ldif beside it, then move {self.folder} elsewhere",
            ) from error

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def undo_file(self) -> Path:
        """The file for ``dcmcfg apply`` that reverts the whole roll-out."""
        return self.folder / UNDO_FILE

    def read_progress(self) -> RolloutProgress:
        """Return how far it has come, as the journal now says."""
        self._trusted_path(JOURNAL_FILE)
        return self.journal.read_progress(self.header.steps)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The steps in the order in which they are applied."""
        return self._changes(PLAN_FILE)

    def may_mention(self, name: str) -> bool:
        """Return whether the plan may hold the attribute *name*, in lower case, without reading it as LDIF."""
        path = self._trusted_path(PLAN_FILE)
        try:
            return name.encode() in path.read_bytes().lower()
        except OSError as error:
            raise DcmcfgError(f"the plan cannot be read ({error.strerror})", subject=str(path)) from error

    def get_undo_changes(self, last: int, first: int = 1) -> tuple[Change, ...]:
        """Return what reverts the steps *first* to *last* (1-based), the last of them first."""
        sizes = self.header.undo_sizes
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
                f"the file is not as roll-out {self.number} has left it, nothing was changed",
                subject=str(path),
                next_step=f"look at it; dcmcfg apply {path} takes it as it is",
            )
        return tuple(desired.change for desired in collect_desired_changes(records))

    def _trusted_path(self, name: str) -> Path:
        path = self.folder / name
        require_ownership(path, parent_folder=self.folder.parent.parent, allow_root=True)
        return path


def compute_digest(text: str) -> str:
    """Return the SHA-256 of *text* in UTF-8, as :attr:`RolloutHeader.sha256` holds it."""
    return hashlib.sha256(text.encode()).hexdigest()


#: Below the user's state folder: a folder for each roll-out, by number.
ROLLOUTS_FOLDER = "rollouts"


@dataclass(frozen=True)
class RolloutContext:
    """Where roll-outs are stored (``state_folder``, the user's), and what this one is: for the record.

    ``site`` is the headline of the plan; ``undo_of`` the number of the roll-out that this one reverts;
    ``rejected_count`` how many changes did not fit and are not part of the plan, and ``rejects`` the absolute path of
    the file that has them.
    """

    state_folder: Path
    site: str
    command: str = ""
    undo_of: int | None = None
    _: KW_ONLY
    rejected_count: int = 0
    rejects: str = ""


def write_record(context: RolloutContext, ldap_url: str, plan: Plan, strategy: str) -> RolloutRecord:
    """Write the record of a roll-out that is about to begin; it is on the disk afterwards.

    The caller holds the directory's lock. A folder gets its number when it is complete; one that was being written
    when the process died has none, and goes with the next. Raises :class:`DcmcfgError` when it cannot be written:
    then nothing may be changed.
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
        sync_folder(new_folder)
        folder = _assign_number(new_folder)
        sync_folder(rollouts)
    except OSError as error:
        shutil.rmtree(new_folder, ignore_errors=True)
        raise DcmcfgError(
            f"the record of the roll-out cannot be written ({error.strerror})",
            subject=str(rollouts),
            next_step="nothing was changed",
        ) from error
    return RolloutRecord(folder)


def _format_files(context: RolloutContext, ldap_url: str, plan: Plan, strategy: str) -> Iterable[tuple[str, str]]:
    pieces, now = plan.make_undo_per_step(), datetime.now(UTC)
    undo = format_undo(
        chain.from_iterable(reversed(pieces)),
        comments=(f"dcmcfg undo of {format_timestamp(now)} on {context.site}", "May hold secrets."),
    )
    planned = format_plan(plan, comments=(f"dcmcfg plan for {context.site}", "May hold secrets."))
    header = RolloutHeader(
        started_at=format_iso(now),
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
    )
    return (PLAN_FILE, planned), (UNDO_FILE, undo), (HEADER_FILE, header.to_json()), (JOURNAL_FILE, NEW_JOURNAL)


def _assign_number(new_folder: Path) -> Path:
    """Give the folder *new_folder* the next number; a roll-out on another directory may take one at the same time."""
    number = max((int(path.name) for path in new_folder.parent.glob("*") if path.name.isdigit()), default=0)
    while True:
        number += 1
        folder = new_folder.with_name(str(number))
        if folder.exists():
            continue
        try:
            new_folder.rename(folder)
        except OSError:
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
