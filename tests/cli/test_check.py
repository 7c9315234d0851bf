"""``dcmcfg check``: all findings at once, from files and from the live tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg import __version__
from dcmcfg.dn import DN
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.lint.catalogue import CHECK_RULES, RULES
from dcmcfg.render.check import findings_sarif
from dcmcfg.schema.findings import EntryFinding, SourceLocation
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

BAD = """\
dn: dicomDeviceName=x,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org
objectClass: dicomDevice
objectClass: dcmDevise
dicomDeviceName: x
dicomInstalled: true

dn: cn=dicom,dicomDeviceName=x,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: h
dicomPort: 70000
"""

NEEDS_WHOLE = sum(rule.needs_whole_tree for rule in RULES)
SKIPPED = (
    f"Skipped {NEEDS_WHOLE} rules for whole configurations, because the input has no configuration root or no device."
)


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("bad.ldif").write_text(BAD)
    return "bad.ldif"


def test_findings_of_a_file_are_told_with_their_place(run: Run, bad: str) -> None:
    result = run("check", bad)
    assert (result.exit_code, result.stderr) == (1, "")
    assert [" ".join(line.split()) for line in result.stdout.splitlines() if line.strip(" ─")] == [
        "Entry Attribute Value Problem",
        "error dicomDeviceName=x objectClass dcmDevise unknown object class dcmDevise; did you mean dcmDevice, "
        "dicomDevice? [unknown-class]",
        "bad.ldif:3",
        "error bad.ldif:5 dicomInstalled true not a boolean: must be TRUE or FALSE, in capital letters [syntax]",
        "error cn=dicom,dicomDeviceName=x dicomPort 70000 a port must be a number from 1 to 65535 [port, unloadable]",
        "bad.ldif:11",
        "2 entries: 3 errors, 0 warnings",
        "The archive refuses to load the device x.",
        SKIPPED,
        "Suggested fixes:",
        "[unknown-class] Correct the name of the object class, or remove the value.",
        "[syntax] Correct the value. `dcmcfg explain dicomInstalled` shows the expected format.",
        "[port] Correct the value. `dcmcfg explain dicomPort` shows the expected format.",
    ]


def test_json_holds_every_finding(run: Run, bad: str) -> None:
    result = run("check", bad, "--json")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["entry_count"], content["error_count"], content["warning_count"]) == (1, 2, 3, 0)
    assert content["findings"][2] == {
        "severity": "error",
        "rule": "port",
        "impact": "unloadable",
        "dn": "cn=dicom,dicomDeviceName=x,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org",
        "attribute": "dicomPort",
        "value": "70000",
        "message": "a port must be a number from 1 to 65535",
        "file": "bad.ldif",
        "line": 11,
        "part": "formats",
        "fix": "Correct the value. `dcmcfg explain dicomPort` shows the expected format.",
        "fix_command": None,
        "correction_commands": [],
        "fixable": False,
    }


def test_sarif_is_what_version_2_1_0_asks_for(run: Run, bad: str) -> None:
    log = json.loads(run("check", bad, "--sarif").stdout)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    driver = log["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("dcmcfg", __version__)
    known = {rule["id"] for rule in driver["rules"]}
    results = log["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["unknown-class", "syntax", "port"]
    assert known >= {result["ruleId"] for result in results}
    assert results[2] == {
        "ruleId": "port",
        "level": "error",
        "message": {"text": "dicomPort: 70000 — a port must be a number from 1 to 65535"},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "fullyQualifiedName": "cn=dicom,dicomDeviceName=x,cn=Devices,cn=DICOM Configuration,"
                        "dc=dcm4che,dc=org",
                        "kind": "object",
                    }
                ],
                "physicalLocation": {"artifactLocation": {"uri": "bad.ldif"}, "region": {"startLine": 11}},
            }
        ],
        "properties": {"impact": "unloadable"},
    }


def test_sarif_of_every_rule_keeps_to_the_properties_that_version_2_1_0_defines() -> None:
    """SARIF 2.1.0 §3.13 to §3.52: no object takes others than these, and these are required."""
    findings = [
        EntryFinding(
            rule,
            DN.parse("cn=x"),
            "a b",
            "wrong",
            value=b"v",
            severity=rule.severity,
            location=SourceLocation("a b/c.ldif", 3),
        )
        for rule in CHECK_RULES
    ]
    log = findings_sarif([*findings, EntryFinding(CHECK_RULES[0], DN.parse("cn=x"), "", "wrong")], CHECK_RULES)
    assert set(log) == {"version", "$schema", "runs"}
    (run_of,) = log["runs"]
    assert set(run_of) == {"tool", "results"}
    assert [set(rule) for rule in run_of["tool"]["driver"]["rules"]] == [
        {"id", "shortDescription", "help", "defaultConfiguration", "properties"}
    ] * len(CHECK_RULES)
    for result in run_of["results"]:
        assert set(result) == {"ruleId", "level", "message", "locations", "properties"}
        assert result["level"] in ("error", "warning", "note")
        (location,) = result["locations"]
        assert {"logicalLocations"} <= set(location) <= {"logicalLocations", "physicalLocation"}
        assert [set(each) for each in location["logicalLocations"]] == [{"fullyQualifiedName", "kind"}]
        if physical := location.get("physicalLocation"):
            assert physical == {"artifactLocation": {"uri": "a%20b/c.ldif"}, "region": {"startLine": 3}}


def test_standard_input_is_a_file_too(run: Run) -> None:
    result = run("check", "-", input=BAD)
    assert result.exit_code == 1
    assert "standard input:1" in result.stdout


def test_warnings_alone_are_no_error(run: Run) -> None:
    values = "dcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex\ndcmRejectConflictingPatientAttribute: 0020000Z"
    text = (
        BAD.replace("objectClass: dcmDevise", "objectClass: dcmDevice\nobjectClass: dcmArchiveDevice")
        .replace("true", f"TRUE\n{values}")
        .replace("70000", "104")
    )
    result = run("check", "-", input=text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\n2 entries: 0 errors, 2 warnings\n" in result.stdout


def test_hostile_values_neither_steer_the_terminal_nor_fill_it_and_secrets_stay_secret(run: Run) -> None:
    text = (
        BAD.replace("dicomInstalled: true", "dicomInstalled:: G1szMW1b")
        .replace("objectClass: dcmDevise", f"objectClass: {'x' * 100_000}")
        .replace("dicomPort: 70000", "dicomPort: joe:geheim@host")
    )
    for option in ("--json", "--sarif", ""):
        result = run("check", "-", *filter(None, [option]), input=text)
        assert (result.exit_code, result.stderr) == (1, f"{SKIPPED}\n" if option == "--sarif" else "")
        assert "\x1b" not in result.stdout
        assert "geheim" not in result.stdout
        assert "(secret)" in result.stdout
    assert r"\x1b[31m[" in result.stdout
    assert len(result.stdout) < 5000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense\n", "dcmcfg: standard input:1: "),
        (
            "dn: cn=x\nchangetype: delete\n",
            "dcmcfg: standard input:1: found a change record, but only entries can be checked\n"
            "  next: to see the plan of the change records: dcmcfg apply --dry-run FILE; to check the syntax of the "
            "change records: dcmcfg check --rfc2849 FILE\n",
        ),
    ],
)
def test_what_cannot_be_read_is_a_3(run: Run, text: str, problem: str) -> None:
    result = run("check", "-", input=text)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(problem)


def test_rfc2849_refuses_what_openldap_lets_pass(run: Run, bad: str) -> None:
    Path(bad).write_text("dn: dc=org\nobjectClass: dcObject\ndc:   org")  # no version, no final line end
    assert run("check", bad).exit_code == 0
    result = run("check", bad, "--rfc2849")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "dcmcfg: bad.ldif:1: the source does not begin with 'version: 1'\n"


CHANGES = "version: 1\n\ndn: dc=org\nchangetype: modify\nreplace: dc\ndc: org\n-\n\ndn: dc=x\nchangetype: delete\n"


def test_rfc2849_approves_a_correct_change_file(run: Run) -> None:
    result = run("check", "--rfc2849", "-", input=CHANGES)
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "standard input: 2 change records, valid LDIF (RFC 2849)\n",
        "",
    )
    content = json.loads(run("check", "--rfc2849", "-", "--json", input=CHANGES).stdout)
    assert content == {
        "entry_count": 0,
        "error_count": 0,
        "warning_count": 0,
        "findings": [],
        "note_count": 0,
        "skipped_rules": [],
        "skipped_topics": [],
        "change_record_count": 2,
    }


def test_rfc2849_checks_a_change_file_beside_a_file_of_entries(run: Run, bad: str, tmp_path: Path) -> None:
    Path("changes.ldif").write_text(CHANGES)
    Path(bad).write_text(f"version: 1\n\n{BAD}")
    result = run("check", "--rfc2849", "changes.ldif", bad)
    assert result.exit_code == 1
    assert result.stdout.startswith("changes.ldif: 2 change records, valid LDIF (RFC 2849)\n")
    assert "\n2 entries: 3 errors, 0 warnings\n" in result.stdout


@pytest.mark.parametrize("text", ["", "version: 1\n", "version: 1\n\n# nothing\n"])
def test_rfc2849_wants_a_record(run: Run, text: str) -> None:
    result = run("check", "--rfc2849", "-", input=text)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "dcmcfg: standard input: the file contains no records\n"


def test_a_file_that_is_not_there_is_a_3(run: Run) -> None:
    result = run("check", "gone.ldif")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "dcmcfg: gone.ldif: cannot read the file (No such file or directory)\n"
        f"  next: check the path: the folder {Path.cwd()} has no such file\n"
    )


def test_two_forms_at_once_are_a_usage_error(run: Run, bad: str) -> None:
    assert run("check", bad, "--json", "--sarif").exit_code == 2


@pytest.mark.real
def test_the_live_site_is_in_order(run: Run, site: CliSite) -> None:
    result = run("check", "--skip", "external-retrieve-unset")  # which the lab leaves for the user to set
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        f"{len(site.octets())} entries: 0 errors, 0 warnings\n",
        "",
    )


@pytest.mark.real
def test_the_archives_default_configuration_is_in_order(run: Run, stock_site: CliSite) -> None:
    result = run("check", "--skip", "ups-destination-unknown")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(" entries: 0 errors, 0 warnings\n")


@pytest.mark.real
def test_a_wrong_value_in_the_live_tree_is_found(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "odd.ldif"
    file.write_text(f"dn: {ARCHIVE_DN}\nreplace: dcmPurgeStoragePollingInterval\ndcmPurgeStoragePollingInterval: 5m\n")
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    content = json.loads(run("check", "--json").stdout)
    assert [(each["severity"], each["rule"], each["value"], each["file"]) for each in content["findings"]] == [
        ("error", "format", "5m", None),
        ("note", "external-retrieve-unset", None, None),
    ]


@pytest.mark.real
def test_the_servers_own_schema_judges_the_live_tree_and_files_when_asked(
    run: Run, newer_slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", newer_slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", newer_slapd.password)
    root = "cn=DICOM Configuration,dc=dcm4che,dc=org"
    text = (
        f"dn: {root}\nobjectClass: dicomConfigurationRoot\ncn: DICOM Configuration\n\n"
        f"dn: cn=x,{root}\nobjectClass: dcmFuture\ncn: x\ndcmFromTheFuture: a\n"
    )
    file = tmp_path / "new.ldif"
    file.write_text(text)

    def rules(*arguments: str) -> list[tuple[str, str]]:
        content = json.loads(run("check", *arguments, "--json").stdout)
        return [(each["severity"], each["rule"]) for each in content["findings"]]

    unknown = ["unknown-attribute", "unknown-class"]
    assert rules(str(file)) == [("error", rule) for rule in unknown]
    assert rules(str(file), "--schema", "server") == []
    file.write_text(text + "dcmFromTheFuture: b\ndicomDescription: c\n")
    assert rules(str(file), "--schema", "server") == [
        ("error", "attribute-not-allowed"),
        ("error", "single-valued"),
    ]
    file.write_text(text)
    assert newer_slapd.run_client("ldapadd", "-f", str(file)).returncode == 0
    assert rules() == []
    assert rules("--schema", "bundled") == [("warning", rule) for rule in unknown]


@pytest.mark.real
def test_a_server_that_shows_no_schema_is_checked_by_the_bundled_one_and_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden = 'access to dn.base="cn=Subschema" by * none'
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_global=hidden)
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])
    with slapd:
        monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
        monkeypatch.setenv("DCMCFG_BIND_PASSWORD", PASSWORD)
        result = run("check")
    assert (result.exit_code, result.stdout) == (
        0,
        "1 entry: 0 errors, 0 warnings\n"
        "Skipped the rules that require an archive device (topics: external retrieve, recall from external archives, "
        "fallback, export, purging, ports of the archive, transport, capabilities).\n",
    )
    assert result.stderr == f"warning: {slapd.url} does not publish its schema, so dcmcfg used its bundled schema\n"
