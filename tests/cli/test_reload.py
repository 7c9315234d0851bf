from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest

from dcmcfg.archive.control import ControlService, StatusPolling
from dcmcfg.archive.http_client import HttpTimeouts
from dcmcfg.settings.profile_edits import write_profile
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run

FORCED = (
    b"java.io.IOException: Unable to start TCPListener on localhost:9112\n\tat a.B.c(D.java:1)\n"
    b"Caused by: java.net.BindException: Address already in use\n\t... 1 more\n"
)


@pytest.fixture
def archive(archive: Scripted) -> Scripted:
    """An archive that is STARTED and reloads."""
    archive.run_as_an_archive_does()
    return archive


def test_reload_says_that_the_archive_reloaded(run: Run, archive: Scripted) -> None:
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(rf"reloaded: archive {archive.url} \(\d+\.\d\d s\)\n", result.stdout)
    assert archive.requests == [
        ("POST", "/dcm4chee-arc/ctrl/reload", None),
        ("GET", "/dcm4chee-arc/ctrl/status", None),
    ]


def test_reload_as_json(run: Run, archive: Scripted) -> None:
    result = run("--archive-url", archive.url, "reload", "--json")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert content.pop("duration_seconds") > 0
    assert content["attempts"][0].pop("duration_seconds") > 0
    clean: dict[str, object] = {"http_status": 204, "outcome": "reloaded", "configuration_active": True}
    clean |= {"message": "", "closed_listener": None}
    assert content == {
        "archive_url": archive.url,
        "reloaded": True,
        "state": "started",
        "configuration_active": True,
        "closed_listener": None,
        "has_closed_listener": False,
        "reopened_listener": None,
        "attempts": [clean],
    }


def test_listener_that_a_second_reload_opens_is_a_success_with_a_note(run: Run, archive: Scripted) -> None:
    archive.once["ctrl/reload"] = (500, FORCED)
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (0, "")
    note, reloaded = result.stdout.splitlines()
    assert note == (
        "The first reload could not open the listener localhost:9112 (IOException: Unable to start TCPListener on "
        "localhost:9112; cause: BindException: Address already in use). A second reload opened the listener."
    )
    assert reloaded.startswith(f"reloaded: archive {archive.url} (")
    archive.once["ctrl/reload"] = (500, FORCED)
    content = json.loads(run("reload", "--archive-url", archive.url, "--json").stdout)
    assert (content["reloaded"], content["configuration_active"]) == (True, True)
    assert content["reopened_listener"] == "localhost:9112"
    assert [(each["http_status"], each["outcome"]) for each in content["attempts"]] == [
        (500, "loaded, listener closed"),
        (204, "reloaded"),
    ]


def test_listener_that_stays_closed_is_exit_code_4_with_what_is_in_force(run: Run, archive: Scripted) -> None:
    archive.by_path["ctrl/reload"] = (500, FORCED)
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout, archive.reloads) == (4, "", 2)
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: The new configuration is in force, but the archive could not open the "
        "listener localhost:9112: IOException: Unable to start TCPListener on localhost:9112; cause: BindException: "
        "Address already in use (HTTP 500; dcmcfg reloaded twice). Until a reload succeeds, other listeners might be "
        "closed too, and the AE cache of the archive still contains old AEs\n"
        f"  next: Find out what else uses port 9112. Check the other connections of the archive (dcmcfg --archive-url "
        f"{archive.url} connection list dcm4chee-arc). Check the other processes on the archive's machine (ss -tlnp "
        f"'sport = :9112'). Then run dcmcfg --archive-url {archive.url} reload\n"
    )
    content = json.loads(run("reload", "--archive-url", archive.url, "--json").stdout)
    assert content.pop("error")["exit_code"] == 4
    assert [
        content[name] for name in ("reloaded", "configuration_active", "closed_listener", "has_closed_listener")
    ] == [
        False,
        True,
        "localhost:9112",
        True,
    ]
    assert [each["closed_listener"] for each in content["attempts"]] == ["localhost:9112"] * 2


def test_reload_of_a_stopped_archive_is_exit_code_4(run: Run, archive: Scripted) -> None:
    archive.by_path["ctrl/status"] = (200, b'{"status":"STOPPED"}')
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}: The archive loaded the new configuration, but the archive is STOPPED: its DICOM and "
        "HL7 ports are closed\n"
        "  next: Start the archive on the Control page of its web interface, or run: curl -X POST "
        f"{archive.url}/ctrl/start\n"
    )
    content = json.loads(run("reload", "--archive-url", archive.url, "--json").stdout)
    assert content.pop("error")["exit_code"] == 4
    assert (content["reloaded"], content["state"], content["configuration_active"]) == (True, "stopped", True)


def test_reload_after_which_the_status_is_not_known_warns(run: Run, archive: Scripted) -> None:
    archive.by_path["ctrl/status"] = (502, b"")
    result = run("reload", "--archive-url", archive.url)
    assert result.exit_code == 0
    assert result.stderr == (
        "warning: the archive reloaded, but dcmcfg does not know whether the archive is STARTED: a gateway or proxy "
        "got no answer from the archive (HTTP 502); "
        f"run dcmcfg --archive-url {archive.url} status\n"
    )


def test_reload_of_an_archive_that_is_not_deployed_is_exit_code_3(run: Run, archive: Scripted) -> None:
    page = b"<html><head><title>Error</title></head><body>404 - Not Found</body></html>"
    archive.by_path["ctrl/reload"] = (404, page)
    result = run("reload", "--archive-url", archive.url, "--json")
    content = json.loads(result.stdout)
    assert (result.exit_code, content.pop("error")["exit_code"]) == (3, 3)
    assert content == {"archive_url": archive.url, "reloaded": False, "state": "not deployed"}


def test_reload_sends_the_token_from_the_file(run: Run, archive: Scripted, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "token").chmod(0o600)
    result = run("reload", "--archive-url", archive.url, "--archive-token-file", str(tmp_path / "token"))
    assert result.exit_code == 0
    assert {token for _, _, token in archive.requests} == {"Bearer abc"}
    assert archive.reloads == 1


def test_token_of_the_environment_does_not_go_to_another_archive(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DCMCFG_ARCHIVE_TOKEN", "secret")
    assert run("reload", "--archive-url", archive.url).exit_code == 0
    assert {token for _, _, token in archive.requests} == {None}


def test_configuration_that_does_not_load_is_exit_code_3_and_changes_nothing(run: Run, archive: Scripted) -> None:
    archive.by_path["ctrl/reload"] = (409, b'{"errorMessage":"java.lang.IllegalArgumentException: No "x""}')
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout, archive.reloads) == (3, "", 1)
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: The archive could not load the new configuration: "
        'IllegalArgumentException: No "x" (HTTP 409). The archive '
        "keeps its previous configuration\n"
        f"  next: To list the values that the archive cannot load, run dcmcfg --archive-url {archive.url} "
        "check. Fix these values, "
        f"then run dcmcfg --archive-url {archive.url} reload. The archive's server.log has the full error\n"
    )
    content = json.loads(run("reload", "--archive-url", archive.url, "--json").stdout)
    assert (content["reloaded"], content["configuration_active"]) == (False, False)


def test_answer_that_shows_nothing_is_exit_code_4_and_guesses_nothing(run: Run, archive: Scripted) -> None:
    archive.by_path["ctrl/reload"] = (500, b"boom")
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert (
        "boom (HTTP 500). dcmcfg does not know whether the archive uses the new configuration\n "
        " next: See" in result.stderr
    )
    content = json.loads(run("reload", "--archive-url", archive.url, "--json").stdout)
    assert (content["reloaded"], content["configuration_active"]) == (False, None)


def test_reload_without_a_token_says_token(run: Run, archive: Scripted) -> None:
    archive.by_path = {}
    archive.answer(302, Location="https://login.example/realms/dcm4che?state=1")
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: redirected to https://login.example/realms/dcm4che (HTTP 302), but "
        "dcmcfg does not follow redirects\n"
        f"  next: if the target is a login page, run dcmcfg --archive-url {archive.url} token to see the issuer, then "
        "see dcmcfg help secured; or set a token with --archive-token-file FILE. If the archive has a new URL, set "
        "--archive-url\n"
    )


def test_reload_whose_outcome_is_not_known_is_exit_code_4(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.hang = threading.Event()
    quick = ControlService(archive.url, timeouts=HttpTimeouts(response=0.2))
    monkeypatch.setattr("dcmcfg.cli.reload.make_control_service", lambda _settings: quick)
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: dcmcfg sent a reload, but the archive did not confirm the reload: "
        "no answer "
        "within 0.2 s\n"
        f"  next: Run dcmcfg --archive-url {archive.url} status, then dcmcfg --archive-url {archive.url} reload once "
        "more: a second reload does no harm\n"
    )


def test_a_slow_reload_prints_that_dcmcfg_waits(run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.hang = threading.Event()
    write_profile("site", {"nodes": {"east": {"archive_url": archive.url}}})
    quick = ControlService(archive.url, timeouts=HttpTimeouts(response=0.4), polling=StatusPolling(slow_after_s=0.1))
    for module in ("dcmcfg.cli.reload", "dcmcfg.cli.session.node_reload"):
        monkeypatch.setattr(f"{module}.make_control_service", lambda _settings: quick)
    waiting = f"no response yet from {archive.url}/ctrl/reload; waiting …\n"
    for arguments in (("--archive-url", archive.url), ("--profile", "site")):
        result = run(*arguments, "reload")
        assert (result.exit_code, result.stderr.startswith(waiting)) == (4, True)
