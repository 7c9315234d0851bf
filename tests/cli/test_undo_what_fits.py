"""``dcmcfg undo --partial``: the part of an undo that others have not changed since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.dn import DN
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite, undo_files
from tests.connecting import server_of

pytestmark = pytest.mark.real

NAMES = ("storescp", "workstation", "longterm")


def described(name: str, text: str) -> str:
    return (
        f"dn: dicomDeviceName={name},{DEVICES}\nchangetype: modify\nreplace: dicomDescription\n"
        f"dicomDescription: {text}\n\n"
    )


def applied(run: Run, tmp_path: Path) -> None:
    """Roll out a change of three devices, step by step."""
    (tmp_path / "three.ldif").write_text("".join(described(name, "ours") for name in NAMES))
    assert run("apply", str(tmp_path / "three.ldif"), "--yes", "--step-by-step").exit_code == 0


def overwritten(site: CliSite, *names: str) -> None:
    for name in names:
        with connect(server_of(site.slapd)) as directory:
            replaced = Modification(Operation.REPLACE, "dicomDescription", (b"somebody else's",))
            directory.apply(Modify(DN.parse(f"dicomDeviceName={name},{DEVICES}"), (replaced,)))


def descriptions(site: CliSite) -> list[str]:
    octets = site.octets()
    return [b"".join(octets[f"dicomDeviceName={name},{DEVICES}"]["dicomdescription"]).decode() for name in NAMES]


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_others_have_changed_stays_and_is_listed_and_written_to_a_file(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    before = descriptions(site)
    applied(run, tmp_path)
    overwritten(site, "workstation")
    refused = run("undo", "--yes")
    assert refused.exit_code == 3
    assert "; to revert the steps that can still be reverted: dcmcfg undo 1 --partial\n" in refused.stderr
    shown = run("undo", "--partial", "--dry-run")
    assert (shown.exit_code, descriptions(site), list(tmp_path.glob("*.rejects.ldif"))) == (
        1,
        ["ours", "somebody else's", "ours"],
        [],
    )
    undo_result = run("undo", "1", "--partial", "--yes")
    assert undo_result.exit_code == 1
    assert undo_result.stdout.startswith("Partially reverts change 1 of ")
    assert "Rejected: 1. Fix the rejected items in undo-1.rejects.ldif\n" in undo_result.stdout
    assert "warning: rejected: dicomDeviceName=workstation" in undo_result.stderr
    assert "cn=admin,dc=dcm4che,dc=org changed the entry last" in undo_result.stderr
    assert descriptions(site) == [before[0], "somebody else's", before[2]]
    rejects = (tmp_path / "undo-1.rejects.ldif").read_text()
    assert rejects.count("\ndn: ") == 1
    assert "\ndn: dicomDeviceName=workstation," in rejects.replace("\n ", "")
    listed = json.loads(run("history", "--json").stdout)["rollouts"]
    assert [(each["undone_by"], each["rejected_count"]) for each in listed] == [(None, 1), (2, 0)]
    assert "reverted by 2, except 1 change\n" in run("history", "1").stdout
    again = run("undo", "1", "--yes")
    file = tmp_path / "undo-1.rejects.ldif"
    assert (again.exit_code, again.stderr) == (
        3,
        f"dcmcfg: change 1 was reverted by change 2, except for 1 rejected step (to revert this part too: "
        f"dcmcfg apply {file})\n"
        "  next: to redo change 1, revert its undo: dcmcfg undo 2\n",
    )


def test_a_rename_that_was_left_out_is_named_still(run: Run, site: CliSite, tmp_path: Path) -> None:
    old, new, third = (
        DN.parse(f"dicomAETitle={title},dicomDeviceName=workstation,{DEVICES}")
        for title in ("WORKSTATION", "WS2", "WS3")
    )
    renamed = f"dn: {old}\nchangetype: modrdn\nnewrdn: dicomAETitle=WS2\ndeleteoldrdn: 1\n\n"
    (tmp_path / "renamed.ldif").write_text(renamed + described("storescp", "ours"))
    assert run("apply", "renamed.ldif", "--yes", "--step-by-step", "--force-dangling-reference").exit_code == 0
    with connect(server_of(site.slapd)) as directory:
        directory.apply(Rename(new, third.rdn))
        assert run("undo", "1", "--partial", "--yes").exit_code == 1
        directory.apply(Rename(third, new.rdn))
    text = f"dn: {old}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n"
    (tmp_path / "old.ldif").write_text(text)
    refused = run("apply", "old.ldif", "--yes")
    assert refused.exit_code == 3
    assert f"renamed the entry to {new}\n  next: use the new name in the file\n" in refused.stderr


def test_it_is_undone_itself_and_the_first_one_counts_again(run: Run, site: CliSite, tmp_path: Path) -> None:
    applied(run, tmp_path)
    overwritten(site, "workstation")
    assert run("undo", "--partial", "--yes").exit_code == 1
    assert run("undo", "2", "--yes").exit_code == 0
    assert descriptions(site) == ["ours", "somebody else's", "ours"]
    assert run("undo", "3", "--yes").exit_code == 0
    assert run("undo", "4", "--yes").exit_code == 0
    assert "Result:    applied\n" in run("history", "1").stdout


def interrupted(run: Run, site: CliSite, tmp_path: Path, journal: str) -> None:
    """Leave what kill -9 leaves when the third step was not made, and others change the first and the third device."""
    applied(run, tmp_path)
    undo = undo_files()[-1]
    (tmp_path / "third.ldif").write_text("version: 1\n\n" + undo.read_text().split("\n\n")[1] + "\n")
    assert site.slapd.run_client("ldapmodify", "-f", str(tmp_path / "third.ldif")).returncode == 0
    (undo.parent / "journal").write_text(journal)
    overwritten(site, "storescp", "longterm")


@pytest.mark.parametrize(
    "journal", ["planned\nended 2\n", "planned\nbegins 3 3\n"], ids=["stopped", "cut off, and not to be settled"]
)
def test_where_resume_and_undo_are_both_refused_it_is_the_way_out(
    run: Run, site: CliSite, tmp_path: Path, journal: str
) -> None:
    before = descriptions(site)
    interrupted(run, site, tmp_path, journal)
    for arguments in (("apply", "--resume", "--yes"), ("undo", "--yes")):
        refused = run(*arguments)
        assert refused.exit_code == 3
        assert (
            "  next: to revert the steps that can still be reverted: dcmcfg undo 1 --partial; or compare"
            in refused.stderr
        )
    undo_result = run("undo", "1", "--partial", "--yes")
    assert undo_result.exit_code == 1, undo_result.stderr
    assert descriptions(site) == ["somebody else's", before[1], "somebody else's"]
    assert run("set", "workstation", "dicomDescription=new", "--yes").exit_code == 0


CONNECTION = f"cn=dicom2,{ARCHIVE_DN}"
AE = f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}"
CONNECTED = (
    f"dn: {CONNECTION}\nchangetype: add\nobjectClass: dicomNetworkConnection\ncn: dicom2\n"
    "dicomHostname: localhost\ndicomPort: 11199\n\n"
    f"dn: {AE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: ours\n-\n"
    f"add: dicomNetworkConnectionReference\ndicomNetworkConnectionReference: {CONNECTION}\n"
)


def test_a_part_of_an_undo_that_the_archive_cannot_load_is_refused_unless_it_is_named(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    (tmp_path / "connected.ldif").write_text(CONNECTED)
    assert run("apply", "connected.ldif", "--yes").exit_code == 0
    with connect(server_of(site.slapd)) as directory:
        replaced = Modification(Operation.REPLACE, "dicomDescription", (b"foreign",))
        directory.apply(Modify(DN.parse(AE), (replaced,)))
    before = site.octets()
    undo = ("undo", "1", "--partial", "--yes", "--no-reload")
    refused = run(*undo)
    assert (refused.exit_code, site.octets(), list(tmp_path.glob("*.rejects.ldif"))) == (3, before, [])
    assert f"{AE}: dicomNetworkConnectionReference '{CONNECTION}'" in refused.stderr
    assert refused.stderr.endswith("; to apply the plan anyway: --force-unloadable\n"), refused.stderr
    dry = run(*undo[:3], "--dry-run")
    assert (dry.exit_code, "this requires --force-unloadable" in dry.stderr) == (1, True)
    assert run(*undo, "--force-unloadable").exit_code == 1
    assert CONNECTION not in site.octets()


def test_where_nothing_fits_it_says_so_with_what_is_left_to_do(run: Run, site: CliSite, tmp_path: Path) -> None:
    applied(run, tmp_path)
    overwritten(site, *NAMES)
    nothing = run("undo", "--partial", "--yes", "--rejects", "left.ldif")
    assert nothing.exit_code == 1
    assert (
        "warning: dcmcfg can no longer revert any step of change 1, because the configuration has changed since then "
        "(to list the later changes: dcmcfg history)\n"
    ) in nothing.stderr
    assert "Rejected: 3. Fix the rejected items in left.ldif\nNo changes." in nothing.stdout
    assert (tmp_path / "left.ldif").read_text().count("\ndn: ") == 3


def test_without_changes_of_others_it_is_a_plain_undo(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    applied(run, tmp_path)
    assert run("undo", "--partial", "--yes").exit_code == 0
    assert (site.octets(), list(tmp_path.glob("*.rejects.ldif"))) == (before, [])
    assert run("undo", "--rejects", "x.ldif").exit_code == 2
