"""How long ``dcmcfg --help`` takes beside ``python -c "import click"``: medians of runs made in turn."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence


def milliseconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each; the first of each is not counted")
    runs = parser.parse_args().runs
    program = [sys.executable, "-c", "from dcmcfg.cli.main import main; main()", "--help"]
    floor = [sys.executable, "-c", "import click"]
    pairs = [(milliseconds(program), milliseconds(floor)) for _ in range(runs + 1)][1:]
    ours, clicks = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"dcmcfg --help             {ours:6.1f} ms")
    print(f'python -c "import click"  {clicks:6.1f} ms')
    print(f"ratio                     {ours / clicks:6.2f}    (limit 2.5; medians of {runs})")


if __name__ == "__main__":
    main()
