"""The program run over and over by one account, each time in a fork of a process that has loaded it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def forking(state: Path, environment: dict[str, str], **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The server (:mod:`tests.rollout.fork_server`) with these *settings*, and the account's folders beside *state*."""
    own = {name: value for name, value in environment.items() if not name.startswith("DCMCFG_")}
    own |= {f"DCMCFG_{name}": value for name, value in settings.items()}
    own |= {"XDG_STATE_HOME": str(state), "XDG_CONFIG_HOME": str(state.with_name("config"))}
    command = [sys.executable, "-m", "tests.rollout.fork_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=own) as server:
        try:
            yield server
        finally:
            server.kill()
