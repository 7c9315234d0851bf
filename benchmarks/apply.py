"""How long ``dcmcfg apply`` takes beside OpenLDAP's ldapmodify with the same file, plain and in one transaction.

Whole processes, in turn, each on a database of its own: the lab's tree with 1,500 entries to add, and the same grown by
12,000 entries, of which 10,000 are modified. dcmcfg also reads the tree, writes plan, undo and journal to the disk, and
reads back what it wrote. slapd has each change on the disk before it answers, as it does where it is installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.entry import Entry
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.writer import format_change, format_entry

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
PASSWORD = "benchmark"
#: The lab's slapd leaves the disk to the system; this one writes as a hospital's does.
_HURRY = "envflags nosync\n"
LIMIT = 1.0
PLAIN, TRANSACTION, OURS, FLOOR = (
    "ldapmodify",
    "ldapmodify -E txn=commit",
    "dcmcfg apply",
    'python -c "import click, ldap3"',
)
PROGRAMS = (PLAIN, TRANSACTION, OURS, FLOOR)


def entries(count: int) -> Iterator[Entry]:
    """Yield *count* entries: devices with a connection, an AE and seven transfer capabilities each."""
    for number in range(count):
        device, part = divmod(number, 10)
        above = f"dicomDeviceName=device{device},{DEVICES}"
        own: dict[str, str | tuple[str, ...]]
        match part:
            case 0:
                dn = above
                own = {"objectClass": "dicomDevice", "dicomDeviceName": f"device{device}", "dicomInstalled": "TRUE"}
            case 1:
                dn = f"cn=dicom,{above}"
                own = {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": f"host{device}"}
            case 2:
                dn = f"dicomAETitle=AE{device},{above}"
                own = {
                    "objectClass": "dicomNetworkAE",
                    "dicomAETitle": f"AE{device}",
                    "dicomNetworkConnectionReference": f"cn=dicom,{above}",
                    "dicomAssociationInitiator": "TRUE",
                    "dicomAssociationAcceptor": "TRUE",
                    "dicomDescription": f"the AE of device {device}",
                }
            case _:
                dn = f"cn=capability {part},dicomAETitle=AE{device},{above}"
                own = {
                    "objectClass": "dicomTransferCapability",
                    "cn": f"capability {part}",
                    "dicomSOPClass": f"1.2.840.10008.5.1.4.1.1.{part}",
                    "dicomTransferRole": "SCP",
                    "dicomTransferSyntax": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"),
                }
        yield Entry.from_values(dn, own)


def modifies(count: int) -> Iterator[Change]:
    """Yield *count* changes of one attribute each, two in three of it absent before."""
    names = {0: "dicomDescription", 1: "dicomHostname", 2: "dicomDescription"}
    for number, entry in zip(range(count), entries(count), strict=True):
        part = number % 10
        name, value = names.get(part, "dicomTransferRole"), b"SCU" if part > 2 else b"changed %d" % number
        yield Modify(entry.dn, (Modification(Operation.REPLACE, name, (value,)),))


class Case:
    """One file for one database, and how long each program takes for it."""

    def __init__(self, folder: Path, name: str, base: Iterable[Entry], changes: Iterable[str], *, hurry: bool) -> None:
        self.name = name
        self._hurry = hurry
        self._folder = folder / name.replace(" ", "-").replace(",", "")
        self.file = folder / f"{self._folder.name}.ldif"
        self.file.write_text("".join(changes), "utf-8")
        template = _slapd(self._folder / "template", hurry=hurry)
        template.load_files(list_site_files())
        if text := "".join(map(format_entry, base)):
            template.load_ldif(text)
        self._database = template.database_folder

    def seconds(self, program: str) -> float:
        """Return how long *program* takes on a fresh copy of the database."""
        folder = self._folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        server = _slapd(folder, hurry=self._hurry)
        shutil.copytree(self._database, server.database_folder, dirs_exist_ok=True)
        command, environment = _command(program, server, self.file, folder / "state")
        with server:
            begun = time.perf_counter()
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            return time.perf_counter() - begun


def _command(program: str, server: Slapd, file: Path, state: Path) -> tuple[Sequence[str], Mapping[str, str]]:
    if program == OURS:
        environment = {"DCMCFG_LDAP_URL": server.url, "DCMCFG_BIND_PASSWORD": PASSWORD, "XDG_STATE_HOME": str(state)}
        command = (sys.executable, "-m", "dcmcfg", "apply", "--yes", "--no-reload", "--force-many-changes", str(file))
        return command, os.environ | environment
    if program == FLOOR:
        return (sys.executable, "-c", "import click, ldap3"), os.environ
    options = ("-E", "!txn=commit") if program == TRANSACTION else ()
    identity = ("-x", "-H", server.url, "-D", server.root_dn, "-w", PASSWORD)
    return ("/usr/bin/ldapmodify", *identity, *options, "-f", str(file)), os.environ


def _slapd(folder: Path, *, hurry: bool) -> Slapd:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    slapd = Slapd(folder, port=port, root_password=PASSWORD)
    folder.parent.mkdir(exist_ok=True)
    slapd.prepare()
    settings = folder / "slapd.conf"
    if not hurry:
        settings.write_text(settings.read_text("utf-8").replace(_HURRY, ""), "utf-8")
    return slapd


def report(name: str, seconds: Mapping[str, float]) -> None:
    """Print the figures and how they stand to plain ldapmodify."""
    print(f"{name}:")
    for program, value in seconds.items():
        limit = f"    (limit {LIMIT})" if program == OURS else ""
        print(f"  {program:<34} {value * 1000:8.1f} ms  {value / seconds[PLAIN]:5.2f} of plain{limit}")


def main() -> None:
    """Print the median of each, and their ratios to plain ldapmodify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each; medians are shown")
    parser.add_argument("--hurry", action="store_true", help="slapd leaves the disk to the system (envflags nosync)")
    given = parser.parse_args()
    runs: int = given.runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        adds, modifications = map(Add, entries(1_500)), modifies(10_000)
        for case in (
            Case(folder, "1,500 adds", (), map(format_change, adds), hurry=given.hurry),
            Case(folder, "10,000 modifies", entries(12_000), map(format_change, modifications), hurry=given.hurry),
        ):
            taken = [[case.seconds(program) for program in PROGRAMS] for _ in range(runs)]
            report(case.name, dict(zip(PROGRAMS, map(statistics.median, zip(*taken, strict=True)), strict=True)))


if __name__ == "__main__":
    main()
