"""The history of a site: the changes of this account, and the shared records of other accounts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property

from dcmcfg.errors import DcmcfgError, NotFound, Refused
from dcmcfg.rollout.blame import NamedChange
from dcmcfg.rollout.change_reference import (
    ChangeReference,
    make_private_error,
    make_references,
    select_foreign_records,
    select_shared_record,
)
from dcmcfg.rollout.history import History, RolloutStatus
from dcmcfg.rollout.lock import get_account_name
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.shared_history import SharedHistory
from dcmcfg.rollout.shared_record import SharedRecord, compute_record_id, make_shared_record
from dcmcfg.timestamps import make_iso_key


class SiteHistory:
    """The records of this account (``own``), and the ones of other accounts in *shared*, if there is one.

    ``foreign`` are the shared records of other accounts, and of this account on other hosts, the newest first.
    """

    def __init__(self, own: History, shared: SharedHistory | None) -> None:
        self.own = own
        self._shared = shared
        self._all_shared = shared.read_records() if shared is not None else ()
        self.foreign = select_foreign_records(self._all_shared, own.records)
        self._references = make_references(self.foreign)

    @property
    def is_shared(self) -> bool:
        """Whether the site has a shared history."""
        return self._shared is not None

    def select(self, name: int | ChangeReference) -> RolloutRecord | SharedRecord:
        """Return the change *name*: a number of this account, or a reference, which may also name an own change.

        Raises :class:`~dcmcfg.errors.NotFound` and :class:`~dcmcfg.errors.AmbiguousName`.
        """
        if isinstance(name, int):
            return self.own.get_rollout(name)
        try:
            found = select_shared_record(self._all_shared, name)
        except NotFound as error:
            raise self._explain_own_names(name) or error from None
        own = (each for each in self.own.records if compute_record_id(each) == found.record_id)
        return next(own, found)

    def _explain_own_names(self, reference: ChangeReference) -> NotFound | None:
        """Return the error for a missing *reference* whose user means a change of this account; None otherwise."""
        is_own = reference.account == get_account_name() and self.own.find_rollout(reference.number) is not None
        if self.is_shared and not is_own:
            return None
        reason = "" if self.is_shared else "this site has no shared history (history_dir). "
        return NotFound(
            f"there is no change {reference}. {reason}For your own changes, specify only the number",
            next_step=f"to see your change {reference.number}: dcmcfg history {reference.number}"
            if is_own
            else "to list your changes: dcmcfg history",
        )

    def get_reference(self, record: SharedRecord) -> str:
        """Return the name of *record*, one of :attr:`foreign`, for commands: ``ACCOUNT-N``."""
        return self._references[record.record_id]

    def find_undo_of(self, record: SharedRecord) -> SharedRecord | None:
        """Return the change of the same account that reverted *record*, unless it was reverted itself."""
        return self._undo_by_change.get((*record.owner, record.ldap_url, record.number))

    @cached_property
    def _undo_by_change(self) -> dict[tuple[str, str, str, int], SharedRecord]:
        found: dict[tuple[str, str, str, int], SharedRecord] = {}
        for record in self.foreign:  # an undo is newer than the change that it reverts
            is_reverted = (*record.owner, record.ldap_url, record.number) in found
            if record.undo_of is not None and record.status is RolloutStatus.APPLIED and not is_reverted:
                found.setdefault((*record.owner, record.ldap_url, record.undo_of), record)
        return found

    def is_running(self, record: SharedRecord) -> bool:
        """Return whether an account of this host is applying *record*, one of :attr:`foreign`, now."""
        newest = next((each for each in self.foreign if each.ldap_url == record.ldap_url), None)
        return (
            self._shared is not None
            and record.status is RolloutStatus.INTERRUPTED
            and newest is record
            and self._shared.is_locked(record.ldap_url)
        )

    def find_unfinished(self, ldap_url: str) -> tuple[SharedRecord, ...]:
        """Return the changes by other accounts on the directory at *ldap_url* that are unfinished and not running."""
        return tuple(
            each
            for each in self.foreign
            if each.ldap_url == ldap_url
            and each.status in (RolloutStatus.PARTIALLY_APPLIED, RolloutStatus.INTERRUPTED)
            and self.find_undo_of(each) is None
            and not self.is_running(each)
        )

    def iterate_changes(self, ldap_url: str, warn: Callable[[str], None]) -> Iterator[NamedChange]:
        """Yield the changes of all accounts on the directory at *ldap_url*, the newest first, read when needed.

        *warn* is called with the problem of each record of this account that cannot be read.
        """
        records: list[tuple[str, int, RolloutRecord | SharedRecord]] = [
            *((each.header.started_at, each.number, each) for each in self._list_own(ldap_url, warn)),
            *((each.started_at, each.number, each) for each in self.foreign if each.ldap_url == ldap_url),
        ]
        for _, _, record in sorted(records, key=lambda item: (make_iso_key(item[0]), item[1]), reverse=True):
            if isinstance(record, SharedRecord):
                yield NamedChange(self.get_reference(record), record)
                continue
            try:
                yield NamedChange(str(record.number), make_shared_record(record, get_account_name(), os.geteuid()))
            except DcmcfgError as error:
                warn(f"dcmcfg ignores change {record.number}, because its record cannot be read: {error}")

    def _list_own(self, ldap_url: str, warn: Callable[[str], None]) -> Iterator[RolloutRecord]:
        for record in self.own.records:
            try:
                if record.header.ldap_url == ldap_url:
                    yield record
            except DcmcfgError as error:
                warn(f"dcmcfg ignores change {record.number}, because its record cannot be read: {error}")

    def make_private_error(self, record: SharedRecord) -> Refused:
        """Return the error for an attempt to revert *record*, one of :attr:`foreign`."""
        return make_private_error(record, self.get_reference(record))
