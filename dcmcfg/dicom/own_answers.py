"""Answers by the request that they are to (Message ID Being Responded To, PS3.7 §9.3)."""

from __future__ import annotations

import time
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider


class OwnAnswers:
    """Passes over what answers another request than the one that is waited for: pynetdicom takes any answer.

    On an association that is used many times, a peer that answers a request twice would else have its second answer
    taken for that to the next one. ``stray`` is the Message ID of the last answer that was passed over.
    """

    def __init__(self, dimse: DIMSEServiceProvider) -> None:
        self.awaited: int | None = None
        self.stray: int | None = None
        self._dimse = dimse
        self._next = dimse.get_msg
        dimse.get_msg = self.get_msg  # type: ignore[method-assign]

    def get_msg(self, block: bool = False) -> Any:
        """Return the next request of the peer, or its answer to the request that is waited for, as the original does.

        Nothing, ``(None, None)``, when that does not come in time, whatever else comes.
        """
        deadline = time.monotonic() + (self._dimse.dimse_timeout or float("inf"))
        while True:
            context_id, message = self._next(block)
            answers = getattr(message, "MessageIDBeingRespondedTo", None)
            if answers is None or self.awaited in (None, answers):
                return context_id, message
            self.stray = answers
            if time.monotonic() >= deadline:
                return None, None
