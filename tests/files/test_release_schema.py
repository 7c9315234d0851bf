"""The schema files of a release: in a folder, in one above it, in a zip file, packed or not."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from dcmcfg.errors import AmbiguousName, MalformedInput, NotFound
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.upgrade.schema.release_schema import SCHEMA_NAMES
from tests.upgrade.customised import Releases

TEXT = "attributetype ( 1.2.40.0.13.1.15.0.3.{} NAME 'dcm{}' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"


def write_schema(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number, name in enumerate(SCHEMA_NAMES):
        (folder / f"{name}.schema").write_text(TEXT.format(number, number))
    return folder


@pytest.mark.parametrize(
    "given", ["dcm4chee-arc-5.99.1/ldap/schema", "dcm4chee-arc-5.99.1/ldap", "dcm4chee-arc-5.99.1", "."]
)
def test_the_folder_or_one_above_it_is_accepted(tmp_path: Path, given: str) -> None:
    folder = write_schema(tmp_path / "dcm4chee-arc-5.99.1" / "ldap" / "schema")
    found = read_release_schema(tmp_path / given)
    assert [each.label for each in found.definitions] == ["dcm0", "dcm1", "dcm2", "dcm3"]
    assert found.label == "5.99.1"
    assert [Path(each).resolve() for each in found.paths] == [folder / f"{name}.schema" for name in SCHEMA_NAMES]


def test_a_zip_file_with_packed_files_is_accepted(tmp_path: Path) -> None:
    folder = write_schema(tmp_path / "schema")
    path = tmp_path / "dcm4chee-arc-5.99.2-psql.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.writestr(f"dcm4chee-arc-5.99.2-psql/ldap/schema/{file.name}.gz", gzip.compress(file.read_bytes()))
    found = read_release_schema(path)
    assert (found.label, len(list(found.definitions))) == ("5.99.2", 4)


def test_files_that_cannot_be_used_are_errors(tmp_path: Path) -> None:
    folder = write_schema(tmp_path / "a" / "schema")
    (folder / "dcm4che.schema").unlink()
    with pytest.raises(NotFound, match=r"Missing files: dcm4che\.schema"):
        read_release_schema(tmp_path / "a")
    with pytest.raises(NotFound, match="does not exist"):
        read_release_schema(tmp_path / "nowhere")
    (folder / "dcm4che.schema").write_bytes(b"attributetype ( 1.2.3")
    with pytest.raises(MalformedInput, match=r"dcm4che\.schema"):
        read_release_schema(tmp_path / "a")
    write_schema(tmp_path / "b" / "schema")
    with pytest.raises(AmbiguousName, match="several releases"):
        read_release_schema(tmp_path)
    broken = tmp_path / "x.zip"
    broken.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(MalformedInput, match="not a folder, and not a valid ZIP file"):
        read_release_schema(broken)


def test_each_given_release_is_read(releases: Releases) -> None:
    counts = {
        version: len(list(read_release_schema(root / version).definitions))
        for root, version in (
            (releases.more, "5.14.1"),
            (releases.more, "5.23.0"),
            (releases.upstream, "5.29.0"),
            (releases.upstream, "5.31.0"),
            (releases.upstream, "5.33.1"),
        )
    }
    assert counts == {"5.14.1": 499, "5.23.0": 694, "5.29.0": 756, "5.31.0": 796, "5.33.1": 825}
