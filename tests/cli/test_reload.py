from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.web import Timeouts
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run


def test_reload_says_that_the_archive_reloaded(run: Run, archive: Scripted) -> None:
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(rf"reloaded: archive {archive.url} \(\d+\.\d\d s\)\n", result.stdout)
    assert archive.requests == [("POST", "/dcm4chee-arc/ctrl/reload", None)]


def test_reload_as_json(run: Run, archive: Scripted) -> None:
    result = run("--archive-url", archive.url, "reload", "--json")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert content.pop("seconds") > 0
    assert content == {"archive_url": archive.url, "reloaded": True}


def test_reload_sends_the_token_from_the_file(run: Run, archive: Scripted, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    result = run("reload", "--archive-url", archive.url, "--archive-token-file", str(tmp_path / "token"))
    assert result.exit_code == 0
    assert archive.requests == [("POST", "/dcm4chee-arc/ctrl/reload", "Bearer abc")]


def test_token_of_the_environment_does_not_go_to_another_archive(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DCMCFG_ARCHIVE_TOKEN", "secret")
    assert run("reload", "--archive-url", archive.url).exit_code == 0
    assert archive.requests == [("POST", "/dcm4chee-arc/ctrl/reload", None)]


def test_configuration_that_does_not_load_is_told_in_one_line(run: Run, archive: Scripted) -> None:
    archive.answer(409, '{"errorMessage":"Device with specified name "x" not found"}')
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f'dcmcfg: {archive.url}/ctrl/reload: Device with specified name "x" not found (HTTP 409)\n'
        f"  next: dcmcfg --archive-url {archive.url} check and lint find what it cannot load; "
        "the archive's server.log has more\n"
    )


def test_reload_without_a_token_says_token(run: Run, archive: Scripted) -> None:
    archive.answer(302, Location="https://login.example/realms/dcm4che?state=1")
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: redirected to https://login.example/realms/dcm4che (HTTP 302), "
        "which is not followed\n"
        f"  next: a login page: dcmcfg --archive-url {archive.url} token tells whose; docs/secured.md says how to "
        "get them, --archive-token-file FILE gives one; a moved archive: --archive-url\n"
    )


def test_reload_whose_outcome_is_not_known_is_exit_code_4(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.hang = threading.Event()
    quick = ControlService(archive.url, timeouts=Timeouts(answer=0.2))
    monkeypatch.setattr("dcmcfg.cli.reload.control_service", lambda _settings: quick)
    result = run("reload", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/reload: the reload was sent and not confirmed: no answer within 0.2 s\n"
        f"  next: dcmcfg --archive-url {archive.url} status, then dcmcfg --archive-url {archive.url} reload once more: "
        "reloading twice does no harm\n"
    )
