"""How long a changing command takes to find the errors that its plan makes new: 3,000, 12,000 and 48,000 entries.

The tree is the lab's archive beside many modalities (``dcmcfg/lab/large_tree.py``). One plan sets an attribute of the
archive and makes an error, another one describes each AE. The tree is made anew for each run, so that nothing is left
of the last one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from dcmcfg.changes import Change, Modification, Modify, Operation
from dcmcfg.entry import Entry
from dcmcfg.lab.large_tree import generate_large_tree
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.lint.new_violations import find_new_violations
from dcmcfg.lint.plan_risks import assess_plan_risks
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.definitions import load_bundled_schema

SIZES = (3_000, 12_000, 48_000)
LIMIT_S = 0.2
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def tree(count: int) -> Tree:
    """Return the lab's tree with modalities, *count* entries in all."""
    lab = tuple(
        load_site_entries(
            Ports(
                ldap=11112, http=8080, archive=11115, external=11117, storage=11119, archive_tls=2762, workstation=10389
            )
        )
    )
    known = {str(entry.dn) for entry in lab}
    others = [entry for entry in generate_large_tree(count) if str(entry.dn) not in known]
    return Tree.from_entries(load_bundled_schema(), (*lab, *others)[:count])


def one_setting(entries: Tree) -> list[Change]:
    """Return the change that names a fallback archive that does not exist."""
    (archive,) = (entry for entry in entries.entries.values() if entry.is_a("dcmArchiveDevice"))
    return [_setting(archive, "dcmFallbackCMoveSCP", "NOBODY")]


def each_ae(entries: Tree) -> list[Change]:
    """Return changes that describe every AE."""
    aes = (entry for entry in entries.entries.values() if entry.is_a("dicomNetworkAE"))
    return [_setting(entry, "dicomDescription", "described anew") for entry in aes]


def _setting(entry: Entry, name: str, value: str) -> Modify:
    return Modify(entry.dn, (Modification(Operation.REPLACE, name, (value.encode(),)),))


def measured(count: int, changes: Callable[[Tree], list[Change]], runs: int) -> tuple[int, float, float]:
    """Return the steps, and the medians of processor time for the new errors and for the risks, in seconds."""
    errors, risks, steps = [], [], 0
    for _ in range(runs):
        before = tree(count)
        plan = make_plan(before, [DesiredChange(change) for change in changes(before)])
        begun = time.process_time()
        list(find_new_violations(plan, NOW))
        found = time.process_time()
        assess_plan_risks(plan, NOW, device="dcm4chee-arc")
        errors.append(found - begun)
        risks.append(time.process_time() - found)
        steps = len(plan.steps)
    return steps, statistics.median(errors), statistics.median(risks)


def main() -> None:
    """Print the times for each size and plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each size; medians are shown")
    runs = parser.parse_args().runs
    for count in SIZES:
        for name, changes in (("one setting", one_setting), ("each AE", each_ae)):
            steps, errors, risks = measured(count, changes, runs)
            limit = f"   (limit {LIMIT_S * 1000:.0f} ms)" if count == SIZES[0] else ""
            print(f"{count:6} entries, {name} ({steps} steps):")
            print(f"  new errors {errors * 1000:8.1f} ms{limit}")
            print(f"  risks      {risks * 1000:8.1f} ms")


if __name__ == "__main__":
    main()
