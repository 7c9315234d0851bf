"""The C-MOVEs and C-STOREs of one study, read from a log of dcm4che.

That is the log of dcm4che's ``dcmqrscp``, or the ``server.log`` of a dcm4chee archive: the external archive's, or the
archive's own. The AE titles tell which: an AE that serves C-MOVEs under a title of the archive *is* the archive.

The external archive's log shows the C-MOVE that it served, and each C-STORE that it sent. dcm4che writes the Study
Instance UID of a C-MOVE only at level DEBUG, a dcm4chee archive at INFO too (``CommonCMoveSCP``); else the study is
recognised by the SOP Instance UIDs that were sent for the C-MOVE.

The archive's own log shows the C-MOVE that we sent, the C-MOVE that the archive sent to the external archive because
of it, what came back, and what the archive forwarded. One counts only where the log itself connects the two: by the
line "… not locally accessable - send C-MOVE RQ to X" and its thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from dcmcfg.verify.dcm4che_lines import Association, Entry, Message, entries
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import Leg, Store
from dcmcfg.verify.logged import Logged
from dcmcfg.verify.sought import Sought

_ASKS = re.compile(
    r": (?:\d+|No|Some) objects of study\[(?P<uids>[0-9., ]*)\] .*? C-MOVE RQ to (?P<asked>.{1,16})", re.ASCII
)
#: The end of an association: closed, or aborted by one of the two.
_ENDS = re.compile(r": close |(?: <<| >>) A-ABORT")
_PENDING = frozenset({0xFF00, 0xFF01})


def read(lines: Iterable[str], sought: Sought, now: datetime) -> Logged:
    """Return what *lines* show of the study; *now* is a moment after them, in the zone of their time stamps."""
    log = _Log()
    for entry in entries(lines, now):
        log.read(entry)
    return log.logged(sought)


@dataclass(eq=False)
class _Move:
    """A C-MOVE; ``served`` says that the AE of the log was asked, else it asked another one."""

    association: Association
    message_id: int
    moment: datetime
    destination: str
    served: bool
    study_uids: set[str] = field(default_factory=set)
    because_of: _Move | None = None
    response: Message | None = None  # the final one
    stores: list[_Stored] = field(default_factory=list)  # of which the Move Originator is this C-MOVE, and no other

    @property
    def calling(self) -> str:
        return self.association.remote if self.served else self.association.local

    @property
    def called(self) -> str:
        return self.association.local if self.served else self.association.remote

    @property
    def originator(self) -> _Originator:
        return self.served, self.calling, self.message_id


#: Whether the AE of the log serves the C-MOVE; the Move Originator's title and Message ID.
_Originator = tuple[bool, str, int]


@dataclass(eq=False)
class _Stored:
    association: Association
    place: int  # in the order of all that happened
    moment: datetime
    message: Message
    status: int | None = None

    @property
    def uid(self) -> str:
        return self.message.sop_instance_uid

    @property
    def sent(self) -> bool:
        """Whether the AE of the log sent it; else that AE received it."""
        return self.association.requested

    @property
    def calling(self) -> str:
        return self.association.local if self.sent else self.association.remote

    @property
    def called(self) -> str:
        return self.association.remote if self.sent else self.association.local

    def stated(self) -> Store:
        """Return what the log states of it."""
        message = self.message
        return Store(
            message.sop_instance_uid,
            message.sop_class_uid,
            message.transfer_syntax,
            self.status,
            message.originator,
            self.moment,
        )


@dataclass(eq=False)
class _Intent:
    """That the archive is about to ask *asked*, because of the C-MOVE *move*."""

    asked: str
    thread: str
    move: _Move
    study_uids: frozenset[str]


@dataclass
class _Talk:
    """What is under way on one association, by Message ID."""

    moves: dict[int, _Move] = field(default_factory=dict)
    stores: dict[int, _Stored] = field(default_factory=dict)
    intent: _Intent | None = None

    @property
    def last_served(self) -> _Move | None:
        return next((each for each in reversed(self.moves.values()) if each.served), None)


class _Log:
    """What was read so far."""

    def __init__(self) -> None:
        self._moves: list[_Move] = []
        self._stores: list[_Stored] = []
        self._talks: dict[Association, _Talk] = {}
        self._under_way: dict[_Originator, list[_Move]] = {}
        self._asked: dict[str, list[_Move]] = {}  # C-MOVEs under way that the AE of the log sent, by whom it asked
        self._without_study: dict[int, _Move] = {}  # C-MOVEs under way, by identity
        self._intents: list[_Intent] = []
        self._accepted: set[str] = set()  # titles under which associations were accepted
        self._place = 0
        self._shows_messages = False

    def read(self, entry: Entry) -> None:
        """Read the next entry."""
        self._place += 1
        association = entry.association
        if association is None:
            self._read_dump(entry)
            return
        if not association.requested:
            self._accepted.add(association.local)
        if entry.text.endswith(" A-ASSOCIATE-RQ"):
            self._begin(association, entry)
        elif _ENDS.match(entry.text):
            self._end(association)
        elif (message := entry.message) is not None:
            self._read_message(association, message, entry)
        elif found := _ASKS.fullmatch(entry.text):
            self._intend(association, entry, found)
        elif dumped := entry.dumped:
            _, message_id, kind = dumped
            if kind == "C-MOVE-RQ":
                self._tell_study(self._talk(association).moves.get(message_id), entry.study_uids)
        elif entry.text == ": Process C-MOVE RQ:":
            self._tell_study(self._talk(association).last_served, entry.study_uids)

    def _talk(self, association: Association) -> _Talk:
        return self._talks.setdefault(association, _Talk())

    def _tell_study(self, move: _Move | None, study_uids: frozenset[str]) -> None:
        if move is not None and study_uids:
            move.study_uids |= study_uids
            self._without_study.pop(id(move), None)

    def _read_dump(self, entry: Entry) -> None:
        """Read a data set of which the log does not say to which message it belongs, as older releases write it."""
        if entry.text.strip() == "Dataset:" and len(self._without_study) == 1:
            self._tell_study(next(iter(self._without_study.values())), entry.study_uids)

    def _begin(self, association: Association, entry: Entry) -> None:
        """Begin with an association; another one of this name is of an earlier start of the program."""
        self._end(association)
        if not association.requested:
            return
        fitting = [each for each in self._intents if each.asked == association.remote]
        if entry.thread:
            fitting = [each for each in fitting if each.thread == entry.thread][-1:]
        if len(fitting) == 1:
            self._talk(association).intent = fitting[0]
            self._intents.remove(fitting[0])

    def _end(self, association: Association) -> None:
        talk = self._talks.pop(association, None)
        for move in talk.moves.values() if talk else ():
            self._close(move)

    def _close(self, move: _Move) -> None:
        """Note that *move* is over."""
        for same in (self._under_way.get(move.originator, []), self._asked.get(move.called, [])):
            same[:] = [each for each in same if each is not move]
        self._without_study.pop(id(move), None)
        self._intents = [each for each in self._intents if each.move is not move]

    def _intend(self, association: Association, entry: Entry, found: re.Match[str]) -> None:
        move = self._talk(association).last_served
        if move is not None:
            uids = frozenset(found["uids"].replace(",", " ").split())
            self._intents.append(_Intent(found["asked"].strip(), entry.thread, move, uids))

    def _read_message(self, association: Association, message: Message, entry: Entry) -> None:
        self._shows_messages = True
        talk = self._talk(association)
        match message.kind:
            case "C-MOVE-RQ" if message.sent == association.requested:
                self._request(association, message, entry)
            case "C-MOVE-RSP" if message.sent != association.requested and message.status not in _PENDING:
                if move := talk.moves.pop(message.message_id, None):
                    move.response = message
                    self._close(move)
            case "C-STORE-RQ" if message.sent == association.requested:
                talk.stores[message.message_id] = self._store(association, message, entry)
            case "C-STORE-RSP" if message.sent != association.requested:
                store = talk.stores.pop(message.message_id, None) or self._store(association, message, entry)
                store.status = message.status

    def _request(self, association: Association, message: Message, entry: Entry) -> None:
        talk, served = self._talk(association), not association.requested
        if message.message_id in talk.moves:  # never answered
            self._close(talk.moves.pop(message.message_id))
        move = _Move(association, message.message_id, entry.moment, message.destination, served)
        if talk.intent is not None:
            move.because_of = talk.intent.move
            move.study_uids |= talk.intent.study_uids
        self._moves.append(move)
        talk.moves[message.message_id] = move
        self._under_way.setdefault(move.originator, []).append(move)
        if not served:
            self._asked.setdefault(move.called, []).append(move)
        if not move.study_uids:
            self._without_study[id(move)] = move

    def _store(self, association: Association, message: Message, entry: Entry) -> _Stored:
        store = _Stored(association, self._place, entry.moment, message)
        self._stores.append(store)
        for served in (True, False):
            moves = self._under_way.get((served, message.originator, message.originator_message_id), [])
            if len(moves) == 1:
                moves[0].stores.append(store)
        if not (message.originator or store.sent):  # from a peer that names no Move Originator
            moves = self._asked.get(association.remote, [])
            if len(moves) == 1:
                moves[0].stores.append(store)
        return store

    def logged(self, sought: Sought) -> Logged:
        """Return what concerns the study."""
        if self._accepted & sought.archive_titles:
            return self._of_archive(sought)
        served = [each for each in self._moves if each.served]
        records = tuple(record for each in served if (record := _served(each, sought)) is not None)
        ours = [each for each in served if sought.study_uid in _studies(each, sought)]
        return Logged(
            records,
            self._legs(sought, ours, _witness(ours)),
            frozenset(self._accepted),
            shows_messages=self._shows_messages,
        )

    def _of_archive(self, sought: Sought) -> Logged:
        requests = [
            each
            for each in self._moves
            if each.served and each.calling == sought.calling and sought.study_uid in each.study_uids
        ]
        of = set(map(id, requests))
        asked = [
            each
            for each in self._moves
            if each.because_of is not None and id(each.because_of) in of and sought.study_uid in each.study_uids
        ]
        return Logged(
            tuple(_asked(each, sought) for each in asked),
            self._legs(sought, [*requests, *asked], "the archive's log"),
            frozenset(self._accepted),
            is_archives=True,
            has_request=bool(requests),
            shows_messages=self._shows_messages,
        )

    def _legs(self, sought: Sought, moves: list[_Move], witness: str) -> tuple[Leg, ...]:
        """Return the C-STOREs of the study, or of what was sent for *moves* where nobody knows its instances."""
        sent_for = {id(store) for move in moves for store in move.stores}
        legs: dict[tuple[str, str], list[Store]] = {}
        for each in self._stores:
            if each.uid in sought.sop_instance_uids or (not sought.sop_instance_uids and id(each) in sent_for):
                legs.setdefault((each.calling, each.called), []).append(each.stated())
        return tuple(Leg(*pair, witness, tuple(stores)) for pair, stores in legs.items())


def _sent_by(move: _Move) -> list[_Stored]:
    """Return what the AE of the log sent for *move*, which it served."""
    return [each for each in move.stores if each.sent and each.called == move.destination]


def _studies(move: _Move, sought: Sought) -> set[str]:
    """Return the studies that *move*, which was served, is of, as far as the log tells."""
    if move.study_uids:
        return move.study_uids
    return {sought.study_uid for each in _sent_by(move) if each.uid in sought.sop_instance_uids}


def _served(move: _Move, sought: Sought) -> MoveRecord | None:
    """Return the record of a C-MOVE that the external archive served; None where it is of another study."""
    studies = _studies(move, sought)
    if studies and sought.study_uid not in studies:
        return None
    record = _record(move, sought.study_uid if studies else "")
    sent = _sent_by(move)
    if record.completed is None and sent:  # without a final response, what was stored until then
        stored = sum(each.stated().is_stored for each in sent)
        return replace(record, completed=stored, failed=len(sent) - stored)
    return record


def _asked(move: _Move, sought: Sought) -> MoveRecord:
    """Return the record of a C-MOVE that the archive sent; what came by it and was forwarded is counted."""
    record = replace(_record(move, sought.study_uid), by_archive=True)
    request = move.because_of
    if request is None or move.destination not in sought.archive_titles:
        return record
    came: dict[str, int] = {}
    for each in move.stores:
        if not each.sent and each.stated().is_stored:
            came.setdefault(each.uid, each.place)
    forwarded = {
        each.uid
        for each in request.stores
        if each.sent
        and each.called == request.destination
        and each.stated().is_stored
        and came.get(each.uid, each.place) < each.place
    }
    return replace(record, forwarded=len(forwarded))


def _record(move: _Move, study_uid: str) -> MoveRecord:
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


def _witness(moves: list[_Move]) -> str:
    names = sorted({each.called for each in moves})
    return f"{', '.join(names)}'s log" if names else "the external archive's log"
