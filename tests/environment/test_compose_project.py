"""Docker Compose projects: override files, extends and include."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dcmcfg.environment.compose_project import read_compose
from dcmcfg.environment.container import Environment, PublishedPort
from dcmcfg.errors import DcmcfgError
from tests.environment.compose_files import make_compose_file

MAIN = """\
include:
  - ldap.yml
  - path: [db.yml, db-site.yml]
services:
  arc:
    extends: {file: common.yml, service: archive}
    environment: {LDAP_URL: "ldap://ldap:389"}
    ports: ["8080:8080"]
  second:
    extends: arc
    environment: [HTTP_PORT=8081]
"""
OVERRIDE = "services:\n  arc:\n    environment: {LDAP_ROOTPASS: site}\n    ports: ['11112:11112']\n"
COMMON = """\
services:
  base: {image: "dcm4che/dcm4chee-arc-psql:5.35.0", environment: {LDAP_ROOTPASS: base, HTTP_PORT: 8080}}
  archive: {extends: base, ports: ["2575:2575"], environment: {LDAP_URL: "ldap://other"}}
"""
FILES = {
    "common.yml": COMMON,
    "ldap.yml": "services:\n  ldap: {image: 'slapd-dcm4chee:2.6.13-35.0'}\n",
    "db.yml": "services:\n  db: {image: 'postgres-dcm4chee:18.3-35', environment: {POSTGRES_DB: a}}\n",
    "db-site.yml": "services:\n  db: {environment: {POSTGRES_DB: b}}\n",
}


def read(main: str, files: dict[str, str], override: str | None = None) -> Environment:
    other = None if override is None else make_compose_file("override.yml", override, None, files)
    return read_compose(make_compose_file("main.yml", main, None, files), other)


def test_services_are_merged_from_all_files() -> None:
    found = read(MAIN, FILES, OVERRIDE)
    assert found.problems == ()
    services = {each.name: each for each in found.containers}
    assert {name: {key: each.value for key, each in found.variables.items()} for name, found in services.items()} == {
        "ldap": {},
        "db": {"POSTGRES_DB": "b"},
        "arc": {"LDAP_ROOTPASS": "site", "HTTP_PORT": "8080", "LDAP_URL": "ldap://ldap:389"},
        "second": {"LDAP_ROOTPASS": "base", "HTTP_PORT": "8081", "LDAP_URL": "ldap://ldap:389"},
    }
    arc = services["arc"]
    assert arc.image is not None
    assert (str(arc.image.location), str(arc.location)) == ("common.yml:2", "main.yml:5")
    assert str(arc.variables["LDAP_ROOTPASS"].location) == "override.yml:3"
    assert arc.published_ports == tuple(PublishedPort(each, each) for each in (2575, 8080, 11112))
    assert services["second"].published_ports == (PublishedPort(2575, 2575), PublishedPort(8080, 8080))


def test_docker_compose_merges_in_the_same_way(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed: its merged file is not compared")
    for name, text in {**FILES, "compose.yml": MAIN, "compose.override.yml": OVERRIDE}.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [docker, "compose", "config", "--format", "json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    merged = {name: each.get("environment") or {} for name, each in json.loads(done.stdout)["services"].items()}
    assert merged == {
        each.name: {key: variable.value for key, variable in each.variables.items()}
        for each in read(MAIN, FILES, OVERRIDE).containers
    }


@pytest.mark.parametrize(
    ("main", "problem"),
    [
        ("services:\n  a: {extends: b}\n  b: {extends: a}\n", "extends itself"),
        ("services:\n  a: {extends: a}\n", "extends itself"),
        ("include: [loop.yml]\n", "the file includes itself through main.yml"),
        ("services:\n" + "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(30)), "chain of extends has more"),
    ],
)
def test_a_loop_and_a_long_chain_are_refused(main: str, problem: str) -> None:
    files = {"loop.yml": "include: [main.yml]\n", "main.yml": main}
    with pytest.raises(DcmcfgError, match=problem):
        read(main, files)


def test_what_is_not_read_is_noted() -> None:
    found = read(
        "include: [{path: ldap.yml, env_file: x.env}]\nservices:\n  a: {extends: {file: gone.yml, service: b}}\n", FILES
    )
    assert [(each.message, each.location.line) for each in found.problems] == [
        ("dcmcfg does not support the key env_file of include", 1),
        ("extends: the file gone.yml does not exist, or cannot be read", 3),
    ]
