"""Which C-MOVE of a run is about which study, so that what arrives counts for the one that had it sent."""

from __future__ import annotations

import secrets
import threading
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.dicom.receive import ReceivedInstance
from dcmcfg.verify.verdict import counted

#: Message IDs of a run: far from those with which others begin to count.
_MESSAGE_IDS = range(0x1000, 0x8000)


@dataclass(frozen=True, eq=False)
class Try:
    """One time that a study is asked for, by one C-MOVE or by several."""

    study: str


class Requests:
    """The Message IDs of a run that calls as *calling*; several threads may use them.

    A C-STORE names the C-MOVE that it is for by Move Originator AE Title and Message ID (PS3.7 Section 9.1.1.1). An
    archive need not say so, and one that has another archive send may name a number of its own: then the study in the
    data set is what there is to go by.
    """

    def __init__(self, calling: str) -> None:
        self._calling = calling
        self._free = deque(_MESSAGE_IDS)
        self._free.rotate(secrets.randbelow(len(_MESSAGE_IDS)))
        self._tries: dict[int, Try] = {}
        self._astray: Counter[tuple[str | None, str | None]] = Counter()  # by the study it was sent for, and its own
        self._lock = threading.Lock()

    def of(self, asked: Try) -> Generator[int]:
        """Yield Message IDs for C-MOVEs of *asked*, each when the one before is over; close it when the last one is.

        None is that of another C-MOVE under way. One that is over is the last to be given out again: until then
        what comes late counts for nothing else.
        """
        while True:
            with self._lock:
                number = self._free.popleft()
                self._tries[number] = asked
            try:
                yield number
            finally:
                with self._lock:
                    self._free.append(number)

    def is_for(self, asked: Try, instance: ReceivedInstance) -> bool:
        """Tell whether it was sent for *asked*: for one of its C-MOVEs, or for none of ours and its study."""
        named = self._named_by(instance)
        return named is asked if named else instance.study_uid == asked.study

    def study_of(self, instance: ReceivedInstance) -> str | None:
        """Return the study for which it was sent: of the C-MOVE that it names, else the one that its data set names."""
        named = self._named_by(instance)
        return named.study if named else instance.study_uid

    def note(self, asked: Try, taken: Iterable[ReceivedInstance]) -> None:
        """Remember what is of other studies among that which was *taken* for *asked*."""
        others = [(asked.study, each.study_uid) for each in taken if each.study_uid not in (None, asked.study)]
        with self._lock:
            self._astray.update(others)

    def astray(self, asked: Try, waiting: Iterable[ReceivedInstance]) -> Iterator[str]:
        """Yield in words what was sent for one study and is of another, where one of them is that of *asked*.

        It was noted, or is still *waiting* to be taken. What came for an earlier try, and counts for none, is the last.
        """
        uid, waits = asked.study, tuple(waiting)
        with self._lock:
            noted = self._astray.copy()
        sent = noted + Counter((self.study_of(each), each.study_uid) for each in waits)
        for (sender, study), number in sent.items():
            if study == uid != sender:
                yield f"{counted(number)} of it came by the C-MOVE of study {sender}, for which it counts"
        for (sender, study), number in noted.items():
            if sender == uid:
                yield f"{counted(number)} of study {study} came by its C-MOVE"
        if late := sum(self.study_of(each) == uid and not self.is_for(asked, each) for each in waits):
            yield f"{counted(late)} came for an earlier C-MOVE of it, too late to count"

    def _named_by(self, instance: ReceivedInstance) -> Try | None:
        number = instance.move_originator_message_id
        if instance.move_originator_ae_title != self._calling or number is None:
            return None
        return self._tries.get(number)
