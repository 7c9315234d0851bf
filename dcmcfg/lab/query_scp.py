"""The C-FIND service of a lab archive (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pynetdicom import evt

from dcmcfg.lab.identifier import IdentifierMismatch, query_level, root_of
from dcmcfg.lab.listener import is_relational
from dcmcfg.lab.query import HeldInstance, answers

IDENTIFIER_MISMATCH = 0xA900
_PENDING = 0xFF00
_CANCEL = 0xFE00


def find(
    event: evt.Event, known: Callable[[], Iterable[HeldInstance]], always: Sequence[str] | None = None
) -> Iterator[tuple[Dataset, Dataset | None]]:
    """Answer a C-FIND among the *known* instances; the handler of EVT_C_FIND.

    *always* are keywords of attributes that every answer has, asked for or not (:func:`~dcmcfg.lab.query.answers`).
    """
    identifier = event.identifier
    sop_class = str(event.request.AffectedSOPClassUID)
    try:
        level = query_level(identifier, root_of(sop_class), relational=is_relational(event.assoc, sop_class))
    except IdentifierMismatch as mismatch:
        yield _status(IDENTIFIER_MISMATCH, str(mismatch), mismatch.tag), None
        return
    for answer in answers(identifier, level, known(), always):
        if event.is_cancelled:
            yield _status(_CANCEL), None
            return
        yield _status(_PENDING), answer


def _status(code: int, comment: str = "", offending: BaseTag | None = None) -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment[:64]
    if offending is not None:
        status.OffendingElement = offending
    return status
