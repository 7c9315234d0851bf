"""``dcmcfg check --archive-view`` on a real slapd, with archives that answer as they are scripted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.lab.archive.device_json import build_device_json
from dcmcfg.settings.profile_edits import write_profile
from tests.archive.scripted import Scripted, scripted_archive
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

pytestmark = pytest.mark.real
PATH = "devices/dcm4chee-arc"
CHECK = ("check", "--only", "archive-view")
WARNING = """\
warning
  Entry      dcmStorageID=fs1,dicomDeviceName=dcm4chee-arc
  Attribute  dcmURI
  Value      ${jboss.server.data.url}/fs1/
  Problem    the archive's JSON shows file:/elsewhere/ instead of this value [view-value]
"""


def show(site: CliSite, archive: Scripted, **storage: Any) -> None:
    """Have *archive* show the device as the directory has it, with the keys of *storage* in the storage fs1."""
    entries = [each for each in site.slapd.entries() if str(each.dn).endswith(ARCHIVE_DN)]
    content = json.loads(build_device_json(sorted(entries, key=lambda entry: len(entry.dn.rdns))))
    content["dcmDevice"]["dcmArchiveDevice"]["dcmStorage"][0] |= storage
    archive.by_path[PATH] = (200, json.dumps(content).encode())


def test_an_archive_that_shows_the_directory_has_no_finding_and_is_only_read(run: Run, site: CliSite) -> None:
    show(site, site.archive)
    before = site.octets()
    result = run(*CHECK)
    assert (result.exit_code, result.stdout) == (0, f"{len(before)} entries: 0 errors, 0 warnings\n")
    assert result.stderr == ""
    assert site.octets() == before
    assert site.archive.requests == [("GET", f"/dcm4chee-arc/{PATH}", None)]


def test_a_difference_is_a_finding_among_those_of_the_other_rules(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(site, site.archive, dcmURI="file:/elsewhere/")
    monkeypatch.setenv("COLUMNS", "100")
    result = run(*CHECK)
    assert result.exit_code == 0
    assert result.stdout.startswith(WARNING)
    both = json.loads(run("check", "--archive-view", "--json").stdout)
    assert [each["rule"] for each in both["findings"]] == ["view-value", "external-retrieve-unset"]
    assert [each["part"] for each in both["findings"]] == ["archive-view", "rules"]
    log = json.loads(run("check", "--archive-view", "--format", "sarif").stdout)
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == ["view-value", "external-retrieve-unset"]
    assert "view-value" in {each["id"] for each in log["runs"][0]["tool"]["driver"]["rules"]}
    assert json.loads(run("check", "--json").stdout)["findings"] == both["findings"][1:]


def test_an_archive_that_does_not_answer_is_a_3_and_no_report(run: Run, site: CliSite) -> None:
    site.archive.by_path[PATH] = (404, b'{"errorMessage":"Device with specified name not found"}')
    result = run(*CHECK)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {site.archive.url}/{PATH}: the archive does not find the device dcm4chee-arc (HTTP 404): Device with "
        "specified name not found\n"
        "  next: compare LDAP_URL and LDAP_BASE_DN of the archive's server with the output of dcmcfg config show: the "
        "archive might read another directory server or base DN than dcmcfg\n"
    )


def test_a_device_that_the_directory_does_not_have_is_a_3_before_the_archive_is_asked(run: Run, site: CliSite) -> None:
    result = run(*CHECK, "--device", "dcm4chee")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "DCM4CHEE is an AE: specify dcm4chee-arc/DCM4CHEE, or its device dcm4chee-arc" in result.stderr
    assert site.archive.requests == []


@pytest.fixture
def second(site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A second node of the archive, in a profile that lists both."""
    with scripted_archive() as archive:
        password = tmp_path / "password"
        password.write_text(site.slapd.password)
        password.chmod(0o600)
        write_profile(
            "hospital",
            {
                "ldap_url": site.slapd.url,
                "bind_password_file": str(password),
                "archive_url": site.archive.url,
                "nodes": {"a": {"archive_url": site.archive.url}, "b": {"archive_url": archive.url}},
            },
        )
        for name in ("LDAP_URL", "BIND_PASSWORD", "ARCHIVE_URL"):
            monkeypatch.delenv(f"DCMCFG_{name}")
        monkeypatch.setenv("DCMCFG_PROFILE", "hospital")
        yield archive


def test_a_finding_names_the_node(run: Run, site: CliSite, second: Scripted) -> None:
    show(site, site.archive)
    show(site, second, dcmURI="file:/elsewhere/")
    content = json.loads(run(*CHECK, "--json").stdout)
    assert [each["message"] for each in content["findings"]] == [
        "the archive's JSON shows file:/elsewhere/ instead of this value (node b)"
    ]


def test_a_node_that_does_not_answer_does_not_hide_the_findings_of_the_other(
    run: Run, site: CliSite, second: Scripted
) -> None:
    show(site, site.archive, dcmURI="file:/elsewhere/")
    second.answer(503)
    result = run(*CHECK)
    assert result.exit_code == 3
    assert "(node a)" in result.stdout
    assert result.stderr == (
        f"dcmcfg: {second.url}/{PATH}: node b: the archive is not ready (HTTP 503)\n"
        "  next: try again after the archive has started\n"
    )
    content = json.loads(run(*CHECK, "--json").stdout)
    assert [each["rule"] for each in content["findings"]] == ["view-value"]
    assert content["error"]["message"] == "node b: the archive is not ready (HTTP 503)"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("check", "--only", "environment"), "the part environment requires --env FILE"),
        (("check", "x.ldif", "--rule", "view-value"), "--archive-view compares the live tree with the archive"),
        (("check", "x.ldif", "--archive-view"), "--archive-view compares the live tree with the archive, not a FILE"),
        (("check", "--fix", "--archive-view"), "--archive-view excludes --fix and --list-rules"),
    ],
)
def test_options_that_exclude_each_other_are_usage_errors(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
