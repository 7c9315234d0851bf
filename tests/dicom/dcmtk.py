"""dcmtk's servers and clients, started on loopback by the tests, and synthetic instances to send around."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from dcmcfg.dicom.peer import Peer
from tests.patience import PATIENCE_S
from tests.ports import free_port

LOOPBACK = "127.0.0.1"
#: Full paths: the virtual environment has pynetdicom's own tools of the same names.
BIN = Path("/usr/bin")
_STOP_SECONDS = 5


@dataclass(frozen=True)
class Made:
    """Synthetic instances of one study: their files, and their SOP Instance UIDs in the same order."""

    study_uid: str
    files: tuple[Path, ...]
    sop_instance_uids: tuple[str, ...]


def make_instances(
    folder: Path,
    study_uid: str = "1.2.826.0.1.3680043.10.1.1",
    *,
    series: int = 1,
    per_series: int = 3,
    sop_class: str = str(CTImageStorage),
    transfer_syntax: str = str(ExplicitVRLittleEndian),
) -> Made:
    """Write tiny CT images of one study, *per_series* in each *series*, into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    files, uids = [], []
    for number in range(1, series + 1):
        for position in range(1, per_series + 1):
            dataset = _image(study_uid, number, position, sop_class)
            dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
            path = folder / f"{study_uid}.{number}.{position}.dcm"
            dataset.save_as(path, enforce_file_format=True)
            files.append(path)
            uids.append(str(dataset.SOPInstanceUID))
    return Made(study_uid, tuple(files), tuple(uids))


def _image(study_uid: str, series: int, position: int, sop_class: str) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = f"{study_uid}.{series}.{position}"
    dataset.StudyInstanceUID = study_uid
    dataset.SeriesInstanceUID = f"{study_uid}.{series}"
    dataset.PatientName = "Müller^Jörg"
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientID = "P1"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    dataset.StudyDate, dataset.StudyTime = "20240102", "030405"
    dataset.StudyID, dataset.AccessionNumber = "1", ""
    dataset.ReferringPhysicianName = ""
    dataset.Modality = "CT"
    dataset.SeriesNumber, dataset.InstanceNumber = series, position
    dataset.Rows = dataset.Columns = 2
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = b"\0\1\2\3"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


@contextmanager
def running(command: Sequence[str | Path], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server *command* until the block ends; it dies with this process. It listens when this yields."""
    setpriv = shutil.which("setpriv")
    dies_with_us = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    with log.open("ab") as output:
        process = subprocess.Popen([*dies_with_us, *map(str, command)], stdout=output, stderr=output)
    try:
        _await_listener(process, port, log)
        yield process
    finally:
        for child in _children(process.pid):
            with contextlib.suppress(psutil.Error):
                child.kill()
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _await_listener(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} does not listen on {port}: {log.read_text(errors='replace')}")


@contextmanager
def dcmqrscp(
    folder: Path,
    *,
    ae_title: str = "LONGTERM",
    knows: Mapping[str, Peer] | None = None,
    port: int | None = None,
    options: Iterable[str] = (),
    logging: Sequence[str | Path] = ("-v",),
) -> Iterator[Peer]:
    """Run dcmtk's archive as *ae_title*; *knows* are the AEs it can send to. Its index is empty at first.

    What it logs is in ``dcmqrscp.log`` below *folder*, unless *logging* names a configuration with another place.

    It forks for each association, because its single process mode crashes after the first one (dcmtk 3.6.7).
    """
    storage = folder / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    # The left-hand side of a HostTable line is a symbol of its own, hence no AE titles there.
    hosts = "\n".join(
        f"host{number} = ({peer.ae_title}, {peer.host}, {peer.port})"
        for number, peer in enumerate((knows or {}).values())
    )
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{hosts}\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{ae_title} {storage} RW (200, 1024mb) ANY\nAETable END\n"
    )
    command: list[str | Path] = [BIN / "dcmqrscp", *logging, "-td", "60", "-c", configuration, *options, str(port)]
    with running(command, port, folder / "dcmqrscp.log"):
        yield Peer(ae_title, LOOPBACK, port)


@contextmanager
def storescp(
    folder: Path, *, ae_title: str = "STORESCP", port: int | None = None, options: Iterable[str] = ()
) -> Iterator[Peer]:
    """Run dcmtk's storage SCP; what it receives lands in *folder* as one file per instance (``CT.<uid>``)."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command: list[str | Path] = [BIN / "storescp", "-v", "-aet", ae_title, "-od", folder, *options, str(port)]
    with running(command, port, folder.with_suffix(".log")):
        yield Peer(ae_title, LOOPBACK, port)


def stored_in(folder: Path) -> set[str]:
    """Return the SOP Instance UIDs of the files that :func:`storescp` wrote."""
    return {path.name.partition(".")[2] for path in folder.iterdir()}


def storescu(
    peer: Peer, files: Iterable[Path], *, calling: str = "STORESCU", options: Iterable[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Send *files* to *peer* with dcmtk's storescu."""
    return _client("storescu", peer, calling, options, files)


def echoscu(peer: Peer, *, calling: str = "ECHOSCU", options: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    """Send a C-ECHO to *peer* with dcmtk's echoscu."""
    return _client("echoscu", peer, calling, options, ())


def dcmdump(path: Path) -> subprocess.CompletedProcess[bytes]:
    """Have dcmtk read the whole file at *path*."""
    return subprocess.run([BIN / "dcmdump", "-q", "+fo", path], capture_output=True, timeout=PATIENCE_S, check=False)


def movescu(
    peer: Peer, study_uid: str, destination: str, *, calling: str = "MOVESCU"
) -> subprocess.CompletedProcess[str]:
    """Ask *peer* with dcmtk's movescu to send the study to *destination* (Study Root)."""
    keys = ["-S", "-aem", destination, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}"]
    return _client("movescu", peer, calling, keys, ())


def _client(
    tool: str, peer: Peer, calling: str, options: Iterable[str], files: Iterable[Path]
) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / tool), "-v", "-aet", calling, "-aec", peer.ae_title, *options]
    return subprocess.run(
        [*command, peer.host, str(peer.port), *map(str, files)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE_S,
        check=False,
    )
