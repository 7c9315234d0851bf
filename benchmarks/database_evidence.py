"""What it costs ``dcmcfg verify`` to ask the archive's database: requests for a study, and time beside none.

dcmtk's dcmqrscp is the archive, and a web server beside it answers searches as the real archive does, 1.3 KB for an
instance. Every request is counted: one search for the instances (a page for each 2,000) before the move, and one after
it. The times are medians of whole processes with ``--qido`` and ``--no-qido`` in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from archive_setup.archives import WITNESS, Site, dcmqrscp, site
from archive_setup.programs import AS_INSTALLED, seconds_of
from archive_setup.rows import row, verdict
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

STUDY = "1.2.826.0.1.3680043.10.1.501"
SIZES = (3, 300)
_DESCRIPTION = "x" * 900  # makes an answer as long as the real archive's


@dataclass
class Database:
    """A web server that answers searches for the instances of the study; ``requests`` are their paths."""

    instances: int
    requests: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes:
        """Return the page that *path* asks for, in DICOM JSON."""
        self.requests.append(path)
        query = parse_qs(urlsplit(path).query)
        limit, offset = int(query["limit"][0]), int(query["offset"][0])
        asked = query["includefield"][0].split(",")
        page = range(self.instances)[offset : offset + limit]
        return json.dumps([_instance(number, asked) for number in page]).encode()


def _instance(number: int, asked: Sequence[str]) -> dict[str, object]:
    values: dict[str, list[str]] = {
        "00080018": [f"{STUDY}.1.{number + 1}"],
        "0008103E": [_DESCRIPTION],
        "77770010": ["DCM4CHEE Archive 5"],
        "77771050": ["fs1"],
    }
    tags = dict.fromkeys(("00080018", "0008103E", "77770010", *asked))
    return {tag: {"vr": "UN", "Value": values[tag]} if tag in values else {"vr": "UN"} for tag in tags}


@contextmanager
def serving(database: Database) -> Iterator[str]:
    """Serve *database* on loopback until the block ends; yield the archive's base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = database.answer(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the name in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dcm4chee-arc"
    finally:
        server.shutdown()
        server.server_close()


def make_study(folder: Path, instances: int) -> tuple[Path, ...]:
    """Write a study of tiny instances, and return its files."""
    folder.mkdir()
    dataset = Dataset()
    dataset.SOPClassUID, dataset.StudyInstanceUID = SecondaryCaptureImageStorage, STUDY
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Bench^Mark", "BENCHMARK", "OT"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "20240102", "030405", "1", ""
    dataset.SeriesInstanceUID = f"{STUDY}.1"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    files = []
    for number in range(1, instances + 1):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{STUDY}.1.{number}")
        files.append(folder / f"{number}.dcm")
        dataset.save_as(files[-1], enforce_file_format=True)
    return tuple(files)


def measured(of: Site, url: str, runs: int) -> tuple[float, float]:
    """Return the median seconds of ``verify`` with the database and without it, in turn in each run."""
    command = of.verify("--study", STUDY, "--dest", WITNESS, "--receive", "--archive-url", url)
    taken: dict[str, list[float]] = {"--qido": [], "--no-qido": []}
    for _ in range(runs):
        for option, seconds in taken.items():
            seconds.append(seconds_of((*command, option), of.environment)[0])
    return statistics.median(taken["--qido"]), statistics.median(taken["--no-qido"])


def main() -> None:
    """Print for each size the searches of one verification and the time beside that without the database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each; medians are shown")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for instances in SIZES:
            folder = Path(name) / str(instances)
            files = make_study(Path(name) / f"files{instances}", instances)
            database = Database(instances)
            print(f"  a study of {instances} instances:")
            with site(folder, dcmqrscp, AS_INSTALLED, files) as of, serving(database) as url:
                with_it, without = measured(of, url, given.runs)
            searches = len(database.requests) / given.runs
            print(f"    searches for a study: {searches:g} {verdict(2, is_met=searches <= 2)}")
            print(f"{row('verify --qido', with_it)}  {with_it / without:5.2f} of verify --no-qido")


if __name__ == "__main__":
    main()
