"""``dcmcfg verify`` of a real recall: the lab's archive, with dcmtk's as the external archive behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.dicom.dcmtk import dcmqrscp, storescu
from tests.lab.running_site import RunningSite, running_site

pytestmark = pytest.mark.real
DESTINATION = "dcmExternalRetrieveAEDestination"


@pytest.fixture
def recall_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """A site, named by the environment, whose LONGTERM is dcmtk's dcmqrscp: it knows the archive only."""
    folder = tmp_path / "lab"
    folder.mkdir()
    with running_site(folder) as site:
        ports = site.site.ports
        with dcmqrscp(tmp_path / "longterm", knows={"DCM4CHEE": site.archive}, port=ports.external) as external:
            files = ObjectStore(tmp_path / "files")
            sent = [files.save(each) for name in ("three", "twenty") for each in get_standard_study(name).instances]
            done = storescu(external, sent)
            assert done.returncode == 0, done.stderr
            site.start("archive")
            monkeypatch.setenv("DCMCFG_LDAP_URL", site.slapd.url)
            monkeypatch.setenv("DCMCFG_BIND_PASSWORD", site.slapd.password)
            monkeypatch.setenv("DCMCFG_ARCHIVE_URL", site.site.archive_url)
            yield site


def test_a_recall_from_dcmtks_archive_fails_until_the_destination_is_set_and_then_shows_the_route(
    run: Run, recall_site: RunningSite
) -> None:
    verify = ("verify", "--dest", "WORKSTATION", "--receive", "--json", "--study")
    done = run(*verify, get_standard_study("twenty").uid)
    refused = json.loads(done.stdout)
    assert (done.exit_code, refused["reported"]["status_hex"]) == (1, "A801")
    assert "dcmcfg set-external-retrieve DCM4CHEE" in refused["next_steps"][0]

    done = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert done.exit_code == 0, done.output
    done = run(*verify, get_standard_study("twenty").uid)
    verdict = json.loads(done.stdout)
    assert (done.exit_code, verdict["headline"]) == (
        0,
        "verified: 20 of 20 instances received by WORKSTATION; route shown",
    )
    reported = {name: verdict["reported"][name] for name in ("status_hex", "completed", "failed", "warning")}
    assert reported == {"status_hex": "0000", "completed": 20, "failed": 0, "warning": 0}
    assert verdict["received"]["calling_ae_titles"] == ["DCM4CHEE"]
    assert verdict["route"]["finding"] == "shown"
    assert verdict["route"]["reasons"] == [
        "before the C-MOVE, the archive's database had no local file for 20 instances",
        "after the C-MOVE, the database also has files for 20 instances (recalled)",
        "the external archive's log was not read",
        "external archive according to the archive's database: LONGTERM",
        "Instance Availability before the C-MOVE: NEARLINE, after the C-MOVE: NEARLINE",
        "callers of the receiver: DCM4CHEE (as reported by the caller)",
    ]

    done = run(*verify, get_standard_study("twenty").uid)
    verdict = json.loads(done.stdout)
    assert (done.exit_code, verdict["route"]["finding"]) == (0, "not tried")
    assert verdict["headline"] == (
        "verified: 20 of 20 instances received by WORKSTATION; "
        "route not tried: the study was still local, and a local study proves nothing about external retrieve"
    )
    done = run(*verify, get_standard_study("twenty").uid, "--require-route")
    assert (done.exit_code, json.loads(done.stdout)["headline"]) == (
        1,
        "NOT verified: route not tried: the study was still local, and a local study proves nothing about external "
        "retrieve",
    )
    done = run(*verify, get_standard_study("twenty").uid, "--no-qido")
    assert (done.exit_code, json.loads(done.stdout)["route"]["finding"]) == (0, "not shown")


def test_a_destination_that_is_down_fails_though_the_external_archive_delivered(
    run: Run, recall_site: RunningSite
) -> None:
    recall_site.put(DESTINATION, "DCM4CHEE")
    recall_site.reload()
    done = run("verify", "--dest", "WORKSTATION", "--study", get_standard_study("three").uid)
    assert done.exit_code == 1, done.output
    assert done.stdout.startswith("NOT verified: status A702")
    assert (
        "into the archive's own storage, but WORKSTATION did not accept the study: to check whether the destination "
        "answers, run dcmcfg echo"
    ) in done.stdout


def test_a_local_study_with_a_destination_that_is_down_names_the_destination(
    run: Run, recall_site: RunningSite
) -> None:
    done = run("verify", "--dest", "WORKSTATION", "--study", get_standard_study("local").uid)
    assert done.exit_code == 1, done.output
    assert "Connection refused" in done.stdout
    there = f"WORKSTATION (127.0.0.1:{recall_site.site.ports.workstation})"
    assert f"nothing listens at the address that the archive has for {there}" in done.stdout.splitlines()[0]
    assert (
        "\nNext step Check that the AE is running and that this machine can reach the AE: dcmcfg echo WORKSTATION"
        in done.stdout
    )
