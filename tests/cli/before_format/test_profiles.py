"""Profiles from before the format number: each key has its effect."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dcmcfg.settings import Settings, resolve_settings
from tests.cli.before_format.files import FOLDER
from tests.cli.conftest import Run

PROFILES = FOLDER / "profiles"
ARCHIVE = "https://arc.example:8443/dcm4chee-arc"
Profile = Callable[[str], Settings]


def folder() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "dcmcfg" / "profiles"


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch) -> Profile:
    """The settings of a profile, with files that hold its secrets, and a keychain."""
    (folder() / "secrets").mkdir(mode=0o700, parents=True)
    for path in PROFILES.iterdir():
        shutil.copyfile(path, folder() / path.name)
        (folder() / path.name).chmod(0o600)
    for name in ("bind", "token", "passphrase", "client"):
        (folder() / "secrets" / name).write_text(f"the-{name}\n")
        (folder() / "secrets" / name).chmod(0o600)

    def get_password(service: str, user: str) -> str:
        return f"{service} for {user}"

    errors = SimpleNamespace(NoKeyringError=LookupError, KeyringError=LookupError)
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=get_password, errors=errors))
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return lambda name: resolve_settings({"profile": name}, {})


def test_the_fixtures_hold_every_key_that_a_profile_had() -> None:
    keys = {key for path in PROFILES.iterdir() for key in tomllib.loads(path.read_text("utf-8"))}
    assert sorted(keys) == [
        "archive_token_file",
        "archive_url",
        "base_dn",
        "bind_dn",
        "bind_password_file",
        "bind_password_keychain",
        "ca_file",
        "client_cert",
        "client_key",
        "device",
        "external_move_log",
        "ldap_url",
        "oidc_client_id",
        "oidc_client_secret_file",
        "oidc_client_secret_keychain",
        "oidc_issuer",
        "oidc_scope",
        "oidc_token_url",
        "require_crl",
        "starttls",
        "tls_ca",
        "tls_cert",
        "tls_key",
        "tls_key_passphrase_file",
    ]


def test_each_key_with_files_has_its_effect(profile: Profile) -> None:
    settings = profile("files")
    assert (settings.profile, settings.ldap_url) == ("files", "ldap://ldap.example:1389")
    assert (str(settings.base_dn), settings.bind_dn) == ("dc=example,dc=org", "cn=me,dc=example,dc=org")
    assert (settings.device, settings.archive_url) == ("our-arc", ARCHIVE)
    assert (settings.bind_password(), settings.archive_token()) == ("the-bind", "the-token")
    assert (settings.require_crl, settings.starttls) == (True, True)
    assert settings.ca_file == folder() / "ca.pem"
    assert (settings.client_cert, settings.client_key) == (folder() / "client.pem", folder() / "client.key")
    assert settings.external_move_log == folder() / "moves.jsonl"
    tls = settings.dicom_tls
    assert (tls.ca_file, tls.certificate_file, tls.key_file) == tuple(
        folder() / name for name in ("dicom-ca.pem", "dicom.pem", "dicom.key")
    )
    assert tls.passphrase is not None
    assert tls.passphrase.read() == "the-passphrase"


def test_each_key_of_a_client_that_gets_tokens_has_its_effect(profile: Profile) -> None:
    settings = profile("client")
    assert settings.archive_url == ARCHIVE
    assert settings.bind_password() == "directory of example for cn=admin,dc=dcm4che,dc=org"
    client = settings.oidc
    assert client is not None
    assert (client.issuer, client.token_url) == ("https://id.example/realms/dcm4che", "https://id.example/token")
    assert (client.client_id, client.scope) == ("dcmcfg", "openid")
    assert client.secret is not None
    assert client.secret.read() == "the-client"


def test_the_secret_of_a_client_comes_from_the_keychain(profile: Profile) -> None:
    client = profile("keychain").oidc
    assert client is not None
    assert client.secret is not None
    assert client.secret.read() == "client of example for dcmcfg"


def test_flags_may_be_booleans_as_well(profile: Profile) -> None:
    text = (folder() / "files.toml").read_text()
    (folder() / "files.toml").write_text(text.replace('"true"', "true"))
    settings = profile("files")
    assert (settings.require_crl, settings.starttls) == (True, True)
    without = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("client_"))
    (folder() / "files.toml").write_text(without.replace('"true"', "false"))
    settings = profile("files")
    assert (settings.require_crl, settings.starttls) == (False, False)


def test_the_program_names_the_site_of_a_profile(profile: Profile, run: Run) -> None:
    assert profile("lab").external_move_log is not None
    text = (folder() / "files.toml").read_text()
    (folder() / "files.toml").write_text(
        text.replace("ldap.example:1389", "127.0.0.1:1").replace(ARCHIVE, "http://127.0.0.1:1/dcm4chee-arc")
    )
    failed = run("--profile", "files", "status", "--json")
    assert failed.exit_code == 3
    assert json.loads(failed.stdout)["archive_url"] == "http://127.0.0.1:1/dcm4chee-arc"
