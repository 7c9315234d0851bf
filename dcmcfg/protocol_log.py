"""The log of protocol requests that ``-v`` prints: one line for each LDAP, DICOM and HTTP request.

:data:`PROTOCOL_LOG` is the log of this process. Its level is 0 unless :func:`enable_protocol_log` raises it, so the
modules that send requests build no text: they test :attr:`ProtocolLog.level` first. Level 1 has one line for each
request, level 2 also the structure of messages. Secrets, values and octets are never logged: the callers log names,
numbers and lengths only. Lines come from several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PrintLine = Callable[[str], None]
_DETAILED = 2


def _print_nothing(_: str) -> None:
    """Print nothing."""


class ProtocolLog:
    """Prints a line for each request; ``level`` is 0 (off), 1, or 2 and more (with details)."""

    def __init__(self) -> None:
        self.level = 0
        self.print_line: PrintLine = _print_nothing

    @property
    def is_detailed(self) -> bool:
        """Whether details are printed."""
        return self.level >= _DETAILED

    def log(self, protocol: str, request: str, result: str = "", started: float | None = None) -> None:
        """Print *request* of *protocol* with its *result*, and the seconds since *started* (:func:`time.monotonic`)."""
        duration = "" if started is None else f" ({time.monotonic() - started:.3f} s)"
        self.print_line(f"{protocol}: {request}{': ' if result else ''}{result}{duration}")

    def log_detail(self, protocol: str, text: str) -> None:
        """Print *text*, indented, if details are printed."""
        if self.is_detailed:
            self.print_line(f"{protocol}:   {text}")


PROTOCOL_LOG = ProtocolLog()


@contextmanager
def enable_protocol_log(level: int, print_line: PrintLine) -> Iterator[None]:
    """Raise the level of :data:`PROTOCOL_LOG` by *level* for the time of the block; lines go to *print_line*."""
    before = PROTOCOL_LOG.level, PROTOCOL_LOG.print_line
    PROTOCOL_LOG.level, PROTOCOL_LOG.print_line = before[0] + level, print_line
    try:
        yield
    finally:
        PROTOCOL_LOG.level, PROTOCOL_LOG.print_line = before
