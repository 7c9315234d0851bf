"""The three commands that the project is for, by their exact names, on the archive's own default configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite
from tests.dicom import dcmtk
from tests.dicom.dcmtk import Made, make_instances, stored_in

pytestmark = pytest.mark.real
STUDY = "1.2.826.0.1.3680043.10.1.1"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_instances(tmp_path / "made", STUDY)


@pytest.fixture
def pacs(tmp_path: Path, made: Made) -> Iterator[Peer]:
    """dcmtk's archive as DCM4CHEE with the study, and dcmtk's storage SCP as STORESCP, which it knows."""
    with ExitStack() as stack:
        storage = stack.enter_context(dcmtk.storescp(tmp_path / "stored"))
        archive = stack.enter_context(
            dcmtk.dcmqrscp(tmp_path / "pacs", ae_title="DCM4CHEE", knows={"STORESCP": storage})
        )
        sent = dcmtk.storescu(archive, made.files)
        assert sent.returncode == 0, sent.stderr
        yield archive


def test_set_export_and_verify_on_the_stock_configuration(
    run: Run, stock_site: CliSite, pacs: Peer, made: Made, tmp_path: Path
) -> None:
    cleared = run("set-external-retrieve", "--clear", "--yes")
    assert (cleared.exit_code, stock_site.values(NAME)) == (0, ()), cleared.output
    done = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (done.exit_code, stock_site.values(NAME)) == (0, ("DCM4CHEE",)), done.output
    assert (
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values." in done.output
    )
    again = run("set-external-retrieve", "DCM4CHEE")
    assert (again.exit_code, "No changes." in again.output) == (0, True), again.output

    exported = tmp_path / "site.ldif"
    done = run("export-ldif", "-o", str(exported))
    assert done.exit_code == 0, done.output
    assert f"\n{NAME}: DCM4CHEE\n" in exported.read_text("utf-8")
    assert run("export-ldif").stdout == exported.read_text("utf-8")

    where = ("--connect", f"{pacs.host}:{pacs.port}")
    done = run("verify", "--study", STUDY, "--dest", "STORESCP", *where)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("reported, not observed: the archive reports 3 of 3 instances as sent to STORESCP")
    assert "external archive → DCM4CHEE → STORESCP (dcmExternalRetrieveAEDestination on device dcm4chee-arc)" in (
        done.stdout
    )
    assert stored_in(tmp_path / "stored") == set(made.sop_instance_uids)


def test_verify_of_a_study_that_the_stock_site_does_not_have_is_a_no(run: Run, stock_site: CliSite, pacs: Peer) -> None:
    before = stock_site.octets()
    where = ("--connect", f"{pacs.host}:{pacs.port}")
    done = run("verify", "--study", "1.2.3", "--dest", "STORESCP", *where)
    assert done.exit_code == 1, done.output
    assert "The archive lists no study 1.2.3" in done.stdout
    assert stock_site.octets() == before
    assert ARCHIVE_DN in before
