"""Which request of a run is about which study, so that what arrives counts for the C-MOVE that had it sent."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator

from dcmcfg.dicom.receive import ReceivedInstance
from dcmcfg.verify.verdict import counted

#: Message IDs of a run: none twice at a time, and far from those with which others begin to count.
_MESSAGE_IDS = range(0x1000, 0x8000)


class Requests:
    """The Message IDs of a run that calls as *calling*; several threads may use them.

    A C-STORE names the C-MOVE that it is for by Move Originator AE Title and Message ID (PS3.7 Section 9.1.1.1). An
    archive need not say so, and one that has another archive send may name a number of its own: then the study in the
    data set is what there is to go by.
    """

    def __init__(self, calling: str) -> None:
        self._calling = calling
        start = secrets.randbelow(len(_MESSAGE_IDS))
        self._numbers = itertools.cycle((*_MESSAGE_IDS[start:], *_MESSAGE_IDS[:start]))
        self._studies: dict[int, str] = {}
        self._astray: list[ReceivedInstance] = []
        self._lock = threading.Lock()

    def about(self, uid: str) -> Iterator[int]:
        """Yield Message IDs for requests about the study *uid*."""
        while True:
            with self._lock:
                number = next(self._numbers)
                self._studies[number] = uid
            yield number

    def study_of(self, instance: ReceivedInstance) -> str | None:
        """Return the study for which it was sent: of the C-MOVE that it names, else the one that its data set names."""
        if instance.move_originator_ae_title != self._calling or instance.move_originator_message_id is None:
            return instance.study_uid
        return self._studies.get(instance.move_originator_message_id, instance.study_uid)

    def note(self, taken: Iterable[ReceivedInstance]) -> None:
        """Remember those of *taken* that are of another study than the one for which they were sent."""
        astray = [each for each in taken if each.study_uid not in (None, self.study_of(each))]
        with self._lock:
            self._astray += astray

    def astray(self, uid: str, waiting: Iterable[ReceivedInstance]) -> Iterator[str]:
        """Yield in words what is of the study *uid* and was sent for others, noted or still *waiting* to be taken."""
        with self._lock:
            noted = tuple(self._astray)
        senders = Counter(self.study_of(each) for each in (*noted, *waiting) if each.study_uid == uid)
        for sender, number in senders.items():
            if sender != uid:
                yield f"{counted(number)} of it came by the C-MOVE of study {sender}, for which it counts"
        sent = Counter(each.study_uid for each in noted if self.study_of(each) == uid)
        for other, number in sent.items():
            yield f"{counted(number)} of study {other} came by its C-MOVE"
