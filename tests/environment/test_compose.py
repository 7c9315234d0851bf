"""Docker Compose files: services, environment, env_file and ports."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dcmcfg.environment.compose_project import read_compose
from dcmcfg.environment.container import Container, Environment, PublishedPort, Role
from dcmcfg.errors import DcmcfgError
from tests.environment.compose_files import make_compose_file


def compose(
    text: str, project: Mapping[str, str | None] | None = None, files: Mapping[str, str] | None = None
) -> Environment:
    """Read *text* with *project* variables; *files* are further files by name."""
    main = make_compose_file("docker-compose.yml", text, project, files)
    override = (files or {}).get("docker-compose.override.yml")
    other = None if override is None else make_compose_file("docker-compose.override.yml", override, project, files)
    return read_compose(main, other)


def only(environment: Environment) -> Container:
    (container,) = environment.containers
    return container


def values(container: Container) -> dict[str, str | None]:
    return {name: each.value for name, each in container.variables.items()}


TEXT = """\
x-environment: &common
  LDAP_BASE_DN: dc=dcm4che,dc=org
services:
  arc:
    image: ${REGISTRY:-docker.io}/dcm4che/dcm4chee-arc-psql:${TAG:-5.35.0}
    env_file:
      - common.env
      - path: missing.env
        required: false
    environment:
      <<: *common
      LDAP_URL: ldap://${LDAP_HOST:-ldap}:389
      HTTP_PORT: 8080
      NULL_VALUE:
    ports:
      - "11112:11112"
      - 127.0.0.1:18080:8080
      - target: 8443
        published: 18443
      - "2575"
      - "9000-9002:9100-9102/tcp"
      - "[::1]:1:2"
"""


def test_a_service_is_read_with_its_files_defaults_and_merges() -> None:
    found = compose(TEXT, {"NULL_VALUE": "x"}, {"common.env": "HTTP_PORT=1\nAE_TITLE=ARC\n"})
    arc = only(found)
    assert found.problems == ()
    assert values(arc) == {
        "HTTP_PORT": "8080",
        "AE_TITLE": "ARC",
        "LDAP_BASE_DN": "dc=dcm4che,dc=org",
        "LDAP_URL": "ldap://ldap:389",
        "NULL_VALUE": "x",
    }
    assert str(arc.variables["AE_TITLE"].location) == "common.env:2"
    assert str(arc.variables["LDAP_URL"].location) == "docker-compose.yml:12"
    assert str(arc.variables["LDAP_BASE_DN"].location) == "docker-compose.yml:2"
    assert (arc.name, arc.label, str(arc.location), arc.role) == (
        "arc",
        "service arc",
        "docker-compose.yml:4",
        Role.ARCHIVE,
    )
    assert arc.image is not None
    assert (arc.image.name, arc.image.tag, arc.image.version) == ("dcm4chee-arc-psql", "5.35.0", (35, 0))
    assert arc.published_ports == (
        PublishedPort(11112, 11112),
        PublishedPort(8080, 18080),
        PublishedPort(8443, 18443),
        PublishedPort(2575, None),
        *(PublishedPort(9100 + n, 9000 + n) for n in range(3)),
        PublishedPort(2, 1),
    )


def test_a_list_of_assignments_is_read() -> None:
    found = compose("services:\n  a:\n    environment:\n      - A=1=2\n      - B=\n      - C\n", {"C": "3"})
    assert values(only(found)) == {"A": "1=2", "B": "", "C": "3"}


def test_what_the_files_do_not_show_is_noted() -> None:
    found = compose(
        "include: [other.yml]\nservices:\n  a:\n    extends: b\n    env_file: gone.env\n    environment:\n"
        "      A: $X\n      B:\n"
    )
    assert [(each.variable, each.message, each.location.line) for each in found.problems] == [
        ("", "the included file other.yml does not exist, or cannot be read", 1),
        ("", "the env_file gone.env does not exist, or cannot be read", 5),
        ("A", "X is not set in the .env file in the same folder", 7),
        ("B", "the value is not in the file: Docker Compose takes the value from the shell", 8),
        ("", "extends: there is no service b", 4),
    ]
    assert values(only(found)) == {"A": None, "B": None}


def test_a_service_in_the_network_of_its_host_publishes_nothing() -> None:
    assert only(compose("services:\n  a:\n    network_mode: host\n    ports: ['1:1']\n")).published_ports is None


@pytest.mark.parametrize(
    "text", ["services:", "services: []", "services:\n  a:\n", "services:\n  a: {environment: 1}\n"]
)
def test_odd_forms_have_no_variables(text: str) -> None:
    assert all(not each.variables for each in compose(text).containers)


def test_variables_that_anchors_multiply_are_refused() -> None:
    text = "x: &x {" + ", ".join(f"A{n}: 1" for n in range(2000)) + "}\nservices:\n"
    text += "".join(f"  s{n}: {{environment: *x}}\n" for n in range(2000))
    with pytest.raises(DcmcfgError, match="more than 100000 variables"):
        compose(text)


@pytest.mark.parametrize(
    ("image", "role", "version"),
    [
        ("dcm4che/slapd-dcm4chee:2.6.13-35.0", Role.DIRECTORY, (35, 0)),
        ("dcm4che/postgres-dcm4chee:18.3-35", Role.DATABASE, (35, 0)),
        ("registry:5000/a/dcm4chee-arc-psql:5.34.3-secure", Role.ARCHIVE, (34, 3)),
        ("dcm4chee-arc-psql", Role.ARCHIVE, None),
        ("dcm4chee-arc-psql:latest", Role.ARCHIVE, None),
        ("dcm4chee-arc-psql:5.35.0@sha256:abc", Role.ARCHIVE, (35, 0)),
        ("quay.io/keycloak/keycloak:26", None, None),
    ],
)
def test_the_name_of_an_image_shows_its_role_and_release(
    image: str, role: Role | None, version: tuple[int, int] | None
) -> None:
    found = only(compose(f"services:\n  a:\n    image: {image}\n")).image
    assert found is not None
    assert (found.role, found.version) == (role, version)


def test_an_image_of_another_name_has_the_role_of_its_variables() -> None:
    assert only(compose("services:\n  a:\n    image: own/arc:1\n    environment: {LDAP_URL: x}\n")).role is Role.ARCHIVE
    assert only(compose("services:\n  a:\n    image: own/arc:1\n")).role is None


def test_the_repr_of_a_variable_has_no_value() -> None:
    assert "hunter2" not in repr(compose("services:\n  a:\n    environment: {LDAP_ROOTPASS: hunter2}\n"))


def test_tags_of_merging_and_files_of_the_shell_are_noted() -> None:
    found = compose(
        "services:\n  a:\n    env_file: [{path: x, required: false, format: raw}]\n    ports: !override ['1:1']\n"
        "    environment: !reset null\n",
        {"COMPOSE_FILE": "x.yml:y.yml"},
    )
    assert [each.message for each in found.problems] == [
        "service a: dcmcfg does not support the YAML tag !override of ports",
        "service a: dcmcfg does not support the YAML tag !reset of environment",
        "dcmcfg does not support the format raw of an env_file",
        "dcmcfg does not read the files of COMPOSE_FILE in the .env file",
    ]


def test_names_in_networks_are_read() -> None:
    text = "services:\n  a: {container_name: arc, hostname: pacs, networks: {n: {aliases: [b, c]}}}\n"
    assert only(compose(text)).host_names == {"arc", "pacs", "b", "c"}
