"""Somebody who looks at a lock at the very moment at which another wants it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest


class Clock:
    """Stands still; *handle* is closed, and its lock let go of, when somebody waits."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, _: float) -> None:
        os.close(self._handle)


def look_until_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the lock of *path* as one who looks does, until whoever wants it waits for the first time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_SH)
    monkeypatch.setattr("dcmcfg.rollout.lock.time", Clock(handle))
