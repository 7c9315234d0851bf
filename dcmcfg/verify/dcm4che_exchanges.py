"""Connect the C-MOVEs and C-STOREs in a log of dcm4che with each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import TypeVar

from dcmcfg.dicom.status import PENDING, PENDING_WITHOUT_OPTIONAL_KEYS
from dcmcfg.verify.dcm4che_lines import LogEntry, LoggedAssociation, LoggedMessage
from dcmcfg.verify.legs import StoreRecord

#: The archive's line before it sends a C-MOVE because of one that it received.
_SENDS_MOVE = re.compile(
    r": (?:\d+|No|Some) objects of study\[(?P<uids>[0-9., ]*)\] .*? C-MOVE RQ to (?P<asked>.{1,16})", re.ASCII
)
#: The end of an association: closed, or aborted by either side.
_ASSOCIATION_END = re.compile(r": close |(?: <<| >>) A-ABORT")
#: Limit of running C-MOVEs that match one Move Originator; with more, the match is ambiguous.
_MAX_CANDIDATE_MOVES = 64
_PENDING = frozenset({PENDING, PENDING_WITHOUT_OPTIONAL_KEYS})


# Two C-MOVEs in a log may have equal values, so they are compared by identity.
@dataclass(eq=False, kw_only=True)
class LoggedMove:
    """A C-MOVE; ``is_served`` is True if the AE of the log received it, False if it sent it."""

    association: LoggedAssociation
    message_id: int
    time: datetime
    destination_ae_title: str
    is_served: bool
    study_uids: set[str] = field(default_factory=set)
    triggering_move: LoggedMove | None = None
    response: LoggedMessage | None = None  # the final one
    stores: list[LoggedStore] = field(default_factory=list)  # whose Move Originator may be this C-MOVE
    is_over: bool = False

    @property
    def calling_ae_title(self) -> str:
        return self.association.remote if self.is_served else self.association.local

    @property
    def called_ae_title(self) -> str:
        return self.association.local if self.is_served else self.association.remote

    @property
    def originator_key(self) -> OriginatorKey:
        return self.is_served, self.calling_ae_title, self.message_id

    def may_concern_study(self, study_uid: str) -> bool:
        """Return whether the C-MOVE is for the study, or its study is unknown."""
        return not self.study_uids or study_uid in self.study_uids


#: Whether the AE of the log serves the C-MOVE; the Move Originator's title and Message ID.
OriginatorKey = tuple[bool, str, int]


@dataclass(eq=False)
class LoggedStore:
    association: LoggedAssociation
    sequence_number: int  # in the order of all entries
    time: datetime
    message: LoggedMessage
    _: KW_ONLY
    status: int | None = None
    candidate_moves: list[LoggedMove] = field(default_factory=list)  # those that may be the Move Originator
    #: Cached number of candidates by study, and by whether the AE of the log serves them.
    _candidate_counts: dict[tuple[str, bool], int] = field(default_factory=dict)

    def add_candidate_moves(self, moves: Collection[LoggedMove]) -> None:
        """Record *moves* as the running C-MOVEs that match the Move Originator of this C-STORE."""
        if len(moves) <= _MAX_CANDIDATE_MOVES:
            self.candidate_moves += moves
            for each in moves:
                each.stores.append(self)

    def is_caused_by(self, move: LoggedMove, study_uid: str, sop_instance_uids: frozenset[str]) -> bool:
        """Return whether it was sent for *move* (study *study_uid* with these instances) and for no other C-MOVE.

        Several callers may use one title and Message ID at the same time. Then the study decides, if each C-MOVE has
        one.
        """
        is_only_candidate = self._count_candidates("", served=move.is_served) == 1
        is_of_study = move.may_concern_study(study_uid)
        is_only_candidate_for_study = self._count_candidates(study_uid, served=move.is_served) == is_of_study
        return is_only_candidate or (self.uid in sop_instance_uids and is_only_candidate_for_study)

    def _count_candidates(self, study_uid: str, *, served: bool) -> int:
        """Return the number of C-MOVEs that may be for the study, or of all if it is empty."""
        key = (study_uid, served)
        if key not in self._candidate_counts:
            moves = (each for each in self.candidate_moves if each.is_served == served)
            self._candidate_counts[key] = sum(not study_uid or each.may_concern_study(study_uid) for each in moves)
        return self._candidate_counts[key]

    @property
    def uid(self) -> str:
        return self.message.sop_instance_uid

    @property
    def is_sent(self) -> bool:
        """Whether the AE of the log sent it; otherwise that AE received it."""
        return self.association.requested

    @property
    def calling_ae_title(self) -> str:
        return self.association.local if self.is_sent else self.association.remote

    @property
    def called_ae_title(self) -> str:
        return self.association.remote if self.is_sent else self.association.local

    def to_store_record(self) -> StoreRecord:
        """Return the values in the log."""
        message = self.message
        return StoreRecord(
            message.sop_instance_uid,
            message.sop_class_uid,
            message.transfer_syntax,
            self.status,
            move_originator=message.originator_ae_title,
            time=self.time,
        )


@dataclass(eq=False)
class _AnnouncedRequest:
    """A C-MOVE that the archive is about to send to ``called_ae_title`` because of the C-MOVE ``move``.

    ``is_over`` is set after the archive sent it, or can no longer send it.
    """

    called_ae_title: str
    thread: str
    move: LoggedMove
    study_uids: frozenset[str]
    _: KW_ONLY
    is_over: bool = False


class _AnnouncedRequests:
    """The C-MOVEs that the archive is about to send."""

    def __init__(self) -> None:
        self._unfinished_counts: Counter[str] = Counter()  # of requests that are not over, by called AE
        # in order; those that are over are removed when they come last
        self._asked: dict[str, list[_AnnouncedRequest]] = {}
        self._by_thread: dict[tuple[str, str], list[_AnnouncedRequest]] = {}
        self._by_move: dict[int, list[_AnnouncedRequest]] = {}

    def add(self, request: _AnnouncedRequest) -> None:
        self._unfinished_counts[request.called_ae_title] += 1
        self._asked.setdefault(request.called_ae_title, []).append(request)
        self._by_thread.setdefault((request.called_ae_title, request.thread), []).append(request)
        self._by_move.setdefault(id(request.move), []).append(request)

    def take(self, called_ae_title: str, thread: str) -> _AnnouncedRequest | None:
        """Return the announced request to *called_ae_title* that belongs to *thread*; None if it is ambiguous."""
        if thread:
            request = _find_last_unfinished(self._by_thread.get((called_ae_title, thread), []))
        else:
            request = (
                _find_last_unfinished(self._asked.get(called_ae_title, []))
                if self._unfinished_counts[called_ae_title] == 1
                else None
            )
        if request is not None:
            self._end(request)
        return request

    def drop(self, move: LoggedMove) -> None:
        """Remove the announced requests of *move*."""
        for each in self._by_move.pop(id(move), ()):
            if not each.is_over:
                self._end(each)

    def _end(self, request: _AnnouncedRequest) -> None:
        request.is_over = True
        self._unfinished_counts[request.called_ae_title] -= 1


_Endable = TypeVar("_Endable", LoggedMove, _AnnouncedRequest)


def _find_last_unfinished(items: list[_Endable]) -> _Endable | None:
    """Return the last of *items* that is not over, None if all are; the ones after it are removed."""
    while items and items[-1].is_over:
        items.pop()
    return items[-1] if items else None


@dataclass
class _AssociationState:
    """The unfinished operations on one association, by Message ID."""

    moves: dict[int, LoggedMove] = field(default_factory=dict)
    served: list[LoggedMove] = field(default_factory=list)  # in order; some may be over
    stores: dict[int, LoggedStore] = field(default_factory=dict)
    announced_request: _AnnouncedRequest | None = None

    @property
    def last_served(self) -> LoggedMove | None:
        return _find_last_unfinished(self.served)


class LoggedExchanges:
    """The C-MOVEs and C-STOREs in the entries read so far, in order.

    ``accepting_ae_titles`` are the AE titles under which associations were accepted; ``shows_messages`` is True if the
    log contains a DIMSE message at all.
    """

    def __init__(self) -> None:
        self.moves: list[LoggedMove] = []
        self.stores: list[LoggedStore] = []
        self._states: dict[LoggedAssociation, _AssociationState] = {}
        self._unfinished_moves: dict[OriginatorKey, dict[int, LoggedMove]] = {}  # by identity
        # running C-MOVEs that the AE of the log sent, by called AE
        self._asked: dict[str, dict[int, LoggedMove]] = {}
        self._moves_without_study: dict[int, LoggedMove] = {}  # running C-MOVEs, by identity
        self._announced_requests = _AnnouncedRequests()
        self.accepting_ae_titles: set[str] = set()  # titles under which associations were accepted
        self._entry_count = 0
        self.shows_messages = False

    def add_entry(self, entry: LogEntry) -> None:
        """Read the next entry."""
        self._entry_count += 1
        association = entry.association
        if association is None:
            self._read_dump(entry)
            return
        if not association.requested:
            self.accepting_ae_titles.add(association.local)
        if entry.text.endswith(" A-ASSOCIATE-RQ"):
            self._begin(association, entry)
        elif _ASSOCIATION_END.match(entry.text):
            self._end(association)
        elif (message := entry.message) is not None:
            self._read_message(association, message, entry)
        elif match := _SENDS_MOVE.fullmatch(entry.text):
            self._announce_request(association, entry, match)
        elif data_set := entry.dumped_data_set:
            _, message_id, kind = data_set
            if kind == "C-MOVE-RQ":
                self._assign_study(self._get_state(association).moves.get(message_id), entry.study_uids)
        elif entry.text == ": Process C-MOVE RQ:":
            self._assign_study(self._get_state(association).last_served, entry.study_uids)

    def _get_state(self, association: LoggedAssociation) -> _AssociationState:
        return self._states.setdefault(association, _AssociationState())

    def _assign_study(self, move: LoggedMove | None, study_uids: frozenset[str]) -> None:
        if move is not None and study_uids:
            move.study_uids |= study_uids
            self._moves_without_study.pop(id(move), None)

    def _read_dump(self, entry: LogEntry) -> None:
        """Read a data set without a reference to its message, as older releases write it."""
        # With several candidates, the dump could belong to any of them.
        if entry.text.strip() == "Dataset:" and len(self._moves_without_study) == 1:
            self._assign_study(next(iter(self._moves_without_study.values())), entry.study_uids)

    def _begin(self, association: LoggedAssociation, entry: LogEntry) -> None:
        """Start an association; another one with this name belongs to an earlier start of the program."""
        self._end(association)
        if not association.requested:
            return
        if (request := self._announced_requests.take(association.remote, entry.thread)) is not None:
            self._get_state(association).announced_request = request

    def _end(self, association: LoggedAssociation) -> None:
        state = self._states.pop(association, None)
        for move in state.moves.values() if state else ():
            self._close(move)

    def _close(self, move: LoggedMove) -> None:
        """Mark *move* as over."""
        move.is_over = True
        for moves in (self._unfinished_moves.get(move.originator_key, {}), self._asked.get(move.called_ae_title, {})):
            moves.pop(id(move), None)
        self._moves_without_study.pop(id(move), None)
        self._announced_requests.drop(move)

    def _announce_request(self, association: LoggedAssociation, entry: LogEntry, match: re.Match[str]) -> None:
        move = self._get_state(association).last_served
        if move is not None:
            uids = frozenset(match["uids"].replace(",", " ").split())
            self._announced_requests.add(_AnnouncedRequest(match["asked"].strip(), entry.thread, move, uids))

    def _read_message(self, association: LoggedAssociation, message: LoggedMessage, entry: LogEntry) -> None:
        self.shows_messages = True
        state = self._get_state(association)
        match message.kind:
            case "C-MOVE-RQ" if message.is_sent == association.requested:
                self._add_move(association, message, entry)
            case "C-MOVE-RSP" if message.is_sent != association.requested and message.status not in _PENDING:
                if move := state.moves.pop(message.message_id, None):
                    move.response = message
                    self._close(move)
            # A C-STORE in the other direction belongs to a C-GET.
            case "C-STORE-RQ" if message.is_sent == association.requested:
                state.stores[message.message_id] = self._add_store(association, message, entry)
            case "C-STORE-RSP" if message.is_sent != association.requested:
                store = state.stores.pop(message.message_id, None) or self._add_store(association, message, entry)
                store.status = message.status

    def _add_move(self, association: LoggedAssociation, message: LoggedMessage, entry: LogEntry) -> None:
        state, is_served = self._get_state(association), not association.requested
        if message.message_id in state.moves:  # never answered
            self._close(state.moves.pop(message.message_id))
        move = LoggedMove(
            association=association,
            message_id=message.message_id,
            time=entry.time,
            destination_ae_title=message.destination_ae_title,
            is_served=is_served,
        )
        if state.announced_request is not None:
            move.triggering_move = state.announced_request.move
            move.study_uids |= state.announced_request.study_uids
        self.moves.append(move)
        state.moves[message.message_id] = move
        self._unfinished_moves.setdefault(move.originator_key, {})[id(move)] = move
        if is_served:
            state.served.append(move)
        else:
            self._asked.setdefault(move.called_ae_title, {})[id(move)] = move
        if not move.study_uids:
            self._moves_without_study[id(move)] = move

    def _add_store(self, association: LoggedAssociation, message: LoggedMessage, entry: LogEntry) -> LoggedStore:
        store = LoggedStore(association, self._entry_count, entry.time, message)
        self.stores.append(store)
        originator_key = (message.originator_ae_title, message.originator_message_id)
        for served in (True, False):
            store.add_candidate_moves(self._unfinished_moves.get((served, *originator_key), {}).values())
        if not (message.originator_ae_title or store.is_sent):  # The peer sends no Move Originator.
            store.add_candidate_moves(self._asked.get(association.remote, {}).values())
        return store
