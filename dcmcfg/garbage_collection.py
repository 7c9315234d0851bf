"""Pause Python's cycle collector while many entries are read.

Kept apart: all layers use this module, and it imports nothing of dcmcfg.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Pause the cycle collector inside the block.

    Entries are never part of cycles, and repeated scans of all entries do not take linear time. For 100,000 entries,
    the scans took as long as reading a file, and a sixth of the time of reading from a server. For an ``apply`` of
    1,500 adds, they took a twelfth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # This moves the new objects to the oldest generation. Otherwise the next collection would scan all of them.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
