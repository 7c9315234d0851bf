"""How a command reaches the directory server: by socket, with TLS, and what it warns of."""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from dcmcfg.cli.session import directory
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.settings import write_profile
from dcmcfg.settings.resolve import DEFAULT_SOURCE
from tests.archive.scripted import Scripted
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.ports import free_port
from tests.running_slapd import RunningSlapd
from tests.tls_slapd import ManyFacedSlapd, leaf_files, many_faced, written

pytestmark = pytest.mark.real

ADMIN = f"dn:{RunningSlapd.bind_dn}"


@pytest.fixture
def slapd_and_ca(tmp_path: Path, site_database: Path) -> Iterator[tuple[ManyFacedSlapd, Path]]:
    authority = trustme.CA()
    ca_file = written(tmp_path, "ca.pem", authority.cert_pem.bytes())
    leaf_files(tmp_path, "client", authority.issue_cert(common_name="dcmcfg"))
    shown = leaf_files(tmp_path, "server", authority.issue_cert("localhost"))
    with many_faced(tmp_path / "slapd", site_database, shown, ca_file) as slapd:
        yield slapd, ca_file


def test_over_the_socket_no_password_is_needed(
    run: Run, slapd_and_ca: tuple[ManyFacedSlapd, Path], archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    slapd, _ = slapd_and_ca
    archive.answer(200, '{"status":"STARTED"}')
    archive.answer(200, '{"status":"STARTED"}')
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", archive.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "another server's")
    result = run("status", "--directory", "--ldap-url", slapd.ldapi_url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"directory {slapd.ldapi_url}: {ADMIN}\nSTARTED: archive {archive.url} (")
    content = json.loads(run("status", "--directory", "--ldap-url", slapd.ldapi_url, "--json").stdout)
    assert (content["ldap_url"], content["who_am_i"], content["reported_status"]) == (slapd.ldapi_url, ADMIN, "STARTED")


def test_a_change_over_the_socket_is_headed_by_the_way_in(
    run: Run, slapd_and_ca: tuple[ManyFacedSlapd, Path], archive: Scripted
) -> None:
    slapd, _ = slapd_and_ca
    site = ("--ldap-url", slapd.ldapi_url, "--archive-url", archive.url)
    result = run("set-external-retrieve", "DCM4CHEE", "--no-reload", "--yes", *site)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"SASL EXTERNAL @ {slapd.ldapi_url} · archive {archive.url}\n")
    assert "\nApplied in one change.\n" in result.stdout


def test_a_client_certificate_says_who_one_is_and_its_key_is_warned_of(
    run: Run, slapd_and_ca: tuple[ManyFacedSlapd, Path], archive: Scripted, tmp_path: Path
) -> None:
    slapd, ca_file = slapd_and_ca
    archive.answer(200, '{"status":"STARTED"}')
    key = tmp_path / "client.key"
    key.chmod(0o644)
    files = ("--ca-file", str(ca_file), "--client-cert", str(tmp_path / "client.pem"), "--client-key", str(key))
    where = ("--ldap-url", slapd.starttls_url, "--starttls", "--archive-url", archive.url)
    result = run("status", "--directory", *files, *where)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"directory {slapd.starttls_url}: dn:uid=dcmcfg\n")
    assert result.stderr == f"warning: {key}: others can read this private key; to restrict access: chmod 600 {key}\n"


def test_a_certificate_that_is_not_trusted_is_a_3_and_the_password_stays_here(
    run: Run, slapd_and_ca: tuple[ManyFacedSlapd, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    slapd, _ = slapd_and_ca
    monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.starttls_url)
    monkeypatch.setenv("DCMCFG_STARTTLS", "yes")
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", slapd.root_password)
    result = run("export-ldif")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {slapd.starttls_url}: the server's certificate comes from an authority that is not trusted; "
        "nothing was sent\n  next: specify the CA certificate with --ca-file (DCMCFG_CA_FILE)\n"
    )
    assert slapd.binds == []


def test_a_command_that_is_told_repeats_the_way_in(run: Run, slapd_and_ca: tuple[ManyFacedSlapd, Path]) -> None:
    slapd, ca_file = slapd_and_ca
    where = ("--ldap-url", slapd.starttls_url, "--starttls", "--ca-file", str(ca_file))
    password = written(ca_file.parent, "password", slapd.root_password.encode())
    who = ("--bind-password-file", str(password), "--no-reload", "--yes")
    result = run("set-external-retrieve", "DCM4CHEE", *where, *who)
    assert (result.exit_code, result.stderr) == (0, "")
    options = f"--ldap-url {slapd.starttls_url} --bind-password-file {password} --ca-file {ca_file} --starttls "
    assert f"The archive was not reloaded. To reload it: dcmcfg {options}reload\n" in result.stdout.replace("'", "")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (["--ldap-url", "ldap://ldap.invalid"], True),
        (["--ldap-url", "ldap://ldap.invalid", "--starttls"], False),
        (["--ldap-url", "ldaps://ldap.invalid"], False),
        (["--ldap-url", "ldap://127.1.2.3:9"], False),
        (["--ldap-url", "ldap://[::1]:9"], False),
        (["--ldap-url", "ldap://localhost:9"], False),
    ],
)
def test_a_password_that_leaves_this_machine_unencrypted_is_warned_of(
    run: Run, tmp_path: Path, options: list[str], *, warned: bool
) -> None:
    password = written(tmp_path, "password", b"p")
    result = run("export-ldif", "--bind-password-file", str(password), *options)
    assert result.exit_code == 3
    warning = "warning: the password is sent to ldap://ldap.invalid:389 unencrypted; use --starttls or ldaps://\n"
    assert result.stderr.startswith(warning) is warned
    assert "unencrypted" in result.stderr or not warned


def test_no_password_and_no_secret_are_not_warned_of(run: Run) -> None:
    result = run("export-ldif", "--ldap-url", "ldap://ldap.invalid")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("dcmcfg: ldap://ldap.invalid:389: no password for cn=admin,dc=dcm4che,dc=org\n")
    issuer = ("--oidc-issuer", "http://keycloak.invalid/realms/dcm4che", "--oidc-client-id", "dcmcfg")
    result = run("reload", "--archive-url", "http://archive.invalid", *issuer)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("dcmcfg: http://keycloak.invalid/realms/dcm4che: no secret for the client dcmcfg\n")


def test_a_server_that_is_away_is_told_with_the_profile_that_names_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "xdg" / "config" / "dcmcfg" / "profiles"
    folder.mkdir(parents=True)
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    url = f"ldap://127.0.0.1:{free_port()}"
    (folder / "ward.toml").write_text(f'ldap_url = "{url}"\nbind_password_file = "{tmp_path / "password"}"\n')
    result = run("show", "--profile", "ward")
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "",
        f"dcmcfg: {url}: cannot connect to the LDAP server: connection refused\n"
        "  next: check that the server is running, and that the URL of profile ward is correct\n",
    )


def test_a_directory_server_that_hangs_is_reported_while_dcmcfg_waits(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = functools.partial(LdapServerSettings, receive_timeout_s=1, slow_after_s=0.1)
    monkeypatch.setattr(directory, "LdapServerSettings", quick)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "secret")
    # The operating system accepts the connection, and nothing responds.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("DCMCFG_LDAP_URL", url)
        result = run("ae", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "",
        f"no response yet from {url}; waiting …\n"
        f"dcmcfg: {url}: the connection to the LDAP server was lost: no answer in time\n"
        "  next: the server may hang or be overloaded: check its process and its log. Then run the command again\n",
    )


@pytest.fixture
def at_default(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a URL the default one, and let a run without a password prompt for it."""

    def set_default(url: str) -> None:
        assert isinstance(DEFAULT_SOURCE.values, dict)
        monkeypatch.setitem(DEFAULT_SOURCE.values, "ldap_url", url)
        monkeypatch.setattr(directory, "read_bind_password", lambda _settings: None)

    return set_default


def test_no_password_is_prompted_for_if_no_server_listens() -> None:
    url = f"ldap://127.0.0.1:{free_port()}"
    code, shown = at_terminal(["show", "--ldap-url", url], ())
    assert (code, shown) == (
        3,
        f"dcmcfg: {url}: cannot connect to the LDAP server: connection refused\n"
        "  next: check that the server is running, and check --ldap-url (DCMCFG_LDAP_URL)\n",
    )


def test_no_password_is_prompted_for_if_the_server_is_not_trusted(
    slapd_and_ca: tuple[ManyFacedSlapd, Path],
) -> None:
    slapd, _ = slapd_and_ca
    code, shown = at_terminal(["show", "--ldap-url", slapd.starttls_url, "--starttls"], ())
    assert (code, "Password" in shown) == (3, False)
    assert "authority that is not trusted; nothing was sent" in shown
    assert slapd.binds == []


def test_profiles_are_the_next_step_if_no_server_listens_at_the_default_url(
    run: Run, at_default: Callable[[str], None]
) -> None:
    at_default(f"ldap://127.0.0.1:{free_port()}")
    without = run("show", input="geheim\n")
    assert (without.exit_code, without.stdout, "Password" in without.stderr) == (3, "", False)
    assert without.stderr.endswith(
        "  next: dcmcfg used the default URL, because no profile exists. To use another URL, specify --ldap-url, or "
        "create a profile: dcmcfg config set NAME.ldap_url URL. To start a lab: dcmcfg lab up\n"
    )
    for name in ("lab", "hospital"):
        write_profile(name, {"device": "dcm4chee-arc"})
    assert run("show", input="geheim\n").stderr.endswith(
        "  next: dcmcfg used the default URL, because no profile is selected. To use another URL, select a profile "
        "(hospital, lab) with --profile NAME or DCMCFG_PROFILE, or specify --ldap-url\n"
    )
    assert "profile is selected" not in run("show", "--profile", "lab", input="geheim\n").stderr


def test_a_note_lists_the_profiles_before_the_password_of_the_default_url_is_prompted_for(
    run: Run, slapd: RunningSlapd, at_default: Callable[[str], None]
) -> None:
    at_default(slapd.url)
    prompt = f"Password of {slapd.bind_dn} @ {slapd.url}: "
    typed = f"{slapd.password}\n"
    assert run("find", "nothing-has-this-value", input=typed).stderr.startswith(prompt)
    write_profile("lab", {"device": "dcm4chee-arc"})
    noted = run("find", "nothing-has-this-value", input=typed)
    assert noted.stderr.startswith(f"note: no profile is selected. To select a profile (lab): --profile NAME\n{prompt}")
    for selected in (("--profile", "lab"), ("--ldap-url", slapd.url)):
        assert run("find", "nothing-has-this-value", *selected, input=typed).stderr.startswith(prompt)
