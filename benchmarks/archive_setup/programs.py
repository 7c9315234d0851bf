"""Programs of others that run beside what is measured."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.lab.site import LOOPBACK

#: By full path: the virtual environment has programs of pynetdicom with the same names.
DCMTK = Path("/usr/bin")
#: What dcmtk takes for TCP_NODELAY (RFC 896), and what it does where nobody sets that.
NO_DELAY: Mapping[str, str] = {"TCP_NODELAY": "1"}
AS_INSTALLED: Mapping[str, str] = {}
_START_S = 20.0


@contextmanager
def running(command: Sequence[str | Path], title: str, port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run *command* until the block ends, with *environment* too; *title* answers C-ECHO on *port* when this yields."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*map(str, command)], env=os.environ | environment, stdout=quiet, stderr=quiet)
    try:
        _await_echo(title, port)
        yield
    finally:
        process.terminate()
        process.wait()


def _await_echo(title: str, port: int) -> None:
    deadline = time.monotonic() + _START_S
    command = (str(DCMTK / "echoscu"), "-aec", title, LOOPBACK, str(port))
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise AssertionError(f"nobody answers on port {port}")
        time.sleep(0.05)


def seconds_of(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, str]:
    """Return how long *command* takes, with *environment* too, and its standard output; raises when it fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True, text=True)
    return time.perf_counter() - begun, done.stdout
