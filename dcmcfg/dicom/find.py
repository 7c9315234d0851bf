"""Send a C-FIND and read its responses (PS3.4 §C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dicom.elements import read_text
from dcmcfg.dicom.identifiers import Identifier, decode_identifier, encode_identifier
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.dicom.status import CANCELLED, explain, get_category, is_transient_failure
from dcmcfg.dicom.ul.association import AssociationEnded, DimseResponseTimeout
from dcmcfg.dicom.ul.command_set import PRIORITY, CommandField
from dcmcfg.dicom.ul.request import DimseRequest, DimseResponse
from dcmcfg.errors import DicomError, OutOfResources, TransientDicomError
from dcmcfg.limits import FIND_OCTETS, FIND_RESPONSE, FIND_RESPONSES, Limit


@dataclass
class ResponseTotals:
    """Totals of the responses to several C-FINDs, to which the limits apply together."""

    responses: int = 0
    octets: int = 0


_SLOW_HINT = "the peer's database might be slow or unavailable: check the peer's log"
_BROKEN_HINT = "check the peer's log, and whether the peer was restarted; then try again"


def send_find(
    association: OpenAssociation,
    identifier: Identifier,
    model: InformationModel = InformationModel.STUDY,
    *,
    max_matches: int | None = None,
    totals: ResponseTotals | None = None,
) -> Iterator[Identifier]:
    """Send one C-FIND and yield up to *max_matches* matches; if there are more, cancel the query.

    Exhaust the iterator before sending another request. *totals* counts the responses, together with those of other
    C-FINDs. Raises :class:`DicomError` if the query fails, has no final response, or exceeds the limit of responses or
    octets; :class:`OutOfResources` if the failure may be temporary.
    """
    level = read_text(identifier, "QueryRetrieveLevel")
    octets = encode_identifier(identifier, association.get_transfer_syntax(model.find_sop_class))
    # Priority is mandatory in a C-FIND-RQ; two zero octets mean medium (PS3.7 Section 9.3.2.1).
    request = association.send(CommandField.C_FIND, model.find_sop_class, {PRIORITY: bytes(2)}, octets)
    yielded, totals = 0, totals or ResponseTotals()
    for response in _iterate_responses(association, request, level):
        length = len(response.data_set or b"")
        totals.responses += 1
        totals.octets += length
        for amount, limit in (
            (totals.responses, FIND_RESPONSES),
            (totals.octets, FIND_OCTETS),
            (length, FIND_RESPONSE),
        ):
            if amount > limit.maximum:
                raise _build_limit_error(association, level, limit)
        is_enough = max_matches is not None and yielded >= max_matches
        if _is_final(response, level, association, cancelled=is_enough):
            return
        # Matches that the peer sent before it read the C-CANCEL still arrive.
        if is_enough:
            continue
        match = decode_identifier(response.data_set)
        if match is None:
            raise DicomError(
                f"a C-FIND response at {level} level cannot be decoded",
                subject=str(association.peer),
                next_step="check the peer's log. dcmcfg cannot compare the instances without this response",
            )
        yield match
        yielded += 1
        if yielded == max_matches:
            _cancel(association, request)


def _iterate_responses(association: OpenAssociation, request: DimseRequest, level: str) -> Iterator[DimseResponse]:
    while True:
        try:
            response = request.wait_for_response(association.timeouts.dimse)
        except AssociationEnded as end:
            timed_out = isinstance(end, DimseResponseTimeout)
            raise (DicomError if timed_out else TransientDicomError)(
                f"C-FIND at {level} level: {association.ul_association.end_reason}",
                subject=str(association.peer),
                next_step=_SLOW_HINT if timed_out else _BROKEN_HINT,
            ) from end
        if response is not None:
            yield response


def _is_final(response: DimseResponse, level: str, association: OpenAssociation, *, cancelled: bool) -> bool:
    """Return whether *response* is the last; raise :class:`DicomError` for a failure, or an unrequested cancel."""
    category = get_category(response.status)
    if category == "pending":
        return False
    if category == "success" or (cancelled and response.status == CANCELLED):
        return True
    meaning = explain("C-FIND", response.status, response.comment)
    error_type = OutOfResources if is_transient_failure("C-FIND", response.status) else DicomError
    raise error_type(
        f"C-FIND at {level} level: {meaning}",
        subject=str(association.peer),
        next_step=f"check: {meaning.suggested_check}",
    )


def _build_limit_error(association: OpenAssociation, level: str, limit: Limit) -> DicomError:
    return DicomError(
        f"C-FIND at {level} level: the peer sent more than {limit.format_maximum()} {limit.description}",
        subject=str(association.peer),
        next_step=(
            f"check in the peer's log whether the peer ignores the query keys or repeats responses. {limit.next_step}"
        ),
    )


def _cancel(association: OpenAssociation, request: DimseRequest) -> None:
    try:
        request.cancel()
    except AssociationEnded as end:
        raise association.build_error() from end
