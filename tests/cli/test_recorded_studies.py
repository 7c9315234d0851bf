"""Names that a change takes away while the archive's database has studies under them, on the lab's own archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.scripted import Scripted
from tests.archive.test_qido import study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite, undo_files
from tests.lab.running_site import RunningSite, running_site

pytestmark = pytest.mark.real
AE = f"dicomAETitle=LONGTERM,dicomDeviceName=longterm,{DEVICES}"
RENAMED = f"dn: {AE}\nchangetype: modrdn\nnewrdn: dicomAETitle=TAPE\ndeleteoldrdn: 1\n"
OFF = f"dn: {AE}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: FALSE\n"
ASKED = "aets/DCM4CHEE/rs/studies?{}&orderby=StudyDate&includefield=77771025,77771026,77771028,77771045&limit=200"
UNDER_LONGTERM = ASKED.format("ExternalRetrieveAET=LONGTERM") + "&offset=0"
ON_FS1 = ASKED.format("storageID=fs1") + "&offset=0"
RECORDED = (
    "recorded-studies: after this change, the archive might be unable to fetch studies: the database has studies "
    "recorded under LONGTERM (at least {} purged and {} still local): {}"
)
FORCED = "; or to apply the plan anyway: --force-recorded-studies"
KEPT = f"keep the AE, or keep its old title as an alias (dcmcfg ae rename LONGTERM NEW --keep-alias){FORCED}"
LED = (
    "keep the AE. If another system now has the studies, set the address of the AE to this system: "
    f"dcmcfg connection set longterm/LONGTERM HOST:PORT{FORCED}"
)
COMMANDS = {
    "rename": ("ae", "rename", "LONGTERM", "TAPE"),
    "ae remove": ("ae", "remove", "LONGTERM"),
    "device remove": ("device", "remove", "longterm"),
    "set": ("set", "longterm", "dicomInstalled=FALSE"),
    "apply renaming": ("apply", RENAMED),
    "apply switching off": ("apply", OFF),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as running:
        running.start("archive")
        yield running


def written(folder: Path, text: str) -> str:
    (folder / "change.ldif").write_text(text)
    return str(folder / "change.ldif")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_external_archive_stays_while_studies_are_recorded_under_its_title(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    name_in_environment(lab, monkeypatch)
    before = lab.slapd.entries()
    words = COMMANDS[command]
    next_step = KEPT if command in ("rename", "apply renaming") else LED
    refused_with_counts(
        run, *(words if words[0] != "apply" else ("apply", written(tmp_path, words[1]))), next_step=next_step
    )
    assert lab.slapd.entries() == before


def refused_with_counts(run: Run, *words: str, next_step: str = LED) -> None:
    result = run(*words, "--yes", "--force-dangling-reference")
    refused = f"dcmcfg: the plan is refused: {RECORDED.format(4, 0, AE)}\n  next: {next_step}\n"
    assert (result.exit_code, result.stderr.endswith(refused)) == (3, True), result.stderr


def test_a_plan_that_was_reviewed_is_no_way_around_it(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name_in_environment(lab, monkeypatch)
    plan = str(tmp_path / "plan.ldif")
    assert run("ae", "remove", "LONGTERM", "--dry-run", "--out", plan).exit_code == 1
    refused_with_counts(run, "apply", plan)


def test_an_alias_keeps_the_recorded_studies_and_needs_no_force(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_in_environment(lab, monkeypatch)
    assert run("ae", "rename", "LONGTERM", "TAPE", "--keep-alias", "--yes").exit_code == 0
    assert run("undo", "--yes").exit_code == 0


def test_the_next_step_of_a_removal_leads_the_ae_elsewhere(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_in_environment(lab, monkeypatch)
    led = run("connection", "set", "longterm/LONGTERM", "127.0.0.1:10104", "--yes")
    assert (led.exit_code, led.stderr) == (0, "")
    assert run("undo", "--yes").exit_code == 0


def test_a_storage_with_files_stays(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name_in_environment(lab, monkeypatch)
    storage = f"dcmStorageID=fs1,{ARCHIVE_DN}"
    renamed = f"dn: {storage}\nchangetype: modrdn\nnewrdn: dcmStorageID=fs7\ndeleteoldrdn: 1\n"
    result = run("apply", written(tmp_path, renamed), "--yes")
    refused = (
        "dcmcfg: the plan is refused: stored-objects: after this change, the archive might be unable to find stored "
        f"files: the database has studies stored on fs1 (at least 1): {storage}\n"
        "  next: to apply the plan anyway: --force-stored-objects\n"
    )
    assert (result.exit_code, result.stderr.endswith(refused)) == (3, True), result.stderr


def answered(archive: Scripted, at: str, *found: dict[str, object]) -> None:
    archive.by_path[at] = (200, json.dumps(found).encode())


def test_purged_studies_and_those_still_local_are_counted_apart(run: Run, site: CliSite) -> None:
    studies = (study("1.1", x45="LONGTERM"), study("1.2", x45="LONGTERM", x28="fs1"), study("1.3", x45="OTHER"))
    answered(site.archive, UNDER_LONGTERM, *studies)
    before = site.octets()
    shown = run("ae", "rename", "LONGTERM", "TAPE", "--dry-run", "--json")
    (risk,) = json.loads(shown.stdout)["risks"]
    assert (risk["name"], risk["forced"], risk["entries"]) == ("recorded-studies", False, [AE])
    assert risk["records"] == [
        {"kind": "AE", "name": "LONGTERM", "purged_count": 1, "local_count": 1}
        | {"complete": True, "unknown_reason": None}
    ]
    refused = run("ae", "rename", "LONGTERM", "TAPE", "--yes")
    assert (refused.exit_code, RECORDED.format(1, 1, AE) in refused.stderr) == (3, True)
    assert site.octets() == before
    forced = run("ae", "rename", "LONGTERM", "TAPE", "--yes", "--force-recorded-studies")
    assert (forced.exit_code, f"warning: {RECORDED.format(1, 1, AE)}" in forced.stderr) == (0, True)


def test_an_archive_that_cannot_be_asked_is_unknown_and_refused_likewise(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:9/dcm4chee-arc")
    before = site.octets()
    result = run("ae", "remove", "LONGTERM", "--yes", "--no-reload")
    expected_message = (
        "dcmcfg: the plan is refused: recorded-studies: after this change, the archive might be unable to fetch "
        "studies: it is unknown whether studies are recorded under LONGTERM "
        "(http://127.0.0.1:9/dcm4chee-arc: connection refused): "
        f"{AE}\n  next: {LED}\n"
    )
    assert (result.exit_code, result.stderr.endswith(expected_message)) == (3, True), result.stderr
    assert site.octets() == before
    assert run("ae", "remove", "WORKSTATION", "--yes", "--no-reload").exit_code == 0, "named nowhere as an archive"


def test_an_undo_is_refused_for_what_was_recorded_since_and_where_that_is_unknown(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("ae", "rename", "LONGTERM", "TAPE", "--yes").exit_code == 0
    answered(site.archive, UNDER_LONGTERM.replace("LONGTERM", "TAPE"), study("1.1", x45="TAPE"))
    refused = run("undo", "--yes")
    assert (refused.exit_code, "recorded under TAPE (at least 1 purged and 0 still" in refused.stderr) == (3, True)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:9/dcm4chee-arc")
    unknown = run("undo", "--yes", "--no-reload")
    expected_message = (
        "refused: recorded-studies: after this change, the archive might be unable to fetch studies: it is unknown "
        "whether studies are "
    )
    assert (unknown.exit_code, f"{expected_message}recorded under TAPE" in unknown.stderr) == (3, True)
    assert unknown.stderr.endswith("; or to apply the plan anyway: --force-recorded-studies\n")
    undo_result = run("undo", "--yes", "--no-reload", "--force-recorded-studies")
    assert (undo_result.exit_code, "warning: recorded-studies: " in undo_result.stderr) == (0, True)


def test_the_undo_of_a_roll_out_that_never_was_complete_goes_on_where_the_archive_cannot_be_asked(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = site.octets()
    storescp = f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\nreplace: dicomDescription\n"
    renaming = run("ae", "rename", "LONGTERM", "TAPE", "--dry-run", "--out", str(tmp_path / "plan.ldif"))
    assert renaming.exit_code == 0, renaming.stderr
    file = written(tmp_path, (tmp_path / "plan.ldif").read_text() + f"\n{storescp}dicomDescription: x\n")
    assert run("apply", file, "--yes", "--step-by-step").exit_code == 0
    folder = undo_files()[-1].parent
    last = "version: 1\n\n" + undo_files()[-1].read_text().split("\n\n")[1] + "\n"
    assert site.slapd.run_client("ldapmodify", "-f", written(tmp_path, last)).returncode == 0
    steps = json.loads(run("history", "1", "--json").stdout)["step_count"]
    (folder / "journal").write_text(f"planned\nended {steps - 1}\n")
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:9/dcm4chee-arc")
    undo_result = run("undo", "--yes", "--no-reload")
    assert (undo_result.exit_code, "it is unknown whether studies are recorded under TAPE" in undo_result.stderr) == (
        0,
        True,
    )
    assert site.octets() == before


def test_a_storage_that_may_be_renamed_by_command_takes_one_option(run: Run, site: CliSite) -> None:
    answered(site.archive, ON_FS1, study("1.1", x28="fs1"))
    assert run("rename", "storage", "fs1", "fs7", "--yes").exit_code == 3
    renamed = run("rename", "storage", "fs1", "fs7", "--yes", "--force-stored-objects")
    assert (renamed.exit_code, "stored on fs1 (at least 1)" in renamed.stderr) == (0, True)
