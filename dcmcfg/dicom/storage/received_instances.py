"""What has arrived at a storage SCP, shared between its threads and whoever waits for it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dcmcfg.dicom.status import SUCCESS

_MAX_PROBLEMS = 100


@dataclass(frozen=True, kw_only=True)
class ReceivedInstance:
    """An instance that arrived: from the request, and the study from its data set (None where that does not say).

    ``data_set_length`` is the length of the data set as encoded. ``move_originator_ae_title`` and ``…_message_id`` name
    the C-MOVE that it was sent for (0000,1030 and 1031), None unless the sender named one. ``fingerprint`` is that of
    the data set as it came, ``sha256`` its digest, in hexadecimal, None where none was asked for. ``saved_path`` is the
    file that it was written to; None where none is kept, or ``problem`` says why. ``received_at`` is when the last
    octet was there, ``status`` what the C-STORE was answered with. ``started_monotonic`` is when its request was there,
    in seconds of :func:`time.monotonic`; None where that is not known.
    """

    sop_instance_uid: str
    sop_class_uid: str
    study_uid: str | None
    calling_ae_title: str
    move_originator_ae_title: str | None
    data_set_length: int
    transfer_syntax: str
    fingerprint: bytes = b""
    sha256: str | None = None
    saved_path: Path | None = None
    problem: str = ""
    received_at: datetime | None = None
    move_originator_message_id: int | None = None
    status: int = SUCCESS
    started_monotonic: float | None = None


class ReceivedInstances:
    """Instances in the order in which they arrived; one that came twice is there twice. Threads may share it."""

    def __init__(self) -> None:
        self._instances: list[ReceivedInstance] = []
        self._problems: dict[str, None] = {}
        self._changed = threading.Condition()

    def add(self, instance: ReceivedInstance) -> None:
        """Add *instance*, and wake those who wait."""
        with self._changed:
            self._instances.append(instance)
            self._changed.notify_all()

    def to_tuple(self) -> tuple[ReceivedInstance, ...]:
        """Return what has arrived and was not taken."""
        with self._changed:
            return tuple(self._instances)

    def count(self) -> int:
        """Return how many have arrived and were not taken."""
        return len(self._instances)

    def record_problem(self, problem: str) -> None:
        """Record *problem* with a sender, up to a hundred of them."""
        with self._changed:
            if len(self._problems) < _MAX_PROBLEMS:
                self._problems[problem] = None

    def list_problems(self) -> tuple[str, ...]:
        """Return the recorded problems, each once."""
        with self._changed:
            return tuple(self._problems)

    def take(self, predicate: Callable[[ReceivedInstance], bool]) -> tuple[ReceivedInstance, ...]:
        """Remove the instances for which *predicate* is true, and return them in order."""
        with self._changed:
            taken = tuple(filter(predicate, self._instances))
            self._instances[:] = itertools.filterfalse(predicate, self._instances)
        return taken

    def wait_until(self, condition: Callable[[Sequence[ReceivedInstance]], bool], seconds: float) -> bool:
        """Wait at most *seconds* until *condition* is true of what has arrived; tell whether it is.

        It is asked at each arrival, which waits meanwhile, of the list itself: it is not to keep it.
        """
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._instances), seconds)
