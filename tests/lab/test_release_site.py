"""A lab that was installed with a release: its schema can be changed, and the archive starts on its configuration."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, LabError
from dcmcfg.lab import lifecycle
from dcmcfg.lab.config_slapd import CONFIG_DN, ConfigSlapd
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.release_site import read_release_site
from dcmcfg.lab.site import Ports
from dcmcfg.ldif.writer import format_entry
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import sample
from tests.upgrade.customised import SOURCES, Releases

CONFIG_PASSWORD = "config secret"
NEW_ATTRIBUTE = """\
dn: cn={1}dicom,cn=schema,cn=config
changetype: modify
add: olcAttributeTypes
olcAttributeTypes: ( 1.3.6.1.4.1.32473.1 NAME 'dcmNew' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
"""


@pytest.fixture
def ports() -> Ports:
    return choose_ports()


def start(folder: Path, release: Path, ports: Ports) -> ConfigSlapd:
    """A directory server with the tree and the schema of *release*, not started yet."""
    site = read_release_site(release, ports)
    slapd = ConfigSlapd(
        folder,
        schema_files=site.schema_files,
        config_password=CONFIG_PASSWORD,
        port=free_port(),
        root_password=PASSWORD,
    )
    slapd.prepare()
    slapd.load_ldif("".join(map(format_entry, site.entries)))
    return slapd


def modify(slapd: ConfigSlapd, dn: str, password: str, ldif: str) -> int:
    return subprocess.run(
        ["/usr/bin/ldapmodify", "-x", "-H", slapd.url, "-D", dn, "-w", password],
        input=ldif,
        capture_output=True,
        text=True,
        check=False,
    ).returncode


@pytest.mark.real
def test_only_the_config_user_may_change_the_schema_and_the_change_survives_a_restart(
    releases: Releases, ports: Ports, tmp_path: Path
) -> None:
    slapd = start(tmp_path / "slapd", releases.find_folder("5.31.0"), ports)
    with slapd:
        assert modify(slapd, slapd.root_dn, PASSWORD, NEW_ATTRIBUTE) == 50
        assert modify(slapd, CONFIG_DN, CONFIG_PASSWORD, NEW_ATTRIBUTE) == 0
    slapd.prepare()
    with slapd:
        shown = RunningSlapd(slapd).run_client(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", "cn=Subschema", "-s", "base", "attributeTypes"
        )
        assert "'dcmNew'" in shown.stdout
        assert slapd.configuration_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.real
@pytest.mark.parametrize("version", sample(SOURCES, 1 / len(SOURCES)))
def test_the_archive_starts_on_the_configuration_of_a_release(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    folder, release = tmp_path / "lab", releases.find_folder(version)
    try:
        lab, started = lifecycle.up(folder, lambda _: None, release=release, replica_lag_s=0, node_count=2)
        assert started
        assert lab.is_up
        assert lab.state is not None
        names = [each.name for each in lab.state.parts]
        assert names == ["slapd", "replica-1", "replica-2", "storage", "external", "archive", "archive-2"]
        assert lab.site.config_password_file.stat().st_mode & 0o777 == 0o600
        assert lifecycle.up(folder, lambda _: None, release=release)[1] is False
        with pytest.raises(LabError, match="a lab with a different release is already running"):
            lifecycle.up(folder, lambda _: None, release=tmp_path / "other")
    finally:
        lifecycle.down(folder)


def test_a_site_of_a_release_has_its_entries_the_lab_s_addresses_and_two_more_devices(
    releases: Releases, ports: Ports
) -> None:
    release = releases.read("5.31.0")
    site = read_release_site(releases.find_folder("5.31.0"), ports)
    assert list(site.schema_files) == ["dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui"]
    by_dn = {str(each.dn): each for each in site.entries}
    own = by_dn.keys() - {str(each.dn) for each in release.entries}
    devices = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    assert {each.removesuffix(f",{devices}") for each in own if "," not in each.removesuffix(f",{devices}")} == {
        "dicomDeviceName=workstation",
        "dicomDeviceName=longterm",
    }
    archive = by_dn[f"cn=dicom,dicomDeviceName=dcm4chee-arc,{devices}"]
    assert (archive.text("dicomHostname"), archive.text("dicomPort")) == ("127.0.0.1", str(ports.archive))


def test_a_zip_file_gives_the_same_site_with_its_vendor_data(releases: Releases, ports: Ports, tmp_path: Path) -> None:
    folder = releases.find_folder("5.31.0")
    path = tmp_path / "dcm4chee-arc-5.31.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.rglob("*.*")):
            archive.write(each, f"dcm4chee-arc-5.31.0/ldap/{each.relative_to(folder).as_posix()}")
        archive.writestr("dcm4chee-arc-5.31.0/ldap/vendor-data.zip", b"a zip")
    packed, unpacked = read_release_site(path, ports), read_release_site(folder, ports)
    assert packed.schema_files == unpacked.schema_files
    assert [each.with_values("dicomVendorData", ()) for each in packed.entries] == list(unpacked.entries)
    assert [value for each in packed.entries for value in each.values("dicomVendorData")] == [b"a zip"]


def test_a_folder_without_a_schema_is_no_release_for_the_lab(ports: Ports, tmp_path: Path) -> None:
    with pytest.raises(DcmcfgError, match=r"default-config\.ldif"):
        read_release_site(tmp_path, ports)
    for name in ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif"):
        (tmp_path / name).write_text("version: 1\n")
    with pytest.raises(LabError, match=r"the release has no file schema/dicom\.schema"):
        read_release_site(tmp_path, ports)


@pytest.mark.parametrize("content", [None, b"not a zip"], ids=["missing", "damaged"])
def test_a_zip_that_is_missing_or_damaged_has_the_next_step_of_an_upgrade(
    ports: Ports, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "dcm4chee-arc-5.31.0-psql.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DcmcfgError) as caught:
        read_release_site(path, ports)
    assert (caught.value.exit_code, caught.value.subject) == (3, str(path))
    assert caught.value.next_step.startswith("specify the whole ZIP file of the distribution of a release")
