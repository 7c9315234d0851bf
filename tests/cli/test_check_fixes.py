"""``dcmcfg check``: findings of all parts with their fixes, the selection of rules, and ``--fix``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.cli.commands import COMMANDS
from dcmcfg.lab.tree import find_ldif_folder
from dcmcfg.lint.catalogue import CHECK_RULES, RULES
from dcmcfg.schema.findings import OPTIONAL_PARTS
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


def test_findings_are_printed_with_suggested_fixes(run: Run, folder: Path) -> None:
    result = run("check", str(folder), "--rule", "external-retrieve-unknown", "--rule", "registry-orphan")
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
        "dcmcfg check --fix (1 of 2)",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]


def test_where_names_do_not_fit_each_finding_is_a_block(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = run("check", str(folder), "--rule", "external-retrieve-unknown", "--rule", "registry-orphan")
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


def test_findings_of_all_parts_are_one_list(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dicomInstalled: TRUE", "dicomInstalled: perhaps", 1))
    result = run("check", str(folder))
    assert (result.exit_code, result.stderr) == (1, "")
    assert lines(result.stdout) == [
        "Entry Attribute Value Problem",
        "error dicomDeviceName=dcm4chee-arc dicomInstalled perhaps not a boolean: must be TRUE or FALSE [syntax]",
        "30-dcm4chee-arc.ldif:12",
        "error 30-dcm4chee-arc.ldif:29 dcmExternalRetrieveAEDestination X "
        "no AE has the title X; storage SCPs of dcm4chee-arc: DCM4CHEE [external-retrieve-unknown]",
        "warning dicomAETitle=NEW_AET_A,cn=Unique AE Titles Registry dicomAETitle NEW_AET_A "
        "no AE named NEW_AET_A exists [registry-orphan]",
        "99-orphan.ldif:3",
        "1080 entries: 2 errors, 1 warning",
        "Suggested fixes:",
        "dcmcfg check --fix (1 of 3)",
        "dcmcfg set-external-retrieve DCM4CHEE",
        "[syntax] Correct the value. `dcmcfg explain dicomInstalled` shows the expected format.",
    ]


def test_a_defect_that_two_rules_find_is_reported_once(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    reference = f"dicomNetworkConnectionReference: cn=dicom,{ARCHIVE_DN}\n"
    text = file.read_text()
    assert reference in text
    file.write_text(text.replace(reference, reference.replace("cn=dicom", "cn=gone"), 1))

    def found(*arguments: str) -> list[tuple[str, str, str]]:
        content = json.loads(run("check", str(folder), "--only", "references", *arguments, "--json").stdout)
        return [
            (each["severity"], each["rule"], each["impact"]) for each in content["findings"] if "gone" in each["value"]
        ]

    assert found() == [("error", "connection-dangling", "unloadable")]
    assert found("--skip", "connection-dangling") == [("error", "required-reference", "unloadable")]


ROOT = "dn: cn=DICOM Configuration,dc=x\nobjectClass: dicomConfigurationRoot\ncn: DICOM Configuration\n\n"
DEVICE = "dn: dicomDeviceName=a,dc=x\nobjectClass: dicomDevice\ndicomDeviceName: a\ndicomInstalled: TRUE\n"


def test_a_configuration_without_an_archive_skips_the_rules_for_archives(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.ldif"
    file.write_text(ROOT + DEVICE)
    result = run("check", str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "2 entries: 0 errors, 0 warnings\n"
        "Skipped the rules that require an archive device (topics: external retrieve, recall from external archives, "
        "fallback, export, purging, ports of the archive, transport, capabilities).\n"
    )
    assert run("check", str(file), "--rule", "registry-orphan").stdout == "2 entries: 0 errors, 0 warnings\n"
    assert json.loads(run("check", str(file), "--rule", "export-loop", "--json").stdout)["skipped_topics"] == ["Export"]
    assert run("check", str(file), "--rule", "export-loop", "--format", "sarif").stderr == (
        "Skipped the rules that require an archive device (topics: export).\n"
    )


def test_a_part_of_a_configuration_skips_the_rules_that_need_a_whole_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "part.ldif"
    file.write_text(DEVICE)
    result = run("check", str(file), "--rule", "registry-orphan", "--rule", "syntax")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "1 entry: 0 errors, 0 warnings\n"
        "Skipped 1 rule for whole configurations, because the input has no configuration root or no device.\n"
    )
    content = json.loads(run("check", str(file), "--only", "references", "--json").stdout)
    assert "remote-ae-unknown" in content["skipped_rules"]
    assert "connection-protocol" not in content["skipped_rules"]
    assert content["skipped_topics"] == []


def test_a_fix_without_a_command_is_printed_in_words(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmObjectStorageID: fs1", "dcmObjectStorageID: fs2"))
    result = run("check", str(folder), "--rule", "storage-unknown")
    assert result.exit_code == 1
    assert lines(result.stdout)[-1] == (
        "[storage-unknown] Use the name of an existing storage, or add the missing storage."
    )


def test_json_has_each_finding_with_its_fix(run: Run, folder: Path) -> None:
    result = run("check", str(folder), "--json")
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
        "part": "references",
        "fix": "Set dcmExternalRetrieveAEDestination to a storage SCP of the archive.",
        "fix_command": "dcmcfg set-external-retrieve DCM4CHEE",
        "correction_commands": [],
        "fixable": False,
    }


def test_sarif_names_the_rules_of_all_parts(run: Run, folder: Path) -> None:
    log = json.loads(run("check", str(folder), "--format", "sarif").stdout)
    (one,) = log["runs"]
    assert {rule["id"] for rule in one["tool"]["driver"]["rules"]} == {
        rule.name for rule in CHECK_RULES if rule.part not in OPTIONAL_PARTS
    }
    assert all(rule["help"]["text"] for rule in one["tool"]["driver"]["rules"])
    assert [(result["ruleId"], result["level"]) for result in one["results"]] == [
        ("external-retrieve-unknown", "error"),
        ("registry-orphan", "warning"),
    ]


def test_errors_come_first_and_a_typo_is_corrected_before_an_ae_is_added(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    text = file.read_text().replace("dcmExternalRetrieveAEDestination: X\n", "")
    text = text.replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:LONGTREM")
    ae = f"dn: dicomAETitle=DCM4CHEE,{ARCHIVE_DN}\n"
    assert ae in text
    titles = "".join(f"dcmAcceptedMoveDestination: {title}\n" for title in ("WORKSTATON", "VIEWER", "STRORESCP"))
    file.write_text(text.replace(ae, ae + titles))
    result = run("check", str(folder))
    severities = [line.split()[0] for line in lines(result.stdout) if line.split()[0] in ("error", "warning", "note")]
    assert severities == ["error", *["warning"] * 4, "note"]
    assert lines(result.stdout)[-10:] == [
        "Suggested fixes:",
        "dcmcfg check --fix (1 of 6)",
        f"dcmcfg set 'dcmExporterID=LONGTERM,{ARCHIVE_DN}' dcmURI=dicom:LONGTERM",
        "dcmcfg ae add LONGTREM@HOST:PORT (if the name is correct)",
        "dcmcfg set dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination+=WORKSTATION "
        "dcmAcceptedMoveDestination-=WORKSTATON",
        "dcmcfg ae add WORKSTATON@HOST:PORT (if the name is correct)",
        "dcmcfg ae add VIEWER@HOST:PORT",
        "dcmcfg set dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination+=STORESCP dcmAcceptedMoveDestination-=STRORESCP",
        "dcmcfg ae add STRORESCP@HOST:PORT (if the name is correct)",
        "dcmcfg set dcm4chee-arc dcmExternalRetrieveAEDestination=DCM4CHEE dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM",
    ]
    content = json.loads(run("check", str(folder), "--rule", "exporter-destination-unknown", "--json").stdout)
    correction = f"dcmcfg set 'dcmExporterID=LONGTERM,{ARCHIVE_DN}' dcmURI=dicom:LONGTERM"
    told = [(each["fix_command"], each["correction_commands"]) for each in content["findings"]]
    assert told == [(None, [correction])]


def test_warnings_and_notes_alone_are_no_error(run: Run, folder: Path) -> None:
    assert run("check", str(folder), "--rule", "registry-orphan").exit_code == 0
    assert run("check", str(find_ldif_folder() / "site")).exit_code == 0


def test_standard_input_is_a_file_too(run: Run, folder: Path) -> None:
    text = "\n".join(file.read_text().replace("version: 1\n", "") for file in sorted(folder.glob("*.ldif")))
    result = run("check", "-", input=text)
    assert result.exit_code == 1
    assert "[external-retrieve-unknown]" in result.stdout


def test_parts_and_rules_are_selected_and_skipped(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dicomInstalled: TRUE", "dicomInstalled: perhaps", 1))

    def found(*arguments: str) -> list[str]:
        content = json.loads(run("check", str(folder), *arguments, "--json").stdout)
        return [each["rule"] for each in content["findings"]]

    everything = ["syntax", "external-retrieve-unknown", "registry-orphan"]
    assert found() == everything
    assert found("--only", "schema", "--only", "formats", "--only", "references", "--only", "rules") == everything
    assert found("--only", "schema") == ["syntax"]
    assert found("--only", "references") == ["external-retrieve-unknown"]
    assert found("--only", "rules") == ["registry-orphan"]
    assert found("--only", "formats") == []
    assert found("--only", "schema", "--rule", "registry-orphan") == ["syntax", "registry-orphan"]
    assert found("--skip", "schema") == everything[1:]
    assert found("--skip", "syntax", "--skip", "rules") == ["external-retrieve-unknown"]


def test_lint_is_another_name_for_check(run: Run, folder: Path) -> None:
    results = [run(name, str(folder), "--rule", "registry-orphan") for name in ("check", "lint")]
    assert results[0].stdout == results[1].stdout
    assert [result.exit_code for result in results] == [0, 0]
    assert "lint" not in run("--help").stdout


def test_the_rules_are_listed(run: Run) -> None:
    result = run("check", "--list-rules", "--only", "formats", "--skip", "format", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (0, "")
    listed = [line.split()[:3] for line in lines(result.stdout)]
    assert listed[0] == ["Part", "Severity", "Rule"]
    assert ["formats", "error", "port"] in listed
    assert ["rules", "warning", "registry-orphan"] in listed
    assert {line[0] for line in listed[1:]} == {"formats", "rules"}
    content = json.loads(run("check", "--list-rules", "--json").stdout)
    assert [each["name"] for each in content["rules"]] == [rule.name for rule in CHECK_RULES]
    assert all(each["requirement"] and each["reason"] and each["fix"] for each in content["rules"])


def test_the_report_can_go_to_a_file(run: Run, folder: Path) -> None:
    result = run("check", str(folder), "--format", "sarif", "--out", "found.sarif")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
    assert len(json.loads((folder / "found.sarif").read_text())["runs"][0]["results"]) == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("--rule", "registry-orphans"),
            "unknown rule 'registry-orphans'. Did you mean registry-orphan, registry-missing? To list all parts",
        ),
        (("--rule", "\x1b[31m"), "unknown rule '\\x1b[31m'. To list all parts and rules: dcmcfg check --list-rules"),
        (("--rule", "schema"), "schema is a part of the check, not a single rule. Use --only schema"),
        (
            ("--only", "refrences"),
            "unknown part 'refrences'. Did you mean references? To list all parts and rules: dcmcfg check",
        ),
        (("--only", "registry-orphan"), "registry-orphan is a rule, not a part. Use --rule registry-orphan"),
        (
            ("--skip", "formts"),
            "unknown part or rule 'formts'. Did you mean formats, format, port? To list all parts and rules: dcmcfg",
        ),
        (
            ("--only", "schema", "--skip", "schema"),
            "there is no rule to check, because --skip excludes all selected rules",
        ),
        (("--fix", "."), "--fix changes the live tree"),
        (("--dry-run",), "require --fix"),
        (("--yes", "."), "require --fix"),
        (("--strict", "."), "require --fix"),
        (("--sarif", "--json", "."), "--sarif and --json cannot be used together"),
        (("--format", "text", "--sarif", "."), "--format text and --sarif cannot be used together"),
        (("--format", "sarif", "--fix"), "--format sarif and --fix cannot be used together"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(
    run: Run, arguments: tuple[str, ...], problem: str
) -> None:
    result = run("check", *arguments)
    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.split())
    if "--json" in arguments:
        error = json.loads(result.stdout)["error"]
        assert error == {"message": problem, "exit_code": 2, "subject": "", "next_step": "dcmcfg check --help"}
    else:
        assert result.stdout == ""


def test_a_folder_without_files_is_a_3(run: Run, tmp_path: Path) -> None:
    result = run("check", str(tmp_path))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"dcmcfg: {tmp_path}: the folder contains no *.ldif files\n"


def test_hostile_values_do_not_steer_the_terminal(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI:: ZGljb206G1szMW0kKHJlYm9vdCk="))
    for option in ("", "--json", "--sarif"):
        result = run("check", str(folder), *filter(None, [option]))
        assert result.exit_code == 1
        assert "\x1b" not in result.stdout
    shown = run("check", str(folder), "--rule", "exporter-destination-unknown").stdout
    assert r"\x1b[31m$(reboot)" in "".join(shown.split())


def test_a_secret_stays_one(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:joe:geheim@host"))
    for option in ("", "--json", "--sarif"):
        result = run("check", str(folder), *filter(None, [option]))
        assert "geheim" not in result.stdout
        assert "(secret)" in result.stdout


def test_rules_name_commands_that_there_are() -> None:
    named = {rule.example_command.split()[1] for rule in RULES}
    assert named <= set(COMMANDS)


def test_no_command_is_told_that_is_not_there(run: Run, folder: Path) -> None:
    file = folder / "30-dcm4chee-arc.ldif"
    file.write_text(file.read_text().replace("dcmURI: dicom:LONGTERM", "dcmURI: dicom:GONE"))
    content = json.loads(run("check", str(folder), "--json").stdout)
    commands = [each["fix_command"] for each in content["findings"] if each["fix_command"]]
    assert commands
    assert {command.split()[1] for command in commands} <= set(COMMANDS)


@pytest.mark.real
def test_the_live_site_has_what_the_lab_is_there_to_show(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines(result.stdout)[-3:] == [
        f"{len(before)} entries: 0 errors, 0 warnings, 1 note",
        "Suggested fixes:",
        "dcmcfg set dcm4chee-arc dcmExternalRetrieveAEDestination=DCM4CHEE dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM",
    ]
    assert site.octets() == before


@pytest.mark.real
def test_the_archives_default_configuration_has_two_warnings(run: Run, stock_site: CliSite) -> None:
    content = json.loads(run("check", "--json").stdout)
    assert [each["rule"] for each in content["findings"]] == ["ups-destination-unknown"] * 2


@pytest.fixture
def broken_site(site: CliSite, tmp_path: Path) -> CliSite:
    file = tmp_path / "break.ldif"
    file.write_text(BROKEN)
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    return site


@pytest.mark.real
def test_fix_of_one_rule_leaves_the_others_alone(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("check", "--fix", "--yes", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (0, "")
    after = broken_site.octets()
    assert set(before) - set(after) == {f"dicomAETitle=NEW_AET_A,{REGISTRY}"}
    assert all(after[dn] == before[dn] for dn in after)


@pytest.mark.real
def test_a_dry_run_of_fix_shows_the_plan_and_changes_nothing(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("check", "--fix", "--dry-run")
    assert result.exit_code == 1
    assert "  - registered AE title NEW_AET_A  (at once)\n" in result.stdout
    assert broken_site.octets() == before


@pytest.mark.real
def test_fix_without_the_archive_changes_nothing(
    run: Run, broken_site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = broken_site.octets()
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", f"http://localhost:{free_port()}/dcm4chee-arc")
    result = run("check", "--fix", "--yes")
    assert result.exit_code == 3
    assert broken_site.octets() == before


@pytest.mark.real
def test_fix_applies_what_needs_no_decision_and_prints_the_rest(run: Run, broken_site: CliSite) -> None:
    before = broken_site.octets()
    result = run("check", "--fix", "--yes")
    assert (result.exit_code, result.stderr) == (1, "")
    shown_lines = lines(result.stdout)
    assert shown_lines[0] == broken_site.headline
    assert (
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values." in shown_lines
    )
    assert shown_lines[-3:] == [
        f"{len(before)} entries: 1 error, 0 warnings",
        "Suggested fixes:",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ]
    after = broken_site.octets()
    assert f"dicomAETitle=NEW_AET_A,{REGISTRY}" not in after
    assert f"dicomAETitle=STORESCP,{REGISTRY}" in after
    assert len(after[STORESCP]["dicomnetworkconnectionreference"]) == 1
    content = json.loads(run("check", "--json").stdout)
    assert [(each["rule"], each["fixable"]) for each in content["findings"]] == [("external-retrieve-unknown", False)]
    assert run("undo", "--yes").exit_code == 0
    assert broken_site.octets() == before


@pytest.mark.real
def test_fix_without_fixable_findings_changes_nothing(run: Run, site: CliSite, archive: Scripted) -> None:
    result = run("check", "--fix", "--yes", "--rule", "registry-orphan")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("entries: 0 errors, 0 warnings\nNo changes.\n")
    fix_result = run("check", "--fix", "--yes")
    assert lines(fix_result.stdout)[-2:] == [
        "dcmcfg set dcm4chee-arc dcmExternalRetrieveAEDestination=DCM4CHEE dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM",
        "No changes, because --fix cannot fix these findings.",
    ]
    assert json.loads(run("check", "--fix", "--yes", "--json").stdout)["changed"] is False
    assert archive.requests == []
