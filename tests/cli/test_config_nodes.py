"""``dcmcfg config nodes --from-tree`` on a real slapd: the nodes of the web interface, compared with the profile."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

pytestmark = pytest.mark.real

UI = f"dcmuiConfigName=default,{ARCHIVE_DN}"
CLUSTER = f"""\
dn: dcmuiDeviceURLName=east,{UI}
objectClass: dcmuiDeviceURLObject
dcmuiDeviceURLName: east
dcmuiDeviceURL: http://127.0.0.2:8080

dn: dcmuiDeviceClusterName=archive,{UI}
objectClass: dcmuiDeviceClusterObject
dcmuiDeviceClusterName: archive
dcmuiDeviceClusterDevices: east
"""
COMMAND = "dcmcfg config set hospital.nodes.east.archive_url http://127.0.0.2:8080/dcm4chee-arc\n"


@pytest.fixture
def profile(site: CliSite, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile hospital for *site*, whose directory lists the node east."""
    (tmp_path / "cluster.ldif").write_text(CLUSTER)
    assert run("apply", str(tmp_path / "cluster.ldif"), "--yes", "--no-reload").exit_code == 0
    password = tmp_path / "password"
    password.write_text(site.slapd.password)
    password.chmod(stat.S_IRUSR)
    for key, value in (
        ("ldap_url", site.slapd.url),
        ("bind_password_file", str(password)),
        ("archive_url", site.archive.url),
    ):
        assert run("config", "set", f"hospital.{key}", value).exit_code == 0
    for name in ("LDAP_URL", "BIND_PASSWORD", "ARCHIVE_URL"):
        monkeypatch.delenv(f"DCMCFG_{name}", raising=False)
    monkeypatch.setenv("DCMCFG_PROFILE", "hospital")


@pytest.mark.usefixtures("profile")
def test_a_node_that_the_profile_does_not_have_is_proposed(run: Run) -> None:
    result = run("config", "nodes", "--from-tree")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        f"To add these nodes to the profile, run:\n{COMMAND}",
        "",
    )


@pytest.mark.usefixtures("profile")
def test_a_command_that_replaces_the_url_of_a_node_has_a_warning(run: Run) -> None:
    assert run("config", "set", "hospital.nodes.east.archive_url", "http://127.0.0.1:9/dcm4chee-arc").exit_code == 0
    result = run("config", "nodes", "--from-tree")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        f"To add these nodes to the profile, run:\n{COMMAND}",
        "warning: the profile has the node east with the URL http://127.0.0.1:9/dcm4chee-arc. The command below "
        "replaces this URL\n",
    )
