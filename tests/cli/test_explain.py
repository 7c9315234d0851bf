"""``dcmcfg explain``: what an attribute means, and where it is set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite

EXPLAINED = """\
dcmExternalRetrieveAEDestination (1.2.40.0.13.1.15.110.3.124)
  in the web form: External Retrieve AE Destination
  a value is:      text, ASCII only (IA5String)
  values compare:  case counts, surplus blanks do not
  values:          one

 object class                allowed values                                          default
 ───────────────────────────────────────────────────────────────────────────────────────────
 dcmArchiveDevice      may   an AE title: up to 16 characters, case is significant
 dcmArchiveNetworkAE   may   an AE title: up to 16 characters, case is significant

"""


def test_an_attribute_is_explained_without_a_directory(run: Run) -> None:
    result = run("explain", NAME.upper(), "--offline")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == EXPLAINED + "Where it is set was not looked up: --offline.\n"


def test_a_directory_that_does_not_answer_is_said_to_have_not_been_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", "ldap://127.0.0.1:9")
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "x")
    result = run("explain", NAME)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(EXPLAINED + "Where it is set was not looked up: ldap://127.0.0.1:9: ")
    content = json.loads(run("explain", NAME, "--json").stdout)
    assert content["set"] is None
    assert content["not_looked"].startswith("ldap://127.0.0.1:9: ")


def test_values_and_default_are_those_of_the_class(run: Run) -> None:
    content = json.loads(run("explain", "dcmEntity", "--on", "dcmExportRule", "--offline", "--json").stdout)
    assert list(content["classes"]) == ["dcmExportRule"]
    assert content["classes"]["dcmExportRule"]["values"] == ["Study", "Series", "Instance"]
    assert content["classes"]["dcmExportRule"]["enforced"] is False


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["dcmExternalRetriveAEDestination"],
            "dcmcfg: no attribute dcmExternalRetriveAEDestination is known\n  next: near misses: " + NAME,
        ),
        (
            ["dicomPort", "--on", "dcmStorge"],
            "dcmcfg: no object class dcmStorge is known\n  next: near misses: dcmStorage",
        ),
        (
            ["dicomPort", "--on", "dcmStorage"],
            "dcmcfg: dcmStorage does not allow dicomPort\n  next: it is allowed on: dicomNetworkConnection\n",
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
        "What counts, since an AE's own value wins over its device's:\n"
        "  dcm4chee-arc/AS_RECEIVED: AS_RECEIVED (from the AE)\n"
        "  dcm4chee-arc/DCM4CHEE: DCM4CHEE (from the device)\n"
        "  dcm4chee-arc/IOCM_REGULAR_USE: DCM4CHEE (from the device)\n"
        "  dcm4chee-arc/WORKLIST: DCM4CHEE (from the device)\n"
    )
    on_ae = json.loads(run("explain", NAME, "--on", "dcmArchiveNetworkAE", "--json").stdout)
    assert on_ae["set"] == [{"dn": f"dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}", "values": ["AS_RECEIVED"]}]


@pytest.mark.real
def test_a_secret_is_not_shown(run: Run, site: CliSite) -> None:
    (pin,) = site.values("dcmKeyStorePin")
    for option in ([], ["--json"]):
        result = run("explain", "dcmKeyStorePin", *option)
        assert result.exit_code == 0
        assert "(secret)" in result.stdout
        assert f"    {pin}\n" not in result.stdout
        assert f'"{pin}"' not in result.stdout
