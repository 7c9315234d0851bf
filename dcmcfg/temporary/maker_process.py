"""Identify the process that uses a temporary destination, and check whether it still runs.

Kept apart: it loads psutil, which title_claims does not need.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime

import psutil

from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.rollout.lock import get_account_name

#: Two readings of a process's start time may differ by a second, because the clock may be adjusted in between.
_START_TIME_TOLERANCE_S = 2


def describe_this_process(now: datetime) -> OwnerProcess:
    """Return this process as the owner of a destination created at *now*."""
    return OwnerProcess(
        user=get_account_name(),
        host=socket.gethostname(),
        pid=os.getpid(),
        started=int(psutil.Process().create_time()),
        created=now,
    )


def is_on_this_machine(owner: OwnerProcess) -> bool:
    """Return whether *owner* is or was a process of this machine, by the machine's name."""
    return owner.host == socket.gethostname()


def is_running(owner: OwnerProcess) -> bool:
    """Return whether the process still runs, by number and start time: another process may have the number now."""
    try:
        return abs(psutil.Process(owner.pid).create_time() - owner.started) <= _START_TIME_TOLERANCE_S
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # The process exists, but this account may not inspect it.
        return True
