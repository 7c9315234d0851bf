"""``dcmcfg check --env``: findings with the lines of the files, on the live tree and on files of a configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.lab.tree import find_ldif_folder
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

PASSWORD = "hunter2-and-more"
COMPOSE = f"""\
services:
  ldap:
    image: dcm4che/slapd-dcm4chee:2.6.13-35.0
    environment:
      AE_TITLE: ARC
      LDAP_ROOTPASS: {PASSWORD}
      LDAP_CONFIGPASS: {PASSWORD}
  arc:
    image: dcm4che/dcm4chee-arc-psql:5.35.0
    environment:
      LDAP_BASE_DN: dc=example
      LDAP_ROOTPASS: other-{PASSWORD}
      POSTGRES_PASSWORD: {PASSWORD}
"""
CHECK = ("check", "--env", "docker-compose.yml", "--only", "environment")
FINDINGS = [
    ("error", "env-start-value", "LDAP_BASE_DN", "docker-compose.yml", 11),
    ("error", "env-password-differs", "LDAP_ROOTPASS", "docker-compose.yml", 12),
    ("warning", "env-first-start-value", "AE_TITLE", "docker-compose.yml", 5),
]


@pytest.fixture(autouse=True)
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "docker-compose.yml"
    path.write_text(COMPOSE)
    return path


@pytest.mark.real
def test_findings_have_the_lines_of_the_file_and_no_secret(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    before = site.octets()
    result = run(*CHECK)
    assert result.exit_code == 1
    assert result.stdout.startswith(
        """\
error
  Entry      dicomDeviceName=dcm4chee-arc
             docker-compose.yml:11
  Attribute  LDAP_BASE_DN
  Value      dc=example
  Problem    service arc: the base DN of the directory is dc=dcm4che,dc=org
             [env-start-value]

error
  Entry      dicomDeviceName=dcm4chee-arc
             docker-compose.yml:12
  Attribute  LDAP_ROOTPASS
  Problem    service arc: the value differs from the value of service ldap
             [env-password-differs]
"""
    )
    outputs = [result.stdout, *(run(*CHECK, "--format", form).stdout for form in ("json", "sarif"))]
    assert not any(PASSWORD in output for output in outputs)
    assert site.octets() == before
    assert site.archive.requests == []


@pytest.mark.real
def test_they_are_findings_among_those_of_the_other_rules(run: Run, site: CliSite) -> None:
    content = json.loads(run("check", "--env", "docker-compose.yml", "--json").stdout)
    found = [
        (each["severity"], each["rule"], each["attribute"], each["file"], each["line"]) for each in content["findings"]
    ]
    assert found == [*FINDINGS, ("note", "external-retrieve-unset", "dcmExternalRetrieveAEDestination", None, None)]
    assert {each["dn"] for each in content["findings"]} == {ARCHIVE_DN}
    log = json.loads(run(*CHECK, "--format", "sarif").stdout)
    places = [result["locations"][0]["physicalLocation"] for result in log["runs"][0]["results"]]
    assert [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in places] == [
        (file, line) for *_, file, line in FINDINGS
    ]


def test_files_of_a_configuration_need_no_server(run: Run) -> None:
    result = run("check", str(find_ldif_folder() / "site"), "--env", "docker-compose.yml", "--json")
    assert result.exit_code == 1, result.stderr
    content = json.loads(result.stdout)
    found = [
        (each["severity"], each["rule"], each["attribute"], each["file"], each["line"]) for each in content["findings"]
    ]
    assert found[: len(FINDINGS)] == FINDINGS


def test_one_rule_can_be_selected_or_skipped(run: Run) -> None:
    folder = str(find_ldif_folder() / "site")
    only = run("check", folder, "--env", "docker-compose.yml", "--rule", "env-first-start-value", "--json")
    assert [each["rule"] for each in json.loads(only.stdout)["findings"]] == ["env-first-start-value"]
    assert only.exit_code == 0
    skipped = run("check", folder, "--env", "docker-compose.yml", "--skip", "environment", "--json")
    assert not any(each["rule"].startswith("env-") for each in json.loads(skipped.stdout)["findings"])


def test_manifests_can_come_from_standard_input(run: Run) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: arc\n"
        "      image: dcm4chee-arc-psql:5.35.0\n      env:\n        - {name: LDAP_BASE_DN, value: dc=x}\n"
    )
    result = run(
        "check", str(find_ldif_folder() / "site"), "--env", "-", "--rule", "env-start-value", "--json", input=pod
    )
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["file"], finding["line"]) == ("standard input", 9)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("check", "--only", "environment"), 2, "the part environment requires --env FILE"),
        (("check", "--env", "docker-compose.yml", "--fix"), 2, "--env FILE excludes --fix and --list-rules"),
        (("check", "--env", "gone.yml"), 3, "gone.yml: cannot read the file (No such file or directory)"),
        (("check", "x.ldif", "--env", "docker-compose.yml"), 3, "there is no device dcm4chee-arc, so the files"),
    ],
)
def test_what_cannot_be_compared_is_an_error(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    (tmp_path / "x.ldif").write_text("dn: cn=x\nobjectClass: device\ncn: x\n")
    result = run(*arguments)
    assert result.exit_code == code
    assert reason in result.stderr
