"""How long ``dcmcfg verify --studies`` takes with 200 small studies, beside a shell loop of dcmtk's movescu.

Both ask the same archive, dcmtk's dcmqrscp, to send the same studies of two images; as it is installed, and without
Nagle's algorithm on either side of the loop, which makes movescu nine times as fast. movescu has them sent to dcmtk's
storescp, which forks and keeps nothing; dcmcfg to the same, and to its own receiver, where each UID is compared. dcmcfg
reads a real slapd, asks beforehand what each study holds, and has two records of each on the disk. Whole processes, in
turn.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.lab.files import ObjectStore
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import LOOPBACK, Ports
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.studies import Held, small_study
from dcmcfg.lab.tree import site_entries
from dcmcfg.ldif.writer import format_entry

STUDIES, IMAGES = 200, 2
ARCHIVE, WITNESS, OTHER, CALLING = "DCM4CHEE", "WORKSTATION", "STORESCP", "DCMCFG"
LIMIT = 0.3
#: What dcmtk takes for TCP_NODELAY (RFC 896).
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "as installed": {},
    "without Nagle's algorithm": {"TCP_NODELAY": "1"},
}
#: By full path: the virtual environment has programs of pynetdicom with the same names.
DCMTK = Path("/usr/bin")
_START_S = 20.0


@dataclass(frozen=True)
class Bench:
    """What is asked: the ports, the directory that says where everybody is, the list of studies."""

    ports: Ports
    directory: str
    folder: Path
    listed: Path
    environment: Mapping[str, str]

    def loop(self) -> Sequence[str]:
        """Return a shell that calls movescu for each study."""
        keys = '-k QueryRetrieveLevel=STUDY -k StudyInstanceUID="$uid"'
        movescu = (
            f"{DCMTK / 'movescu'} -S -aet {CALLING} -aec {ARCHIVE} -aem {OTHER} {keys} {LOOPBACK} {self.ports.archive}"
        )
        return ("sh", "-ec", f"while read -r uid; do {movescu}; done < {self.listed}")

    def verify(self, parallel: int, *options: str) -> Sequence[str]:
        """Return the command that verifies all, with a new store."""
        command = (sys.executable, "-m", "dcmcfg", "verify", "--studies", str(self.listed), "--parallel", str(parallel))
        return (*command, "--again", "--json", *options)


def seconds_of(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, bytes]:
    """Return how long *command* takes, and its standard output; raises when it fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - begun, done.stdout


def verified_s(of: Bench, studies: int, parallel: int, *options: str) -> float:
    """Return the seconds that ``verify`` takes; raises :class:`AssertionError` unless every study has its yes."""
    own = {
        "DCMCFG_LDAP_URL": of.directory,
        "DCMCFG_BIND_PASSWORD": "benchmark",
        "XDG_STATE_HOME": str(of.folder / "state"),
    }
    seconds, output = seconds_of(of.verify(parallel, *options), own)
    told = json.loads(output)
    if not told["accepted"] or told["instances"] != studies * IMAGES:
        raise AssertionError(told["headline"])
    return seconds


@contextmanager
def bench(folder: Path, files: Path, listed: Path, environment: Mapping[str, str]) -> Iterator[Bench]:
    """Yield a directory with the lab's tree, beside dcmqrscp with the studies in the archive's place."""
    ports = choose_ports()
    storage = folder / "storage"
    storage.mkdir(parents=True)
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {ports.archive}\nMaxPDUSize = 16384\nMaxAssociations = 64\nHostTable BEGIN\n"
        f"witness = ({WITNESS}, {LOOPBACK}, {ports.workstation})\nother = ({OTHER}, {LOOPBACK}, {ports.storage})\n"
        "HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{ARCHIVE} {storage} RW (1000, 4096mb) ANY\nAETable END\n"
    )
    directory = Slapd(folder / "slapd", port=ports.ldap, root_password="benchmark")
    directory.prepare()
    directory.add("".join(map(format_entry, site_entries(ports))))
    archive = (DCMTK / "dcmqrscp", "-c", configuration)
    other = (DCMTK / "storescp", "--fork", "--ignore", "-aet", OTHER, str(ports.storage))
    with (
        directory,
        running(archive, ports.archive, environment),
        running(other, ports.storage, environment),
    ):
        titles = ("-aet", CALLING, "-aec", ARCHIVE, "+sd", LOOPBACK, str(ports.archive), str(files))
        subprocess.run((str(DCMTK / "storescu"), *titles), env=os.environ | {"TCP_NODELAY": "1"}, check=True)
        yield Bench(ports, directory.url, folder, listed, environment)


@contextmanager
def running(command: Sequence[str | Path], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run *command* until the block ends, with *environment* too; it listens when this yields."""
    words = tuple(map(str, command))
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, env=os.environ | environment, stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                socket.create_connection((LOOPBACK, port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print the median of each, and how dcmcfg stands to the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="of each; medians are shown")
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--parallel", type=int, default=4, help="associations of dcmcfg")
    given = parser.parse_args()
    print(f"{given.studies} studies of {IMAGES} images, from dcmqrscp (limit {LIMIT} of the loop, as installed):")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [small_study(f"bench-{number}", Held.LOCALLY, IMAGES) for number in range(given.studies)]
        store = ObjectStore(folder / "files")
        for instance in (each for study in made for each in study.instances):
            store.save(instance)
        listed = folder / "studies.txt"
        listed.write_text("".join(f"{study.uid}\n" for study in made))
        for number, (setting, environment) in enumerate(SETTINGS.items()):
            with bench(folder / str(number), store.folder, listed, environment) as of:
                report(of, setting, given.studies, given.parallel, given.runs)


def report(of: Bench, setting: str, studies: int, parallel: int, runs: int) -> None:
    """Print the figures for one setting of dcmtk."""
    loop = statistics.median(seconds_of(of.loop(), of.environment)[0] for _ in range(runs))
    print(f"  {setting}:\n    {'shell loop of movescu':<42} {loop:7.2f} s")
    for what, options in (
        ("to storescp", ("--dest", OTHER)),
        ("to its own receiver", ("--dest", WITNESS, "--receive")),
    ):
        seconds = statistics.median(verified_s(of, studies, parallel, *options) for _ in range(runs))
        print(f"    {f'dcmcfg verify, {what}':<42} {seconds:7.2f} s  {seconds / loop:5.2f} of the loop")


if __name__ == "__main__":
    main()
