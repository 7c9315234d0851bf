"""References to changes by other accounts, as users write them: ``ACCOUNT-N`` or ``ACCOUNT@HOST-N``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dcmcfg.errors import AmbiguousName, DcmcfgError, NotFound, Refused
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.shared_record import SharedRecord, compute_record_id

_REFERENCE = re.compile(r"(?P<account>[^@]+?)(?:@(?P<host>.+))?-(?P<number>[1-9][0-9]{0,8})")


@dataclass(frozen=True)
class ChangeReference:
    """The change ``number`` of ``account``; ``host`` is empty if it does not matter."""

    account: str
    number: int
    host: str = ""

    def __str__(self) -> str:
        host = f"@{self.host}" if self.host else ""
        return f"{self.account}{host}-{self.number}"

    def matches(self, record: SharedRecord) -> bool:
        """Return whether *record* is the change, or one of the changes, with this name."""
        return (record.account, record.number) == (self.account, self.number) and self.host in ("", record.host)


def parse_reference(text: str) -> ChangeReference | None:
    """Return the reference in *text*, or None if it has another form."""
    match = _REFERENCE.fullmatch(text)
    return ChangeReference(match["account"], int(match["number"]), match["host"] or "") if match else None


def make_references(records: Sequence[SharedRecord]) -> dict[str, str]:
    """Return the shortest name of each of *records* that no other one has, by its identifier."""
    count_by_name = Counter((each.account, each.number) for each in records)
    return {
        each.record_id: str(
            ChangeReference(
                each.account, each.number, each.host if count_by_name[each.account, each.number] > 1 else ""
            )
        )
        for each in records
    }


def select_shared_record(records: Sequence[SharedRecord], reference: ChangeReference) -> SharedRecord:
    """Return the one of *records* that *reference* names; raises :class:`NotFound` and :class:`AmbiguousName`."""
    found = [each for each in records if reference.matches(each)]
    if not found:
        raise NotFound(f"there is no change {reference}", next_step="to list all changes: dcmcfg history")
    if len(found) > 1:
        hosts = ", ".join(sorted({str(ChangeReference(each.account, each.number, each.host)) for each in found}))
        raise AmbiguousName(f"several changes have the name {reference}", next_step=f"specify one of them: {hosts}")
    return found[0]


def select_foreign_records(
    records: Sequence[SharedRecord], own_records: Sequence[RolloutRecord]
) -> tuple[SharedRecord, ...]:
    """Return those of *records* that are not copies of *own_records*, in order."""
    own = set[str]()
    for each in own_records:
        with suppress(DcmcfgError):  # a record that cannot be read must not hide the others
            own.add(compute_record_id(each))
    return tuple(each for each in records if each.record_id not in own)


def make_private_error(record: SharedRecord, reference: str) -> Refused:
    """Return the error for an attempt to revert *record*, which is a change by another account."""
    return Refused(
        f"the account {record.account} on {record.host} made change {reference}. Only this account can read the plan "
        "and the undo file of the change",
        subject=record.ldap_url,
        next_step=f"ask {record.account} to run: dcmcfg undo {record.number}; to show the old values: "
        f"dcmcfg history {reference}; to set an old value yourself: dcmcfg set",
    )
