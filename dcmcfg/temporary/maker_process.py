"""Who works with a temporary destination: this process, or one that may be gone.

Kept apart: it loads psutil, and temporary.claim does not.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime

import psutil

from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.rollout.lock import get_account_name

#: Two looks at when a process was started may differ by a second, since the clock is set now and then.
_START_TIME_TOLERANCE_S = 2


def describe_this_process(now: datetime) -> OwnerProcess:
    """Return this process as the maker of something at *now*."""
    return OwnerProcess(
        user=get_account_name(),
        host=socket.gethostname(),
        pid=os.getpid(),
        started=int(psutil.Process().create_time()),
        created=now,
    )


def is_on_this_machine(owner: OwnerProcess) -> bool:
    """Tell whether *owner* is, or was, a process of this machine, as far as the machine's name tells."""
    return owner.host == socket.gethostname()


def is_running(owner: OwnerProcess) -> bool:
    """Tell whether the process is there still; its number alone may be another's by now."""
    try:
        return abs(psutil.Process(owner.pid).create_time() - owner.started) <= _START_TIME_TOLERANCE_S
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and not ours to look at
        return True
