"""The roll-outs of this account, the newest first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from dcmcfg.errors import NotFound, Refused
from dcmcfg.rollout.lock import directory_lock, is_locked
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.recording import ROLLOUTS


class Result(Enum):
    """How a roll-out has ended, or not."""

    DONE = "done"
    NOTHING = "nothing changed"
    STOPPED = "unfinished"
    CUT_OFF = "cut off"
    CLOSED = "put right by hand"


class History:
    """The records in the user's state folder *state*, as they were when this was made."""

    def __init__(self, state: Path) -> None:
        found = (Record(path) for path in (state / ROLLOUTS).glob("*") if path.name.isdigit())
        self._state = state
        self.records = tuple(sorted(found, key=lambda record: record.number, reverse=True))

    def numbered(self, number: int) -> Record:
        """Return the roll-out *number*; raises :class:`NotFound`."""
        for record in self.records:
            if record.number == number:
                return record
        raise NotFound(f"there is no roll-out {number}", next_step="dcmcfg history lists those there are")

    def owner_of(self, files: Sequence[Path], ldap_url: str) -> int | None:
        """Return the number of the roll-out on the directory at *ldap_url* whose undo file is the only one of *files*.

        None when there is none: the undo of another directory's takes nothing back there.
        """
        there = (record for record in self.records if record.head.ldap_url == ldap_url)
        undo_files = {record.undo_file.resolve(): record.number for record in there}
        return undo_files.get(files[0].resolve()) if len(files) == 1 else None

    def undone_by(self, record: Record) -> Record | None:
        """Return the roll-out that has taken *record* back, unless that one was taken back itself."""
        return self._undone.get(record.number)

    @cached_property
    def _undone(self) -> dict[int, Record]:
        found: dict[int, Record] = {}
        for record in self.records:  # what takes another back is newer
            undoes = record.head.undoes
            if undoes is not None and record.number not in found and result_of(record) is Result.DONE:
                found.setdefault(undoes, record)
        return found

    def standing_since(self, record: Record) -> tuple[Record, ...]:
        """Return the roll-outs after *record* on its directory that count still, the newest first.

        One that was taken back does not, nor does what took it back.
        """
        return tuple(
            each
            for each in self.records
            if each.number > record.number
            and each.head.ldap_url == record.head.ldap_url
            and each.head.undoes is None
            and self.undone_by(each) is None
            and result_of(each) is not Result.NOTHING
        )

    def is_unfinished(self, record: Record) -> bool:
        """Tell whether *record* has left the directory half changed, or may have, as far as its journal says."""
        return result_of(record) in (Result.STOPPED, Result.CUT_OFF) and self.undone_by(record) is None

    def unfinished(self, ldap_url: str) -> Record | None:
        """Return the newest roll-out on the directory at *ldap_url* that is not finished, or None."""
        there = (record for record in self.records if record.head.ldap_url == ldap_url)
        return next((record for record in there if self.is_unfinished(record)), None)

    def is_under_way(self, record: Record) -> bool:
        """Tell whether a process is writing for *record* now."""
        cut_off = result_of(record) is Result.CUT_OFF
        return (
            cut_off and record == self.unfinished(record.head.ldap_url) and is_locked(self._state, record.head.ldap_url)
        )

    def close(self, record: Record) -> None:
        """Note that the directory was put right by hand after *record*, which is unfinished.

        Raises :class:`Refused` when it is not, and :class:`DcmcfgError` when that cannot be written.
        """
        with directory_lock(self._state, record.head.ldap_url):
            if not self.is_unfinished(record):
                raise Refused(f"roll-out {record.number} is not unfinished", next_step="dcmcfg history")
            with record.journal.opened() as pen:
                pen.closed(record.progress().done)

    def to_take_back(self, ldap_url: str, number: int | None, interrupted: Record | None) -> Record:
        """Return the roll-out that ``dcmcfg undo`` means: *number*, else the unfinished one or the newest that stands.

        *interrupted* is the one that was unfinished before it was settled: it is meant, even where nothing came of it.
        One that took another back is meant only by its number, so that undoing twice goes back by two. Raises
        :class:`NotFound` when there is none, and :class:`Refused` when there is nothing to take back there.
        """
        if number is None:
            record = self._meant(ldap_url) if interrupted is None else _meant_by_default(interrupted)
        else:
            record = self.numbered(number)
        if record.head.ldap_url != ldap_url:
            where = f"{_said_where(record)} says which directory is meant"
            raise Refused(f"roll-out {record.number} was on {record.head.ldap_url}", on=ldap_url, next_step=where)
        if undoing := self.undone_by(record):
            again = f"dcmcfg undo {undoing.number} makes it again"
            raise Refused(f"roll-out {record.number} was undone by roll-out {undoing.number}", next_step=again)
        if result_of(record) is Result.NOTHING:
            raise Refused(f"roll-out {record.number} has changed nothing")
        return record

    def _meant(self, ldap_url: str) -> Record:
        for record in self.records:
            stands = result_of(record) is Result.DONE and self.undone_by(record) is None
            if stands and record.head.ldap_url == ldap_url and record.head.undoes is None:
                return record
        next_step = "dcmcfg history lists what there was"
        if (undo := self._standing_undo(ldap_url)) is not None:
            next_step = f"dcmcfg undo {undo.number} makes roll-out {undo.head.undoes} again; {next_step}"
        raise NotFound("no roll-out stands that could be taken back", on=ldap_url, next_step=next_step)

    def _standing_undo(self, ldap_url: str) -> Record | None:
        """Return the newest roll-out there that took another back and was not taken back itself."""
        there = (each for each in self.records if each.head.ldap_url == ldap_url and each.head.undoes is not None)
        return next((each for each in there if result_of(each) is Result.DONE and not self.undone_by(each)), None)


def _said_where(record: Record) -> str:
    """Return the option that said which directory *record* was on: ``--profile`` where its command had one."""
    try:
        words = shlex.split(record.head.command)
    except ValueError:  # a damaged record: the URL is known
        words = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--profile" and following:
            return f"--profile {shlex.quote(following)}"
        if word.startswith("--profile="):
            return shlex.quote(word)
    return f"--ldap-url {shlex.quote(record.head.ldap_url)}"


def _meant_by_default(interrupted: Record) -> Record:
    if interrupted.head.undoes is None:
        return interrupted
    raise Refused(
        f"roll-out {interrupted.number}, the undo of {interrupted.head.undoes}, was interrupted itself",
        on=interrupted.head.ldap_url,
        next_step=f"dcmcfg apply --resume goes on with it, dcmcfg undo {interrupted.number} takes it back",
    )


def result_of(record: Record) -> Result:
    """Return how *record* has ended, as far as its journal says."""
    progress = record.progress()
    if progress.closed:
        return Result.CLOSED
    if not progress.ended:
        return Result.CUT_OFF
    if progress.done == record.head.steps:
        return Result.DONE
    return Result.STOPPED if progress.done else Result.NOTHING
