"""How the time of what was quadratic grows: each at a size and at twice that, where linear is a ratio of 2.

The sizes are those at which strangers waited. Each is measured in this process, by its processor time; medians of runs.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from archive_setup.rows import verdict

from dcmcfg.archive.error_body import read_error
from dcmcfg.changes import Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.tree import Tree
from dcmcfg.onboarding.yaml_json import read_json
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.verify import dcm4che_log, dcmtk_log, orthanc_log
from dcmcfg.verify.log_query import LogQuery

LIMIT = 3.0
TOP = DN.parse("cn=x")
STUDY = "1.2.3"
SOUGHT = LogQuery(STUDY, frozenset({"1.2.3.4"}), calling_ae_title="ME", archive_ae_titles=frozenset({"DCM4CHEE"}))
NOW = datetime(2026, 11, 30, 18, tzinfo=UTC)

_RUNS = itertools.count()

#: A size → what is measured, with its input ready.
Case = Callable[[int], Callable[[], object]]


def modifications(operation: Operation) -> Case:
    """A record with so many modifications, each of one value of the same attribute."""

    def case(count: int) -> Callable[[], object]:
        values = tuple(f"value {number}".encode() for number in range(count))
        held = values if operation is Operation.DELETE else (b"one",)
        tree = Tree.from_entries(
            load_bundled_schema(), [Entry.from_values(TOP, {"cn": "x", "dicomInstitutionName": held})]
        )
        each = tuple(Modification(operation, "dicomInstitutionName", (value,)) for value in values)
        return lambda: make_plan(tree, [DesiredChange(Modify(TOP, each))])

    return case


def values(count: int) -> Callable[[], object]:
    """An attribute that gets so many other values, and is brought back."""
    before = Entry.from_values(TOP, {"cn": "x", "dicomInstitutionName": [f"old {number}" for number in range(count)]})
    new = Modification(
        Operation.REPLACE, "dicomInstitutionName", tuple(f"new {number}".encode() for number in range(count))
    )
    tree = Tree.from_entries(load_bundled_schema(), [before])
    return lambda: make_plan(tree, [DesiredChange(Modify(TOP, (new,)))]).undo()


def name(count: int) -> Callable[[], object]:
    """A DN of so many RDNs, none of which was seen before, that is deleted and not there."""
    run = next(_RUNS)
    text = ",".join(f"cn=level {run}-{number}" for number in range(count))
    tree = Tree.from_entries(load_bundled_schema(), [Entry.from_values(TOP, {"cn": "x"})])
    return lambda: make_plan(tree, [DesiredChange(Delete(DN.parse(f"{text},{TOP}")))])


def quotes(count: int) -> Callable[[], object]:
    """A JSON string with so many escaped quotes, which does not end."""
    text = '["' + '\\"' * count

    def read() -> None:
        with suppress(DcmcfgError):
            read_json("x", text)

    return read


def newlines(count: int) -> Callable[[], object]:
    """The body of an HTTP error."""
    body = "x" + "\n" * count + "x"
    return lambda: read_error(body)


def dcm4che(count: int) -> Callable[[], object]:
    """A log of C-MOVEs that are all under way at once, of one caller."""
    asked = "12:00:00.000 INFO  - LONGTERM<-ME({0}) >> 1:C-MOVE-RQ[pcid=1, prior=0, dest=WORKSTATION"
    over = "12:00:00.000 INFO  - LONGTERM<-ME({0}) << 1:C-MOVE-RSP[pcid=1, completed=1, status=0H"
    lines = [line.format(number) for line in (asked, over) for number in range(count)]
    return lambda: dcm4che_log.read_dcm4che_log(lines, SOUGHT, NOW)


def dcmtk(count: int) -> Callable[[], object]:
    """The same; dcmtk does not name the caller."""
    lines = ["I: Received Move SCP:"] * count + ["I: Move SCP Response 1 [status: Success]"] * count
    return lambda: dcmtk_log.read_dcmtk_log(lines, SOUGHT, NOW)


def orthanc(count: int) -> Callable[[], object]:
    """C-MOVEs one after the other."""
    at = "I1130 12:00:00.000000 main.cpp:1]"
    one = (
        f"{at} Incoming Move request from AET ME on IP 127.0.0.1, calling AET LONGTERM",
        f'{at} Move-SCU request received for AET "WORKSTATION"',
        f"{at} Finishing association with AET ME on IP 127.0.0.1",
    )
    lines = [*one] * count
    return lambda: list(orthanc_log.read_orthanc_log(lines, SOUGHT, NOW))


CASES: Sequence[tuple[str, Case, int]] = (
    ("modifications that add, one record", modifications(Operation.ADD), 4_000),
    ("modifications that delete, one record", modifications(Operation.DELETE), 4_000),
    ("values of an attribute, and back", values, 4_000),
    ("RDNs of a DN", name, 16_000),
    ("escaped quotes in JSON", quotes, 20_000),
    ("line ends in the body of an error", newlines, 125_000),
    ("C-MOVEs in a log of dcm4che", dcm4che, 16_000),
    ("C-MOVEs in a log of dcmtk", dcmtk, 16_000),
    ("C-MOVEs in a log of Orthanc", orthanc, 16_000),
)


def seconds(case: Case, size: int) -> float:
    """Return the processor time of *case* at *size*."""
    run = case(size)
    with pause_garbage_collection():  # as the commands do
        begun = time.process_time()
        run()
        return time.process_time() - begun


def main() -> None:
    """Print for each case the times of both sizes, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each size, in turn; medians are shown")
    runs = parser.parse_args().runs
    for words, case, size in CASES:
        taken = [(seconds(case, size), seconds(case, 2 * size)) for _ in range(runs)]
        once, twice = (statistics.median(each) for each in zip(*taken, strict=True))
        ratio = statistics.median(two / one for one, two in taken)
        print(
            f"  {2 * size:7,} {words:38} {once * 1000:8.1f} ms  {twice * 1000:8.1f} ms  ratio {ratio:4.2f} "
            f"{verdict(LIMIT, is_met=ratio <= LIMIT)}"
        )


if __name__ == "__main__":
    main()
