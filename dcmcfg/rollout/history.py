"""The history of the roll-outs of this account, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Enum
from functools import cached_property
from pathlib import Path

from dcmcfg.changes import Change
from dcmcfg.errors import DcmcfgError, NotFound, Refused
from dcmcfg.private_folders import require_ownership
from dcmcfg.rollout.lock import is_directory_locked, lock_directory
from dcmcfg.rollout.record import ROLLOUTS_FOLDER, RolloutRecord
from dcmcfg.timestamps import reformat_timestamp


class RolloutStatus(Enum):
    """The status of a roll-out, according to its journal."""

    APPLIED = "applied"
    NOTHING_CHANGED = "nothing changed"
    PARTIALLY_APPLIED = "partially applied"
    INTERRUPTED = "interrupted"
    CLOSED = "closed manually"


class History:
    """The records in the user's state folder *state*, at the time when the object was created.

    Raises :class:`Refused` if others can write to the folder of a record, or another account owns it.
    """

    def __init__(self, state: Path) -> None:
        require_ownership(state / ROLLOUTS_FOLDER, parent_folder=state)
        # An incomplete folder of a killed process has no number.
        paths = [path for path in (state / ROLLOUTS_FOLDER).glob("*") if path.name.isdigit()]
        for path in paths:
            require_ownership(path, parent_folder=state)
        # A record reads its files only when they are used, so a damaged one does not hide the others.
        found = (RolloutRecord(path) for path in paths)
        self._state = state
        self.records = tuple(sorted(found, key=lambda record: record.number, reverse=True))

    def get_rollout(self, number: int) -> RolloutRecord:
        """Return the roll-out *number*; raises :class:`NotFound`."""
        if (record := self.find_rollout(number)) is not None:
            return record
        raise NotFound(f"there is no change {number}", next_step="to list all changes: dcmcfg history")

    def find_rollout_by_undo_file(self, files: Sequence[Path], ldap_url: str) -> int | None:
        """Return the number of the roll-out on the directory at *ldap_url* whose undo file is the only one of *files*.

        Returns None if there is none: the undo file of a roll-out on another directory reverts nothing here.
        """
        if len(files) != 1:
            return None
        file = files[0].resolve()
        numbers = (
            record.number
            for record in self.records
            if record.undo_file.name == file.name
            and record.undo_file.resolve() == file
            and record.header.ldap_url == ldap_url
        )
        return next(numbers, None)

    def find_undo_of(self, record: RolloutRecord) -> RolloutRecord | None:
        """Return the roll-out that reverted *record*, unless it was reverted itself; None if there is none."""
        return self._undo_by_number.get(record.number)

    @cached_property
    def _undo_by_number(self) -> dict[int, RolloutRecord]:
        found: dict[int, RolloutRecord] = {}
        for record in self.records:  # an undo is newer than what it reverts
            undoes = record.header.undo_of
            if undoes is not None and record.number not in found and determine_status(record) is RolloutStatus.APPLIED:
                found.setdefault(undoes, record)
        return found

    def is_fully_undone(self, record: RolloutRecord) -> bool:
        """Return whether another roll-out has reverted all of *record*; False if it omitted changes."""
        undo = self.find_undo_of(record)
        return undo is not None and not undo.header.rejected_count

    def find_in_effect_since(self, record: RolloutRecord) -> tuple[RolloutRecord, ...]:
        """Return the roll-outs after *record* on its directory that are still in effect, the newest first.

        Reverted roll-outs and the undos that reverted them are not in effect.
        """
        return tuple(
            each
            for each in self.records
            if each.number > record.number
            and each.header.ldap_url == record.header.ldap_url
            and each.header.undo_of is None
            and self.find_undo_of(each) is None
            and determine_status(each) is not RolloutStatus.NOTHING_CHANGED
        )

    def find_applied(self, changes: Sequence[Change], ldap_url: str) -> RolloutRecord | None:
        """Return the newest roll-out in effect at *ldap_url* that has made *changes*: the same kinds at the same DNs.

        A record that cannot be read is left out.
        """
        wanted = sorted(_describe_kind(each) for each in changes)
        for record in self.records:
            with suppress(DcmcfgError):
                if (
                    record.header.ldap_url == ldap_url
                    and record.header.steps == len(wanted)
                    and determine_status(record) is RolloutStatus.APPLIED
                    and self.find_undo_of(record) is None
                    and sorted(map(_describe_kind, record.changes)) == wanted
                ):
                    return record
        return None

    def find_reverted(self, changes: Sequence[Change], ldap_url: str) -> tuple[RolloutRecord, RolloutRecord] | None:
        """Return the newest roll-out at *ldap_url* with exactly *changes* that was reverted, and its undo, or None.

        An undo that has left out changes does not count. Changes that assert the entryCSN are those of one plan only. A
        record that cannot be read is left out.
        """
        for record in self.records:
            with suppress(DcmcfgError):
                if (
                    record.header.ldap_url == ldap_url
                    and record.header.steps == len(changes)
                    and determine_status(record) is RolloutStatus.APPLIED
                    and (undo := self.find_undo_of(record)) is not None
                    and not undo.header.rejected_count
                    and record.changes == tuple(changes)
                ):
                    return record, undo
        return None

    def is_unfinished(self, record: RolloutRecord) -> bool:
        """Return whether *record*, according to its journal, was applied only in part, or may have been."""
        return (
            determine_status(record) in (RolloutStatus.PARTIALLY_APPLIED, RolloutStatus.INTERRUPTED)
            and self.find_undo_of(record) is None
        )

    def find_unfinished(self, ldap_url: str) -> RolloutRecord | None:
        """Return the newest unfinished roll-out on the directory at *ldap_url*, or None."""
        records = (record for record in self.records if record.header.ldap_url == ldap_url)
        return next((record for record in records if self.is_unfinished(record)), None)

    def is_running(self, record: RolloutRecord) -> bool:
        """Return whether a process is applying *record* now."""
        is_interrupted = determine_status(record) is RolloutStatus.INTERRUPTED
        # The lock belongs to the directory, so only its newest unfinished roll-out can be in progress.
        return (
            is_interrupted
            and record == self.find_unfinished(record.header.ldap_url)
            and is_directory_locked(self._state, record.header.ldap_url)
        )

    def find_rollout(self, number: int | None) -> RolloutRecord | None:
        """Return the roll-out *number*, or None."""
        return next((each for each in self.records if each.number == number), None)

    def find_blocking(self, record: RolloutRecord) -> RolloutRecord | None:
        """Return the unfinished roll-out on the directory of *record* that blocks the undo of *record*, or None.

        An unfinished roll-out does not block its own undo. It does not block the undo of one of its undos either,
        because that restores the same partly changed state.
        """
        unfinished = self.find_unfinished(record.header.ldap_url)
        return None if unfinished is None or unfinished.number in self._walk_undo_chain(record) else unfinished

    def _walk_undo_chain(self, record: RolloutRecord) -> Iterator[int]:
        """Yield the number of *record*, of the roll-out that it reverted, of the one that this reverted, and so on."""
        undone: RolloutRecord | None = record
        while undone is not None:
            yield undone.number
            undone = self.find_rollout(undone.header.undo_of)

    def close(self, record: RolloutRecord, shared_folder: Path | None = None) -> None:
        """Close *record*, an unfinished roll-out, after the directory was corrected manually.

        *shared_folder* has the lock of all accounts, as for :func:`lock_directory`. Raises :class:`Refused` if it is
        not unfinished, and :class:`~dcmcfg.errors.DcmcfgError` if its journal cannot be written.
        """
        with lock_directory(self._state, record.header.ldap_url, shared_folder):
            if not self.is_unfinished(record):
                raise Refused(f"change {record.number} is already finished", next_step="dcmcfg history")
            with record.journal.open_for_writing() as journal_writer:
                journal_writer.write_closed(record.read_progress().applied)


def _describe_kind(change: Change) -> tuple[str, str]:
    return type(change).__name__, str(change.dn).lower()


def make_unfinished_error(record: RolloutRecord) -> Refused:
    """Return the error for other changes while *record* is unfinished."""
    return Refused(
        f"{describe_unfinished(record)}. This command changed nothing",
        subject=record.header.ldap_url,
        next_step=format_recovery_commands(record),
    )


def describe_unfinished(record: RolloutRecord) -> str:
    """Return how much of *record*, an unfinished roll-out, is applied."""
    return (
        f"change {record.number} ({reformat_timestamp(record.header.started_at)}) is unfinished: "
        f"{record.read_progress().applied} of {record.header.steps} steps are applied"
    )


def format_recovery_commands(record: RolloutRecord) -> str:
    """Return the commands that finish or revert *record*, an unfinished roll-out."""
    undo_command = "dcmcfg undo" if record.header.undo_of is None else f"dcmcfg undo {record.number}"
    return f"to finish the change: dcmcfg apply --resume; to revert the change: {undo_command}"


def determine_status(record: RolloutRecord) -> RolloutStatus:
    """Return the status of *record* according to its journal."""
    progress = record.read_progress()
    if progress.closed:
        return RolloutStatus.CLOSED
    if not progress.ended:
        return RolloutStatus.INTERRUPTED
    if progress.applied == record.header.steps:
        return RolloutStatus.APPLIED
    return RolloutStatus.PARTIALLY_APPLIED if progress.applied else RolloutStatus.NOTHING_CHANGED
