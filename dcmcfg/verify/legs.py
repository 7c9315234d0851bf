"""The C-STOREs between two AEs, according to one evidence source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from dcmcfg.dicom.status import SUCCESS, WARNING_RANGE


@dataclass(frozen=True)
class StoreRecord:
    """One C-STORE (PS3.7 Section 9.1.1); ``""`` and None stand for values that the evidence source does not contain.

    ``transfer_syntax`` is that of its presentation context. ``file_transfer_syntax`` is that of the sender's file, if
    the evidence source contains it.
    """

    sop_instance_uid: str
    sop_class_uid: str = ""
    transfer_syntax: str = ""
    status: int | None = None
    _: KW_ONLY
    move_originator: str = ""
    time: datetime | None = None
    file_transfer_syntax: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether the receiver reported that it has stored the instance: 0000, or a warning (PS3.4 Table B.2-1)."""
        return self.status is not None and (self.status == SUCCESS or self.status in WARNING_RANGE)


@dataclass(frozen=True)
class TransferLeg:
    """C-STOREs from the AE ``calling_ae_title`` to the AE ``called_ae_title``, in order.

    ``evidence_source`` is the name of their source.
    """

    calling_ae_title: str
    called_ae_title: str
    evidence_source: str
    stores: tuple[StoreRecord, ...]


@dataclass(frozen=True, kw_only=True)
class StoreGroup:
    """``count`` C-STOREs of one SOP class in one transfer syntax with one status."""

    count: int
    sop_class_uid: str
    transfer_syntax: str
    status: int | None
    file_transfer_syntax: str


def group_stores(stores: Iterable[StoreRecord]) -> tuple[StoreGroup, ...]:
    """Return *stores* counted by SOP class, transfer syntax and status, in the order of their first one."""
    counts = Counter(
        (each.sop_class_uid, each.transfer_syntax, each.status, each.file_transfer_syntax) for each in stores
    )
    return tuple(
        StoreGroup(
            count=number,
            sop_class_uid=sop_class,
            transfer_syntax=syntax,
            status=status,
            file_transfer_syntax=file_syntax,
        )
        for (sop_class, syntax, status, file_syntax), number in counts.items()
    )
