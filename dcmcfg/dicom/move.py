"""C-MOVE of a study, with what the archive says about it (Study Root, PS3.4 §C.4.2)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelMove,
)

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.associate import OpenAssociation, associated
from dcmcfg.dicom.elements import comment, texts
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.status import category_of
from dcmcfg.dicom.uid import parse_uid

_MESSAGE_ID = 1


@dataclass(frozen=True)
class Progress:
    """The numbers of sub-operations in a response; None where the response does not say."""

    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None


@dataclass(frozen=True)
class MoveOutcome:
    """How a C-MOVE that was sent has ended.

    ``status`` is the final one, None when none came; then ``interrupted`` says why in words, ``""`` otherwise, and
    ``timed_out`` tells a peer that kept silent from one that ended the association. The numbers are those of the
    final response, or the last ones heard when there is none; an archive leaves out what is zero.
    ``offending_elements`` are tags such as ``(0020,000D)``. ``seconds`` runs from the request to the end.
    """

    status: int | None
    comment: str = ""
    offending_elements: tuple[str, ...] = ()
    failed_sop_instance_uids: tuple[str, ...] = ()
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    interrupted: str = ""
    timed_out: bool = False
    seconds: float = 0.0


def _ignore(*_: object) -> None:
    """Take no notice."""


def move_study(
    peer: Peer,
    calling: str,
    study_uid: str,
    destination: str,
    *,
    timeouts: Timeouts,
    on_sent: Callable[[], None] = _ignore,
    on_pending: Callable[[Progress], None] = _ignore,
) -> MoveOutcome:
    """Ask *peer* as *calling* to send the study to the AE *destination*; return how that ended.

    *on_sent* is called in this thread when the request is on its way, *on_pending* with each pending response;
    there may be none. Once the request is sent, nothing that the peer does raises: a failure status, an abort, a
    lost connection and a time-out are outcomes. Before that, :class:`DicomError` when there is no association, and
    :class:`MalformedInput` for a UID or an AE title that is none. Ctrl-C cancels the retrieve (C-CANCEL) and aborts
    the association.
    """
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = parse_uid(study_uid)
    parse_ae_title(destination)
    model = StudyRootQueryRetrieveInformationModelMove
    with associated(peer, calling, [model], timeouts) as opened:
        try:
            responses = opened.assoc.send_c_move(identifier, destination, model, _MESSAGE_ID)
        except RuntimeError as error:  # the association ended just now
            raise opened.failure(0) from error
        try:
            on_sent()
            return _follow(opened, responses, on_pending)
        except BaseException:
            if opened.assoc.is_established:
                with contextlib.suppress(ValueError, RuntimeError):
                    opened.assoc.send_c_cancel(_MESSAGE_ID, query_model=model)
            raise


def _follow(
    opened: OpenAssociation,
    responses: Iterator[tuple[Dataset, Dataset | None]],
    on_pending: Callable[[Progress], None],
) -> MoveOutcome:
    started = waiting_since = time.monotonic()
    progress = Progress()
    if opened.trace.ending:  # it ended before the wait began, so nothing would end the wait
        return _interrupted(opened, progress, 0, started)
    for status, identifier in responses:
        if "Status" not in status:
            return _interrupted(opened, progress, time.monotonic() - waiting_since, started)
        progress = _progress(status)
        if category_of(status.Status) != "pending":
            return _final(status, identifier, progress, started)
        on_pending(progress)
        waiting_since = time.monotonic()
    return _interrupted(opened, progress, 0, started)


def _interrupted(opened: OpenAssociation, progress: Progress, waited: float, started: float) -> MoveOutcome:
    return MoveOutcome(
        status=None,
        remaining=progress.remaining,
        completed=progress.completed,
        failed=progress.failed,
        warning=progress.warning,
        interrupted=opened.ending(waited),
        timed_out=waited >= opened.timeouts.dimse,
        seconds=time.monotonic() - started,
    )


def _final(status: Dataset, identifier: Dataset | None, progress: Progress, started: float) -> MoveOutcome:
    return MoveOutcome(
        status=int(status.Status),
        comment=comment(status),
        offending_elements=_tags(status.get("OffendingElement")),
        failed_sop_instance_uids=texts(identifier, "FailedSOPInstanceUIDList") if identifier is not None else (),
        remaining=progress.remaining,
        completed=progress.completed,
        failed=progress.failed,
        warning=progress.warning,
        seconds=time.monotonic() - started,
    )


def _progress(status: Dataset) -> Progress:
    return Progress(
        status.get("NumberOfRemainingSuboperations"),
        status.get("NumberOfCompletedSuboperations"),
        status.get("NumberOfFailedSuboperations"),
        status.get("NumberOfWarningSuboperations"),
    )


def _tags(value: int | Iterable[int] | None) -> tuple[str, ...]:
    """Return the tags of an AT element, which pydicom gives as one number or a list of them."""
    numbers = value if isinstance(value, Iterable) else () if value is None else (value,)
    return tuple(f"({int(number) >> 16:04X},{int(number) & 0xFFFF:04X})" for number in numbers)
