"""The C-MOVE service as an exchange of messages, independent of its implementation (PS3.4 C.4.2, PS3.7 9.1.4).

pynetdicom's own C-MOVE service opens the association to the destination itself, uses the SCP as Move Originator and
cannot relay responses of another SCP. Here the handler determines all responses. The log of C-MOVE requests has one
JSON object per line.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_MOVE
from pynetdicom.dsutils import decode, encode
from pynetdicom.presentation import PresentationContext

from dcmcfg.lab.listener import get_association_request, get_called_ae_title, get_calling_ae_title, is_relational

_log = logging.getLogger("lab.move")


@dataclass(frozen=True, kw_only=True)
class MoveRequest:
    """A C-MOVE request with facts about its association."""

    calling_ae_title: str
    called_ae_title: str
    destination_ae_title: str
    sop_class_uid: str
    message_id: int
    priority: int
    identifier: Dataset
    proposed_transfer_syntaxes: tuple[str, ...]
    is_relational: bool

    @property
    def study_uid(self) -> str:
        """The Study Instance UID of the identifier, empty if it has none."""
        return str(self.identifier.get("StudyInstanceUID", ""))


@dataclass(frozen=True)
class MoveResponse:
    """A C-MOVE response; counters that are None and an empty comment are omitted."""

    status: int
    comment: str = ""
    _: KW_ONLY
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    identifier: Dataset | None = None
    offending_element: BaseTag | None = None


class NoFinalResponse(Enum):
    """The action of an SCP that sends no final response."""

    ABORT = "A-ABORT"
    CLOSE_CONNECTION = "end of the TCP connection"
    KEEP_ASSOCIATION = "nothing: the association stays"


class MoveExchange:
    """An active C-MOVE request: it sends pending responses; the handler returns the final response."""

    def __init__(self, association: Association, context: PresentationContext, message: C_MOVE) -> None:
        self._association = association
        self._context = context
        self._message = message
        self.request = _parse_request(association, context, message)

    @property
    def is_cancelled(self) -> bool:
        """Return whether the requester has sent a C-CANCEL."""
        return self._message.MessageID in self._association.dimse.cancel_req

    @property
    def is_abandoned(self) -> bool:
        """Return whether the requester has aborted the association."""
        return bool(self._association.acse.is_aborted())

    def send(self, response: MoveResponse) -> None:
        """Send a response, unless the requester has ended the association."""
        if not self.is_abandoned:
            self._association.dimse.send_msg(self._make_primitive(response), self._context.context_id or 1)

    def _make_primitive(self, response: MoveResponse) -> C_MOVE:
        primitive = C_MOVE()
        primitive.MessageIDBeingRespondedTo = self._message.MessageID
        primitive.AffectedSOPClassUID = self._message.AffectedSOPClassUID
        primitive.Status = response.status
        if response.comment:
            primitive.ErrorComment = response.comment  # type: ignore[assignment] # declared as None
        if response.offending_element is not None:
            primitive.OffendingElement = response.offending_element  # type: ignore[assignment] # declared as None
        primitive.NumberOfRemainingSuboperations = response.remaining
        primitive.NumberOfCompletedSuboperations = response.completed
        primitive.NumberOfFailedSuboperations = response.failed
        primitive.NumberOfWarningSuboperations = response.warning
        if response.identifier is not None:
            octets = encode(response.identifier, *_get_encoding(self._context))
            primitive.Identifier = BytesIO(octets) if octets else None
        return primitive


#: Returns the final response; None means :attr:`NoFinalResponse.ABORT`.
MoveHandler = Callable[[MoveExchange], MoveResponse | NoFinalResponse | None]


def install_move_handler(association: Association, handler: MoveHandler) -> None:
    """Install *handler* for the C-MOVE requests of an incoming association; call this function on EVT_REQUESTED.

    The handler runs in the association's own thread and does not block other associations.
    """
    serve_others = association._serve_request  # noqa: SLF001 — pynetdicom has no public hook before its own service
    service: Any = partial(_serve_request, association, handler=handler, serve_others=serve_others)
    association._serve_request = service  # type: ignore[method-assign]  # noqa: SLF001 — for the same reason


def _serve_request(
    association: Association,
    message: object,
    context_id: int,
    *,
    handler: MoveHandler,
    serve_others: Callable[[Any, int], None],
) -> None:
    contexts = {context.context_id: context for context in association.accepted_contexts}
    if not isinstance(message, C_MOVE) or not message.is_valid_request or context_id not in contexts:
        serve_others(message, context_id)
        return
    # A C-CANCEL of an earlier request must not cancel this one.
    association.dimse.cancel_req = {}
    try:
        exchange = MoveExchange(association, contexts[context_id], message)
        response = handler(exchange)
    except Exception:  # noqa: BLE001 — an error in the handler ends this association, as in pynetdicom itself
        _log.exception("C-MOVE from %s failed", get_calling_ae_title(association))
        response = None
    match response:
        case MoveResponse():
            exchange.send(response)
        case NoFinalResponse.KEEP_ASSOCIATION:
            pass
        case NoFinalResponse.CLOSE_CONNECTION:
            _close_connection(association)
        case NoFinalResponse.ABORT | None:
            association.abort()


def _close_connection(association: Association) -> None:
    """End the TCP connection without A-ABORT."""
    wrapper = association.dul.socket
    if wrapper is not None and wrapper.socket is not None:
        with contextlib.suppress(OSError):  # the requester has closed it already
            # A shutdown wakes pynetdicom's thread, which waits for data.
            wrapper.socket.shutdown(socket.SHUT_RDWR)


def _parse_request(association: Association, context: PresentationContext, message: C_MOVE) -> MoveRequest:
    proposed = get_association_request(association).presentation_context_definition_list
    syntaxes = next((each.transfer_syntax for each in proposed if each.context_id == context.context_id), [])
    sop_class = str(context.abstract_syntax)
    return MoveRequest(
        calling_ae_title=get_calling_ae_title(association),
        called_ae_title=get_called_ae_title(association),
        destination_ae_title=str(message.MoveDestination or "").strip(),
        sop_class_uid=sop_class,
        message_id=int(message.MessageID or 0),
        priority=int(message.Priority or 0),
        identifier=decode(message.Identifier, *_get_encoding(context)) if message.Identifier else Dataset(),
        proposed_transfer_syntaxes=tuple(str(syntax) for syntax in syntaxes),
        is_relational=is_relational(association, sop_class),
    )


def _get_encoding(context: PresentationContext) -> tuple[bool, bool, bool]:
    syntax = UID(context.transfer_syntax[0])
    return syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated


class MoveLog:
    """The log of C-MOVE requests in the file *path*; thread-safe; its folder must exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def append(self, request: MoveRequest, **extra: object) -> None:
        """Append a line with the calling and the called AE, the destination, the study, the time and *extra*."""
        line = {
            "time": datetime.now(UTC).isoformat(),
            "calling": request.calling_ae_title,
            "called": request.called_ae_title,
            "destination": request.destination_ae_title,
            "study_uid": request.study_uid,
            **extra,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
