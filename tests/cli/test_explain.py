"""``dcmcfg explain``: what an attribute means, and where it is set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite
from tests.running_slapd import RunningSlapd

EXPLAINED = """\
dcmExternalRetrieveAEDestination (1.2.40.0.13.1.15.110.3.124)
  Web form label: External Retrieve AE Destination
  Syntax:         text, ASCII only (IA5String)
  Matching:       case-sensitive, extra spaces ignored
  Cardinality:    one

 Object class                Allowed values                                     Default
 ──────────────────────────────────────────────────────────────────────────────────────
 dcmArchiveDevice      may   an AE title: up to 16 characters, case-sensitive
 dcmArchiveNetworkAE   may   an AE title: up to 16 characters, case-sensitive

Takes effect:
  on the archive's device: with dcmcfg reload (commands that change the configuration reload the archive automatically).

Archive behaviour:
  dcmcfg cannot query the value that the archive has loaded. To prove a change, run `dcmcfg verify` after the reload.

"""


def test_an_attribute_is_explained_without_a_directory(run: Run) -> None:
    result = run("explain", NAME.upper(), "--offline")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == EXPLAINED + "Current values were not looked up: --offline.\n"


def test_a_directory_that_does_not_answer_is_said_to_have_not_been_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", "ldap://127.0.0.1:9")
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "x")
    result = run("explain", NAME)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(EXPLAINED + "Current values were not looked up: ldap://127.0.0.1:9: ")
    content = json.loads(run("explain", NAME, "--json").stdout)
    assert content["entries"] is None
    assert content["skip_reason"].startswith("ldap://127.0.0.1:9: ")


def test_what_a_reload_does_not_put_in_force_is_explained(run: Run) -> None:
    text = run("explain", "dcmMasqueradeCalledAETitle", "--offline").stdout
    assert (
        "Takes effect:\n"
        "  on AEs of the archive's device: after a restart of the archive; a reload keeps the old value.\n\n"
    ) in text
    content = json.loads(run("explain", "dcmPurgeStoragePollingInterval", "--offline", "--json").stdout)
    assert content["effect_timing"] == [
        {
            "affected_entries": "the archive's device",
            "required_action": "reload and start delay",
            "timing": "after a reload and a delay. The delay is dcmSchedulerMinStartDelay (60 s if absent) plus a "
            "random part of the interval",
        }
    ]
    assert content["behaviour"] == []
    loaded = (
        "on AEs of the archive's device: with dcmcfg reload (commands that change the configuration reload the "
        "archive automatically).\n\n"
    )
    assert f"Takes effect:\n  {loaded}" in run("explain", "dcmObjectStorageID", "--offline").stdout
    assert "Takes effect" not in run("explain", "dcmuiDeviceClusterDevices", "--offline").stdout


def test_a_boolean_is_true_or_false(run: Run) -> None:
    text = run("explain", "dicomInstalled", "--object-class", "dicomDevice", "--offline").stdout
    assert " dicomDevice    must   TRUE, FALSE      TRUE\n" in text


def test_of_a_port_the_limits_of_the_archive_and_of_its_form_are_told(run: Run) -> None:
    output = " ".join(run("explain", "dicomPort", env={"COLUMNS": "200"}).stdout.split())
    assert "a TCP port, 1 to 65535; the web form accepts values from 1 to 99999" in output


def test_values_and_default_are_those_of_the_class(run: Run) -> None:
    content = json.loads(run("explain", "dcmEntity", "--object-class", "dcmExportRule", "--offline", "--json").stdout)
    assert list(content["object_classes"]) == ["dcmExportRule"]
    assert content["object_classes"]["dcmExportRule"]["values"] == ["Study", "Series", "Instance"]
    assert content["object_classes"]["dcmExportRule"]["enforced"] is True


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["dcmExternalRetriveAEDestination"],
            "dcmcfg: unknown attribute dcmExternalRetriveAEDestination\n  next: did you mean " + NAME,
        ),
        (["dicomFoo"], "dcmcfg: unknown attribute dicomFoo\n"),
        (
            ["dicomPort", "--object-class", "dcmStorge"],
            "dcmcfg: unknown object class dcmStorge\n  next: did you mean dcmStorage?",
        ),
        (
            ["dicomPort", "--object-class", "dcmStorage"],
            "dcmcfg: dcmStorage does not allow dicomPort\n  next: object classes that allow it: "
            "dicomNetworkConnection\n",
        ),
    ],
)
def test_what_is_not_known_is_told_with_what_is(run: Run, arguments: list[str], problem: str) -> None:
    result = run("explain", *arguments, "--offline")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(problem)


@pytest.mark.real
def test_where_it_is_set_and_which_level_wins(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "set.ldif"
    file.write_text(
        f"dn: {ARCHIVE_DN}\nreplace: {NAME}\n{NAME}: DCM4CHEE\n\n"
        f"dn: dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}\nreplace: {NAME}\n{NAME}: AS_RECEIVED\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    result = run("explain", NAME)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == EXPLAINED + (
        "Set on:\n"
        f"  {ARCHIVE_DN}\n"
        "    DCM4CHEE\n"
        f"  dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}\n"
        "    AS_RECEIVED\n"
        "Effective values (the value of an AE overrides the value of its device):\n"
        "  dcm4chee-arc/AS_RECEIVED: AS_RECEIVED (from the AE)\n"
        "  dcm4chee-arc/DCM4CHEE: DCM4CHEE (from the device)\n"
        "  dcm4chee-arc/IOCM_REGULAR_USE: DCM4CHEE (from the device)\n"
        "  dcm4chee-arc/WORKLIST: DCM4CHEE (from the device)\n"
    )
    on_ae = json.loads(run("explain", NAME, "--object-class", "dcmArchiveNetworkAE", "--json").stdout)
    assert on_ae["entries"] == [
        {"dn": f"dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}", "values": ["AS_RECEIVED"], "secret": False}
    ]


@pytest.mark.real
def test_a_secret_is_not_shown(run: Run, site: CliSite) -> None:
    (pin,) = site.values("dcmKeyStorePin")
    for option in ([], ["--json"]):
        result = run("explain", "dcmKeyStorePin", *option)
        assert result.exit_code == 0
        if option:
            (entry,) = [each for each in json.loads(result.stdout)["entries"] if each["dn"] == ARCHIVE_DN]
            assert entry == {"dn": ARCHIVE_DN, "values": [None], "secret": True}
        else:
            assert "(secret)" in result.stdout
        assert f"    {pin}\n" not in result.stdout
        assert f'"{pin}"' not in result.stdout


@pytest.mark.real
def test_any_attribute_of_both_levels_counts_from_the_ae_first(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "set.ldif"
    file.write_text(
        f"dn: {ARCHIVE_DN}\nreplace: dcmQidoMaxNumberOfResults\ndcmQidoMaxNumberOfResults: 100\n\n"
        f"dn: dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}\n"
        "replace: dcmQidoMaxNumberOfResults\ndcmQidoMaxNumberOfResults: 7\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    content = json.loads(run("explain", "dcmQidoMaxNumberOfResults", "--json").stdout)
    assert {each["ae_title"]: (each["values"], each["level"]) for each in content["effective_values"]} == {
        "AS_RECEIVED": (["7"], "AE"),
        "DCM4CHEE": (["100"], "device"),
        "IOCM_REGULAR_USE": (["100"], "device"),
        "WORKLIST": (["100"], "device"),
    }
    assert json.loads(run("explain", "dicomDescription", "--json").stdout)["effective_values"] == []


@pytest.mark.real
def test_what_only_the_servers_schema_knows_is_explained_by_it(
    run: Run, newer_slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", newer_slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", newer_slapd.password)
    result = run("explain", "dcmfromthefuture")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [" ".join(line.split()) for line in result.stdout.splitlines() if line.strip(" ─")] == [
        "dcmFromTheFuture (1.3.6.1.4.1.32473.1)",
        "Description: What 'SUP name' is for",
        "Web form label: (none)",
        "Syntax: text (DirectoryString)",
        "Matching: case-insensitive, extra spaces ignored",
        "Cardinality: one",
        "Object class Allowed values Default",
        "dcmFuture may (any)",
        "Set on:",
        "cn=future,dc=dcm4che,dc=org",
        "Soon",
    ]
    offline = run("explain", "dcmFromTheFuture", "--offline")
    assert offline.exit_code == 3
    assert offline.stderr.startswith("dcmcfg: unknown attribute dcmFromTheFuture\n")
    assert json.loads(run("explain", "dcmFromTheFuture", "--json").stdout)["description"] == "What 'SUP name' is for"


@pytest.mark.real
def test_a_servers_words_do_not_steer_the_terminal(
    run: Run, newer_slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", newer_slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", newer_slapd.password)
    assert "\x1b" not in run("explain", "dcmHostile").stdout
