"""A Query/Retrieve SCP that misbehaves as told, for what dcmtk does not do."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pydicom.datadict import tag_for_keyword
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_FIND, C_MOVE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from dcmcfg.dicom.peer import Peer
from tests.dicom.dcmtk import LOOPBACK
from tests.dicom.serving import served

#: Called with the event of a request; does as it likes with the association.
Behaviour = Callable[[evt.Event], None]


@contextmanager
def misbehaving_scp(
    *, on_find: Behaviour | None = None, on_move: Behaviour | None = None, handlers: Sequence[Any] = ()
) -> Iterator[Peer]:
    """Run an SCP whose answers are those that *on_find* and *on_move* send by themselves."""
    entity = AE("ARCHIVE")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelMove)

    def answer(event: evt.Event, behaviour: Behaviour | None) -> Iterator[Any]:
        if behaviour is not None:
            behaviour(event)
        # From here on pynetdicom would answer by itself.
        event.assoc.dimse.send_msg = lambda *_: None  # type: ignore[method-assign]
        yield 0xC000, None
        yield 0xC000, None

    behaviours = [
        (evt.EVT_C_FIND, lambda event: answer(event, on_find)),
        (evt.EVT_C_MOVE, lambda event: answer(event, on_move)),
    ]
    try:
        with served(entity, (LOOPBACK, 0), [*behaviours, *handlers]) as port:
            yield Peer("ARCHIVE", LOOPBACK, port)
    finally:
        for association in entity.active_associations:
            association.abort(block=False)
        entity.shutdown()


def answers(*identifiers: bytes, status: int = 0x0000, comment: str = "") -> Behaviour:
    """Answer a C-FIND with *identifiers*, each encoded in Implicit VR Little Endian, then with *status*."""

    def behave(event: evt.Event) -> None:
        for identifier in identifiers:
            _send(event, C_FIND(), 0xFF00, identifier)
        _send(event, C_FIND(), status, b"", ErrorComment=comment or None)

    return behave


def match(identifier: bytes) -> Behaviour:
    """Answer a C-FIND with one match, of more to come."""
    return lambda event: _send(event, C_FIND(), 0xFF00, identifier)


def responds(status: int, identifier: bytes = b"", **fields: Any) -> Behaviour:
    """Answer a C-MOVE with *status* and the *fields* of its command set."""
    return lambda event: _send(event, C_MOVE(), status, identifier, **fields)


def one_after_the_other(*behaviours: Behaviour) -> Behaviour:
    """Answer each request of an association in its own way."""
    lock, left = threading.Lock(), list(behaviours)

    def behave(event: evt.Event) -> None:
        with lock:
            behaviour = left.pop(0)
        behaviour(event)

    return behave


def element(keyword: str, value: bytes) -> bytes:
    """Return a data element in Implicit VR Little Endian, *value* padded to an even length."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(padded)) + padded


def _send(event: evt.Event, response: Any, status: int, identifier: bytes, **fields: Any) -> None:
    response.MessageIDBeingRespondedTo = event.request.MessageID
    response.AffectedSOPClassUID = event.request.AffectedSOPClassUID
    response.Status = status
    if identifier:
        response.Identifier = BytesIO(identifier)
    for keyword, value in fields.items():
        setattr(response, keyword, value)
    type(event.assoc.dimse).send_msg(event.assoc.dimse, response, event.context.context_id)
