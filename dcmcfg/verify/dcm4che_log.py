"""The C-MOVEs and C-STOREs of one study, read from a log of dcm4che.

That is the log of dcm4che's ``dcmqrscp``, or the ``server.log`` of a dcm4chee archive: the external archive's, or the
archive's own. The AE titles tell which: an AE that serves C-MOVEs under a title of the archive *is* the archive.

The external archive's log shows the C-MOVE that it served, and each C-STORE that it sent. dcm4che writes the Study
Instance UID of a C-MOVE only at level DEBUG, a dcm4chee archive at INFO too (``CommonCMoveSCP``); else the study is
recognised by the SOP Instance UIDs that were sent for the C-MOVE. An instance counts as completed where the final
response counts it and a C-STORE in the log stored it.

The archive's own log shows the C-MOVE that we sent, the C-MOVE that the archive sent to the external archive because
of it, what came back, and what the archive forwarded. One counts only where the log itself connects the two: by the
line "… not locally accessable - send C-MOVE RQ to X" and its thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from dcmcfg.verify.dcm4che_exchanges import Exchanges, Move, Stored
from dcmcfg.verify.dcm4che_lines import entries
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import Leg, Store
from dcmcfg.verify.log_query import Sought
from dcmcfg.verify.parsed_log import Logged

_NO_STUDY = "the log does not show of which study: dcm4che logs that at level DEBUG"


def read(lines: Iterable[str], sought: Sought, now: datetime) -> Logged:
    """Return what *lines* show of the study; *now* is a moment after them, in the zone of their time stamps."""
    log = Exchanges()
    for entry in entries(lines, now):
        log.read(entry)
    if log.titles & sought.archive_titles:
        return _of_archive(log, sought)
    served = [each for each in log.moves if each.served]
    records = tuple(record for each in served if (record := _served(each, sought)) is not None)
    ours = [each for each in served if sought.study_uid in _studies(each, sought)]
    return Logged(
        records,
        _legs(log, sought, ours, _witness(ours)),
        frozenset(log.titles),
        shows_messages=log.shows_messages,
    )


def _of_archive(log: Exchanges, sought: Sought) -> Logged:
    requests = [
        each
        for each in log.moves
        if each.served and each.calling == sought.calling and sought.study_uid in each.study_uids
    ]
    of = set(map(id, requests))
    asked = [
        each
        for each in log.moves
        if each.because_of is not None and id(each.because_of) in of and sought.study_uid in each.study_uids
    ]
    return Logged(
        tuple(_asked(each, sought) for each in asked),
        _legs(log, sought, [*requests, *asked], "the archive's log"),
        frozenset(log.titles),
        is_archives=True,
        has_request=bool(requests),
        shows_messages=log.shows_messages,
    )


def _legs(log: Exchanges, sought: Sought, moves: list[Move], witness: str) -> tuple[Leg, ...]:
    """Return the C-STOREs of the study, or of what was sent for *moves* where nobody knows its instances."""
    sent_for = {id(store) for move in moves for store in _of(move, sought)}
    legs: dict[tuple[str, str], list[Store]] = {}
    for each in log.stores:
        if each.uid in sought.sop_instance_uids or (not sought.sop_instance_uids and id(each) in sent_for):
            legs.setdefault((each.calling, each.called), []).append(each.stated())
    return tuple(Leg(*pair, witness, tuple(stores)) for pair, stores in legs.items())


def _of(move: Move, sought: Sought) -> list[Stored]:
    """Return what was sent for *move*, a C-MOVE of the study, as far as that is certain."""
    return [each for each in move.stores if each.is_for(move, sought.study_uid, sought.sop_instance_uids)]


def _sent_by(move: Move, sought: Sought) -> list[Stored]:
    """Return what the AE of the log sent for *move*, which it served."""
    return [each for each in _of(move, sought) if each.sent and each.called == move.destination]


def _studies(move: Move, sought: Sought) -> set[str]:
    """Return the studies that *move*, which was served, is of, as far as the log tells."""
    if move.study_uids:
        return move.study_uids
    return {sought.study_uid for each in _sent_by(move, sought) if each.uid in sought.sop_instance_uids}


def _served(move: Move, sought: Sought) -> MoveRecord | None:
    """Return the record of a C-MOVE that the external archive served; None where it is of another study."""
    studies, sent = _studies(move, sought), _sent_by(move, sought)
    if not studies:
        is_of_another = bool(sought.sop_instance_uids and sent)
        return None if is_of_another else replace(_record(move, ""), why_hidden=_NO_STUDY)
    if sought.study_uid not in studies:
        return None
    record = _record(move, sought.study_uid)
    if sought.sop_instance_uids:
        sent = [each for each in sent if each.uid in sought.sop_instance_uids]
    elif len(studies) > 1:  # nobody knows which of the instances are of this study
        return replace(record, completed=None, failed=None)
    return _counted(record, sent)


def _counted(record: MoveRecord, sent: list[Stored]) -> MoveRecord:
    """Return *record* with no more instances completed than the C-STOREs *sent* because of it have stored."""
    stored = len({each.uid for each in sent if each.stated().is_stored})
    if record.completed is None:  # without a final response, what was stored until then
        return replace(record, completed=stored, failed=len(sent) - stored) if sent else record
    if stored < record.completed:
        return replace(record, completed=stored, reported=record.completed)
    return record


def _asked(move: Move, sought: Sought) -> MoveRecord:
    """Return the record of a C-MOVE that the archive sent; what came by it and was forwarded is counted."""
    record = replace(_record(move, sought.study_uid), by_archive=True)
    request = move.because_of
    if request is None or move.destination not in sought.archive_titles:
        return record
    came: dict[str, int] = {}
    for each in _of(move, sought):
        if not each.sent and each.stated().is_stored:
            came.setdefault(each.uid, each.place)
    forwarded = {
        each.uid
        for each in _of(request, sought)
        if each.sent
        and each.called == request.destination
        and each.stated().is_stored
        and came.get(each.uid, each.place) < each.place
    }
    return replace(record, forwarded=len(forwarded))


def _record(move: Move, study_uid: str) -> MoveRecord:
    """Return the record of *move*; a counter that its final response leaves out is 0 (PS3.7 Section 9.3.4.2)."""
    record = MoveRecord(move.moment, move.calling, move.called, move.destination, study_uid)
    response = move.response
    if response is None:
        return record
    return replace(
        record,
        status=response.status,
        completed=response.counter("completed") or 0,
        failed=response.counter("failed") or 0,
        failure=response.comment,
    )


def _witness(moves: list[Move]) -> str:
    names = sorted({each.called for each in moves})
    return f"{', '.join(names)}'s log" if names else "the external archive's log"
