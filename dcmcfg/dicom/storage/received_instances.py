"""Hold the instances that arrive at a storage SCP, shared between its threads and the waiting thread."""

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
    """A received instance, with values from the request and the study from its data set (None if absent).

    ``data_set_length`` is the length of the data set as encoded. ``move_originator_ae_title`` and ``…_message_id``
    identify the C-MOVE (0000,1030 and 1031), None unless sent. ``fingerprint`` is that of the data set as received,
    ``sha256`` its hexadecimal digest, None if not requested. ``saved_path`` is its file; None if files are not kept, or
    ``problem`` has the reason. ``received_at`` is the arrival time of the last octet, ``status`` the status of the
    C-STORE response. ``started_monotonic`` is the arrival time of the request, in seconds of :func:`time.monotonic`;
    None if unknown.
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
    """Instances in the order of their arrival; one that arrived twice is listed twice. Threads may share it."""

    def __init__(self) -> None:
        self._instances: list[ReceivedInstance] = []
        self._problems: dict[str, None] = {}
        self._changed = threading.Condition()

    def add(self, instance: ReceivedInstance) -> None:
        """Add *instance*, and wake the waiting threads."""
        with self._changed:
            self._instances.append(instance)
            self._changed.notify_all()

    def to_tuple(self) -> tuple[ReceivedInstance, ...]:
        """Return the instances that arrived and were not fetched yet."""
        with self._changed:
            return tuple(self._instances)

    def count(self) -> int:
        """Return the number of instances that arrived and were not fetched yet."""
        # The length of a list can be read without the lock; the receiver does so for each instance.
        return len(self._instances)

    def record_problem(self, problem: str) -> None:
        """Record *problem* of a sender; at most a hundred are kept."""
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
        """Wait at most *seconds* until *condition* is true for the received instances; return whether it is.

        *condition* is evaluated at each arrival, which waits for it, with the internal list: do not keep the list.
        """
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._instances), seconds)
