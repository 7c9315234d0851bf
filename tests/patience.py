"""How long tests wait for what must come: so long that it comes on a loaded machine, too.

Nothing waits so long where all is well. What must not come, or takes time on purpose, is no matter of patience.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dcmcfg.dicom.peer import DicomTimeouts

PATIENCE_S = 120.0
#: For peers that answer.
PATIENT = DicomTimeouts(connect=PATIENCE_S, acse=PATIENCE_S, dimse=PATIENCE_S, network=PATIENCE_S)
_STEP_S = 0.02


def comes_true(condition: Callable[[], bool]) -> bool:
    """Wait until *condition* is true; return whether it is."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP_S)
    return True
