"""``dcmcfg rename``: what is shown, then what the tree, the archive and the profile hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dcmcfg.settings import get_profile_path
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NOT_CONFIRMED, CliSite

pytestmark = pytest.mark.real

LONGTERM_PLAN = """\
~ registered AE title LONGTERM → registered AE title TAPE (at once)
~ AE longterm/LONGTERM → AE longterm/TAPE (after the cache time PT5M, or reload)
~ cn=Export to LONGTERM,dicomDeviceName=dcm4chee-arc (reload)
~ dcmProperty: SendingApplicationEntityTitle!=LONGTERM → SendingApplicationEntityTitle!=TAPE
~ exporter dcm4chee-arc/LONGTERM (reload)
~ dcmStgCmtSCP: LONGTERM → TAPE
~ dcmURI: dicom:LONGTERM → dicom:TAPE
~ storage dcm4chee-arc/fs1 (reload)
~ dcmExternalRetrieveAET: LONGTERM → TAPE
To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.
4 references rewritten: 1 dcmExternalRetrieveAET, 1 dcmProperty, 1 dcmStgCmtSCP, 1 dcmURI
Remaining in Attribute Value Reason
cn=Export to LONGTERM,dicomDeviceName=dcm4chee-arc cn Export to LONGTERM the name of an entry
cn=Export to LONGTERM,dicomDeviceName=dcm4chee-arc dcmExporterID LONGTERM refers to the exporter LONGTERM
dcmExporterID=LONGTERM,dicomDeviceName=dcm4chee-arc dcmExporterID LONGTERM the name of an exporter
3 to change, 2 to rename, in one transaction
Applied in one transaction.
To revert it: dcmcfg undo 1
The archive has reloaded (204). dcmcfg cannot confirm this change: GET /storage: the response is not from an archive \
(HTTP 204).
"""
LONGTERM_WARNINGS = """\
warning: TAPE must be the title that the remote system uses: the archive uses this title to call and to \
recognise the remote system.
warning: for studies on the remote system, the archive's database contains the title LONGTERM. LDAP changes do not \
affect the database, so the archive can no longer fetch these studies (Unknown AE). To keep an AE LONGTERM for \
these studies: --keep-alias
"""
HOSP_ARC = f"dicomDeviceName=hosp-arc,{DEVICES}"


def lines(text: str) -> list[str]:
    """The lines of *text*, the blanks between the cells of a table as one."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")]


def test_an_external_ae_is_renamed_and_renamed_back(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("ae", "rename", "LONGTERM", "TAPE", "--yes")
    assert lines(result.stdout) == [site.headline, *LONGTERM_PLAN.splitlines()]
    assert (result.exit_code, result.stderr) == (0, LONGTERM_WARNINGS)
    assert site.values("dcmURI", f"dcmExporterID=LONGTERM,{ARCHIVE_DN}") == ("dicom:TAPE",)
    assert site.archive.reloads == 1
    found = run("check", "--json")
    assert [each["rule"] for each in json.loads(found.stdout)["findings"]] == ["external-retrieve-unset"]

    assert run("ae", "rename", "TAPE", "LONGTERM", "--yes").exit_code == 0
    assert site.octets() == before


def test_step_by_step_each_entry_keeps_what_is_below_and_the_undo_leads_back(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("ae", "rename", "DCM4CHEE", "HOSPPACS", "--keep-as-other-title", "--step-by-step", "--yes")
    assert result.exit_code == 0, result.stderr
    new = f"dicomAETitle=HOSPPACS,{ARCHIVE_DN}"
    assert site.values("dcmOtherAETitle", new) == ("DCM4CHEE",)
    below = [dn.removesuffix(new) for dn in site.octets() if dn.endswith(f",{new}")]
    old = f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}"
    assert sorted(below) == sorted(dn.removesuffix(old) for dn in before if dn.endswith(f",{old}"))
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def test_an_alias_in_one_transaction_and_json_tells_all_that_is_left(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("ae", "rename", "LONGTERM", "TAPE", "--keep-alias", "--json", "--yes")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert (content["strategy"], content["reloaded"], content["required_restarts"]) == ("in one transaction", True, [])
    assert content["rename"]["rewritten_reference_counts"] == {
        "dcmExternalRetrieveAET": 1,
        "dcmProperty": 1,
        "dcmStgCmtSCP": 1,
        "dcmURI": 1,
    }
    assert [(each["attribute"], each["reason"]) for each in content["rename"]["remaining_values"]] == [
        ("cn", "the name of an entry"),
        ("dcmExporterID", "refers to the exporter LONGTERM"),
        ("dcmProperty", "unchanged, because the old title is also kept"),
        ("dcmExporterID", "the name of an exporter"),
        ("dcmExternalRetrieveAET", "unchanged, because the old title is also kept"),
        ("dicomAETitle", "the name of an AE"),
        ("dicomAETitle", "the name of a registered AE"),
    ]
    assert set(site.values("dcmExternalRetrieveAET", f"dcmStorageID=fs1,{ARCHIVE_DN}")) == {"LONGTERM", "TAPE"}
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def profile(site: CliSite, device: str) -> Path:
    path = get_profile_path("default")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# our archive\ndevice = '{device}'  # as installed\n")
    path.chmod(0o640)
    return path


def test_the_archives_own_device_asks_for_a_word_a_restart_and_takes_the_profile_along(run: Run, site: CliSite) -> None:
    before = site.octets()
    path = profile(site, "dcm4chee-arc")
    refused = run("device", "rename", "dcm4chee-arc", "hosp-arc", "--yes")
    assert refused.exit_code == 3
    assert refused.stderr.endswith(
        "dcmcfg: the plan is refused: archive-device: the archive's own device would be deleted or renamed: "
        f"{ARCHIVE_DN}\n  next: to apply the plan anyway: --force-archive-device\n"
    )
    assert site.octets() == before

    result = run("device", "rename", "dcm4chee-arc", "hosp-arc", "--yes", "--force-archive-device")
    assert lines(result.stdout)[-5:] == [
        "14 to change, 1 to rename, in one transaction",
        "Applied in one transaction.",
        "To revert it: dcmcfg undo 1",
        "The archive was not reloaded. Restart the archive with -Ddcm4chee-arc.DeviceName=hosp-arc (old name: "
        "dcm4chee-arc). In a container, set the variable ARCHIVE_DEVICE_NAME instead of -Ddcm4chee-arc.DeviceName. "
        "Until the restart, the archive keeps its loaded configuration.",
        f"The profile now contains the new device name: {path}",
    ]
    assert result.stderr == (
        "warning: a running archive with the device name dcm4chee-arc keeps the loaded settings and cannot reload. If "
        "possible, stop the archive before the rename. Otherwise, changes that the archive writes to its device during "
        "the rename are lost.\n"
        "warning: waiting tasks in the archive's database belong to the device dcm4chee-arc. First wait until "
        "the queues are empty, or reschedule the tasks for hosp-arc.\n"
        f"warning: archive-device: the archive's own device would be deleted or renamed: {ARCHIVE_DN}\n"
    )
    assert (result.exit_code, site.archive.requests) == (0, [])
    assert path.read_text() == '# our archive\ndevice = "hosp-arc"  # as installed\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert site.values("dicomNetworkConnectionReference", f"dicomAETitle=DCM4CHEE,{HOSP_ARC}") == (
        f"cn=dicom,{HOSP_ARC}",
        f"cn=dicom-tls,{HOSP_ARC}",
    )
    assert run("show").exit_code == 0

    undo_result = run("undo", "--yes")
    assert undo_result.exit_code == 0, undo_result.stderr
    assert path.read_text() == '# our archive\ndevice = "dcm4chee-arc"  # as installed\n'
    assert site.octets() == before
    assert site.archive.requests == []


def test_without_a_profile_it_is_told_what_names_the_device(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("device", "rename", "dcm4chee-arc", "hosp-arc", "--yes", "--force-archive-device", "--json")
    result = run(*words)
    assert json.loads(result.stdout)["required_restarts"] == [
        {"old_name": "dcm4chee-arc", "new_name": "hosp-arc", "property": "dcm4chee-arc.DeviceName"}
    ]
    assert json.loads(result.stdout)["profile_file"] is None
    monkeypatch.setenv("DCMCFG_DEVICE", "hosp-arc")
    back = run("device", "rename", "hosp-arc", "dcm4chee-arc", "--yes", "--force-archive-device")
    assert (
        lines(back.stdout)[-1]
        == "DCMCFG_DEVICE still has the old device name hosp-arc: change the name to dcm4chee-arc"
    )


def test_another_spelling_of_the_archives_device_is_a_change_without_risk(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("device", "rename", "dcm4chee-arc", "DCM4CHEE-ARC", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines(result.stdout)[-1] == NOT_CONFIRMED
    assert site.values("dicomDeviceName", f"dicomDeviceName=DCM4CHEE-ARC,{DEVICES}") == ("DCM4CHEE-ARC",)
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def test_parts_and_mistakes(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("rename", "queue", "Export", "Slow", "--dry-run")
    assert lines(result.stdout) == [
        site.headline,
        "~ queue dcm4chee-arc/Export → queue dcm4chee-arc/Slow (reload)",
        "~ exporter dcm4chee-arc/LONGTERM (reload)",
        "~ dcmQueueName: Export → Slow",
        "~ exporter dcm4chee-arc/RESEARCH (reload)",
        "~ dcmQueueName: Export → Slow",
        "To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.",
        "2 references rewritten: 2 dcmQueueName",
        "Remaining in Attribute Value Reason",
        "cn=Export to LONGTERM,dicomDeviceName=dcm4chee-arc cn Export to LONGTERM the name of an entry",
        "dcmExporterID=LONGTERM,dicomDeviceName=dcm4chee-arc dicomDescription Export to the external archive free text",
        "dcmQueueName=Slow,dicomDeviceName=dcm4chee-arc dicomDescription Export tasks free text",
        "2 to change, 1 to rename, in one transaction, if the database supports transactions",
    ]
    device_result = {
        ("storage", "fs1", "fs2"): (3, "dcmcfg: the archive's database contains the ID fs1 for each stored object"),
        ("queue", "StgCmtSCU", "X"): (
            3,
            "dcmcfg: the archive's program code uses a queue with the name StgCmtSCU",
        ),
        ("ae", "LONGTRM", "X"): (3, "dcmcfg: no AE has the title LONGTRM\n  next: did you mean longterm/LONGTERM?\n"),
        ("ae", "LONGTERM", "A" * 17): (2, "dcmcfg: 'AAAAAAAAAAAAAAAAA': not an AE title: the title has 17 characters"),
        ("device", "longtrm", "x"): (3, "dcmcfg: the device longtrm does not exist\n"),
        ("ae", "LONGTERM", "X", "--references-only", "--keep-alias"): (2, "Usage: dcmcfg ae rename"),
    }
    for words, (code, message) in device_result.items():
        failed = run("rename", *words, "--yes")
        assert (failed.exit_code, failed.stdout) == (code, ""), failed.stderr
        assert failed.stderr.startswith(message), failed.stderr
    same = run("rename", "exporter", "LONGTERM", "LONGTERM")
    assert (same.exit_code, same.stderr) == (0, "")
    assert (
        same.stdout
        == f"{site.headline}\nNo changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert site.octets() == before


def test_the_stock_archives_ae_and_device_are_renamed_and_undone(run: Run, stock_site: CliSite) -> None:
    """What is left of each name is compared in tests/edits/rename/test_stock.py."""
    before = stock_site.octets()
    assert run("ae", "rename", "DCM4CHEE", "HOSPPACS", "--yes").exit_code == 0
    assert run("device", "rename", "dcm4chee-arc", "hosp-arc", "--yes", "--force-archive-device").exit_code == 0
    found = run("check", "--device", "hosp-arc", "--json")
    assert {each["rule"] for each in json.loads(found.stdout)["findings"]} == {"ups-destination-unknown"}
    assert run("undo", "2", "--yes").exit_code == 0
    assert run("undo", "1", "--yes").exit_code == 0
    assert stock_site.octets() == before


def test_files_that_name_what_was_renamed_are_refused_with_its_new_name(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    old, new = (f"dicomAETitle={title},{ARCHIVE_DN}" for title in ("DCM4CHEE", "HOSPPACS"))
    file = tmp_path / "old.ldif"
    file.write_text(f"dn: {old}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n")
    assert run("ae", "rename", "DCM4CHEE", "HOSPPACS", "--yes").exit_code == 0
    refused = run("apply", str(file), "--yes")
    message = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "WHEN", refused.stderr)
    assert (refused.exit_code, message) == (
        3,
        f"dcmcfg: {file}:1: {old}: no such entry: change 1 (WHEN UTC) renamed the entry to {new}\n"
        "  next: use the new name in the file; to revert the rename: dcmcfg undo 1\n",
    )
    left_out = run("apply", str(file), "--continue", "--yes")
    assert (left_out.exit_code, f"renamed the entry to {new}" in left_out.stderr) == (1, True)
    assert run("undo", "--yes").exit_code == 0
    assert run("apply", str(file), "--yes").exit_code == 0


def test_a_near_miss_is_a_name_of_the_same_kind(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "old.ldif"
    file.write_text(
        f"dn: dicomAETitle=DCM4CHE,{ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n"
    )
    refused = run("apply", str(file), "--yes")
    assert refused.stderr.endswith(
        f"  next: nearest existing entry: {ARCHIVE_DN}; did you mean dicomAETitle=DCM4CHEE?\n"
    )
