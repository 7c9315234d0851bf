"""A set-up that takes several commands runs in any order, without a risk that has to be named."""

from __future__ import annotations

import gc
import itertools
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.sampling import LONG, sample

pytestmark = pytest.mark.real

QUEUE = f"""\
dn: dcmQueueName=Export9,{ARCHIVE_DN}
objectClass: dcmQueue
dcmQueueName: Export9
"""
COMMITMENT_QUEUE = QUEUE.replace("Export9", "StgCmtSCU")
EXPORTER = f"""\
dn: dcmExporterID=DCMQRSCP,{ARCHIVE_DN}
objectClass: dcmExporter
dcmExporterID: DCMQRSCP
dcmURI: dicom:DCMQRSCP
dcmQueueName: Export9
dicomAETitle: DCM4CHEE
"""
RULE = f"""\
dn: cn=Forward to DCMQRSCP,{ARCHIVE_DN}
objectClass: dcmExportRule
cn: Forward to DCMQRSCP
dcmEntity: Series
dcmExporterID: DCMQRSCP
dcmProperty: SendingApplicationEntityTitle!=DCMQRSCP
"""
STORAGE = f"""\
dn: dcmStorageID=cache,{ARCHIVE_DN}
objectClass: dcmStorage
dcmStorageID: cache
dcmURI: file:///var/local/cache/
dcmStorageDuration: CACHE
dcmExternalRetrieveAET: DCMQRSCP
"""
EXTERNAL = ("ae", "add", "DCMQRSCP@127.0.0.1:11113")
EXPORTER_DN, FS1 = f"dcmExporterID=DCMQRSCP,{ARCHIVE_DN}", f"dcmStorageID=fs1,{ARCHIVE_DN}"
#: Of the wiki page "Retrieve from Long Term Archive" (dcm4chee-arc-light).
WIKI = (
    EXTERNAL,
    ("apply", EXPORTER + "dcmStgCmtSCP: DCMQRSCP\n"),
    ("apply", RULE),
    ("set", FS1, "dcmStorageDuration=CACHE", "dcmExternalRetrieveAET=DCMQRSCP"),
    ("set-external-retrieve", "DCM4CHEE"),
    ("ae", "add", "MYSCP@127.0.0.1:11115"),
)
#: A storage, an exporter and its storage commitment; the exporter's entry comes before what is set on it.
STORED = (
    EXTERNAL,
    ("apply", STORAGE),
    ("set", "dcm4chee-arc/DCM4CHEE", "dcmObjectStorageID=cache"),
    ("apply", EXPORTER),
    ("set", EXPORTER_DN, "dcmStgCmtSCP=DCMQRSCP"),
    ("apply", f"{QUEUE}\n{COMMITMENT_QUEUE}"),
)


def orders(commands: tuple[tuple[str, ...], ...], count: int) -> list[tuple[tuple[str, ...], ...]]:
    """All orders in which the exporter comes before what is set on it; *count* of them in a sample."""

    def is_possible(order: tuple[tuple[str, ...], ...]) -> bool:
        made = next((index for index, each in enumerate(order) if each[-1].startswith(EXPORTER)), 0)
        return all(each[1] != EXPORTER_DN for each in order[:made])

    found = [order for order in itertools.permutations(commands) if is_possible(order)]
    return sample(found, count / len(found))


@pytest.mark.timeout(3600 if LONG else 240)
@pytest.mark.parametrize(
    ("commands", "count"), sample([pytest.param(WIKI, 2, id="wiki"), pytest.param(STORED, 2, id="storage")], 0.5)
)
def test_every_order_leads_to_the_same_tree_without_force(
    run: Run, site: CliSite, tmp_path: Path, commands: tuple[tuple[str, ...], ...], count: int
) -> None:
    snapshot = str(tmp_path / "before.ldif")
    assert run("snapshot", snapshot).exit_code == 0
    expected = None
    for order in orders(commands, count):
        for command in order:
            given = _given(command, tmp_path)
            done = run(*given, "--yes", "--no-reload")
            assert done.exit_code == 0, (order, given, done.stderr)
        tree = site.octets()
        # The commands run in this process, and each moves its trees to the oldest generation of the collector
        # (garbage_collection.py), which is rarely collected. Without this, thousands of them fill the memory.
        gc.collect()
        expected = tree if expected is None else expected
        assert tree == expected, order
        assert run("restore", snapshot, "--yes", "--no-reload", "--force-many-deletes").exit_code == 0
        # Each command reads the whole history, which no command would make as long as this.
        shutil.rmtree(tmp_path / "xdg" / "state" / "dcmcfg")


def _given(command: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The *command*, the records of an ``apply`` in a file."""
    if command[0] != "apply":
        return command
    file = folder / "given.ldif"
    file.write_text(command[1])
    return ("apply", str(file))


def test_what_is_not_there_yet_is_shown_before_the_question(run: Run, site: CliSite, tmp_path: Path) -> None:
    done = run(*_given(("apply", EXPORTER + "dcmStgCmtSCP: DCMQRSCP\n"), tmp_path), "--yes", "--no-reload")
    lint_rules = [line.rpartition("(rule: ")[2] for line in done.stderr.splitlines() if "(rule: " in line]
    assert done.exit_code == 0
    assert sorted(lint_rules) == ["exporter-destination-unknown)", "external-archive-unknown)", "queue-unknown)"]
