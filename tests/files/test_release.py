"""Reading the folder or ZIP file of a release."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Modify
from dcmcfg.errors import AmbiguousName, DcmcfgError, LdifError, MalformedInput, NotFound
from dcmcfg.files import release as release_module
from dcmcfg.files.release import find_files, read_release

BASE = "dn: dc=dcm4che,dc=org\nobjectClass: organization\nobjectClass: dcObject\no: dcm4che.org\ndc: dcm4che\n"
ROOT = "dn: cn=DICOM Configuration,dc=dcm4che,dc=org\nobjectClass: dicomConfigurationRoot\ncn: DICOM Configuration\n"
DEVICE = """dn: dicomDeviceName=dcm4chee-arc,dc=dcm4che,dc=org
objectClass: dcmArchiveDevice
dicomDeviceName: dcm4chee-arc
dicomVendorData:< file:vendor-data.zip
"""
UPDATE = """dn: dicomDeviceName=dcm4chee-arc,dc=dcm4che,dc=org
changetype: modify
add: dcmProperty
dcmProperty: a=b
-
replace: dicomVendorData
dicomVendorData:< file:vendor-data.zip
"""
FILES = {
    "init-baseDN.ldif": BASE,
    "init-config.ldif": ROOT,
    "default-config.ldif": DEVICE,
    "5.32.0/update-dev-5.32.0.ldif": UPDATE,
    "5.31.1/update-ui-config-5.31.1.ldif": UPDATE,
}


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _zip(path: Path, files: dict[str, str], prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{prefix}{name}", text)
    return path


def test_a_folder_gives_entries_and_updates_in_their_order(tmp_path: Path) -> None:
    release = read_release(_write(tmp_path / "5.32.0", FILES))

    assert release.version == (5, 32, 0)
    assert [str(each.dn.rdn) for each in release.entries] == [
        "dc=dcm4che",
        "cn=DICOM Configuration",
        "dicomDeviceName=dcm4chee-arc",
    ]
    assert [(each.version, each.component, len(each.records)) for each in release.updates] == [
        ((5, 31, 1), "ui-config", 1),
        ((5, 32, 0), "dev", 1),
    ]
    assert release.updates[1].records[0].place == "5.32.0/update-dev-5.32.0.ldif:1"
    assert release.vendor_data is None


def test_the_vendor_data_is_apart_from_entries_and_records(tmp_path: Path) -> None:
    folder = _write(tmp_path / "5.32.0", FILES)
    (folder / "vendor-data.zip").write_bytes(b"PK")

    release = read_release(folder)

    assert release.vendor_data == b"PK"
    assert all("dicomVendorData" not in each for each in release.entries)
    change = release.updates[0].records[0].change
    assert isinstance(change, Modify)
    assert [each.name for each in change.modifications] == ["dcmProperty"]


@pytest.mark.parametrize("prefix", ["", "ldap/", "dcm4chee-arc-5.32.0-psql/ldap/"])
def test_a_zip_file_is_read_like_its_folder(tmp_path: Path, prefix: str) -> None:
    folder = read_release(_write(tmp_path / "5.32.0", FILES))

    release = read_release(_zip(tmp_path / "dcm4chee-arc-5.32.0.zip", FILES, prefix))

    assert release.version == folder.version
    assert release.entries == folder.entries
    assert release.updates == folder.updates


def test_the_root_of_a_distribution_is_accepted(tmp_path: Path) -> None:
    _write(tmp_path / "dcm4chee-arc-5.32.0-psql" / "ldap", FILES)
    assert read_release(tmp_path / "dcm4chee-arc-5.32.0-psql").version == (5, 32, 0)


def test_compressed_files_are_read(tmp_path: Path) -> None:
    folder = _write(tmp_path / "5.32.0", FILES)
    expected = read_release(folder)
    for name in FILES:
        path = folder / name
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    release = read_release(folder)

    assert release.entries == expected.entries
    assert release.updates == expected.updates


@pytest.mark.parametrize("octets", [b"no gzip", gzip.compress(b"dn: dc=org\n" * 99)[:-20]], ids=["no gzip", "cut off"])
def test_a_damaged_compressed_file_is_refused(tmp_path: Path, octets: bytes) -> None:
    folder = _write(tmp_path, FILES)
    (folder / "default-ui-config.ldif.gz").write_bytes(octets)
    with pytest.raises(MalformedInput, match="default-ui-config"):
        read_release(folder)


@pytest.mark.parametrize("missing", ["init-baseDN.ldif", "init-config.ldif", "default-config.ldif"])
def test_a_folder_without_a_required_file_is_refused(tmp_path: Path, missing: str) -> None:
    folder = _write(tmp_path, {name: text for name, text in FILES.items() if name != missing})
    with pytest.raises(NotFound, match=missing) as refusal:
        read_release(folder)
    assert "default-config.ldif" in refusal.value.next_step


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        read_release(tmp_path / "none")


def test_a_file_that_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "release.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(MalformedInput, match="zip"):
        read_release(path)


def test_a_damaged_zip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("default-config.ldif", DEVICE * 50)
    octets = bytearray(path.read_bytes())
    octets[60:80] = bytes(20)
    path.write_bytes(bytes(octets))
    with pytest.raises(DcmcfgError):
        read_release(path)


@pytest.mark.parametrize("kind", ["folder", "zip", "gz"])
def test_a_file_that_is_too_large_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_module, "_MAX_FILE_OCTETS", 1000)
    files = {**FILES, "default-ui-config.ldif": "#" * 2000}
    if kind == "zip":
        source = _zip(tmp_path / "release.zip", files)
    else:
        source = _write(tmp_path / "release", files if kind == "folder" else FILES)
        (source / "default-ui-config.ldif.gz").write_bytes(gzip.compress(b"#" * 2000))
    with pytest.raises(MalformedInput, match="too large"):
        read_release(source)


def test_a_record_that_lost_its_dn_is_read_and_reported(tmp_path: Path) -> None:
    text = "cn: cn=A,dicomDeviceName=dcm4chee-arc,dc=dcm4che,dc=org\nobjectClass: dcmRule\ncn: A\n"
    release = read_release(_write(tmp_path / "5.32.0", {**FILES, "5.26.0/update-dev.ldif": f"{UPDATE}\n{text}"}))

    (first, *_) = release.updates
    assert len(first.records) == 1
    added = first.skipped[0].change
    assert isinstance(added, Add)
    assert str(added.dn.rdn) == "cn=A"
    assert len(release.defects) == 1
    assert "5.26.0/update-dev.ldif" in release.defects[0]


def test_an_attribute_whose_value_looks_like_a_dn_is_not_a_lost_dn(tmp_path: Path) -> None:
    text = "dn: cn=A,dc=dcm4che,dc=org\ncn: cn=A,dc=dcm4che\nobjectClass: dcmRule\n"
    release = read_release(_write(tmp_path / "5.32.0", {**FILES, "5.26.0/update-dev.ldif": text}))
    assert release.defects == ()


def test_an_invalid_record_of_an_update_file_is_damage(tmp_path: Path) -> None:
    text = f"dn: no dn\nchangetype: delete\n\n{UPDATE}"
    release = read_release(_write(tmp_path / "5.32.0", {**FILES, "5.26.0/update-dev.ldif": text}))
    (file,) = (each for each in release.updates if each.damages)
    assert (file.name, len(file.damages), release.defects) == ("5.26.0/update-dev.ldif", 1, ())
    assert len(release.updates[0].records) == 1


def test_an_invalid_default_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LdifError):
        read_release(_write(tmp_path, {**FILES, "default-config.ldif": "dn: no dn\ncn: a\n"}))


def test_update_files_come_also_from_other_folders(tmp_path: Path) -> None:
    folder = _write(tmp_path / "5.33.0", FILES)
    more = _write(tmp_path / "updates", {"5.33.0/update-dev-5.33.0.ldif": UPDATE, "5.33.0/readme.ldif": UPDATE})
    _write(more, {"5.32.0/update-dev-5.32.0.ldif": f"{UPDATE}\n{UPDATE}", "5.33.0/update-config-pro-5.33.0.ldif": ""})

    release = read_release(folder, [more])

    assert [each.name for each in release.updates] == [
        "5.31.1/update-ui-config-5.31.1.ldif",
        "5.32.0/update-dev-5.32.0.ldif",
        "5.33.0/update-dev-5.33.0.ldif",
    ]
    # The release's own copy of a file comes first.
    assert len(release.updates[1].records) == 1


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("wildfly-26.1.3/dcm4chee-arc-5.31.0-psql/ldap", (5, 31, 0)),
        ("dcm4chee-arc-5.31.0", (5, 31, 0)),
        # The newest update files are those of the release.
        ("wildfly-26.1.3/archive/ldap", (5, 32, 0)),
        # Other dotted numbers: of the folder above, and a date.
        ("backup-5.1/release", (5, 32, 0)),
        ("upgrade-2024.12", (5, 32, 0)),
        ("2024.12/ldap", (5, 32, 0)),
    ],
)
def test_the_version_comes_from_the_nearest_name(tmp_path: Path, path: str, version: tuple[int, ...]) -> None:
    assert read_release(_write(tmp_path / path, FILES)).version == version


def test_what_cannot_be_read_of_an_update_file_is_damage(tmp_path: Path) -> None:
    name = "5.32.0/update-dev-5.32.0.ldif"
    cut = UPDATE[: UPDATE.index("dcmProperty: a=b") + 8]
    whole = read_release(_write(tmp_path / "whole" / "5.32.0", FILES))
    assert [each.damages for each in whole.updates] == [(), ()]
    for text, damages in (
        (f"{UPDATE}\n{cut}", (f"{name}:12: this line of 8 octets has no colon",)),
        ("", (f"{name}: the file contains no records",)),
        ("dn: cn=x,dc=org\nchangetype: add\ncn: x\n", (f"{name}:1: the new entry has no objectClass",)),
    ):
        folder = _write(tmp_path / str(len(text)) / "5.32.0", FILES | {name: text})
        release = read_release(folder)
        assert (release.updates[-1].damages, release.defects) == (damages, ())
        with_copy = read_release(folder, [tmp_path / "whole" / "5.32.0"])
        assert with_copy.updates == whole.updates


def test_a_record_that_no_copy_of_the_release_has_right_is_a_defect(tmp_path: Path) -> None:
    lines = "\n" * 18
    name = "5.14.0/update-config-5.14.0.ldif"
    release = read_release(_write(tmp_path / "5.32.0", FILES | {name: f"{UPDATE}{lines[7:]}_\n"}))
    (file,) = (each for each in release.updates if each.name == name)
    assert file.damages == ()
    assert len(release.defects) == 1


@pytest.mark.parametrize("folders", [("5.31.0", "5.32.0"), ("5.31.0", "dcm4chee-arc-5.32.0/ldap")])
def test_a_folder_with_several_releases_is_refused(tmp_path: Path, folders: tuple[str, str]) -> None:
    for each in folders:
        _write(tmp_path / each, FILES)
    with pytest.raises(AmbiguousName, match="several releases") as refusal:
        read_release(tmp_path)
    assert refusal.value.next_step == f"specify one release, for example {tmp_path}/{folders[1]}"


def test_a_copy_below_the_release_is_no_other_release(tmp_path: Path) -> None:
    _write(tmp_path / "ldap", FILES)
    _write(tmp_path / "ldap/old/5.30.0", FILES)
    assert len(read_release(tmp_path).updates) == 2


def test_a_release_is_searched_for_only_some_folders_deep(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_release(_write(tmp_path, {f"a/b/c/d/e/f/g/h/{name}": text for name, text in FILES.items()}))
    with pytest.raises(NotFound):
        read_release(_write(tmp_path, {f".git/{name}": text for name, text in FILES.items()}))


def test_a_folder_that_vanishes_while_it_is_searched_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, FILES)

    def remove_others(_: str) -> bool:
        for each in tmp_path.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
        return True

    with pytest.raises(DcmcfgError, match="cannot read the folder"):
        find_files(tmp_path, remove_others)


def test_more_update_files_come_only_from_folders_named_by_a_version(tmp_path: Path) -> None:
    names = ("5.30.0/update-dev-5.30.0.ldif", "ldap/5.30.1/update-dev-5.30.1.ldif", "old/5.30.2/update-dev-5.30.2.ldif")
    more = _write(tmp_path / "more", dict.fromkeys(names, UPDATE))
    release = read_release(_write(tmp_path / "5.32.0", FILES), [more])
    assert [each.name for each in release.updates] == [
        "5.30.0/update-dev-5.30.0.ldif",
        "5.30.1/update-dev-5.30.1.ldif",
        "5.31.1/update-ui-config-5.31.1.ldif",
        "5.32.0/update-dev-5.32.0.ldif",
    ]
    with pytest.raises(NotFound, match="no update files"):
        read_release(tmp_path / "5.32.0", [_write(tmp_path / "none", {"old/5.30.2/update-dev-5.30.2.ldif": UPDATE})])


def test_a_last_line_without_a_line_feed_is_cut_unless_another_file_has_it_too(tmp_path: Path) -> None:
    def read(end: str) -> tuple[str, ...]:
        text = "dn: cn=x,dc=org\nchangetype: modify\nadd: dcmProperty\n"
        files = FILES | {"5.31.0/update-dev-5.31.0.ldif": f"{text}{end}"}
        return read_release(_write(tmp_path / str(len(end)) / "5.32.0", files)).updates[0].damages

    assert read("dcmProperty: a=b") == ()
    assert read("dcmProperty: a=") == ("5.31.0/update-dev-5.31.0.ldif: the last line seems to be incomplete",)
    assert read("dcmProperty: own=value\n") == ()
