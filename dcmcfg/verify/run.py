"""One verification from the first question to the last: it gathers the evidence."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from dcmcfg.dicom.move import Cancellation, MoveOutcome, Progress, move
from dcmcfg.dicom.open_association import OpenAssociation, associated
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.dicom.peer_identity import acquainted
from dcmcfg.dicom.query import find_instances, patient_of
from dcmcfg.dicom.retrieval import Model, Retrieval
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence, Listened, Question
from dcmcfg.verify.evidence_sources import NOBODY_ELSE, Witnesses
from dcmcfg.verify.moves import Move, Tally, combined, move_all
from dcmcfg.verify.receiver_options import Listening, all_read_back, everything_arrived, troubles
from dcmcfg.verify.request_times import AskedFor
from dcmcfg.verify.unrelated_senders import is_uninvited, titles_involved

#: What arrived for a C-MOVE that has ended.
Arrived = Callable[[Receiver, MoveOutcome], tuple[ReceivedInstance, ...]]


def _ignore(*_: object) -> None:
    """Take no notice."""


@dataclass(frozen=True)
class Watcher:
    """Who is told how it goes; ``on_received`` is called in another thread, with the number of C-STOREs so far."""

    on_step: Callable[[str], None] = _ignore
    on_expected: Callable[[int], None] = _ignore
    on_asking: Callable[[], None] = _ignore  # directly before the C-MOVE is sent
    on_sent: Callable[[], None] = _ignore  # the C-MOVE
    on_pending: Callable[[Progress], None] = _ignore
    on_received: Callable[[int], None] = _ignore


def gather(
    question: Question,
    addresses: Addresses,
    *,
    tls: ssl.SSLContext | None = None,
    receive: Listening | None = None,
    receiver: Receiver | None = None,
    witnesses: Witnesses = NOBODY_ELSE,
    cancellation: Cancellation | None = None,
    watcher: Watcher = Watcher(),
) -> Evidence:
    """Ask what the study holds, have it sent, and return what was seen; with *receive*, listen as the destination.

    *tls* is the context to call the archive with; None is plain DICOM. A
    *receiver* is one that listens as the destination already. Raises :class:`~dcmcfg.errors.DicomError` only before
    the C-MOVE is sent: when we cannot listen, when the archive cannot be reached, or when its answer to C-FIND is an
    error. Whatever happens later is evidence.
    """
    own = receive.as_destination(addresses, watcher.on_received) if receive and receiver is None else None
    receiver = receiver or own
    with own or nullcontext():
        if receiver:
            watcher.on_step(f"listening as {receiver}")
        watcher.on_step(f"asking {question.archive} what the study holds (C-FIND)")
        with opened_for(question, addresses, tls) as opened:
            evidence = gather_on(
                opened,
                question,
                addresses,
                receiver=receiver,
                witnesses=witnesses,
                cancellation=cancellation,
                watcher=watcher,
            )
    return replace(evidence, warnings=(*evidence.warnings, *troubles(receiver))) if receiver else evidence


def opened_for(
    question: Question, addresses: Addresses, tls: ssl.SSLContext | None
) -> AbstractContextManager[OpenAssociation]:
    """Return an association on which *question*, and others like it, can be asked, as a context."""
    model = question.model
    sop_classes = tuple(dict.fromkeys((model.find, model.move, Model.STUDY.find)))
    peer, calling, timeouts = question.archive, question.calling, addresses.timeouts
    return associated(peer, calling, sop_classes, timeouts, tls, relational=[model.find])


def gather_on(
    opened: OpenAssociation,
    question: Question,
    addresses: Addresses,
    *,
    receiver: Receiver | None = None,
    arrived: Arrived | None = None,
    witnesses: Witnesses = NOBODY_ELSE,
    cancellation: Cancellation | None = None,
    watcher: Watcher = Watcher(),
) -> Evidence:
    """Gather the evidence on one study over an association that is open, and stays so.

    What the *receiver* got until a moment after the archive's answer is *arrived*'s to tell; without one it is all that
    it has. What began to arrive before its C-MOVE was sent, or was sent for somebody else, is kept apart. The
    *witnesses* are heard before the move and after it. Raises :class:`~dcmcfg.errors.DicomError` only before the C-MOVE
    is sent; the association is of no more use then, nor is it where the outcome has no status.
    """
    asking = opened.with_patience(query_timeouts(addresses))
    if question.model is Model.PATIENT and question.patient is None:
        question = replace(question, patient=patient_of(asking, question.study_uid))
    listed = find_instances(asking, question.study_uid, question.patient)
    expected = question.selection.of(listed)
    retrievals = question.selection.retrievals(question.study_uid, listed, question.patient)
    watcher.on_expected(len(expected))
    heard = witnesses.before(question.study_uid, watcher.on_step)
    watcher.on_step(f"asking {question.archive} to send it to {question.destination} (C-MOVE)")
    asked = AskedFor(expected)
    moves = _move(opened.with_patience(addresses.timeouts), question, retrievals, cancellation, watcher, asked)
    outcome = combined(moves)
    received: tuple[ReceivedInstance, ...] | None = None
    early: tuple[ReceivedInstance, ...] = ()
    uninvited: tuple[ReceivedInstance, ...] = ()
    if receiver:
        involved = titles_involved(question, addresses.route, listed)

        def is_ignored(each: ReceivedInstance) -> bool:
            return asked.is_early(each) or is_uninvited(each, question, involved)

        came = arrived(receiver, outcome) if arrived else everything_arrived(receiver, outcome, is_ignored)
        early = tuple(filter(asked.is_early, came))
        uninvited = tuple(each for each in came if is_ignored(each) and not asked.is_early(each))
        received = all_read_back(tuple(itertools.filterfalse(is_ignored, came)), watcher.on_step)
    evidence = Evidence(
        question=question,
        expected=expected,
        outcome=outcome,
        received=received,
        early=early,
        uninvited=uninvited,
        records=None,
        route=addresses.route,
        warnings=addresses.warnings,
        moves=moves,
        archive=acquainted(opened),
        listening=Listened(str(receiver), receiver.since) if receiver and receiver.since else None,
    )
    return witnesses.after(evidence, heard, asking)


def _move(
    opened: OpenAssociation,
    question: Question,
    retrievals: Sequence[Retrieval],
    cancellation: Cancellation | None,
    watcher: Watcher,
    asked: AskedFor,
) -> tuple[Move, ...]:
    tally = Tally(watcher.on_pending)

    def send(retrieval: Retrieval) -> MoveOutcome:
        watcher.on_asking()
        asked.note(retrieval)
        outcome = move(
            opened,
            retrieval,
            question.destination,
            priority=question.priority,
            cancellation=cancellation,
            on_sent=watcher.on_sent,
            on_pending=tally.pending,
        )
        tally.over(outcome)
        return outcome

    return move_all(retrievals, send)


def query_timeouts(addresses: Addresses) -> Timeouts:
    """Return time-outs for C-FIND: a query recalls nothing, so it needs no more patience than any request."""
    return replace(addresses.timeouts, dimse=min(addresses.timeouts.dimse, Timeouts().dimse))
