"""Report that a server takes long to respond.

Kept apart: the clients of the directory server and of the archive's web services both use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

#: Called with a line about the response that dcmcfg waits for.
OnWait = Callable[[str], None]
#: Seconds after which a response counts as slow.
SLOW_AFTER_S = 3.0


def describe_wait(url: str) -> str:
    """Return the line for :data:`OnWait` about the server at *url*."""
    return f"no response yet from {url}; waiting"


@contextmanager
def report_slow_response(url: str, on_wait: OnWait | None, slow_after_s: float = SLOW_AFTER_S) -> Iterator[None]:
    """Call *on_wait*, in a thread, if the server at *url* has not responded after *slow_after_s* seconds in the block.

    Without *on_wait*, nothing is reported.
    """
    if on_wait is None:
        yield
        return
    timer = Timer(slow_after_s, on_wait, (describe_wait(url),))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
