"""``dcmcfg verify`` and the archive's database: what it tells, and that a verify never hangs on it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import Result

from dcmcfg.archive.qido import TIMEOUTS
from dcmcfg.lab.move_scp import MoveResponse
from dcmcfg.lab.site import TokenRequirements
from dcmcfg.lab.studies import get_standard_study
from tests.archive.scripted import Scripted
from tests.archive.test_qido import instance
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.cli.sites import CliSite
from tests.dicom.dcmtk import Made, make_instances
from tests.issuer import running_issuer
from tests.lab.running_site import running_site
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
STUDY = "1.2.826.0.1.3680043.10.1.1"
WHERE = f"aets/DCM4CHEE/rs/studies/{STUDY}/instances"
INSTANCES = f"{WHERE}?includefield=77771025,77771026,77771043,77771050&limit=2000&offset=0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_instances(tmp_path_factory.mktemp("made"), STUDY, per_series=3)


def verify(run: Run, made: Made, *options: str) -> Result:
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3), availability="ONLINE") as archive:
        where = ("--connect", f"{archive.host}:{archive.port}", "--timeout-s", f"{PATIENCE_S:g}", "--json")
        return run("verify", "--study", STUDY, "--dest", "WORKSTATION", *where, *options)


def answers(archive: Scripted, made: Made, **values: str) -> bytes:
    """Have the archive's database answer with *values* of each instance; return the body."""
    body = json.dumps([instance(uid, **values) for uid in made.sop_instance_uids]).encode()
    archive.by_path[INSTANCES] = (200, body)
    return body


def test_a_local_study_is_told_with_what_the_database_said(run: Run, site: CliSite, made: Made) -> None:
    answers(site.archive, made, x50="fs1")
    result = verify(run, made)
    verdict = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (verdict["route"]["finding"], verdict["database"]["files_before"]) == (
        "not tried",
        "local",
    )
    requested_paths = [path.removeprefix("/dcm4chee-arc/") for _, path, _ in site.archive.requests]
    assert requested_paths == [INSTANCES, INSTANCES], "one search before the C-MOVE, and one after it"
    assert verdict["database"]["before"] == verdict["database"]["after"]
    assert verdict["database"]["before"] == {
        "known": True,
        "instance_count": 3,
        "availability": "ONLINE",
        "storage_ids": ["fs1"],
        "external_retrieve_ae_title": None,
        "completeness": None,
        "failed_retrieves": 0,
    }


def test_a_purged_study_shows_the_route_although_it_was_online(run: Run, site: CliSite, made: Made) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes", "--no-reload").exit_code == 0
    recalled = answers(site.archive, made, x43="LONGTERM", x50="fs1")
    answers(site.archive, made, x43="LONGTERM")
    site.archive.once[INSTANCES] = site.archive.by_path[INSTANCES]
    site.archive.by_path[INSTANCES] = (200, recalled)
    verdict = json.loads(verify(run, made).stdout)
    assert verdict["headline"].endswith("; route shown")
    assert verdict["database"]["files_before"] == "not local"
    assert verdict["expected"]["instances"][0] == {
        "sop_instance_uid": made.sop_instance_uids[0],
        "series_instance_uid": f"{made.study_uid}.1",
        "availability": "ONLINE",
        "availability_after": "ONLINE",
    }


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"", "the archive requires a token (HTTP 401)"),
        (404, b"", "no search service (HTTP 404)"),
        (413, b"", "the search has more results than the archive returns (HTTP 413)"),
        (200, b"<html>", "the response is not from a dcm4chee archive: not JSON"),
    ],
)
def test_a_database_that_cannot_be_asked_is_a_note(
    run: Run, site: CliSite, made: Made, status: int, body: bytes, words: str
) -> None:
    site.archive.by_path[INSTANCES] = (status, body)
    result = verify(run, made)
    verdict = json.loads(result.stdout)
    assert (result.exit_code, result.stderr, verdict["route"]["finding"]) == (0, "", "not shown")
    where = f"{site.archive.url}/{WHERE}"
    assert any(
        note.startswith(f"the location of the files before the C-MOVE is unknown ({where}: {words}")
        for note in verdict["notes"]
    )
    assert len(site.archive.requests) == 1, "it is not asked again after the C-MOVE"


def test_a_database_that_hangs_holds_nothing_up_for_long(
    run: Run, site: CliSite, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcmcfg.cli.session.database.TIMEOUTS", type(TIMEOUTS)(0.5, 0.3))
    site.archive.hang = threading.Event()
    result = verify(run, made)
    assert result.exit_code == 0
    assert "no answer within 0.3 s" in result.stdout


def test_without_qido_the_archives_web_services_are_left_alone(run: Run, site: CliSite, made: Made) -> None:
    assert verify(run, made, "--no-qido").exit_code == 0
    assert site.archive.requests == []


def test_a_token_that_cannot_be_read_is_a_note(run: Run, site: CliSite, made: Made, tmp_path: Path) -> None:
    result = verify(run, made, "--archive-token-file", str(tmp_path / "none"))
    assert (result.exit_code, result.stderr, site.archive.requests) == (0, "", [])
    assert f"the location of the files before the C-MOVE is unknown ({tmp_path / 'none'}: " in result.stdout


def test_nothing_is_loaded_to_ask_where_nothing_listens(
    run: Run, site: CliSite, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}/dcm4chee-arc"
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", url)
    monkeypatch.setattr("dcmcfg.cli.session.database.make_database_client", None)
    result = verify(run, made)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"the location of the files before the C-MOVE is unknown ({url}: connection refused)" in result.stdout


def test_a_secured_archives_database_takes_a_token_of_its_issuer(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    (tmp_path / "lab").mkdir()
    with running_issuer() as issuer, running_site(tmp_path / "lab", TokenRequirements(issuer.url)) as lab:
        lab.start("storage", "archive")
        name_in_environment(lab, monkeypatch)
        local = ("verify", "--study", get_standard_study("local").uid, "--dest", "STORESCP", "--json")
        content = json.loads(run(*local).stdout)
        assert content["database"]["before"] is None
        assert any("the archive requires a token (HTTP 401)" in note for note in content["notes"])
        client = issuer.clients["dcmcfg"]
        monkeypatch.setenv("DCMCFG_OIDC_ISSUER", issuer.url)
        monkeypatch.setenv("DCMCFG_OIDC_CLIENT_ID", client.client_id)
        content = json.loads(run(*local).stdout)
        assert any(f"no secret for the client {client.client_id}" in note for note in content["notes"]), (
            "nobody is asked"
        )
        monkeypatch.setenv("DCMCFG_OIDC_CLIENT_SECRET", client.secret)
        content = json.loads(run(*local).stdout)
        assert (content["route"]["finding"], content["database"]["before"]["storage_ids"]) == ("not tried", ["fs1"])
        issuer.realm_roles = ("user",)
        content = json.loads(run(*local).stdout)
        assert any(
            "the token's user has no permission for this request (HTTP 403)" in note for note in content["notes"]
        )
