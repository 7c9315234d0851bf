"""One C-FIND (PS3.4 §C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dicom.elements import text
from dcmcfg.dicom.identifiers import Identifier, decoded, encoded
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.retrieval import Model
from dcmcfg.dicom.status import category_of, explain, may_pass
from dcmcfg.dicom.ul.association import Ended, NoAnswer
from dcmcfg.dicom.ul.command_set import PRIORITY, Kind
from dcmcfg.dicom.ul.request import Request, Response
from dcmcfg.errors import DicomError, OutOfResources, TryLater
from dcmcfg.limits import FIND_ANSWER, FIND_ANSWERS, FIND_OCTETS, Limit

_CANCELLED = 0xFE00


@dataclass
class Taken:
    """What has come of the answers to some C-FINDs, to which the limits apply together."""

    responses: int = 0
    octets: int = 0


_SLOW = "its database may be slow, or away: its own log says more"
_BROKEN_OFF = "was it restarted? Its own log says why; then try again"


def find(
    opened: OpenAssociation,
    identifier: Identifier,
    model: Model = Model.STUDY,
    *,
    most: int | None = None,
    taken: Taken | None = None,
) -> Iterator[Identifier]:
    """Send one C-FIND; yield its matches, *most* of them: where there are more, the query is cancelled.

    To be read to its end before the next request. *taken* counts what comes, for other C-FINDs too. Raises
    :class:`DicomError` when it does not end in success, or not at all (after as many responses, or octets, as the
    limits allow); :class:`OutOfResources` where that may pass.
    """
    level = text(identifier, "QueryRetrieveLevel")
    octets = encoded(identifier, opened.encoding_of(model.find))
    request = opened.send(Kind.C_FIND, model.find, {PRIORITY: bytes(2)}, octets)
    yielded, taken = 0, taken or Taken()
    for response in _responses(opened, request, level):
        length = len(response.data_set or b"")
        taken.responses += 1
        taken.octets += length
        for much, limit in ((taken.responses, FIND_ANSWERS), (taken.octets, FIND_OCTETS), (length, FIND_ANSWER)):
            if much > limit.most:
                raise _endless(opened, level, limit)
        enough = most is not None and yielded >= most
        if _is_final(response, level, opened, cancelled=enough):
            return
        if enough:
            continue
        answer = decoded(response.data_set)
        if answer is None:
            raise DicomError(
                f"an answer to C-FIND at {level} level cannot be read",
                on=str(opened.peer),
                next_step="without that nothing can be compared: its own log says what it sent",
            )
        yield answer
        yielded += 1
        if yielded == most:
            _cancel(opened, request)


def _responses(opened: OpenAssociation, request: Request, level: str) -> Iterator[Response]:
    while True:
        try:
            response = request.response(opened.timeouts.dimse)
        except Ended as end:
            silent = isinstance(end, NoAnswer)
            raise (DicomError if silent else TryLater)(
                f"C-FIND at {level} level: {opened.association.ending}",
                on=str(opened.peer),
                next_step=_SLOW if silent else _BROKEN_OFF,
            ) from end
        if response is not None:
            yield response


def _is_final(response: Response, level: str, opened: OpenAssociation, *, cancelled: bool) -> bool:
    """Tell whether *response* is the last; raises :class:`DicomError` where it is no success, nor our doing."""
    category = category_of(response.status)
    if category == "pending":
        return False
    if category == "success" or (cancelled and response.status == _CANCELLED):
        return True
    meaning = explain("C-FIND", response.status, response.comment)
    kind = OutOfResources if may_pass("C-FIND", response.status) else DicomError
    raise kind(f"C-FIND at {level} level: {meaning}", on=str(opened.peer), next_step=f"look at: {meaning.look_at}")


def _endless(opened: OpenAssociation, level: str, limit: Limit) -> DicomError:
    return DicomError(
        f"C-FIND at {level} level: more than {limit.spelt()} {limit.what}",
        on=str(opened.peer),
        next_step=f"does the peer heed the keys of a query, or repeat itself? Its own log says more. {limit.next_step}",
    )


def _cancel(opened: OpenAssociation, request: Request) -> None:
    try:
        request.cancel()
    except Ended as end:
        raise opened.failure() from end
