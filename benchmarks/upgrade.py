"""How long the plan of an upgrade from 5.23.0 takes, and how it grows: hospitals of 3,100 to 40,000 entries.

Needs the releases in the folders of DCMCFG_UPSTREAM and DCMCFG_RELEASES. More entries are more devices of
modalities, which no update file knows: they should cost no more than reading them does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from dcmcfg.entry import Attribute, Entry
from dcmcfg.files.release import read_release
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.new_problems import find_new_problems
from dcmcfg.upgrade.preparation import prepare_upgrade

SOURCE, TARGET = "5.23.0", "5.33.1"
SIZES = (3_100, 20_000, 40_000)
LIMIT = 2.5
_DEVICE_ENTRIES = 5


def load_generator(releases: Path) -> Any:
    """Return the generator of customised trees, next to the folder of the releases."""
    spec = spec_from_file_location("customise", releases.parent / "customise.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_hospital(generator: Any, folder: Path, size: int) -> Tree:
    """Return a hospital with about *size* entries."""
    site = generator.build("hospital", folder)
    for number in range(max(0, size - len(site)) // _DEVICE_ENTRIES):
        site.add_modality(f"M{number}", f"M_{number}", f"m{number}.example.org", 104, ("1.2.840.10008.5.1.4.1.1.2",))

    def iterate() -> Iterator[Entry]:
        for each in site.values():
            yield Entry(
                each.dn, tuple(Attribute(name, tuple(values)) for name, values in each.attributes.items() if values)
            )

    return Tree.from_entries(load_bundled_schema(), iterate())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    folders = [os.environ.get(name, "") for name in ("DCMCFG_UPSTREAM", "DCMCFG_RELEASES")]
    if not all(folders):
        print("not measured: DCMCFG_UPSTREAM and DCMCFG_RELEASES name no folders")
        return
    upstream, releases = map(Path, folders)
    updates = (upstream / "updates", releases / "updates")
    source, target = read_release(releases / SOURCE, updates), read_release(upstream / TARGET, updates)
    generator = load_generator(releases)
    before: tuple[int, float] | None = None
    for size in SIZES:
        tree = make_hospital(generator, releases / SOURCE, size)
        taken = []
        for _ in range(runs):
            # A tree keeps what it has looked up.
            fresh = replace(tree)
            begun = time.process_time()
            with pause_garbage_collection():
                upgrade = prepare_upgrade(fresh, source, target, source)
                find_new_problems(upgrade.plan, datetime.now(UTC))
            taken.append(time.process_time() - begun)
        seconds, count = statistics.median(taken), len(tree.entries)
        line = f"{count:7,} entries: {seconds:6.2f} s, {len(upgrade.plan.changes)} changes"
        if before is not None:
            ratio = (seconds / before[1]) / (count / before[0])
            line += f"; {ratio:.2f} times the time for an entry"
            assert ratio < LIMIT, line
        print(line)
        before = count, seconds


if __name__ == "__main__":
    main()
