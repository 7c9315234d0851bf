"""How long ``dcmcfg monitor`` takes on a healthy site with one node, as a whole process.

The site is a lab: slapd with the lab's tree (some 1,080 entries), and the stand-in archive. All parts run that such a
site has: directory, nodes, loaded, check, echo and certificates. With ``--against``, the tree is also compared with a
snapshot. ``import`` is the same process with ``--help`` only: Python, the libraries and the modules of the command.
Processor time is that of dcmcfg; if other programs run on the machine, it is more reliable than the time on the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Seconds on the clock for a healthy site with one node.
LIMIT_S = 1.0
SNAPSHOT = "site.snapshot"
MONITOR = "monitor"
#: Name → the arguments of dcmcfg.
RUNS: Mapping[str, tuple[str, ...]] = {
    "import": ("monitor", "--help"),
    MONITOR: ("monitor",),
    "monitor --against": ("monitor", "--against", SNAPSHOT),
    "monitor --only nodes": ("monitor", "--only", "nodes"),
}


def measure(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return the seconds on the clock and of the processor of one run in *folder*."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dcmcfg", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print a row for each kind of run; return 1 if a check takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("CONFIG", "STATE"):
            os.environ[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
        os.environ["DCMCFG_PROFILE"] = "lab"
        # An installation has the bytecode of all modules. Here it is written by the first commands.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        dcmcfg = [sys.executable, "-m", "dcmcfg"]
        subprocess.run([*dcmcfg, "lab", "up"], check=True, stdout=subprocess.DEVNULL)
        try:
            subprocess.run([*dcmcfg, "snapshot", SNAPSHOT], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            for arguments in RUNS.values():
                measure(arguments, folder)
            found = {run: [measure(arguments, folder) for _ in range(runs)] for run, arguments in RUNS.items()}
        finally:
            subprocess.run([*dcmcfg, "lab", "down"], check=True, stdout=subprocess.DEVNULL)
    print(f"{'run':24} {'fastest':>9} {'median':>9} {'processor':>9}   seconds, {runs} runs")
    for run, times in found.items():
        clock, processor = ([each[index] for each in times] for index in (0, 1))
        print(f"{run:24} {min(clock):9.2f} {statistics.median(clock):9.2f} {min(processor):9.2f}")
    is_fast = min(each[0] for each in found[MONITOR]) < LIMIT_S
    print(f"monitor, fastest run: {'less' if is_fast else 'MORE'} than {LIMIT_S:g} s")
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
