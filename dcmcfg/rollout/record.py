"""The record of one roll-out: who, when, where, what, the way back, and how far it has come.

The record of a roll-out written, whole or not at all, before the first change.
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
from typing import Any

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.ldif import read_files
from dcmcfg.files.private import sync_folder, write_private
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.ldif_output import format_changes
from dcmcfg.plan.plan import Plan
from dcmcfg.private_folders import create_private_folder, require_ownership
from dcmcfg.rollout.journal import PLANNED, Journal, RolloutProgress
from dcmcfg.rollout.lock import get_account_name, make_directory_key
from dcmcfg.timestamps import format_iso, format_timestamp

HEADER_FILE, PLAN_FILE, UNDO_FILE, JOURNAL_FILE = "head.json", "plan.ldif", "undo.ldif", "journal"


@dataclass(frozen=True, kw_only=True)
class RolloutHeader:
    """What does not change about a roll-out.

    ``when`` is UTC (RFC 3339); ``site`` the headline of its plan; ``command`` what was called; ``counts`` how many
    entries to ``add``, ``change``, ``rename`` and ``delete``; ``undo_sizes`` how many records of the undo belong to
    each step; ``undoes`` the number of the roll-out that this one takes back; ``sha256`` the digests of plan and undo;
    ``rejected_count`` how many changes did not fit and are not part of the plan, and ``rejects`` the file that has
    them.
    """

    when: str
    user: str
    host: str
    ldap_url: str
    site: str
    command: str
    strategy: str
    counts: Mapping[str, int]
    undo_sizes: tuple[int, ...]
    undoes: int | None
    sha256: Mapping[str, str]
    rejected_count: int = 0
    rejects: str = ""

    @property
    def steps(self) -> int:
        return len(self.undo_sizes)

    def to_json(self) -> str:
        """Return it as JSON, for :attr:`RolloutRecord.head`.

        Nothing left out is not written: an earlier version does not know of it.
        """
        content = asdict(self)
        if not self.rejected_count:
            del content["rejected_count"], content["rejects"]
        return json.dumps(content) + "\n"


#: Keys of records written before they had a ``format`` number → today's.
_OLD_KEYS = {"manner": "strategy", "left_out": "rejected_count"}


def _rename_old_keys(content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError("not a JSON object")
    return {_OLD_KEYS.get(str(key), str(key)): value for key, value in content.items()}


class RolloutRecord:
    """The folder of one roll-out: ``head.json``, ``plan.ldif``, ``undo.ldif`` of the whole plan, and ``journal``.

    Everything but the journal is written once, before the first change of the directory. Whatever is asked raises
    :class:`DcmcfgError` when a file cannot be read, or is not as it was written, and
    :class:`~dcmcfg.errors.Refused` where others may write to that file, or another account than root owns it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder / JOURNAL_FILE)

    @cached_property
    def header(self) -> RolloutHeader:
        path = self._trusted_path(HEADER_FILE)
        try:
            content = _rename_old_keys(json.loads(path.read_text("utf-8")))
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
        """The file for ``dcmcfg apply`` that takes the whole roll-out back."""
        return self.folder / UNDO_FILE

    def read_progress(self) -> RolloutProgress:
        """Return how far it has come, as the journal now says."""
        self._trusted_path(JOURNAL_FILE)
        return self.journal.read_progress(self.header.steps)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The steps in the order in which they are taken."""
        return self._changes(PLAN_FILE)

    def may_mention(self, name: str) -> bool:
        """Return whether the plan may hold the attribute *name*, in lower case, without reading it as LDIF."""
        path = self._trusted_path(PLAN_FILE)
        try:
            return name.encode() in path.read_bytes().lower()
        except OSError as error:
            raise DcmcfgError(f"the plan cannot be read ({error.strerror})", subject=str(path)) from error

    def get_undo_changes(self, last: int, first: int = 1) -> tuple[Change, ...]:
        """Return what takes back the steps *first* to *last* (1-based), the last of them first."""
        sizes = self.header.undo_sizes
        end = len(self._undo) - sum(sizes[: first - 1])
        return self._undo[end - sum(sizes[first - 1 : last]) : end]

    @cached_property
    def _undo(self) -> tuple[Change, ...]:
        return self._changes(UNDO_FILE)

    def _changes(self, name: str) -> tuple[Change, ...]:
        path = self._trusted_path(name)
        found = read_files([path])
        if compute_digest(path.read_text("utf-8")) != self.header.sha256.get(name):
            raise DcmcfgError(
                f"the file is not as roll-out {self.number} has left it, nothing was changed",
                subject=str(path),
                next_step=f"look at it; dcmcfg apply {path} takes it as it is",
            )
        return tuple(wanted.change for wanted in collect_desired_changes(found))

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
    """Where roll-outs are kept (*state*, the user's state folder), and what this one is: for the record.

    ``site`` is the headline of the plan; ``undoes`` the number of the roll-out that this one takes back;
    ``rejected_count`` how many changes did not fit and are not part of the plan, and ``rejects`` the absolute path of
    the file that has them.
    """

    state_folder: Path
    site: str
    command: str = ""
    undoes: int | None = None
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
    new = rollouts / f".new-{make_directory_key(ldap_url)}"
    try:
        create_private_folder(rollouts)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        for name, text in _format_files(context, ldap_url, plan, strategy):
            write_private(new / name, text)
        sync_folder(new)
        folder = _assign_number(new)
        sync_folder(rollouts)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise DcmcfgError(
            f"the record of the roll-out cannot be written ({error.strerror})",
            subject=str(rollouts),
            next_step="nothing was changed",
        ) from error
    return RolloutRecord(folder)


def _format_files(occasion: RolloutContext, ldap_url: str, plan: Plan, manner: str) -> Iterable[tuple[str, str]]:
    pieces, now = plan.make_undo_per_step(), datetime.now(UTC)
    undo = format_changes(
        chain.from_iterable(reversed(pieces)),
        comments=(f"dcmcfg undo of {format_timestamp(now)} on {occasion.site}", "May hold secrets."),
    )
    planned = format_changes(plan.changes, comments=(f"dcmcfg plan for {occasion.site}", "May hold secrets."))
    head = RolloutHeader(
        when=format_iso(now),
        user=get_account_name(),
        host=socket.gethostname(),
        ldap_url=ldap_url,
        site=occasion.site,
        command=occasion.command,
        strategy=manner,
        counts=dict(Counter(_word(change) for change in plan.changes)),
        undo_sizes=tuple(map(len, pieces)),
        undoes=occasion.undoes,
        sha256={PLAN_FILE: compute_digest(planned), UNDO_FILE: compute_digest(undo)},
        rejected_count=occasion.rejected_count,
        rejects=occasion.rejects,
    )
    return (PLAN_FILE, planned), (UNDO_FILE, undo), (HEADER_FILE, head.to_json()), (JOURNAL_FILE, PLANNED)


def _assign_number(new: Path) -> Path:
    """Give the folder *new* the next number; a roll-out on another directory may take one at the same time."""
    number = max((int(path.name) for path in new.parent.glob("*") if path.name.isdigit()), default=0)
    while True:
        number += 1
        folder = new.with_name(str(number))
        if folder.exists():
            continue
        try:
            new.rename(folder)
        except OSError:
            if not folder.exists():
                raise
        else:
            return folder


def _word(change: Change) -> str:
    match change:
        case Add():
            return "add"
        case Modify():
            return "change"
        case Delete():
            return "delete"
        case Rename():
            return "rename"
