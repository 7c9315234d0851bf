"""A tree in which a referral entry leads to another server: commands report it once and go on with what is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
ELSEWHERE = f"cn=elsewhere,{STORESCP}"
URL = f"ldap://other.example/{ELSEWHERE.replace(' ', '%20')}"
WARNING = f"warning: {ELSEWHERE} is on other servers and was not read: {URL}\n"
CONNECTION = "objectClass: dicomNetworkConnection\ncn: below\ndicomHostname: h\n"


@pytest.fixture
def referred(run: Run, site: CliSite, tmp_path: Path) -> CliSite:
    file = tmp_path / "referral.ldif"
    file.write_text(
        f"dn: {ELSEWHERE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"cn: elsewhere\nref: {URL}\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    return site


def refer(site: CliSite) -> str:
    return site.slapd.run_client(
        "ldapsearch", "-M", "-LLL", "-o", "ldif-wrap=no", "-b", ELSEWHERE, "-s", "base", "ref"
    ).stdout


@pytest.mark.parametrize(
    "command",
    [
        "device list",
        "ae list",
        "show",
        f"get {ARCHIVE_DN}",
        "check",
        "export-ldif",
        "snapshot a.ldif",
        "find dicomPort",
    ],
)
def test_a_command_that_reads_reports_it_once_and_answers_as_without_it(
    run: Run,
    site: CliSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = command.split(" ", 1)
    without = run(*arguments)
    assert without.exit_code in (0, 1)
    Path("a.ldif").unlink(missing_ok=True)
    request.getfixturevalue("referred")
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (without.exit_code, WARNING + without.stderr)
    if command != "snapshot a.ldif":  # which says when it was taken
        assert result.stdout == without.stdout


def test_a_change_elsewhere_is_made_and_undone(run: Run, referred: CliSite) -> None:
    before = referred.octets()
    done = run("set", "dcm4chee-arc", "dicomDescription=x", "--yes")
    assert (done.exit_code, done.stderr) == (0, WARNING)
    assert referred.values("dicomDescription") == ("x",)
    undo_result = run("undo", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, WARNING)
    assert referred.octets() == before
    assert URL in refer(referred)


@pytest.mark.parametrize(
    "text",
    [
        f"dn: cn=below,{ELSEWHERE}\nchangetype: add\n{CONNECTION}",
        f"dn: cn=below,{ELSEWHERE}\n{CONNECTION}",
        f"dn: {ELSEWHERE}\nchangetype: delete\n",
        f"dn: {ELSEWHERE}\nchangetype: modify\nreplace: ref\nref: ldap://third/\n",
        f"dn: cn=dicom,{STORESCP}\nchangetype: modrdn\nnewrdn: cn=dicom\ndeleteoldrdn: 1\nnewsuperior: {ELSEWHERE}\n",
    ],
)
def test_a_change_of_what_the_other_server_holds_is_refused(
    run: Run, referred: CliSite, tmp_path: Path, text: str
) -> None:
    before = referred.octets()
    file = tmp_path / "change.ldif"
    file.write_text(text)
    result = run("apply", str(file), "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(WARNING)
    assert f"this part of the tree is on other servers: {URL}" in result.stderr
    assert referred.octets() == before
    assert URL in refer(referred)


def test_the_rename_and_the_delete_of_what_stands_above_it_are_refused(run: Run, referred: CliSite) -> None:
    before = referred.octets()
    for arguments in (("device", "remove", "storescp"), ("device", "rename", "storescp", "other")):
        result = run(*arguments, "--yes")
        assert result.exit_code == 3
        assert result.stderr.startswith(WARNING)
        assert f"a referral to other servers is below the entry: {URL}" in result.stderr
    assert referred.octets() == before


def test_a_snapshot_is_restored_beside_it(run: Run, referred: CliSite, tmp_path: Path) -> None:
    before = referred.octets()
    snapshot = str(tmp_path / "a.ldif")
    assert run("snapshot", snapshot).exit_code == 0
    assert run("set", "dcm4chee-arc", "dicomDescription=x", "--yes").exit_code == 0
    result = run("restore", snapshot, "--yes")
    assert (result.exit_code, result.stderr) == (0, WARNING)
    assert referred.octets() == before
    assert URL in refer(referred)


def test_a_snapshot_taken_before_it_differs_in_nothing(
    run: Run, site: CliSite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    export = str(tmp_path / "all.ldif")
    assert run("export-ldif", "-o", export).exit_code == 0
    request.getfixturevalue("referred")
    result = run("diff", export)
    assert (result.exit_code, result.stderr) == (0, WARNING)
    assert result.stdout.startswith("No differences")


def test_a_restoration_leaves_out_what_other_servers_hold_now(
    run: Run, site: CliSite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = f"dn: {ELSEWHERE}\nobjectClass: dicomNetworkConnection\ncn: elsewhere\ndicomHostname: h\ndicomPort: 104\n"
    here = tmp_path / "here.ldif"
    here.write_text(text)
    assert run("apply", str(here), "--yes").exit_code == 0
    snapshot = str(tmp_path / "snapshot.ldif")
    assert run("snapshot", snapshot).exit_code == 0
    assert run("undo", "--yes").exit_code == 0
    request.getfixturevalue("referred")
    before = site.octets()
    assert run("set", "dcm4chee-arc", "dicomDescription=x", "--yes").exit_code == 0
    warning = (
        "warning: a part of the configuration is now on other servers, so dcmcfg cannot restore 1 entry of "
        f"{snapshot}: {ELSEWHERE}.\n"
    )
    restored = run("restore", snapshot, "--yes")
    assert (restored.exit_code, restored.stderr) == (0, WARNING + warning)
    assert site.octets() == before
    again = run("restore", snapshot, "--yes")
    assert (again.exit_code, again.stderr) == (0, WARNING + warning)
    assert URL in refer(site)
