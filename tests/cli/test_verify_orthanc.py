"""``dcmcfg verify`` with the log of a real Orthanc as the external archive's log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.dicom.dcmtk import storescu
from tests.dicom.orthanc import orthanc
from tests.lab.running_site import RunningSite

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "storage", "archive") as lab:
        yield lab


@pytest.fixture(autouse=True)
def named(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    name_in_environment(site, monkeypatch)


@contextmanager
def external(site: RunningSite, folder: Path, option: str, *names: str) -> Iterator[Path]:
    """Orthanc as LONGTERM with the studies of these *names*, until the block ends; yields its log.

    It knows DCM4CHEE, and DCMCFG since that has to be let in to ask.
    """
    known = {
        each: {"AET": each, "Host": site.archive.host, "Port": site.archive.port} for each in ("DCM4CHEE", "DCMCFG")
    }
    configuration = {"order.json": json.dumps({"DicomModalities": known})}
    files = ObjectStore(folder / "files")
    with orthanc(folder / "orthanc", "LONGTERM", site.site.ports.external, configuration, option) as peer:
        sent = [files.save(each) for name in names for each in get_standard_study(name).instances]
        done = storescu(peer, sent, calling="DCMCFG")
        assert done.returncode == 0, done.stderr
        yield folder / "orthanc" / "orthanc.log"


def verify(run: Run, name: str, log: Path, *options: str) -> dict[str, Any]:
    where = ("--dest", "STORESCP", "--external-log", str(log), "--json")
    verdict: dict[str, Any] = json.loads(
        run("verify", "--study", get_standard_study(name).uid, *where, *options).stdout
    )
    return verdict


def test_its_log_shows_the_route_though_it_hides_the_study_and_tells_whom_it_does_not_know(
    run: Run, site: RunningSite, tmp_path: Path
) -> None:
    with external(site, tmp_path, "--verbose", "one", "three") as log:
        verdict = verify(run, "one", log, "--no-qido")
        assert get_standard_study("one").uid not in log.read_text(errors="replace")
        assert verdict["headline"].endswith("route shown")
        assert verdict["route"]["reasons"][0] == (
            "the external archive's log: C-MOVE from DCMCFG, Move Destination DCM4CHEE, number of instances unknown"
        )

        site.put("dcmExternalRetrieveAEDestination", "AS_RECEIVED")
        site.reload()
        verdict = verify(run, "three", log)
        assert verdict["verified"] is False
        assert any("Unknown modality for AET: AS_RECEIVED" in reason for reason in verdict["route"]["reasons"])
        unknown = "the external archive (an Orthanc) does not know AS_RECEIVED. "
        assert verdict["next_steps"][0].startswith(unknown)
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    site.reload()


def test_with_trace_it_counts_what_it_sent(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with external(site, tmp_path, "--trace-dicom", "three") as log:
        verdict = verify(run, "three", log)
    assert verdict["route"]["reasons"][0].endswith("C-MOVE from DCMCFG, Move Destination DCM4CHEE, 3 completed")
