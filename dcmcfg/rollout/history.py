"""The roll-outs of this account, the newest first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from dcmcfg.errors import NotFound, Refused
from dcmcfg.moments import readable_text
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

    def unfinished_beside(self, record: Record) -> Record | None:
        """Return the unfinished roll-out on the directory of *record* that blocks the undo of *record*, or None.

        It does not block its own undo. Nor does it block the undo of an undo that leads back to it: the directory is
        then as half changed as before that undo.
        """
        found = self.unfinished(record.head.ldap_url)
        return None if found is None or found.number in self._undone_in_turn(record) else found

    def _undone_in_turn(self, record: Record) -> frozenset[int]:
        """Return the number of *record*, of the roll-out that it reverts, of the one that this reverts, and so on."""
        by_number = {each.number: each for each in self.records}
        found = {record.number}
        undoes = record.head.undoes
        while undoes is not None and undoes not in found:
            found.add(undoes)
            undoes = by_number[undoes].head.undoes if undoes in by_number else None
        return frozenset(found)

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

        *interrupted* is the one that was cut off, as it was settled: it is meant where nothing else is unfinished.
        A roll-out that reverts another is meant only by its number, so that undoing twice goes back by two. Raises
        :class:`NotFound` when there is none, and :class:`Refused` when there is nothing to revert or another roll-out
        is unfinished.
        """
        record = self._meant(ldap_url, interrupted) if number is None else self.numbered(number)
        if record.head.ldap_url != ldap_url:
            where = f"{_said_where(record)} says which directory is meant"
            raise Refused(f"roll-out {record.number} was on {record.head.ldap_url}", on=ldap_url, next_step=where)
        if undoing := self.undone_by(record):
            self._refuse_overtaken(undoing)
            again = f"dcmcfg undo {undoing.number} makes it again"
            raise Refused(f"roll-out {record.number} was undone by roll-out {undoing.number}", next_step=again)
        if result_of(record) is Result.NOTHING:
            nothing = f"roll-out {record.number} has changed nothing"
            if (unfinished := self.unfinished(ldap_url)) is not None:
                raise Refused(f"{nothing}; {not_finished(unfinished).what}", next_step=two_ways(unfinished))
            raise Refused(nothing, next_step=self._before(record))
        if (unfinished := self.unfinished_beside(record)) is not None:
            raise not_finished(unfinished)
        self._refuse_overtaken(record)
        return record

    def to_resume(self, ldap_url: str, interrupted: Record | None) -> Record:
        """Return the roll-out that ``dcmcfg apply --resume`` means: the unfinished one.

        *interrupted* is the one that was cut off, as it was settled. It is meant where nothing is unfinished. Raises
        :class:`Refused` when there is none, and when *interrupted* has nothing left to go on with while another
        roll-out is unfinished: the user cannot mean the other one before hearing of it.
        """
        unfinished = self.unfinished(ldap_url)
        if interrupted is not None and unfinished is not None and interrupted.number != unfinished.number:
            raise _another_is_left(interrupted, unfinished)
        if (found := unfinished or interrupted) is None:
            raise Refused(
                "no roll-out on this directory is unfinished",
                on=ldap_url,
                next_step="dcmcfg history lists what there was; dcmcfg reload, if the archive has not loaded it",
            )
        return found

    def _refuse_overtaken(self, record: Record) -> None:
        """Refuse to revert *record* where that would leave another undo in force that says less than was reverted.

        *record* has made a roll-out again by reverting its undo. Since then, that roll-out was reverted in another way,
        or resumed: then its first undo reverted a part of it only.
        """
        undone = self._record(record.head.undoes)
        first = self._record(undone.head.undoes) if undone is not None else None
        if undone is None or first is None:
            return
        url, made_again = record.head.ldap_url, f"roll-out {first.number}, which roll-out {record.number} made again,"
        undoing = self.undone_by(first)
        if undoing is not None and undoing.number != undone.number:
            self._refuse_overtaken(undoing)
            again = f"dcmcfg undo {undoing.number} makes it again"
            raise Refused(f"{made_again} was undone by roll-out {undoing.number}", on=url, next_step=again)
        reverted = undone.head.steps + undone.head.left_out
        if first.progress().ended and reverted != sum(first.head.undo_sizes[: first.progress().done]):
            whole = f"dcmcfg undo {first.number} reverts all of it"
            raise Refused(f"{made_again} was resumed since", on=url, next_step=whole)
        self._refuse_overtaken(first)

    def _record(self, number: int | None) -> Record | None:
        return next((each for each in self.records if each.number == number), None)

    def _meant(self, ldap_url: str, interrupted: Record | None) -> Record:
        """Return what is meant without a number."""
        if (unfinished := self.unfinished(ldap_url)) is not None:
            if interrupted is not None and unfinished.number not in (interrupted.number, interrupted.head.undoes):
                raise _another_is_left(interrupted, unfinished)
            if unfinished.head.undoes is not None:
                raise Refused(
                    f"{_called(unfinished)} was interrupted itself", on=ldap_url, next_step=two_ways(unfinished)
                )
            return unfinished
        if interrupted is None:
            return self._newest_standing(ldap_url)
        if interrupted.head.undoes is None:
            return interrupted
        if result_of(interrupted) is Result.NOTHING:
            return self.numbered(interrupted.head.undoes)
        raise Refused(
            f"{_called(interrupted)} was interrupted and is complete",
            on=ldap_url,
            next_step=f"dcmcfg undo {interrupted.number} makes roll-out {interrupted.head.undoes} again; "
            + self._before(interrupted),
        )

    def _before(self, record: Record) -> str:
        """Return how to go back by one more than *record*, of which nothing is left to revert."""
        try:
            standing = self._newest_standing(record.head.ldap_url)
        except NotFound:
            return "dcmcfg history lists what there was"
        return f"dcmcfg undo {standing.number} reverts the roll-out before it"

    def _newest_standing(self, ldap_url: str) -> Record:
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


def _another_is_left(interrupted: Record, unfinished: Record) -> Refused:
    """Return the refusal to take *unfinished* for *interrupted*, which is settled."""
    nothing = result_of(interrupted) is Result.NOTHING
    became = "has changed nothing" if nothing else "is complete"
    return Refused(
        f"{_called(interrupted)} was interrupted and {became}; {not_finished(unfinished).what}",
        on=unfinished.head.ldap_url,
        next_step=two_ways(unfinished),
    )


def _called(record: Record) -> str:
    undoes = f", the undo of {record.head.undoes}," if record.head.undoes is not None else ""
    return f"roll-out {record.number}{undoes}"


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
