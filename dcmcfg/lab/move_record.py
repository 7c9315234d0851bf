"""A record of C-MOVEs: JSON objects, one a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from dcmcfg.lab.move_scp import MoveRequest


class MoveRecord:
    """The record in the file *path*, to which several threads may add; its folder must exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def add(self, request: MoveRequest, **more: object) -> None:
        """Append a line that says who asked whom for what, and when, with what *more* is known."""
        line = {
            "time": datetime.now(UTC).isoformat(),
            "calling": request.calling,
            "called": request.called,
            "destination": request.destination,
            "study_uid": request.study_uid,
            **more,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
