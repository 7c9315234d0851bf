"""Run a lab process: start, report readiness, serve until SIGTERM, end cleanly."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from pynetdicom.association import Association

from dcmcfg.errors import DcmcfgError
from dcmcfg.lab.pynetdicom_fixes import abort_association, silence_pynetdicom
from dcmcfg.lab.site import Site

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
#: Seconds for the threads of associations to end, and between two looks at them.
_END_TIMEOUT_S, _END_POLL_S = 10.0, 0.05


def run_process(serve: Callable[[Site], AbstractContextManager[object]], arguments: list[str]) -> int:
    """Run ``python -m dcmcfg.lab.<name> LABFOLDER [NODE]`` and return the exit code.

    *serve* returns a context manager within which the process serves. ``ready`` is printed on standard output when it
    is entered; log lines go to standard error. The exit code is 0 after SIGTERM or SIGINT, 2 for wrong usage, and 3,
    with one line of explanation, if the process cannot serve.
    """
    folder, *rest = arguments or [""]
    if not folder or len(rest) > 1 or not "".join(rest or ["1"]).isdecimal():
        sys.stderr.write("usage: python -m dcmcfg.lab.<name> LABFOLDER [NODE]\n")
        return 2
    signal.pthread_sigmask(
        signal.SIG_BLOCK, _STOP_SIGNALS
    )  # before any thread starts, because threads inherit the mask
    _log_to_stderr()
    try:
        with serve(replace(Site.load(Path(folder)), node=int(rest[0]) if rest else 1)):
            sys.stdout.write("ready\n")
            # The supervisor waits for this line in the log.
            sys.stdout.flush()
            signal.sigwait(_STOP_SIGNALS)
    except DcmcfgError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        _end_associations()
    return 0


def _end_associations() -> None:
    """Abort open associations, because their threads would keep the process alive.

    Meanwhile, a thread that still serves a request may open further ones.
    """
    deadline = time.monotonic() + _END_TIMEOUT_S
    while time.monotonic() < deadline:
        associations = [each for each in threading.enumerate() if isinstance(each, Association)]
        if not associations:
            return
        for association in associations:
            abort_association(association)
        associations[0].join(_END_POLL_S)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    silence_pynetdicom()
