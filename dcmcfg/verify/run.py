"""Run one verification from the first query to the last, and gather the evidence."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from dcmcfg.dicom.move import Cancellation, MoveOutcome, MoveProgress, send_move
from dcmcfg.dicom.open_association import OpenAssociation, open_association
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.peer_identity import identify_peer
from dcmcfg.dicom.query import find_instances, find_patient
from dcmcfg.dicom.retrieval import InformationModel, Retrieval
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence, ReceiverInfo, VerificationRequest
from dcmcfg.verify.evidence_sources import NO_EVIDENCE_SOURCES, EvidenceSources
from dcmcfg.verify.moves import ProgressTotal, SentMove, combine_outcomes, move_all
from dcmcfg.verify.receiver_options import (
    ReceiverOptions,
    format_receiver_problems,
    read_files_back,
    wait_for_instances,
)
from dcmcfg.verify.request_times import RequestTimes
from dcmcfg.verify.unrelated_senders import find_involved_ae_titles, is_unrelated

#: Returns the instances that arrived for a finished C-MOVE.
ReceivedCollector = Callable[[Receiver, MoveOutcome], tuple[ReceivedInstance, ...]]


def _do_nothing(*_: object) -> None:
    """Do nothing (default callback)."""


@dataclass(frozen=True, kw_only=True)
class VerificationCallbacks:
    """Callbacks for progress; ``on_received`` is called in another thread, with the number of C-STOREs so far."""

    on_step: Callable[[str], None] = _do_nothing
    on_expected: Callable[[int], None] = _do_nothing
    on_sending: Callable[[], None] = _do_nothing  # directly before the C-MOVE is sent
    on_sent: Callable[[], None] = _do_nothing  # the C-MOVE
    on_pending: Callable[[MoveProgress], None] = _do_nothing
    on_received: Callable[[int], None] = _do_nothing


def gather_evidence(
    request: VerificationRequest,
    addresses: VerificationAddresses,
    *,
    tls: ssl.SSLContext | None = None,
    receiver_options: ReceiverOptions | None = None,
    receiver: Receiver | None = None,
    evidence_sources: EvidenceSources = NO_EVIDENCE_SOURCES,
    cancellation: Cancellation | None = None,
    callbacks: VerificationCallbacks = VerificationCallbacks(),
) -> Evidence:
    """Query the instances of the study, request it with a C-MOVE, and return the evidence.

    With *receiver_options*, dcmcfg listens as the destination; a given *receiver* already listens. *tls* is the context
    for calling the archive; None means plain DICOM. Raises :class:`~dcmcfg.errors.DicomError` only before the C-MOVE is
    sent: if dcmcfg cannot listen, if the archive cannot be reached, or if C-FIND fails. Everything later is evidence.
    """
    own_receiver = (
        receiver_options.create_destination_receiver(addresses, callbacks.on_received)
        if receiver_options and receiver is None
        else None
    )
    receiver = receiver or own_receiver
    # dcmcfg listens before it queries, so that a port in use is an error before the C-MOVE.
    with own_receiver or nullcontext():
        if receiver:
            callbacks.on_step(f"listening as {receiver}")
        callbacks.on_step(f"querying {request.archive} for the instances of the study (C-FIND)")
        with open_query_association(request, addresses, tls) as association:
            evidence = gather_evidence_over(
                association,
                request,
                addresses,
                receiver=receiver,
                evidence_sources=evidence_sources,
                cancellation=cancellation,
                callbacks=callbacks,
            )
    return (
        replace(evidence, warnings=(*evidence.warnings, *format_receiver_problems(receiver))) if receiver else evidence
    )


def open_query_association(
    request: VerificationRequest, addresses: VerificationAddresses, tls: ssl.SSLContext | None
) -> AbstractContextManager[OpenAssociation]:
    """Return an association for *request*, and others like it, as a context."""
    model = request.model
    # Study Root C-FIND is always offered: it finds the patient for Patient Root, and lists studies.
    sop_classes = tuple(
        dict.fromkeys((model.find_sop_class, model.move_sop_class, InformationModel.STUDY.find_sop_class))
    )
    peer, calling_ae_title, timeouts = request.archive, request.calling_ae_title, addresses.timeouts
    return open_association(
        peer, calling_ae_title, sop_classes, timeouts, tls=tls, relational_sop_classes=[model.find_sop_class]
    )


def gather_evidence_over(
    association: OpenAssociation,
    request: VerificationRequest,
    addresses: VerificationAddresses,
    *,
    receiver: Receiver | None = None,
    collect_received: ReceivedCollector | None = None,
    evidence_sources: EvidenceSources = NO_EVIDENCE_SOURCES,
    cancellation: Cancellation | None = None,
    callbacks: VerificationCallbacks = VerificationCallbacks(),
) -> Evidence:
    """Gather the evidence on one study over an open association, which stays open.

    *collect_received* returns the instances that the *receiver* got until a moment after the archive's response; by
    default, all of them. Instances that began to arrive before the C-MOVE was sent, or that belong to another request,
    are kept apart. The *evidence_sources* are used before and after the C-MOVE. Raises
    :class:`~dcmcfg.errors.DicomError` only before the C-MOVE is sent. The association cannot be used after that, nor
    after an outcome without a status.
    """
    query_association = association.with_timeouts(get_query_timeouts(addresses))
    if request.model is InformationModel.PATIENT and request.patient is None:
        request = replace(request, patient=find_patient(query_association, request.study_uid))
    listed = find_instances(query_association, request.study_uid, request.patient)
    expected = request.selection.select(listed)
    retrievals = request.selection.create_retrievals(request.study_uid, listed, request.patient)
    callbacks.on_expected(len(expected))
    pre_move = evidence_sources.collect_before(request.study_uid, callbacks.on_step)
    callbacks.on_step(f"requesting {request.archive} to send the instances to {request.destination_ae_title} (C-MOVE)")
    request_times = RequestTimes(expected)
    moves = _send_moves(
        association.with_timeouts(addresses.timeouts),
        request,
        retrievals,
        cancellation=cancellation,
        callbacks=callbacks,
        request_times=request_times,
    )
    outcome = combine_outcomes(moves)
    received: tuple[ReceivedInstance, ...] | None = None
    early: tuple[ReceivedInstance, ...] = ()
    unrelated: tuple[ReceivedInstance, ...] = ()
    if receiver:
        involved = find_involved_ae_titles(request, addresses.route, listed)

        def is_ignored(each: ReceivedInstance) -> bool:
            return request_times.is_early(each) or is_unrelated(each, request, involved)

        received_instances = (
            collect_received(receiver, outcome)
            if collect_received
            else wait_for_instances(receiver, outcome, is_ignored)
        )
        early = tuple(filter(request_times.is_early, received_instances))
        unrelated = tuple(each for each in received_instances if is_ignored(each) and not request_times.is_early(each))
        received = read_files_back(tuple(itertools.filterfalse(is_ignored, received_instances)), callbacks.on_step)
    evidence = Evidence(
        request=request,
        instances_before=expected,
        outcome=outcome,
        received=received,
        early_instances=early,
        unrelated_instances=unrelated,
        move_records=None,
        route=addresses.route,
        warnings=addresses.warnings,
        moves=moves,
        archive_identity=identify_peer(association),
        receiver_info=ReceiverInfo(str(receiver), receiver.listening_since)
        if receiver and receiver.listening_since
        else None,
    )
    return evidence_sources.collect_after(evidence, pre_move, query_association)


def _send_moves(
    association: OpenAssociation,
    request: VerificationRequest,
    retrievals: Sequence[Retrieval],
    *,
    cancellation: Cancellation | None,
    callbacks: VerificationCallbacks,
    request_times: RequestTimes,
) -> tuple[SentMove, ...]:
    total = ProgressTotal(callbacks.on_pending)

    def send(retrieval: Retrieval) -> MoveOutcome:
        callbacks.on_sending()
        # The time is taken before the C-MOVE is sent, so that no instance that it causes counts as early.
        request_times.record_request(retrieval)
        outcome = send_move(
            association,
            retrieval,
            request.destination_ae_title,
            priority=request.priority,
            cancellation=cancellation,
            on_sent=callbacks.on_sent,
            on_pending=total.add_pending,
        )
        total.finish_request(outcome)
        return outcome

    return move_all(retrievals, send)


def get_query_timeouts(addresses: VerificationAddresses) -> DicomTimeouts:
    """Return time-outs for C-FIND: a query recalls nothing, so the default DIMSE time-out is enough."""
    return replace(addresses.timeouts, dimse=min(addresses.timeouts.dimse, DicomTimeouts().dimse))
