"""Files of secrets that others can read are warned of."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from dcmcfg.settings import Secret, Settings, resolve_settings
from dcmcfg.settings.exposure import find_archive_exposures, find_exposures, find_key_exposures, find_secret_exposures


def site(**environ: str) -> Settings:
    return resolve_settings({}, {f"DCMCFG_{name}": value for name, value in environ.items()})


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("geheim\n")
    return path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o604])
def test_each_file_of_a_secret_that_others_can_read_is_warned_of(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    name = str(secret_file)
    found = [
        *find_exposures(site(BIND_PASSWORD_FILE=name)),
        *find_archive_exposures(site(ARCHIVE_TOKEN_FILE=name)),
        *find_archive_exposures(site(OIDC_ISSUER="https://i", OIDC_CLIENT_ID="c", OIDC_CLIENT_SECRET_FILE=name)),
        *find_secret_exposures(Secret("--tls-key-passphrase-file", path=secret_file), "passphrase"),
    ]
    warnings = [
        f"{name}: others can read this {kind}; to restrict access: chmod 600 {name}"
        for kind in ("password", "token", "client secret", "passphrase")
    ]
    assert found == (warnings if mode & 0o004 else [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to others")
def test_a_group_that_can_read_a_secret_is_warned_of_unless_it_is_of_one_account(
    secret_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    users, daemon = grp.getgrnam("users").gr_gid, pwd.getpwnam("daemon")
    for path in (secret_file, key):
        path.chmod(0o640)
        os.chown(path, 0, users)
    assert [*find_exposures(site(BIND_PASSWORD_FILE=str(secret_file))), *find_key_exposures(key)] == [
        f"{secret_file}: the group users can read this password; to restrict access: chmod 600 {secret_file}",
        f"{key}: the group users can read this private key; to restrict access: chmod 600 {key}",
    ]
    os.chown(secret_file, 0, daemon.pw_gid)  # root's file for one service
    assert "the group daemon" in "".join(find_exposures(site(BIND_PASSWORD_FILE=str(secret_file))))
    monkeypatch.setattr(os, "geteuid", lambda: daemon.pw_uid)
    assert list(find_exposures(site(BIND_PASSWORD_FILE=str(secret_file)))) == []
    os.chown(secret_file, daemon.pw_uid, daemon.pw_gid)
    assert list(find_exposures(site(BIND_PASSWORD_FILE=str(secret_file)))) == []


def test_what_is_no_file_or_is_not_there_is_not_warned_of(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o644)
    for name in ("pipe", "nothing"):
        assert list(find_exposures(site(BIND_PASSWORD_FILE=str(tmp_path / name)))) == []
    assert list(find_exposures(site(BIND_PASSWORD="geheim"))) == []
