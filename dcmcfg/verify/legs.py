"""The C-STOREs between two AEs, according to one witness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Store:
    """One C-STORE (PS3.7 Section 9.1.1); ``""`` and None stand for what the witness does not state.

    ``transfer_syntax`` is that of its presentation context. ``stored_as`` is that of the sender's file, where the
    witness states it.
    """

    sop_instance_uid: str
    sop_class_uid: str = ""
    transfer_syntax: str = ""
    status: int | None = None
    originator: str = ""
    moment: datetime | None = None
    stored_as: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether the receiver reported that it has stored the instance: 0000, or a warning (PS3.4 Table B.2-1)."""
        return self.status is not None and (self.status == 0 or self.status >> 12 == 0xB)


@dataclass(frozen=True)
class Leg:
    """C-STOREs from the AE ``calling`` to the AE ``called``, in order; ``witness`` says who states them."""

    calling: str
    called: str
    witness: str
    stores: tuple[Store, ...]


@dataclass(frozen=True)
class Alike:
    """``number`` C-STOREs of one SOP class in one transfer syntax with one status."""

    number: int
    sop_class_uid: str
    transfer_syntax: str
    status: int | None
    stored_as: str


def alike(stores: Iterable[Store]) -> tuple[Alike, ...]:
    """Return *stores* counted by SOP class, transfer syntax and status, in the order of their first one."""
    counts = Counter((each.sop_class_uid, each.transfer_syntax, each.status, each.stored_as) for each in stores)
    return tuple(Alike(number, *kind) for kind, number in counts.items())
