"""Files of the environment are found, read within bounds, and recognised by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError
from dcmcfg.files import environment
from dcmcfg.files.environment import read_environments

COMPOSE = "services:\n  arc:\n    env_file: sub/arc.env\n    environment:\n      A: ${A}\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {A: '1'}\n"
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
    "  containers: [{name: c, envFrom: [{configMapRef: {name: m}}]}]\n"
)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def read(*paths: Path) -> list[dict[str, str | None]]:
    return [
        {name: each.value for name, each in container.variables.items()}
        for environment in read_environments(paths)
        for container in environment.containers
    ]


def test_the_files_that_a_compose_file_names_are_relative_to_it(tmp_path: Path) -> None:
    write(tmp_path, c_yml=COMPOSE, sub__arc_env="B=$A\n", _env="A=a\n")
    assert read(tmp_path / "c.yml") == [{"A": "a", "B": "a"}]


def test_manifests_of_several_files_and_folders_belong_together(tmp_path: Path) -> None:
    write(tmp_path, k__pod_yaml=POD, k__notes_txt="no", map_yml=CONFIG_MAP)
    assert read(tmp_path / "k", tmp_path / "map.yml") == [{"A": "1"}]


@pytest.mark.parametrize("name", [".env", ".env.prod", "arc.env", "variables"])
def test_a_file_of_assignments_is_recognised_by_its_name_or_its_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("A=1\nB='x: [y'\n")
    assert read(tmp_path / name) == [{"A": "1", "B": "x: [y"}]


@pytest.mark.parametrize(
    ("name", "octets", "problem"),
    [
        ("a.yml", b"a: 1\n", "not a Docker Compose file, a .env file or a Kubernetes manifest"),
        ("a.yml", b"", "not a Docker Compose file, a .env file or a Kubernetes manifest"),
        ("a.yml", b"\xff\xfe\x00", "the file is not UTF-8"),
        ("a.yml", b"#" * (1024 * 1024 + 1), "the file is larger than 1 MiB"),
        ("a.yml", b"a: [", "not YAML"),
        ("a.env", b"no assignment\n", "expected NAME=VALUE"),
    ],
)
def test_another_file_is_an_error(tmp_path: Path, name: str, octets: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(octets)
    with pytest.raises(DcmcfgError, match=problem) as raised:
        read_environments([tmp_path / name])
    assert raised.value.subject.startswith(str(tmp_path / name))


def test_an_endless_file_is_read_up_to_the_limit() -> None:
    with pytest.raises(DcmcfgError, match="larger than 1 MiB"):
        read_environments([Path("/dev/zero")])


def test_a_file_or_folder_without_content_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DcmcfgError, match="No such file"):
        read_environments([tmp_path / "gone.yml"])
    with pytest.raises(DcmcfgError, match="the folder has no YAML files"):
        read_environments([tmp_path])
    write(tmp_path, values_yaml="a: 1\n")
    with pytest.raises(DcmcfgError, match="the folder has no Docker Compose file and no Kubernetes manifest"):
        read_environments([tmp_path])
    write(tmp_path, c_yml="services:\n  arc:\n    environment: {A: '1'}\n")
    assert read(tmp_path) == [{"A": "1"}]


def test_an_override_file_is_merged_and_not_read_again(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_yml="include: [more/ldap.yml]\nservices:\n  arc: {environment: {A: '1', B: '1'}}\n",
        compose_override_yml="services:\n  arc: {environment: {A: '2'}}\n",
        more__ldap_yml="services:\n  ldap: {environment: {C: '${X}', D: '${Y}'}}\n",
        more___env="X=included\nY=included\n",
        _env="X=main\n",
    )
    expected = [{"C": "main", "D": "included"}, {"A": "2", "B": "1"}]
    assert read(tmp_path / "compose.yml") == expected
    assert read(tmp_path) == expected
    assert read(tmp_path / "compose.override.yml", tmp_path / "compose.yml") == expected
    assert read(tmp_path / "compose.override.yml") == [{"A": "2"}]


def test_a_file_that_is_named_many_times_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    read_text = environment._read_text

    def count_reads(path: Path, name: str) -> str:
        nonlocal count
        count += 1
        return read_text(path, name)

    monkeypatch.setattr(environment, "_read_text", count_reads)
    services = "".join(f"  s{n}: {{extends: {{file: ./b.yml, service: b}}}}\n" for n in range(50))
    write(tmp_path, a_yml=f"services:\n{services}", b_yml="services:\n  b: {environment: {A: '1'}}\n")
    assert read(tmp_path / "a.yml") == [{"A": "1"}] * 50
    assert count == 2
    write(tmp_path, c_yml="services:\n" + "".join(f"  s{n}: {{extends: {{file: {n}.yml}}}}\n" for n in range(200)))
    with pytest.raises(DcmcfgError, match="more than 100 files"):
        read(tmp_path / "c.yml")
