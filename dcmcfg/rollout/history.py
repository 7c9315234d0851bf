"""The roll-outs of this account, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cached_property
from pathlib import Path

from dcmcfg.errors import NotFound, Refused
from dcmcfg.private_folders import require_own
from dcmcfg.rollout.lock import directory_lock, is_locked
from dcmcfg.rollout.record import ROLLOUTS, Record
from dcmcfg.timestamps import readable_text


class Result(Enum):
    """How a roll-out has ended, or not."""

    DONE = "done"
    NOTHING = "nothing changed"
    STOPPED = "unfinished"
    CUT_OFF = "cut off"
    CLOSED = "put right by hand"


class History:
    """The records in the user's state folder *state*, as they were when this was made.

    Raises :class:`Refused` where others may write to the folder of a record, or another account owns it.
    """

    def __init__(self, state: Path) -> None:
        require_own(state / ROLLOUTS, top=state)
        paths = [path for path in (state / ROLLOUTS).glob("*") if path.name.isdigit()]
        for path in paths:
            require_own(path, top=state)
        found = (Record(path) for path in paths)
        self._state = state
        self.records = tuple(sorted(found, key=lambda record: record.number, reverse=True))

    def numbered(self, number: int) -> Record:
        """Return the roll-out *number*; raises :class:`NotFound`."""
        if (record := self.named(number)) is not None:
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

    def is_undone(self, record: Record) -> bool:
        """Return whether another roll-out has taken all of *record* back; False where it left changes out."""
        undoing = self.undone_by(record)
        return undoing is not None and not undoing.head.left_out

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

    def named(self, number: int | None) -> Record | None:
        """Return the roll-out *number*, or None."""
        return next((each for each in self.records if each.number == number), None)

    def unfinished_beside(self, record: Record) -> Record | None:
        """Return the unfinished roll-out on the directory of *record* that blocks the undo of *record*, or None.

        It does not block its own undo. Nor does it block the undo of an undo that leads back to it: the directory is
        then as half changed as before that undo.
        """
        found = self.unfinished(record.head.ldap_url)
        return None if found is None or found.number in self._undone_in_turn(record) else found

    def _undone_in_turn(self, record: Record) -> Iterator[int]:
        """Yield the number of *record*, of the roll-out that it reverts, of the one that this reverts, and so on."""
        undone: Record | None = record
        while undone is not None:
            yield undone.number
            undone = self.named(undone.head.undoes)

    def close(self, record: Record) -> None:
        """Note that the directory was put right by hand after *record*, which is unfinished.

        Raises :class:`Refused` when it is not, and :class:`DcmcfgError` when that cannot be written.
        """
        with directory_lock(self._state, record.head.ldap_url):
            if not self.is_unfinished(record):
                raise Refused(f"roll-out {record.number} is not unfinished", next_step="dcmcfg history")
            with record.journal.opened() as pen:
                pen.closed(record.progress().done)


def not_finished(record: Record) -> Refused:
    """Return the refusal of any other change while *record* is unfinished."""
    return Refused(
        f"roll-out {record.number} of {readable_text(record.head.when)} is not finished "
        f"({record.progress().done} of {record.head.steps} steps are made), nothing was changed by this one",
        on=record.head.ldap_url,
        next_step=two_ways(record),
    )


def two_ways(record: Record) -> str:
    """Return the commands that finish *record*, which is unfinished, and that revert it."""
    back = "dcmcfg undo" if record.head.undoes is None else f"dcmcfg undo {record.number}"
    return f"dcmcfg apply --resume finishes it, {back} takes it back"


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
