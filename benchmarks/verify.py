"""How long ``dcmcfg verify --receive`` takes with a study of 500 CT instances, beside dcmtk's movescu.

Both ask the same archive for the same study: Orthanc, dcmtk's dcmqrscp, and dcmqrscp without Nagle's algorithm.
movescu has it sent to a third party's SCP that keeps nothing, dcmtk's storescp and pynetdicom's; the faster one
counts. dcmtk receives without Nagle's algorithm: as it is installed each instance waits 40 ms for an acknowledgement,
which makes 23 s of half a second. ``verify`` receives by itself and compares every UID. Whole processes, in turn:
what ``verify`` reads of a real slapd and asks the archive beforehand and afterwards is part of its time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from archive_setup.archives import OTHER, WITNESS, Archive, Site, dcmqrscp, orthanc, site
from archive_setup.programs import AS_INSTALLED, DCMTK, NO_DELAY, running, seconds_of
from archive_setup.rows import judged, row
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

INSTANCES = 500
PIXELS = 512  # rows and columns, two octets each: 512 KiB
STUDY = "1.2.826.0.1.3680043.10.1.500"
LIMIT = 1.1
OURS = "dcmcfg verify --receive"
ARCHIVES: Mapping[str, tuple[Archive, Mapping[str, str]]] = {
    "Orthanc, as installed": (orthanc, AS_INSTALLED),
    "dcmqrscp, as installed": (dcmqrscp, AS_INSTALLED),
    "dcmqrscp, without Nagle's algorithm": (dcmqrscp, NO_DELAY),
}


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


def third_parties(port: int) -> Mapping[str, Sequence[str | Path]]:
    """Return the commands of SCPs that take whatever is sent and keep nothing, by name."""
    return {
        "dcmtk's storescp": (DCMTK / "storescp", "--ignore", "--max-pdu", "131072", "-aet", OTHER, str(port)),
        "pynetdicom's storescp": (sys.executable, "-m", "pynetdicom", "storescp", "--ignore", str(port)),
    }


def verified_s(of: Site, instances: int) -> float:
    """Return the seconds that ``verify`` takes; raises :class:`AssertionError` unless all is verified."""
    seconds, told = seconds_of(of.verify("--study", STUDY, "--dest", WITNESS, "--receive"), of.environment)
    if not told.startswith(f"verified: {instances} of {instances} instances received by {WITNESS}"):
        raise AssertionError(f"not verified: {told}")
    return seconds


def measured(of: Site, instances: int, runs: int) -> Mapping[str, float]:
    """Return the median seconds of ``verify``, and of movescu with each third party's SCP; each in turn in each run."""
    taken: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, command in third_parties(of.ports.storage).items():
            with running(command, OTHER, of.ports.storage, NO_DELAY):
                taken.setdefault(f"movescu to {name}", []).append(seconds_of(of.movescu(STUDY), AS_INSTALLED)[0])
        taken.setdefault(OURS, []).append(verified_s(of, instances))
    return {name: statistics.median(each) for name, each in taken.items()}


def report(of: Site, instances: int, runs: int) -> None:
    """Print the figures with one archive, and how ``verify`` stands to the faster third party."""
    others = dict(measured(of, instances, runs))
    ours = others.pop(OURS)
    for name, seconds in others.items():
        print(row(name, seconds))
    print(judged(OURS, ours, min(others.values()), "the faster", LIMIT))


def main() -> None:
    """Print the median of each, for each archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each; medians are shown")
    parser.add_argument("--instances", type=int, default=INSTANCES, help="in the study")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_study(folder, given.instances)
        for number, (archive, (run, environment)) in enumerate(ARCHIVES.items()):
            print(f"  {given.instances} CT instances of {PIXELS * PIXELS * 2 // 1024} KiB from {archive}:")
            with site(folder / str(number), run, environment, files) as of:
                report(of, given.instances, given.runs)


if __name__ == "__main__":
    main()
