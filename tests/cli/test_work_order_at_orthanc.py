"""A real Orthanc, configured by nothing but the work order, gives a purged study back through the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import Result

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.dicom.dcmtk import storescu
from tests.dicom.orthanc import orthanc
from tests.lab.requests import move_study
from tests.lab.running_site import RunningSite, running_site

pytestmark = pytest.mark.real


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """A lab without its own external archive; the environment names its directory."""
    folder = tmp_path / "lab"
    folder.mkdir()
    with running_site(folder) as running:
        monkeypatch.setenv("DCMCFG_LDAP_URL", running.slapd.url)
        monkeypatch.setenv("DCMCFG_BIND_PASSWORD", running.slapd.password)
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", running.site.archive_url)
        running.start("storage", "archive")
        yield running


def test_orthanc_takes_the_export_and_gives_the_study_back(run: Run, lab: RunningSite, tmp_path: Path) -> None:
    files = ObjectStore(tmp_path / "files")

    def external(**options: str) -> AbstractContextManager[Peer]:
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        order = run("work-order", "--external", "LONGTERM", *words, "--format", "orthanc")
        assert (order.exit_code, order.stderr) == (0, "")
        assert list(json.loads(order.stdout)) == ["DicomModalities"]
        return orthanc(tmp_path / "orthanc", "LONGTERM", lab.site.ports.external, {"order.json": order.stdout})

    def route(name: str) -> Result:
        return run("route", "--dest", "STORESCP", "--study", get_standard_study(name).uid, "--json")

    lab.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    lab.reload()
    with external(calling="VIEWER") as longterm:
        sent = [files.save(each) for name in ("one", "three") for each in get_standard_study(name).instances]
        assert storescu(longterm, sent, calling="VIEWER").returncode != 0  # it may retrieve, not store
        assert storescu(longterm, sent, calling="DCM4CHEE").returncode == 0
        refused = move_study(lab.archive, "STORESCP", get_standard_study("three").uid, calling="STRANGER")
        assert refused.status == 0xA702
        assert lab.received() == set()
        purged = json.loads(route("three").stdout)
        assert purged["delivered"] is True
        assert (purged["study"]["states"], purged["study"]["external_ae_title"]) == (["purged"], "LONGTERM")
        assert [each["name"] for each in purged["study"]["sop_classes"]] == ["CT Image Storage"]
        assert [path["branch"] for path in purged["paths"]] == [
            "objects that the external archive sends back to the archive"
        ]
        outcome = move_study(lab.archive, "STORESCP", get_standard_study("three").uid, calling="VIEWER")
        assert (outcome.status, outcome.counters) == (0x0000, {"completed": 3})
        assert json.loads(route("three").stdout)["study"]["states"] == ["local"]
        assert route("unknown").exit_code == 1
        assert lab.received() == get_standard_study("three").sop_instance_uids
    lab.put("dcmExternalRetrieveAEDestination")
    lab.reload()
    with external(calling="VIEWER", dest="STORESCP"):
        outcome = move_study(lab.archive, "STORESCP", get_standard_study("one").uid, calling="VIEWER")
        assert (outcome.status, outcome.counters["completed"]) == (0x0000, 1)
    assert "from LONGTERM, move originator VIEWER" in lab.log("storage")
