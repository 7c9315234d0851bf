"""``dcmcfg work-order`` in each of its forms; Orthanc's is tried on Orthanc in a test of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.onboarding.delimited import read_delimited
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def back_to_the_archive(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0


ASKED = ("work-order", "--external", "LONGTERM", "--calling", "VIEWER")


def test_as_a_letter(run: Run) -> None:
    result = run(*ASKED)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines() if line.strip() and "──" not in line]
    assert lines == [
        "For the administrator of LONGTERM at localhost:11119: please configure these AEs.",
        "AE Address Services Receives Reason",
        (
            "DCM4CHEE localhost:11112 C-MOVE, C-STORE, storage commitment yes stores (exporter LONGTERM); requests "
            "storage commitment, and receives the result (exporter LONGTERM); requests the rest of partly local "
            "studies; receives the studies that the archive requests (dcmExternalRetrieveAEDestination)"
        ),
        "VIEWER (only calls) C-MOVE requests purged studies through the archive",
        (
            "- the archive (host localhost) also sends requests with the calling AE "
            "titles of other systems (VIEWER). For these AE titles, do not check the host of the caller"
        ),
        "- each C-STORE must contain the Move Originator AE Title (0000,1030): the calling AE title of the C-MOVE",
        (
            "- the external archive must send objects under its own AE title LONGTERM: the archive ignores objects "
            "from another AE title"
        ),
    ]


def test_as_csv_that_import_reads(run: Run) -> None:
    rows = read_delimited("order.csv", run(*ASKED, "--format", "csv").stdout).rows
    assert [(row.text("title"), row.text("host"), row.text("port"), row.text("tls")) for row in rows] == [
        ("DCM4CHEE", "localhost", "11112", "no"),
        ("VIEWER", "localhost", "", "no"),
    ]
    assert [row.problems for row in rows] == [(), ()]


def test_as_ldif_that_another_configuration_takes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "order.ldif"
    file.write_text(run(*ASKED, "--format", "ldif").stdout)
    slapd = Slapd(tmp_path / "theirs", port=free_port(), root_password=PASSWORD)
    slapd.prepare()
    slapd.load_files(list_site_files()[:2])
    with slapd:
        other_server = RunningSlapd(slapd)
        done = other_server.run_client("ldapadd", "-f", str(file))
        assert done.returncode == 0, done.stderr
        entries = {str(entry.dn): entry for entry in other_server.entries()}
    ae = entries[f"dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee,{DEVICES}"]
    assert ae.texts("dicomNetworkConnectionReference") == (f"cn=dicom,dicomDeviceName=dcm4chee,{DEVICES}",)
    assert entries[f"cn=dicom,dicomDeviceName=dcm4chee,{DEVICES}"].text("dicomPort") == "11112"
    assert "dicomPort" not in entries[f"cn=dicom,dicomDeviceName=viewer,{DEVICES}"]
    assert "dcm" not in {value[:3] for value in ae.texts("objectClass")}


def test_as_json(run: Run) -> None:
    content = json.loads(run(*ASKED, "--json").stdout)
    assert (content["external_ae_title"], content["archive_ae_title"]) == ("LONGTERM", "DCM4CHEE")
    assert content["address"] == {"host": "localhost", "port": 11119, "tls": False}
    assert content["aes"][1] == {
        "ae_title": "VIEWER",
        "address": None,
        "source_host": "localhost",
        "allowed_services": ["C-MOVE"],
        "receives_studies": False,
        "reasons": ["requests purged studies through the archive"],
    }


def test_a_title_that_no_ae_has_is_a_warning(run: Run) -> None:
    arguments = ("work-order", "--external", "LONGTERM", "--calling", "WORKSTATON")
    message = "no AE has the title WORKSTATON; did you mean WORKSTATION?"
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, f"warning: {message}\n")
    result = run(*arguments, "--json")
    assert (json.loads(result.stdout)["warnings"], result.stderr) == ([message], "")


def test_json_is_a_form_of_its_own(run: Run) -> None:
    result = run(*ASKED, "--json", "--format", "csv")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == "--format csv and --json cannot be used together"


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("--external", "STORESCP"), 3, "DCM4CHEE sends no requests to STORESCP"),
        (("--external", "LONGTERM", "--calling", "a\\b"), 2, "not an AE title"),
        ((), 2, "Missing option '--external'"),
    ],
)
def test_what_cannot_be_asked_is_told(run: Run, arguments: tuple[str, ...], code: int, problem: str) -> None:
    result = run("work-order", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert problem in result.stderr
