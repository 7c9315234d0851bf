"""The files of a distribution that an upgrade of the configuration leaves to the administrator."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from dcmcfg.files.distribution import read_distribution
from dcmcfg.upgrade.checklist import NO_CHECKLIST, Checklist, DistributionFiles, make_checklist

FILES = {
    "ldap/default-config.ldif": "",
    "ldap/5.32.0/update-dev-5.32.0.ldif": "",
    "ldap/5.32.0/update-config-pro-5.32.0.ldif": "",
    "ldap/5.29.0/update-config-pro-5.29.0.ldif": "",
    "sql/psql/create-psql.sql": "",
    "sql/psql/update-5.29-psql.sql": "",
    "sql/psql/update-5.31.10-psql.sql": "",
    "sql/psql/update-5.31.2-psql.sql": "",
    "sql/psql/update-5.34-psql.sql": "",
    "sql/mysql/update-5.32-mysql.sql": "",
    "cli/add-data-source-psql.cli": "",
    "configuration/dcm4chee-arc/roles.properties": "new",
    "configuration/wildfly.xml": "same",
}
EXPECTED = Checklist(
    sql=(
        "sql/mysql/update-5.32-mysql.sql",
        "sql/psql/update-5.31.2-psql.sql",
        "sql/psql/update-5.31.10-psql.sql",
    ),
    cli=("cli/add-data-source-psql.cli",),
    configuration=("configuration/dcm4chee-arc/roles.properties",),
    unused_updates=("5.32.0/update-config-pro-5.32.0.ldif",),
)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize("form", ["root", "ldap", "zip", "zip in a folder"])
def test_the_files_beside_the_ldap_folder_are_listed(tmp_path: Path, form: str) -> None:
    root = write(tmp_path / "target", FILES)
    before = read_distribution(
        write(tmp_path / "source", FILES | {"configuration/dcm4chee-arc/roles.properties": "old"})
    )
    path = {"root": root, "ldap": root / "ldap"}.get(form, tmp_path / "release.zip")
    if path.suffix:
        prefix = "dcm4chee-arc-5.33.1/" if form == "zip in a folder" else ""
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in FILES.items():
                archive.writestr(prefix + name, text)
    assert make_checklist(before, read_distribution(path), (5, 31, 0), (5, 33, 1)) == EXPECTED


def test_a_release_without_a_distribution_leaves_nothing_to_do(tmp_path: Path) -> None:
    folder = write(tmp_path / "5.33.1", {"default-config.ldif": ""})
    assert read_distribution(folder) == DistributionFiles()
    assert read_distribution(tmp_path / "missing") == DistributionFiles()
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(b"no zip")
    assert read_distribution(damaged) == DistributionFiles()
    checklist = make_checklist(DistributionFiles(), DistributionFiles(), None, None)
    assert checklist == NO_CHECKLIST
    assert checklist.is_empty
