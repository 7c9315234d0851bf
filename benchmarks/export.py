"""How long an export takes, next to OpenLDAP's own ldapsearch of the same tree.

Both run as whole processes in turn, so the Python start-up counts; the ratio of the medians is what says something.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import site_files

RUNS = 15
PASSWORD = "benchmark"


def main() -> None:
    """Print the median of each and their ratio."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        slapd = Slapd(Path(folder), port=port, root_password=PASSWORD)
        slapd.prepare()
        slapd.load(site_files())
        with slapd:
            identity = ("-x", "-H", slapd.url, "-D", slapd.root_dn, "-w", PASSWORD, "-b", slapd.suffix)
            commands = {
                "dcmcfg export-ldif": (sys.executable, "-m", "dcmcfg", "export-ldif", "--with-secrets"),
                "ldapsearch": ("/usr/bin/ldapsearch", "-LLL", *identity),
            }
            environment = os.environ | {"DCMCFG_LDAP_URL": slapd.url, "DCMCFG_BIND_PASSWORD": PASSWORD}
            report({name: median(command, environment) for name, command in commands.items()})


def median(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return the median wall time of *command* in seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def report(seconds: dict[str, float]) -> None:
    """Print the figures and the ratio."""
    for name, value in seconds.items():
        print(f"  {name:<20} {value * 1000:7.1f} ms (median of {RUNS})")
    print(f"  ratio {seconds['dcmcfg export-ldif'] / seconds['ldapsearch']:.2f}")


if __name__ == "__main__":
    main()
