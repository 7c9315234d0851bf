"""Read the C-MOVEs and C-STOREs of one study from a log of dcm4che.

The log is that of dcm4che's ``dcmqrscp``, or the ``server.log`` of a dcm4chee archive: the external archive's, or the
archive's own. The AE titles distinguish them: an AE that serves C-MOVEs under a title of the archive *is* the archive.

The external archive's log shows the C-MOVE that it served, and each C-STORE that it sent. dcm4che logs the Study
Instance UID of a C-MOVE only at level DEBUG, a dcm4chee archive at INFO too (``CommonCMoveSCP``). Otherwise the study
is recognised by the SOP Instance UIDs that were sent for the C-MOVE. An instance counts as completed if the final
response counts it and a C-STORE in the log stored it.

The archive's own log shows the C-MOVE that dcmcfg sent, the resulting C-MOVE from the archive to the external archive,
the objects that came back, and the objects that the archive forwarded. They count only if the log itself connects the
two C-MOVEs: by the line "… not locally accessable - send C-MOVE RQ to X" and its thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from dcmcfg.verify.dcm4che_exchanges import LoggedExchanges, LoggedMove, LoggedStore
from dcmcfg.verify.dcm4che_lines import parse_entries
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.parsed_log import ParsedLog

_NO_STUDY = "the log does not show the study: dcm4che logs the study only at level DEBUG"


def read_dcm4che_log(lines: Iterable[str], query: LogQuery, now: datetime) -> ParsedLog:
    """Return the records of the study in *lines*; *now* is a time after them, in the zone of their time stamps."""
    log = LoggedExchanges()
    for entry in parse_entries(lines, now):
        log.add_entry(entry)
    # An AE that accepts associations under a title of the archive is the archive itself.
    if log.accepting_ae_titles & query.archive_ae_titles:
        return _read_archive_log(log, query)
    served = [each for each in log.moves if each.is_served]
    records = tuple(record for each in served if (record := _record_served_move(each, query)) is not None)
    study_moves = [each for each in served if query.study_uid in _find_studies(each, query)]
    return ParsedLog(
        records,
        _collect_legs(log, query, study_moves, _name_evidence_source(study_moves)),
        frozenset(log.accepting_ae_titles),
        shows_messages=log.shows_messages,
    )


def _read_archive_log(log: LoggedExchanges, query: LogQuery) -> ParsedLog:
    requests = [
        each
        for each in log.moves
        if each.is_served and each.calling_ae_title == query.calling_ae_title and query.study_uid in each.study_uids
    ]
    request_ids = set(map(id, requests))
    sent_moves = [
        each
        for each in log.moves
        if each.triggering_move is not None
        and id(each.triggering_move) in request_ids
        and query.study_uid in each.study_uids
    ]
    return ParsedLog(
        tuple(_record_sent_move(each, query) for each in sent_moves),
        _collect_legs(log, query, [*requests, *sent_moves], "the archive's log"),
        frozenset(log.accepting_ae_titles),
        is_from_archive=True,
        has_request=bool(requests),
        shows_messages=log.shows_messages,
    )


def _collect_legs(
    log: LoggedExchanges, query: LogQuery, moves: list[LoggedMove], evidence_source: str
) -> tuple[TransferLeg, ...]:
    """Return the C-STOREs of the study, or those sent for *moves* if its instances are unknown."""
    caused_store_ids = {id(store) for move in moves for store in _select_stores(move, query)}
    legs: dict[tuple[str, str], list[StoreRecord]] = {}
    for each in log.stores:
        if each.uid in query.sop_instance_uids or (not query.sop_instance_uids and id(each) in caused_store_ids):
            legs.setdefault((each.calling_ae_title, each.called_ae_title), []).append(each.to_store_record())
    return tuple(TransferLeg(*pair, evidence_source, tuple(stores)) for pair, stores in legs.items())


def _select_stores(move: LoggedMove, query: LogQuery) -> list[LoggedStore]:
    """Return the C-STOREs for *move*, a C-MOVE of the study, as far as that is certain."""
    return [each for each in move.stores if each.is_caused_by(move, query.study_uid, query.sop_instance_uids)]


def _select_sent_stores(move: LoggedMove, query: LogQuery) -> list[LoggedStore]:
    """Return the C-STOREs that the AE of the log sent for *move*, which it served."""
    return [
        each
        for each in _select_stores(move, query)
        if each.is_sent and each.called_ae_title == move.destination_ae_title
    ]


def _find_studies(move: LoggedMove, query: LogQuery) -> set[str]:
    """Return the studies of *move*, which was served, as far as the log shows them."""
    if move.study_uids:
        return move.study_uids
    return {query.study_uid for each in _select_sent_stores(move, query) if each.uid in query.sop_instance_uids}


def _record_served_move(move: LoggedMove, query: LogQuery) -> MoveRecord | None:
    """Return the record of a C-MOVE that the external archive served; None if it is for another study."""
    studies, sent = _find_studies(move, query), _select_sent_stores(move, query)
    if not studies:
        is_other_study = bool(query.sop_instance_uids and sent)
        return None if is_other_study else replace(_build_record(move, ""), missing_study_reason=_NO_STUDY)
    if query.study_uid not in studies:
        return None
    record = _build_record(move, query.study_uid)
    if query.sop_instance_uids:
        sent = [each for each in sent if each.uid in query.sop_instance_uids]
    elif len(studies) > 1:  # It is unknown which of the instances belong to this study.
        return replace(record, completed=None, failed=None)
    return _limit_completed(record, sent)


def _limit_completed(record: MoveRecord, sent: list[LoggedStore]) -> MoveRecord:
    """Return *record* with at most as many instances completed as the C-STOREs in *sent* have stored."""
    stored = len({each.uid for each in sent if each.to_store_record().is_stored})
    if record.completed is None:  # Without a final response, count the instances stored so far.
        return replace(record, completed=stored, failed=len(sent) - stored) if sent else record
    if stored < record.completed:
        return replace(record, completed=stored, reported_completed=record.completed)
    return record


def _record_sent_move(move: LoggedMove, query: LogQuery) -> MoveRecord:
    """Return the record of a C-MOVE that the archive sent, with the number of forwarded instances."""
    record = replace(_build_record(move, query.study_uid), is_from_archive_log=True)
    request = move.triggering_move
    if request is None or move.destination_ae_title not in query.archive_ae_titles:
        return record
    received: dict[str, int] = {}
    for each in _select_stores(move, query):
        if not each.is_sent and each.to_store_record().is_stored:
            received.setdefault(each.uid, each.sequence_number)
    forwarded = {
        each.uid
        for each in _select_stores(request, query)
        if each.is_sent
        and each.called_ae_title == request.destination_ae_title
        and each.to_store_record().is_stored
        # What the archive sent before it received the instance was its own local file.
        and received.get(each.uid, each.sequence_number) < each.sequence_number
    }
    return replace(record, forwarded_count=len(forwarded))


def _build_record(move: LoggedMove, study_uid: str) -> MoveRecord:
    """Return the record of *move*; a counter that its final response leaves out is 0 (PS3.7 Section 9.3.4.2)."""
    record = MoveRecord(
        started=move.time,
        calling_ae_title=move.calling_ae_title,
        called_ae_title=move.called_ae_title,
        destination_ae_title=move.destination_ae_title,
        study_uid=study_uid,
    )
    response = move.response
    if response is None:
        return record
    return replace(
        record,
        status=response.status,
        completed=response.get_counter("completed") or 0,
        failed=response.get_counter("failed") or 0,
        failure=response.comment,
    )


def _name_evidence_source(moves: list[LoggedMove]) -> str:
    names = sorted({each.called_ae_title for each in moves})
    return f"{', '.join(names)}'s log" if names else "the external archive's log"
