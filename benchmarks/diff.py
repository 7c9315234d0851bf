"""How long a diff takes beside reading its two files, and how both grow: 1,000, 10,000 and 100,000 entries.

The second file has every attribute in another order, and one entry in a hundred changed: nothing may be passed over
because it looks the same.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dcmcfg.entry import Entry
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.writer import format_entry
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.schema.definitions import load_bundled_schema

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
CHANGED_EVERY = 100


def entries(count: int, *, second: bool) -> Iterator[Entry]:
    """Yield *count* entries: devices with a connection, an AE and seven transfer capabilities each."""
    for number in range(count):
        device, part = divmod(number, 10)
        above = f"dicomDeviceName=device{device},{DEVICES}"
        described = f"part {part} of {device}" + (" changed" if second and number % CHANGED_EVERY == 1 else "")
        match part:
            case 0:
                dn, own = above, {"objectClass": ("dicomDevice", "dcmDevice"), "dicomDeviceName": f"device{device}"}
            case 1:
                dn = f"cn=dicom,{above}"
                own = {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": f"host{device}"}
            case 2:
                dn = f"dicomAETitle=AE{device},{above}"
                own = {"dicomAETitle": f"AE{device}", "dicomNetworkConnectionReference": f"cn=dicom,{above}"}
            case _:
                dn = f"cn=capability {part},dicomAETitle=AE{device},{above}"
                own = {
                    "objectClass": "dicomTransferCapability",
                    "cn": f"capability {part}",
                    "dicomSOPClass": f"1.2.840.10008.5.1.4.1.1.{part}",
                    "dicomTransferSyntax": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"),
                }
        entry = Entry.from_values(dn, own | {"dicomDescription": described, "dicomInstalled": "TRUE"})
        yield Entry(entry.dn, entry.attributes[::-1]) if second else entry


class Seconds(NamedTuple):
    """What was spent on reading the records of both files, on making trees of them too, and on the diff alone."""

    records: float
    trees: float
    comparing: float

    @property
    def whole(self) -> float:
        return self.trees + self.comparing


def measured(count: int, runs: int) -> tuple[Seconds, int]:
    """Return the medians for *count* entries, and how many of them differ."""
    taken: list[Seconds] = []
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("first.ldif", "second.ldif")]
        for file, second in zip(files, (False, True), strict=True):
            with file.open("w") as text:
                text.writelines(map(format_entry, entries(count, second=second)))
        for _ in range(runs):
            begun = time.process_time()
            for file in files:
                with file.open("rb") as source:
                    read_all(source, file.name)
            records = time.process_time()
            before, after = (read_ldif_tree(file, load_bundled_schema()) for file in files)
            trees = time.process_time()
            with pause_garbage_collection():  # as the command does
                found = len(diff_trees(before, after).plan.steps)
            taken.append(Seconds(records - begun, trees - records, time.process_time() - trees))
    return Seconds(*map(statistics.median, zip(*taken, strict=True))), found


def main() -> None:
    """Print the times, their ratios, and how they grew from one size to the next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each size; medians are shown")
    runs = parser.parse_args().runs
    last: tuple[int, float] | None = None
    for count in (1_000, 10_000, 100_000):
        spent, found = measured(count, runs)
        print(f"{count:6} entries, {found} differ:")
        print(f"  reading both    {spent.records * 1000:8.1f} ms")
        print(f"  trees of both   {spent.trees * 1000:8.1f} ms, reading included")
        print(f"  diff            {spent.comparing * 1000:8.1f} ms")
        print(f"  ratio of trees with diff to reading {spent.whole / spent.records:5.2f}    (limit 3)")
        if last is not None:
            print(f"  growth          {spent.whole / last[1] / (count / last[0]):5.2f} of linear")
        last = count, spent.whole


if __name__ == "__main__":
    main()
