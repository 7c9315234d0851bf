"""The record of a roll-out written, whole or not at all, before the first change."""

from __future__ import annotations

import shutil
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.private import sync_folder, write_private
from dcmcfg.plan.as_ldif import change_ldif
from dcmcfg.plan.plan import Plan
from dcmcfg.private_folders import make_private, require_own
from dcmcfg.rollout.account import account
from dcmcfg.rollout.journal import PLANNED
from dcmcfg.rollout.lock import directory_key
from dcmcfg.rollout.record import HEAD, JOURNAL, PLAN, UNDO, Head, Record, digest
from dcmcfg.timestamps import iso, readable

#: Below the user's state folder: a folder for each roll-out, by number.
ROLLOUTS = "rollouts"


@dataclass(frozen=True)
class Occasion:
    """Where roll-outs are kept (*state*, the user's state folder), and what this one is: for the record.

    ``site`` is the headline of the plan; ``undoes`` the number of the roll-out that this one takes back; ``left_out``
    how many changes did not fit and are not part of the plan, and ``rejects`` the absolute path of the file that has
    them.
    """

    state: Path
    site: str
    command: str = ""
    undoes: int | None = None
    left_out: int = 0
    rejects: str = ""


def record_roll_out(occasion: Occasion, ldap_url: str, plan: Plan, manner: str) -> Record:
    """Write the record of a roll-out that is about to begin; it is on the disk afterwards.

    The caller holds the directory's lock. A folder gets its number when it is complete; one that was being written
    when the process died has none, and goes with the next. Raises :class:`DcmcfgError` when it cannot be written:
    then nothing may be changed.
    """
    rollouts = occasion.state / ROLLOUTS
    require_own(rollouts, top=occasion.state)
    new = rollouts / f".new-{directory_key(ldap_url)}"
    try:
        make_private(rollouts)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        for name, text in _texts(occasion, ldap_url, plan, manner):
            write_private(new / name, text)
        sync_folder(new)
        folder = _numbered(new)
        sync_folder(rollouts)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise DcmcfgError(
            f"the record of the roll-out cannot be written ({error.strerror})",
            on=str(rollouts),
            next_step="nothing was changed",
        ) from error
    return Record(folder)


def _texts(occasion: Occasion, ldap_url: str, plan: Plan, manner: str) -> Iterable[tuple[str, str]]:
    pieces, now = plan.undo_pieces(), datetime.now(UTC)
    undo = change_ldif(
        chain.from_iterable(reversed(pieces)),
        comments=(f"dcmcfg undo of {readable(now)} on {occasion.site}", "May hold secrets."),
    )
    planned = change_ldif(plan.changes, comments=(f"dcmcfg plan for {occasion.site}", "May hold secrets."))
    head = Head(
        when=iso(now),
        user=account(),
        host=socket.gethostname(),
        ldap_url=ldap_url,
        site=occasion.site,
        command=occasion.command,
        manner=manner,
        counts=dict(Counter(_word(change) for change in plan.changes)),
        undo_sizes=tuple(map(len, pieces)),
        undoes=occasion.undoes,
        sha256={PLAN: digest(planned), UNDO: digest(undo)},
        left_out=occasion.left_out,
        rejects=occasion.rejects,
    )
    return (PLAN, planned), (UNDO, undo), (HEAD, head.text()), (JOURNAL, PLANNED)


def _numbered(new: Path) -> Path:
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
