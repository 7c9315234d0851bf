from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dcmcfg.settings import write_profile
from dcmcfg.settings.resolve import DEFAULT_SOURCE
from tests.archive.scripted import Scripted, scripted_archive, self_signed_certificate
from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.issuer import running_issuer
from tests.ports import free_port


def test_started_archive_is_exit_code_0(run: Run, archive: Scripted) -> None:
    archive.answer(200, '{"status":"STARTED"}')
    result = run("status", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(rf"STARTED: archive {archive.url} \(\d+\.\d\d s\)\n", result.stdout)


def test_stopped_archive_is_exit_code_1(run: Run, archive: Scripted) -> None:
    archive.answer(200, '{"status":"STOPPED"}')
    result = run("status", "--archive-url", archive.url, "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    content = json.loads(result.stdout)
    assert content.pop("duration_seconds") > 0
    assert content == {
        "archive_url": archive.url,
        "reported_status": "STOPPED",
        "state": "stopped",
        "next_step": "Start the archive on the Control page of its web interface, or run: curl -X POST "
        f"{archive.url}/ctrl/start",
    }


def test_stopped_archive_says_how_to_start_it(run: Run, archive: Scripted, tmp_path: Path) -> None:
    archive.answer(200, '{"status":"STOPPED"}')
    result = run("status", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (1, "")
    first, *rest = result.stdout.splitlines()
    assert re.fullmatch(rf"STOPPED: archive {archive.url} \(\d+\.\d\d s\)", first)
    assert rest == [
        "The archive is STOPPED: its DICOM and HL7 ports are closed. A reload does not open the ports.",
        "  next: Start the archive on the Control page of its web interface, or run: curl -X POST "
        f"{archive.url}/ctrl/start",
    ]
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "token").chmod(0o600)
    secured = run("status", "--archive-url", archive.url, "--archive-token-file", str(tmp_path / "token"))
    assert (
        f'curl -X POST -H "Authorization: Bearer $(dcmcfg --archive-url {archive.url} --archive-token-file '
        f'{tmp_path}/token token --print)" {archive.url}/ctrl/start\n' in secured.stdout
    )


def test_profiles_and_the_lab_are_the_next_step_if_no_archive_is_at_the_default_url(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(DEFAULT_SOURCE.values, dict)
    monkeypatch.setitem(DEFAULT_SOURCE.values, "archive_url", f"http://127.0.0.1:{free_port()}/dcm4chee-arc")
    without = run("status")
    assert (without.exit_code, without.stdout) == (3, "")
    assert without.stderr.endswith(
        ". dcmcfg used the default URL, because no profile exists. To use another URL, specify --archive-url, or "
        "create a profile: dcmcfg config set NAME.archive_url URL. To start a lab: dcmcfg lab up\n"
    )
    write_profile("hospital", {"device": "dcm4chee-arc"})
    assert run("status").stderr.endswith(
        ". dcmcfg used the default URL, because no profile is selected. To use another URL, select a profile "
        "(hospital) with --profile NAME or DCMCFG_PROFILE, or specify --archive-url\n"
    )
    selected = "The profile hospital has no archive_url, so dcmcfg used the default URL. To set the URL: "
    selected += "dcmcfg config set hospital.archive_url URL\n"
    assert run("status", "--profile", "hospital").stderr.endswith(f" with --archive-url. {selected}")


@pytest.mark.real
def test_a_change_shows_how_to_set_the_missing_url_of_the_profile(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(DEFAULT_SOURCE.values, dict)
    monkeypatch.setitem(DEFAULT_SOURCE.values, "archive_url", f"http://127.0.0.1:{free_port()}/dcm4chee-arc")
    for name in ("DCMCFG_ARCHIVE_URL", "DCMCFG_LDAP_URL", "DCMCFG_BIND_PASSWORD"):
        monkeypatch.delenv(name)
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(site.slapd.password)
    write_profile("hospital", {"ldap_url": site.slapd.url, "bind_password_file": str(password)})
    result = run("set", "storescp", "dicomDescription=x", "--yes", "--profile", "hospital")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        ". The profile hospital has no archive_url, so dcmcfg used the default URL. To set the URL: dcmcfg config set "
        "hospital.archive_url URL; nothing was changed; to change the directory without a reload of the archive: "
        "--no-reload\n"
    )


def test_archive_that_is_down_is_exit_code_3(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/dcm4chee-arc"
    result = run("status", "--archive-url", url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {url}/ctrl/status: Connection refused: no server listens at {urlsplit(url).netloc}\n"
        "  next: Start the archive's server. If the server is already starting, wait some seconds. "
        "If the URL is wrong, set the URL with --archive-url\n"
    )
    content = json.loads(run("status", "--archive-url", url, "--json").stdout)
    assert (content.pop("error")["exit_code"], content) == (
        3,
        {"archive_url": url, "reported_status": None, "state": "not running"},
    )


def test_wrong_base_url_is_exit_code_3(run: Run, archive: Scripted) -> None:
    archive.answer(404, "<html><body>Not Found</body></html>")
    result = run("status", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/status: The response is not from an archive (HTTP 404)\n"
        "  next: Check the archive's base URL (--archive-url): the default is http://HOST:8080/dcm4chee-arc\n"
    )


def test_required_revocation_lists_that_are_not_there_are_refused(run: Run, tmp_path: Path) -> None:
    ca_file = self_signed_certificate(tmp_path)
    refused = run("status", "--archive-url", "https://127.0.0.1:1", "--ca-file", str(ca_file), "--require-crl")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        2,
        "",
        f"dcmcfg: {ca_file}: the CA file cannot be used: no revocation list (CRL) in PEM format was found, "
        "but --require-crl requires a CRL\n"
        "  next: set --ca-file to a file with CA certificates. With --require-crl, the file must also contain CRLs\n",
    )


def test_archive_and_issuer_over_tls_are_verified_with_the_one_ca_file(run: Run, tmp_path: Path) -> None:
    certificate = self_signed_certificate(tmp_path)
    with scripted_archive(certificate) as archive, running_issuer(certificate) as issuer:
        archive.run_as_an_archive_does()
        (tmp_path / "secret").write_text(issuer.clients["dcmcfg"].secret)
        (tmp_path / "secret").chmod(0o600)
        (tmp_path / "ca.pem").write_text((tmp_path / "certificate.pem").read_text())
        profile = {
            "archive_url": archive.url,
            "oidc_issuer": issuer.url,
            "oidc_client_id": "dcmcfg",
            "oidc_client_secret_file": str(tmp_path / "secret"),
        }
        write_profile("hospital", profile)
        refused = run("--profile", "hospital", "status")
        assert refused.exit_code == 3
        assert refused.stderr == (
            f"dcmcfg: {issuer.url}/.well-known/openid-configuration: no token for the archive: the server's "
            "certificate was not accepted: self-signed certificate\n  next: specify the CA of the "
            "certificate with --ca-file FILE\n"
        )
        assert (archive.requests, issuer.asked) == ([], [])
        write_profile("hospital", profile | {"ca_file": str(tmp_path / "ca.pem")})
        assert run("--profile", "hospital", "status").exit_code == 0
        assert archive.requests == [("GET", "/dcm4chee-arc/ctrl/status", f"Bearer {issuer.issued[0]}")]
