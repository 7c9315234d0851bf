"""One C-FIND (PS3.4 §C.4.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pydicom import Dataset

from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.dicom.elements import comment
from dcmcfg.dicom.retrieval import Model
from dcmcfg.dicom.status import explain, may_pass
from dcmcfg.errors import DicomError, OutOfResources

#: Answers to one query at most: more would be a peer that does not come to an end.
MOST_ANSWERS = 1_000_000
_CANCELLED = 0xFE00


def find(
    opened: OpenAssociation, identifier: Dataset, model: Model = Model.STUDY, *, most: int | None = None
) -> Iterator[Dataset]:
    """Send one C-FIND; yield its matches, *most* of them: where there are more, the query is cancelled.

    To be read to its end before the next request. Raises :class:`DicomError` when it does not end in success, or not at
    all (after :data:`MOST_ANSWERS`); :class:`OutOfResources` where that may pass.
    """
    level = identifier.QueryRetrieveLevel
    message_id = opened.next_message_id(model.find)
    try:
        responses = opened.assoc.send_c_find(identifier, model.find, message_id)
    except RuntimeError as error:  # the association ended since the last answer
        raise opened.failure(0) from error
    waiting_since = time.monotonic()
    yielded = 0
    for number, (status, answer) in enumerate(responses):
        if "Status" not in status:
            raise _unanswered(opened, level, time.monotonic() - waiting_since)
        if number >= MOST_ANSWERS:
            raise _endless(opened, level)
        meaning = explain("C-FIND", status.Status, comment(status))
        enough = most is not None and yielded >= most
        if meaning.category == "success" or (enough and status.Status == _CANCELLED):
            return
        if meaning.category != "pending":
            kind = OutOfResources if may_pass("C-FIND", status.Status) else DicomError
            raise kind(
                f"C-FIND at {level} level: {meaning}", on=str(opened.peer), next_step=f"look at: {meaning.look_at}"
            )
        waiting_since = time.monotonic()
        if enough:
            continue
        if answer is None:
            raise DicomError(
                f"an answer to C-FIND at {level} level cannot be read",
                on=str(opened.peer),
                next_step="what it lists cannot be told; its own log says more",
            )
        yield answer
        yielded += 1
        if yielded == most:
            _cancel(opened, message_id, model)


def _unanswered(opened: OpenAssociation, level: str, waited: float) -> DicomError:
    return type(opened.failure(waited))(
        f"C-FIND at {level} level: {opened.ending(waited)}",
        on=str(opened.peer),
        next_step="what it holds cannot be told; its own log says more",
    )


def _endless(opened: OpenAssociation, level: str) -> DicomError:
    return DicomError(
        f"C-FIND at {level} level: more than {MOST_ANSWERS} answers",
        on=str(opened.peer),
        next_step="does the peer heed the keys of a query, or repeat itself? Its own log says more",
    )


def _cancel(opened: OpenAssociation, message_id: int, model: Model) -> None:
    try:
        opened.assoc.send_c_cancel(message_id, query_model=model.find)
    except RuntimeError as error:  # the association ended since the last answer
        raise opened.failure(0) from error
