"""The C-MOVEs and C-STOREs that a log of dcm4che shows, each with those that the log connects to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from dcmcfg.verify.dcm4che_lines import Association, Entry, Message
from dcmcfg.verify.legs import Store

_ASKS = re.compile(
    r": (?:\d+|No|Some) objects of study\[(?P<uids>[0-9., ]*)\] .*? C-MOVE RQ to (?P<asked>.{1,16})", re.ASCII
)
#: The end of an association: closed, or aborted by one of the two.
_ENDS = re.compile(r": close |(?: <<| >>) A-ABORT")
#: C-MOVEs under way that one Move Originator may fit; with more, nobody can tell.
_MOST_AT_ONCE = 64
_PENDING = frozenset({0xFF00, 0xFF01})


@dataclass(eq=False)
class Move:
    """A C-MOVE; ``served`` says that the AE of the log was asked, else it asked another one."""

    association: Association
    message_id: int
    moment: datetime
    destination: str
    served: bool
    study_uids: set[str] = field(default_factory=set)
    because_of: Move | None = None
    response: Message | None = None  # the final one
    stores: list[Stored] = field(default_factory=list)  # of which the Move Originator may be this C-MOVE
    is_over: bool = False

    @property
    def calling(self) -> str:
        return self.association.remote if self.served else self.association.local

    @property
    def called(self) -> str:
        return self.association.local if self.served else self.association.remote

    @property
    def originator(self) -> Originator:
        return self.served, self.calling, self.message_id

    def may_be_of(self, study_uid: str) -> bool:
        """Return whether it is of that study, or nobody knows of which."""
        return not self.study_uids or study_uid in self.study_uids


#: Whether the AE of the log serves the C-MOVE; the Move Originator's title and Message ID.
Originator = tuple[bool, str, int]


@dataclass(eq=False)
class Stored:
    association: Association
    place: int  # in the order of all that happened
    moment: datetime
    message: Message
    status: int | None = None
    moves: list[Move] = field(default_factory=list)  # which may be the Move Originator
    #: How many of them may be of a study, by that and by whether the AE of the log serves them; counted once.
    _of_study: dict[tuple[str, bool], int] = field(default_factory=dict)

    def may_be_for(self, moves: Collection[Move]) -> None:
        """Note that *moves* are those under way that its Move Originator fits."""
        if len(moves) <= _MOST_AT_ONCE:
            self.moves += moves
            for each in moves:
                each.stores.append(self)

    def is_for(self, move: Move, study_uid: str, sop_instance_uids: frozenset[str]) -> bool:
        """Return whether it was sent for *move* (study *study_uid* with these instances) and for no other C-MOVE.

        Several callers may use one title and Message ID at a time: then the study tells which is meant, where each
        C-MOVE has one.
        """
        is_only_one = self._number("", served=move.served) == 1
        own = move.may_be_of(study_uid)
        of_other_studies = self._number(study_uid, served=move.served) == own
        return is_only_one or (self.uid in sop_instance_uids and of_other_studies)

    def _number(self, study_uid: str, *, served: bool) -> int:
        """Return how many of the C-MOVEs may be of the study, or how many there are where it is empty."""
        key = (study_uid, served)
        if key not in self._of_study:
            alike = (each for each in self.moves if each.served == served)
            self._of_study[key] = sum(not study_uid or each.may_be_of(study_uid) for each in alike)
        return self._of_study[key]

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
    """That the archive is about to ask *asked*, because of the C-MOVE *move*; ``is_over`` once it did or cannot."""

    asked: str
    thread: str
    move: Move
    study_uids: frozenset[str]
    is_over: bool = False


class _Intents:
    """What the archive is about to ask."""

    def __init__(self) -> None:
        self._number: Counter[str] = Counter()  # that are not over, by whom is asked
        self._asked: dict[str, list[_Intent]] = {}  # in order; those that are over are removed when they come last
        self._in_thread: dict[tuple[str, str], list[_Intent]] = {}
        self._of_move: dict[int, list[_Intent]] = {}

    def add(self, intent: _Intent) -> None:
        self._number[intent.asked] += 1
        self._asked.setdefault(intent.asked, []).append(intent)
        self._in_thread.setdefault((intent.asked, intent.thread), []).append(intent)
        self._of_move.setdefault(id(intent.move), []).append(intent)

    def take(self, asked: str, thread: str) -> _Intent | None:
        """Return the one to ask *asked* that is meant by a request of *thread*; None where that is not certain."""
        if thread:
            found = _last(self._in_thread.get((asked, thread), []))
        else:
            found = _last(self._asked.get(asked, [])) if self._number[asked] == 1 else None
        if found is not None:
            self._end(found)
        return found

    def drop(self, move: Move) -> None:
        """Forget those of *move*."""
        for each in self._of_move.pop(id(move), ()):
            if not each.is_over:
                self._end(each)

    def _end(self, intent: _Intent) -> None:
        intent.is_over = True
        self._number[intent.asked] -= 1


_MayEnd = TypeVar("_MayEnd", Move, _Intent)


def _last(found: list[_MayEnd]) -> _MayEnd | None:
    """Return the last of *found* that is not over, None where all are; those after it are removed."""
    while found and found[-1].is_over:
        found.pop()
    return found[-1] if found else None


@dataclass
class _Talk:
    """What is under way on one association, by Message ID."""

    moves: dict[int, Move] = field(default_factory=dict)
    served: list[Move] = field(default_factory=list)  # in order; some may be over
    stores: dict[int, Stored] = field(default_factory=dict)
    intent: _Intent | None = None

    @property
    def last_served(self) -> Move | None:
        return _last(self.served)


class Exchanges:
    """The C-MOVEs and C-STOREs in the entries that were read, in order.

    ``titles`` are the AE titles under which associations were accepted; ``shows_messages`` says that there was a DIMSE
    message at all.
    """

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.stores: list[Stored] = []
        self._talks: dict[Association, _Talk] = {}
        self._under_way: dict[Originator, dict[int, Move]] = {}  # by identity
        self._asked: dict[str, dict[int, Move]] = {}  # C-MOVEs under way that the AE of the log sent, by whom it asked
        self._without_study: dict[int, Move] = {}  # C-MOVEs under way, by identity
        self._intents = _Intents()
        self.titles: set[str] = set()  # titles under which associations were accepted
        self._place = 0
        self.shows_messages = False

    def read(self, entry: Entry) -> None:
        """Read the next entry."""
        self._place += 1
        association = entry.association
        if association is None:
            self._read_dump(entry)
            return
        if not association.requested:
            self.titles.add(association.local)
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

    def _tell_study(self, move: Move | None, study_uids: frozenset[str]) -> None:
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
        if (intent := self._intents.take(association.remote, entry.thread)) is not None:
            self._talk(association).intent = intent

    def _end(self, association: Association) -> None:
        talk = self._talks.pop(association, None)
        for move in talk.moves.values() if talk else ():
            self._close(move)

    def _close(self, move: Move) -> None:
        """Note that *move* is over."""
        move.is_over = True
        for same in (self._under_way.get(move.originator, {}), self._asked.get(move.called, {})):
            same.pop(id(move), None)
        self._without_study.pop(id(move), None)
        self._intents.drop(move)

    def _intend(self, association: Association, entry: Entry, found: re.Match[str]) -> None:
        move = self._talk(association).last_served
        if move is not None:
            uids = frozenset(found["uids"].replace(",", " ").split())
            self._intents.add(_Intent(found["asked"].strip(), entry.thread, move, uids))

    def _read_message(self, association: Association, message: Message, entry: Entry) -> None:
        self.shows_messages = True
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
        move = Move(association, message.message_id, entry.moment, message.destination, served)
        if talk.intent is not None:
            move.because_of = talk.intent.move
            move.study_uids |= talk.intent.study_uids
        self.moves.append(move)
        talk.moves[message.message_id] = move
        self._under_way.setdefault(move.originator, {})[id(move)] = move
        if served:
            talk.served.append(move)
        else:
            self._asked.setdefault(move.called, {})[id(move)] = move
        if not move.study_uids:
            self._without_study[id(move)] = move

    def _store(self, association: Association, message: Message, entry: Entry) -> Stored:
        store = Stored(association, self._place, entry.moment, message)
        self.stores.append(store)
        named = (message.originator, message.originator_message_id)
        for served in (True, False):
            store.may_be_for(self._under_way.get((served, *named), {}).values())
        if not (message.originator or store.sent):  # from a peer that names no Move Originator
            store.may_be_for(self._asked.get(association.remote, {}).values())
        return store
