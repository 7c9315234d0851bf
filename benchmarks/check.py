"""How long ``dcmcfg check`` takes in proportion to its schema part alone, and how that grows, up to 100,000 entries.

The tree is the lab's archive beside many modalities (``dcmcfg/lab/large_tree.py``), in a file. Each command runs as a
process of its own, so its time includes the start, reading the file and printing the findings. *Checks* are the same
without these, in this process. All times are processor time, medians of runs that alternate.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from archive_setup.rows import verdict
from new_errors import tree

from dcmcfg.ldif.writer import format_entry
from dcmcfg.lint.catalogue import CHECK_RULES
from dcmcfg.lint.checker import CheckSubject, check_configuration, select_rules
from dcmcfg.schema.findings import CheckRule

SIZES = (10_000, 30_000, 100_000)
LIMIT = 2.5
GROWTH_LIMIT = 1.5
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = ("--only", "schema")


def measure_command(file: Path, *arguments: str) -> float:
    """Return the seconds of ``dcmcfg check FILE`` with *arguments*."""
    before = os.times()
    command = (sys.executable, "-m", "dcmcfg", "check", str(file), *arguments)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure_checks(count: int, rules: Sequence[CheckRule]) -> float:
    """Return the seconds of *rules* on a tree of *count* entries that nothing has looked at yet."""
    subject = CheckSubject.from_tree(tree(count))
    begun = time.process_time()
    check_configuration(subject, NOW, rules)
    return time.process_time() - begun


def main() -> None:
    """Print the times of each size, their ratios, and how they grow from one size to the next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each size; medians are shown")
    runs = parser.parse_args().runs
    schema_rules = select_rules(("schema",), (), ())
    last: tuple[int, float] | None = None
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "site.ldif"
            with file.open("w") as text:
                text.writelines(map(format_entry, tree(count).sorted_entries()))
            commands = [(measure_command(file, *SCHEMA), measure_command(file)) for _ in range(runs)]
        checks = [(measure_checks(count, schema_rules), measure_checks(count, CHECK_RULES)) for _ in range(runs)]
        print(f"{count:6} entries:        schema part    all parts")
        whole = 0.0
        for name, taken in (("command", commands), ("checks", checks)):
            alone, whole = (statistics.median(each) for each in zip(*taken, strict=True))
            ratio = statistics.median(both / one for one, both in taken)
            met = verdict(LIMIT, is_met=ratio <= LIMIT)
            print(f"  {name:12} {alone:15.2f} s {whole:10.2f} s  ratio {ratio:4.2f} {met}")
            if name == "command" and last is not None:
                growth = whole / last[1] / (count / last[0])
                met = verdict(GROWTH_LIMIT, is_met=growth <= GROWTH_LIMIT)
                print(f"  growth       {growth:32.2f} of linear {met}")
            if name == "command":
                last = count, whole


if __name__ == "__main__":
    main()
