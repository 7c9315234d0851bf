"""The record of one roll-out: who, when, where, what, the way back, and how far it has come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from dcmcfg.changes import Change
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.ldif import read_files
from dcmcfg.plan.wanted import wanted_of
from dcmcfg.private_folders import require_own
from dcmcfg.rollout.journal import Journal, Progress

HEAD, PLAN, UNDO, JOURNAL = "head.json", "plan.ldif", "undo.ldif", "journal"


@dataclass(frozen=True)
class Head:
    """What does not change about a roll-out.

    ``when`` is UTC (RFC 3339); ``site`` the headline of its plan; ``command`` what was called; ``counts`` how many
    entries to ``add``, ``change``, ``rename`` and ``delete``; ``undo_sizes`` how many records of the undo belong to
    each step; ``undoes`` the number of the roll-out that this one takes back; ``sha256`` the digests of plan and undo;
    ``left_out`` how many changes did not fit and are not part of the plan, and ``rejects`` the file that has them.
    """

    when: str
    user: str
    host: str
    ldap_url: str
    site: str
    command: str
    manner: str
    counts: Mapping[str, int]
    undo_sizes: tuple[int, ...]
    undoes: int | None
    sha256: Mapping[str, str]
    left_out: int = 0
    rejects: str = ""

    @property
    def steps(self) -> int:
        return len(self.undo_sizes)

    def text(self) -> str:
        """Return it as JSON, for :attr:`Record.head`.

        Nothing left out is not written: an earlier version does not know of it.
        """
        content = asdict(self)
        if not self.left_out:
            del content["left_out"], content["rejects"]
        return json.dumps(content) + "\n"


class Record:
    """The folder of one roll-out: ``head.json``, ``plan.ldif``, ``undo.ldif`` of the whole plan, and ``journal``.

    Everything but the journal is written once, before the first change of the directory. Whatever is asked raises
    :class:`DcmcfgError` when a file cannot be read, or is not as it was written, and
    :class:`~dcmcfg.errors.Refused` where others may write to that file, or another account than root owns it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder / JOURNAL)

    @cached_property
    def head(self) -> Head:
        path = self._trusted(HEAD)
        try:
            content = json.loads(path.read_text("utf-8"))
            return Head(**content | {"undo_sizes": tuple(content["undo_sizes"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DcmcfgError(
                "the record of a roll-out cannot be read, nothing was changed",
                on=str(path),
                next_step=f"compare the tree with plan.ldif beside it, then move {self.folder} elsewhere",
            ) from error

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def undo_file(self) -> Path:
        """The file for ``dcmcfg apply`` that takes the whole roll-out back."""
        return self.folder / UNDO

    def progress(self) -> Progress:
        """Return how far it has come, as the journal now says."""
        self._trusted(JOURNAL)
        return self.journal.progress(self.head.steps)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The steps in the order in which they are taken."""
        return self._changes(PLAN)

    def mentions(self, name: str) -> bool:
        """Return whether the plan may hold the attribute *name*, in lower case, without reading it as LDIF."""
        path = self._trusted(PLAN)
        try:
            return name.encode() in path.read_bytes().lower()
        except OSError as error:
            raise DcmcfgError(f"the plan cannot be read ({error.strerror})", on=str(path)) from error

    def undo(self, last: int, first: int = 1) -> tuple[Change, ...]:
        """Return what takes back the steps *first* to *last* (1-based), the last of them first."""
        sizes = self.head.undo_sizes
        end = len(self._undo) - sum(sizes[: first - 1])
        return self._undo[end - sum(sizes[first - 1 : last]) : end]

    @cached_property
    def _undo(self) -> tuple[Change, ...]:
        return self._changes(UNDO)

    def _changes(self, name: str) -> tuple[Change, ...]:
        path = self._trusted(name)
        found = read_files([path])
        if digest(path.read_text("utf-8")) != self.head.sha256.get(name):
            raise DcmcfgError(
                f"the file is not as roll-out {self.number} has left it, nothing was changed",
                on=str(path),
                next_step=f"look at it; dcmcfg apply {path} takes it as it is",
            )
        return tuple(wanted.change for wanted in wanted_of(found))

    def _trusted(self, name: str) -> Path:
        path = self.folder / name
        require_own(path, top=self.folder.parent.parent, or_roots=True)
        return path


def digest(text: str) -> str:
    """Return the SHA-256 of *text* in UTF-8, as :attr:`Head.sha256` holds it."""
    return hashlib.sha256(text.encode()).hexdigest()
