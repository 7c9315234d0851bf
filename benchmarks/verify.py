"""How long ``dcmcfg verify --receive`` takes with a study of 500 CT instances, beside dcmtk's movescu.

Both ask the same archive for the same study: Orthanc, dcmtk's dcmqrscp, and dcmqrscp without Nagle's algorithm.
movescu has it sent to a third party's SCP that keeps nothing, dcmtk's storescp and pynetdicom's; the faster one
counts. dcmtk receives without Nagle's algorithm: as it is installed each instance waits 40 ms for an acknowledgement,
which makes 23 s of half a second. ``verify`` receives by itself and compares every UID. Whole processes, in turn:
what ``verify`` reads of a real slapd and asks the archive beforehand and afterwards is part of its time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import LOOPBACK, Ports
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import site_entries
from dcmcfg.ldif.writer import format_entry

INSTANCES = 500
PIXELS = 512  # rows and columns, two octets each: 512 KiB
STUDY = "1.2.826.0.1.3680043.10.1.500"
ARCHIVE, WITNESS, OTHER, CALLING = "DCM4CHEE", "WORKSTATION", "STORESCP", "DCMCFG"
LIMIT = 1.1
#: What dcmtk takes for TCP_NODELAY (RFC 896).
NO_DELAY = {"TCP_NODELAY": "1"}
#: By full path: the virtual environment has programs of pynetdicom with the same names.
DCMTK = Path("/usr/bin")
_START_S = 20.0


@dataclass(frozen=True)
class Bench:
    """What is asked: the archive's port, and the directory that says where everybody is."""

    ports: Ports
    directory: str
    state: Path

    def verify(self, *options: str) -> tuple[Sequence[str], dict[str, str]]:
        """Return the command that verifies with a receiver of its own, with its environment."""
        command = (sys.executable, "-m", "dcmcfg", "verify", "--study", STUDY, "--dest", WITNESS, "--receive")
        environment = {"DCMCFG_LDAP_URL": self.directory, "XDG_STATE_HOME": str(self.state)}
        return (*command, "--json", *options), os.environ | environment | {"DCMCFG_BIND_PASSWORD": "benchmark"}

    def movescu(self) -> Sequence[str]:
        """Return dcmtk's command for the same, with storescp as the destination."""
        keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}")
        titles = ("-aet", CALLING, "-aec", ARCHIVE, "-aem", OTHER)
        return (str(DCMTK / "movescu"), "-S", *titles, *keys, LOOPBACK, str(self.ports.archive))


def make_study(folder: Path, instances: int) -> tuple[Path, ...]:
    """Write the study, in five series, and return its files."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.StudyInstanceUID = STUDY
    dataset.PatientName, dataset.PatientID = "Bench^Mark", "BENCHMARK"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "20240102", "030405", "1", ""
    dataset.Modality = "CT"
    dataset.Rows = dataset.Columns = PIXELS
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return tuple(_written(dataset, folder, number) for number in range(instances))


def _written(dataset: Dataset, folder: Path, number: int) -> Path:
    series = 1 + number // 100
    dataset.SeriesNumber, dataset.InstanceNumber = series, number + 1
    dataset.SeriesInstanceUID = f"{STUDY}.{series}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{STUDY}.{series}.{number + 1}")
    dataset.PixelData = os.urandom(PIXELS * PIXELS * 2)
    path = folder / f"{number}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


@contextmanager
def dcmqrscp(folder: Path, ports: Ports, environment: Mapping[str, str]) -> Iterator[None]:
    """Run dcmtk's archive, which knows both destinations, until the block ends."""
    storage = folder / "storage"
    storage.mkdir(parents=True)
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {ports.archive}\nMaxPDUSize = 131072\nMaxAssociations = 16\nHostTable BEGIN\n"
        f"witness = ({WITNESS}, {LOOPBACK}, {ports.workstation})\nother = ({OTHER}, {LOOPBACK}, {ports.storage})\n"
        "HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{ARCHIVE} {storage} RW (20, 4096mb) ANY\nAETable END\n"
    )
    with running((DCMTK / "dcmqrscp", "-c", configuration), ports.archive, environment):
        yield


@contextmanager
def orthanc(folder: Path, ports: Ports, environment: Mapping[str, str]) -> Iterator[None]:
    """Run Orthanc in the archive's place, which knows both destinations, until the block ends."""
    folder.mkdir()
    basis = {
        "DicomAet": ARCHIVE,
        "DicomPort": ports.archive,
        "DicomCheckModalityHost": False,
        "HttpServerEnabled": False,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [],
        "DicomModalities": {
            "asking": [CALLING, LOOPBACK, ports.external],
            "witness": [WITNESS, LOOPBACK, ports.workstation],
            "other": [OTHER, LOOPBACK, ports.storage],
        },
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(basis))
    with running(("/usr/sbin/Orthanc", configuration), ports.archive, environment):
        yield


SOURCES: Mapping[
    str, tuple[Callable[[Path, Ports, Mapping[str, str]], AbstractContextManager[None]], Mapping[str, str]]
]
SOURCES = {
    "Orthanc": (orthanc, {}),
    "dcmqrscp": (dcmqrscp, {}),
    "dcmqrscp without Nagle's algorithm": (dcmqrscp, NO_DELAY),
}


def third_parties(port: int) -> Mapping[str, Sequence[str | Path]]:
    """Return the commands of SCPs that take whatever is sent and keep nothing, by name."""
    return {
        "dcmtk's storescp": (DCMTK / "storescp", "--ignore", "--max-pdu", "131072", "-aet", OTHER, str(port)),
        "pynetdicom's storescp": (sys.executable, "-m", "pynetdicom", "storescp", "--ignore", str(port)),
    }


@contextmanager
def bench(folder: Path, source: str, files: Sequence[Path]) -> Iterator[Bench]:
    """Yield a directory with the lab's tree, beside *source* with the study in the archive's place."""
    ports = choose_ports()
    folder.mkdir()
    directory = Slapd(folder / "slapd", port=ports.ldap, root_password="benchmark")
    directory.prepare()
    directory.add("".join(map(format_entry, site_entries(ports))))
    run, environment = SOURCES[source]
    with directory, run(folder / "source", ports, environment):
        titles = ("-aet", CALLING, "-aec", ARCHIVE, LOOPBACK, str(ports.archive))
        subprocess.run((str(DCMTK / "storescu"), *titles, *map(str, files)), env=os.environ | NO_DELAY, check=True)
        yield Bench(ports, directory.url, folder / "state")


@contextmanager
def running(command: Sequence[str | Path], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run *command* until the block ends, with *environment* too; it answers C-ECHO when this yields."""
    process = subprocess.Popen(
        tuple(map(str, command)),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_echo(port)
        yield
    finally:
        process.terminate()
        process.wait()


def _await_echo(port: int) -> None:
    deadline = time.monotonic() + _START_S
    command = (str(DCMTK / "echoscu"), "-aet", CALLING, "-aec", ARCHIVE, LOOPBACK, str(port))
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise AssertionError(f"nobody answers on port {port}")
        time.sleep(0.05)


def verified_s(of: Bench, instances: int) -> float:
    """Return the seconds that ``verify`` takes; raises :class:`AssertionError` unless all is verified."""
    command, environment = of.verify()
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - begun
    told = json.loads(done.stdout)
    if not told["verified"] or told["received"]["number"] != instances:
        raise AssertionError(f"not verified: {told['headline']}")
    return seconds


def moved_s(of: Bench) -> float:
    """Return the seconds that movescu takes."""
    begun = time.perf_counter()
    subprocess.run(of.movescu(), check=True)
    return time.perf_counter() - begun


def measured(of: Bench, instances: int, runs: int) -> Iterator[tuple[str, float]]:
    """Yield the median seconds of movescu with each third party's SCP, then those of ``verify``."""
    for name, command in third_parties(of.ports.storage).items():
        with running(command, of.ports.storage, NO_DELAY):
            yield f"movescu to {name}", statistics.median(moved_s(of) for _ in range(runs))
    yield "dcmcfg verify --receive", statistics.median(verified_s(of, instances) for _ in range(runs))


def main() -> None:
    """Print the median of each, and how ``verify`` stands to the faster third party, for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each; medians are shown")
    parser.add_argument("--instances", type=int, default=INSTANCES, help="in the study")
    given = parser.parse_args()
    instances: int = given.instances
    print(f"one study of {instances} CT instances of {PIXELS * PIXELS * 2 // 1024} KiB (limit {LIMIT}):")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_study(folder, instances)
        for number, source in enumerate(SOURCES):
            with bench(folder / str(number), source, files) as of:
                *others, (ours, seconds) = measured(of, instances, given.runs)
            print(f"  from {source}:")
            for other, plain in others:
                print(f"    {other:<42} {plain:7.3f} s")
            print(f"    {ours:<42} {seconds:7.3f} s  {seconds / min(plain for _, plain in others):5.2f} of the faster")


if __name__ == "__main__":
    main()
