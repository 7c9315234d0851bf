"""One C-FIND (PS3.4 §C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dicom.elements import read_text
from dcmcfg.dicom.identifiers import Identifier, decode_identifier, encode_identifier
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.dicom.status import CANCELLED, category_of, explain, is_transient_failure
from dcmcfg.dicom.ul.association import AssociationEnded, ResponseTimeout
from dcmcfg.dicom.ul.command_set import PRIORITY, CommandField
from dcmcfg.dicom.ul.request import Request, Response
from dcmcfg.errors import DicomError, OutOfResources, TransientDicomError
from dcmcfg.limits import FIND_OCTETS, FIND_RESPONSE, FIND_RESPONSES, Limit


@dataclass
class ResponseTotals:
    """What has come of the answers to some C-FINDs, to which the limits apply together."""

    responses: int = 0
    octets: int = 0


_SLOW = "its database may be slow, or away: its own log says more"
_BROKEN_OFF = "was it restarted? Its own log says why; then try again"


def find(
    opened: OpenAssociation,
    identifier: Identifier,
    model: InformationModel = InformationModel.STUDY,
    *,
    max_matches: int | None = None,
    totals: ResponseTotals | None = None,
) -> Iterator[Identifier]:
    """Send one C-FIND; yield its matches, *max_matches* of them: where there are more, the query is cancelled.

    To be read to its end before the next request. *totals* counts what comes, for other C-FINDs too. Raises
    :class:`DicomError` when it does not end in success, or not at all (after as many responses, or octets, as the
    limits allow); :class:`OutOfResources` where that may pass.
    """
    level = read_text(identifier, "QueryRetrieveLevel")
    octets = encode_identifier(identifier, opened.get_transfer_syntax(model.find_sop_class))
    request = opened.send(CommandField.C_FIND, model.find_sop_class, {PRIORITY: bytes(2)}, octets)
    yielded, totals = 0, totals or ResponseTotals()
    for response in _responses(opened, request, level):
        length = len(response.data_set or b"")
        totals.responses += 1
        totals.octets += length
        for much, limit in ((totals.responses, FIND_RESPONSES), (totals.octets, FIND_OCTETS), (length, FIND_RESPONSE)):
            if much > limit.maximum:
                raise _endless(opened, level, limit)
        enough = max_matches is not None and yielded >= max_matches
        if _is_final(response, level, opened, cancelled=enough):
            return
        if enough:
            continue
        answer = decode_identifier(response.data_set)
        if answer is None:
            raise DicomError(
                f"an answer to C-FIND at {level} level cannot be read",
                subject=str(opened.peer),
                next_step="without that nothing can be compared: its own log says what it sent",
            )
        yield answer
        yielded += 1
        if yielded == max_matches:
            _cancel(opened, request)


def _responses(opened: OpenAssociation, request: Request, level: str) -> Iterator[Response]:
    while True:
        try:
            response = request.wait_for_response(opened.timeouts.dimse)
        except AssociationEnded as end:
            silent = isinstance(end, ResponseTimeout)
            raise (DicomError if silent else TransientDicomError)(
                f"C-FIND at {level} level: {opened.association.end_reason}",
                subject=str(opened.peer),
                next_step=_SLOW if silent else _BROKEN_OFF,
            ) from end
        if response is not None:
            yield response


def _is_final(response: Response, level: str, opened: OpenAssociation, *, cancelled: bool) -> bool:
    """Tell whether *response* is the last; raises :class:`DicomError` where it is no success, nor our doing."""
    category = category_of(response.status)
    if category == "pending":
        return False
    if category == "success" or (cancelled and response.status == CANCELLED):
        return True
    meaning = explain("C-FIND", response.status, response.comment)
    kind = OutOfResources if is_transient_failure("C-FIND", response.status) else DicomError
    raise kind(
        f"C-FIND at {level} level: {meaning}", subject=str(opened.peer), next_step=f"look at: {meaning.suggested_check}"
    )


def _endless(opened: OpenAssociation, level: str, limit: Limit) -> DicomError:
    return DicomError(
        f"C-FIND at {level} level: more than {limit.format_maximum()} {limit.description}",
        subject=str(opened.peer),
        next_step=f"does the peer heed the keys of a query, or repeat itself? Its own log says more. {limit.next_step}",
    )


def _cancel(opened: OpenAssociation, request: Request) -> None:
    try:
        request.cancel()
    except AssociationEnded as end:
        raise opened.build_error() from end
