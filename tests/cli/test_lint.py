"""``dcmcfg lint``: what will not work, from files and from the live tree, and mending it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.cli.commands import COMMANDS
from dcmcfg.lab.tree import find_ldif_folder
from dcmcfg.lint.catalogue import RULES
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.ports import free_port

REGISTRY = "cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = "dicomAETitle=STORESCP,dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ORPHAN = f"""\
dn: dicomAETitle=NEW_AET_A,{REGISTRY}
objectClass: dicomUniqueAETitle
dicomAETitle: NEW_AET_A

"""
BROKEN = f"""\
dn: {ARCHIVE_DN}
changetype: modify
replace: dcmExternalRetrieveAEDestination
dcmExternalRetrieveAEDestination: HOSPPACS

dn: dicomAETitle=NEW_AET_A,{REGISTRY}
changetype: add
objectClass: dicomUniqueAETitle
dicomAETitle: NEW_AET_A

dn: dicomAETitle=STORESCP,{REGISTRY}
changetype: delete

dn: {STORESCP}
changetype: modify
add: dicomNetworkConnectionReference
dicomNetworkConnectionReference: cn=gone,{STORESCP.partition(",")[2]}

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's tree as files in this folder, with an orphan in the registry and an unknown destination."""
    monkeypatch.chdir(tmp_path)
    for file in (find_ldif_folder() / "site").glob("*.ldif"):
        text = file.read_text().replace(
            "dcmOverwritePolicy:", "dcmExternalRetrieveAEDestination: X\ndcmOverwritePolicy:"
        )
        (tmp_path / file.name).write_text(text)
    (tmp_path / "99-orphan.ldif").write_text(ORPHAN)
    return Path()


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")]


def test_findings_are_told_with_what_mends_them(run: Run, folder: Path) -> None:
    result = run("lint", str(folder), "--rule", "external-retrieve-unknown", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (1, "")
    assert lines(result.stdout) == [
        "Entry Attribute Value Problem",
        "error dicomDeviceName=dcm4chee-arc dcmExternalRetrieveAEDestination X "
        "no AE has the title X; storage SCPs of dcm4chee-arc: DCM4CHEE [external-retrieve-unknown]",
        "30-dcm4chee-arc.ldif:29",
        "warning dicomAETitle=NEW_AET_A,cn=Unique AE Titles Registry dicomAETitle NEW_AET_A "
        "no AE named NEW_AET_A exists [registry-orphan]",
        "99-orphan.ldif:3",
        "1080 entries: 1 error, 1 warning",
        "Suggested fixes:",
        "dcmcfg lint --fix (1 of 2)",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]


def test_where_names_do_not_fit_each_finding_is_a_block(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = run("lint", str(folder), "--rule", "external-retrieve-unknown", "--rule", "registry-orphan")
    assert result.stdout.startswith(
        """\
error
  Entry      dicomDeviceName=dcm4chee-arc
             30-dcm4chee-arc.ldif:29
  Attribute  dcmExternalRetrieveAEDestination
  Value      X
  Problem    no AE has the title X; storage SCPs of dcm4chee-arc: DCM4CHEE
             [external-retrieve-unknown]

warning
  Entry      dicomAETitle=NEW_AET_A,cn=Unique AE Titles Registry
             99-orphan.ldif:3
  Attribute  dicomAETitle
  Value      NEW_AET_A
  Problem    no AE named NEW_AET_A exists [registry-orphan]

1080 entries: 1 error, 1 warning
"""
    )


def test_a_file_without_an_archive_says_what_was_not_tried(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.ldif"
    device = "dn: dicomDeviceName=a,dc=x\nobjectClass: dicomDevice\ndicomDeviceName: a\ndicomInstalled: TRUE\n"
    file.write_text(device)
    result = run("lint", str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "1 entry: 0 errors, 0 warnings\n"
        "warning: no archive device in it, so the rules on these were not tried: external retrieve, recall from "
        "external archives, fallback, export, purging, ports of the archive, transport, capabilities\n"
    )
    assert run("lint", str(file), "--rule", "registry-orphan").stdout == "1 entry: 0 errors, 0 warnings\n"
    assert json.loads(run("lint", str(file), "--rule", "export-loop", "--json").stdout)["skipped_topics"] == ["Export"]
    assert "were not tried: export\n" in run("lint", str(file), "--rule", "export-loop", "--sarif").stderr


def test_errors_that_check_finds_in_the_same_files_are_counted(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dicomInstalled: TRUE", "dicomInstalled: perhaps", 1))
    counted = run("check", *map(str, folder.glob("*.ldif")), "--json")
    assert json.loads(counted.stdout)["error_count"] == 1
    result = run("lint", str(folder), "--rule", "registry-orphan")
    assert (
        "1080 entries: 0 errors, 1 warning\ndcmcfg check ./*.ldif finds 1 error that lint does not look for\n"
        in result.stdout
    )
    assert json.loads(run("lint", str(folder), "--json").stdout)["check_error_count"] == 1


def test_what_has_no_command_of_its_own_is_told_in_words(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmObjectStorageID: fs1", "dcmObjectStorageID: fs2"))
    result = run("lint", str(folder), "--rule", "storage-unknown")
    assert result.exit_code == 1
    assert lines(result.stdout)[-1] == "[storage-unknown] Name a storage that exists, or add it."


def test_json_holds_every_finding_with_what_mends_it(run: Run, folder: Path) -> None:
    result = run("lint", str(folder), "--json")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["error_count"], content["warning_count"], content["note_count"]) == (1, 1, 1, 0)
    assert [(each["rule"], each["fix_command"], each["fixable"]) for each in content["findings"]] == [
        ("external-retrieve-unknown", "dcmcfg set-external-retrieve DCM4CHEE", False),
        ("registry-orphan", None, True),
    ]
    assert content["findings"][0] == {
        "severity": "error",
        "rule": "external-retrieve-unknown",
        "impact": "rule",
        "dn": ARCHIVE_DN,
        "attribute": "dcmExternalRetrieveAEDestination",
        "value": "X",
        "message": "no AE has the title X; storage SCPs of dcm4chee-arc: DCM4CHEE",
        "file": "30-dcm4chee-arc.ldif",
        "line": 29,
        "fix": "Set it to a storage SCP of the archive.",
        "fix_command": "dcmcfg set-external-retrieve DCM4CHEE",
        "correction_commands": [],
        "fixable": False,
    }


def test_sarif_names_the_rules_of_lint(run: Run, folder: Path) -> None:
    log = json.loads(run("lint", str(folder), "--sarif").stdout)
    (one,) = log["runs"]
    assert {rule["id"] for rule in one["tool"]["driver"]["rules"]} == {rule.name for rule in RULES}
    assert [(result["ruleId"], result["level"]) for result in one["results"]] == [
        ("external-retrieve-unknown", "error"),
        ("registry-orphan", "warning"),
    ]


def test_the_worst_is_told_first_and_a_misspelt_name_is_corrected_before_it_is_added(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    text = file.read_text().replace("dcmExternalRetrieveAEDestination: X\n", "")
    text = text.replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:LONGTREM")
    ae = f"dn: dicomAETitle=DCM4CHEE,{ARCHIVE_DN}\n"
    assert ae in text
    titles = "".join(f"dcmAcceptedMoveDestination: {title}\n" for title in ("WORKSTATON", "VIEWER", "STRORESCP"))
    file.write_text(text.replace(ae, ae + titles))
    result = run("lint", str(folder))
    severities = [line.split()[0] for line in lines(result.stdout) if line.split()[0] in ("error", "warning", "note")]
    assert severities == ["error", *["warning"] * 4, "note"]
    assert lines(result.stdout)[-12:] == [
        "Suggested fixes:",
        "dcmcfg lint --fix (1 of 6)",
        f"dcmcfg set 'dcmExporterID=LONGTERM,{ARCHIVE_DN}' dcmURI=dicom:LONGTERM",
        "dcmcfg ae add LONGTREM@HOST:PORT (if the name is right)",
        "dcmcfg add-value dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination=WORKSTATION",
        "dcmcfg remove-value dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination=WORKSTATON",
        "dcmcfg ae add WORKSTATON@HOST:PORT (if the name is right)",
        "dcmcfg ae add VIEWER@HOST:PORT",
        "dcmcfg add-value dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination=STORESCP",
        "dcmcfg remove-value dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination=STRORESCP",
        "dcmcfg ae add STRORESCP@HOST:PORT (if the name is right)",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]
    content = json.loads(run("lint", str(folder), "--rule", "exporter-destination-unknown", "--json").stdout)
    correction = f"dcmcfg set 'dcmExporterID=LONGTERM,{ARCHIVE_DN}' dcmURI=dicom:LONGTERM"
    told = [(each["fix_command"], each["correction_commands"]) for each in content["findings"]]
    assert told == [(None, [correction])]


def test_warnings_and_notes_alone_are_no_error(run: Run, folder: Path) -> None:
    assert run("lint", str(folder), "--rule", "registry-orphan").exit_code == 0
    assert run("lint", str(find_ldif_folder() / "site")).exit_code == 0


def test_standard_input_is_a_file_too(run: Run, folder: Path) -> None:
    text = "\n".join(file.read_text().replace("version: 1\n", "") for file in sorted(folder.glob("*.ldif")))
    result = run("lint", "-", input=text)
    assert result.exit_code == 1
    assert "[external-retrieve-unknown]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--rule", "registry-orphans"), "no rule 'registry-orphans'; near misses: registry-orphan"),
        (("--rule", "\x1b[31m"), "no rule '\\x1b[31m'; docs/lint.md lists them"),
        (("--fix", "."), "--fix mends the live tree"),
        (("--dry-run",), "goes with --fix"),
        (("--yes", "."), "goes with --fix"),
        (("--strict", "."), "goes with --fix"),
        (("--sarif", "--json", "."), "--sarif goes neither with --json nor with --fix"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    result = run("lint", *arguments)
    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.split())
    if "--json" in arguments:
        error = json.loads(result.stdout)["error"]
        assert error == {"message": problem, "exit_code": 2, "subject": "", "next_step": "dcmcfg lint --help"}
    else:
        assert result.stdout == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense\n", "dcmcfg: standard input:1: "),
        (ORPHAN, "dcmcfg: -: there are no devices\n  next: dcmcfg export-ldif writes a whole configuration\n"),
        ("", "dcmcfg: -: it contains no entries\n"),
    ],
)
def test_what_cannot_be_judged_is_a_3(run: Run, text: str, problem: str) -> None:
    result = run("lint", "-", input=text)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(problem)


def test_hostile_values_do_not_steer_the_terminal(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI:: ZGljb206G1szMW0kKHJlYm9vdCk="))
    for option in ("", "--json", "--sarif"):
        result = run("lint", str(folder), *filter(None, [option]))
        assert result.exit_code == 1
        assert "\x1b" not in result.stdout
    shown = run("lint", str(folder), "--rule", "exporter-destination-unknown").stdout
    assert r"\x1b[31m$(reboot)" in "".join(shown.split())


def test_a_secret_stays_one(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:joe:geheim@host"))
    for option in ("", "--json", "--sarif"):
        result = run("lint", str(folder), *filter(None, [option]))
        assert "geheim" not in result.stdout
        assert "(secret)" in result.stdout


def test_rules_name_commands_that_there_are() -> None:
    named = {rule.fix_command.split()[1] for rule in RULES}
    assert named <= set(COMMANDS)


def test_no_command_is_told_that_is_not_there(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:GONE"))
    content = json.loads(run("lint", str(folder), "--json").stdout)
    commands = [each["fix_command"] for each in content["findings"] if each["fix_command"]]
    assert commands
    assert {command.split()[1] for command in commands} <= set(COMMANDS)


@pytest.mark.real
def test_the_live_site_has_what_the_lab_is_there_to_show(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("lint")
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines(result.stdout)[-3:] == [
        f"{len(before)} entries: 0 errors, 0 warnings, 1 note",
        "Suggested fixes:",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]
    assert site.octets() == before


@pytest.mark.real
def test_the_archives_default_configuration_has_two_warnings(run: Run, stock_site: CliSite) -> None:
    content = json.loads(run("lint", "--json").stdout)
    assert [each["rule"] for each in content["findings"]] == ["ups-destination-unknown"] * 2


@pytest.fixture
def broken_site(site: CliSite, tmp_path: Path) -> CliSite:
    file = tmp_path / "break.ldif"
    file.write_text(BROKEN)
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    return site


@pytest.mark.real
def test_fix_mends_what_needs_no_decision_and_tells_the_rest(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("lint", "--fix", "--yes")
    assert (result.exit_code, result.stderr) == (1, "")
    shown_lines = lines(result.stdout)
    assert shown_lines[0] == broken_site.headline
    assert "the archive has reloaded" in shown_lines
    assert shown_lines[-3:] == [
        f"{len(before)} entries: 1 error, 0 warnings",
        "Suggested fixes:",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]
    after = broken_site.octets()
    assert f"dicomAETitle=NEW_AET_A,{REGISTRY}" not in after
    assert f"dicomAETitle=STORESCP,{REGISTRY}" in after
    assert len(after[STORESCP]["dicomnetworkconnectionreference"]) == 1
    content = json.loads(run("lint", "--json").stdout)
    assert [(each["rule"], each["fixable"]) for each in content["findings"]] == [("external-retrieve-unknown", False)]
    assert run("undo", "--yes").exit_code == 0
    assert broken_site.octets() == before


@pytest.mark.real
def test_fix_of_one_rule_leaves_the_others_alone(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("lint", "--fix", "--yes", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (0, "")
    after = broken_site.octets()
    assert set(before) - set(after) == {f"dicomAETitle=NEW_AET_A,{REGISTRY}"}
    assert all(after[dn] == before[dn] for dn in after)


@pytest.mark.real
def test_a_dry_run_of_fix_shows_the_plan_and_changes_nothing(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("lint", "--fix", "--dry-run")
    assert result.exit_code == 1
    assert "dicomAETitle=NEW_AET_A" in result.stdout
    assert broken_site.octets() == before


@pytest.mark.real
def test_with_nothing_to_mend_fix_says_so(run: Run, site: CliSite, archive: Scripted) -> None:
    result = run("lint", "--fix", "--yes", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("entries: 0 errors, 0 warnings\nnothing to do\n")
    fix_result = run("lint", "--fix", "--yes")
    assert lines(fix_result.stdout)[-2:] == [
        "dcmcfg set-external-retrieve DCM4CHEE",
        "nothing to do: --fix mends none of it",
    ]
    assert json.loads(run("lint", "--fix", "--yes", "--json").stdout)["changed"] is False
    assert archive.requests == []


@pytest.mark.real
def test_fix_without_the_archive_changes_nothing(
    run: Run, broken_site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = broken_site.octets()
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", f"http://localhost:{free_port()}/dcm4chee-arc")
    result = run("lint", "--fix", "--yes")
    assert result.exit_code == 3
    assert broken_site.octets() == before
