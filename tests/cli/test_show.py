"""``dcmcfg show``: a device with what counts for its AEs."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NAME, CliSite

pytestmark = pytest.mark.real


def rows(text: str) -> list[list[str]]:
    """The lines of *text*, cut at runs of blanks."""
    return [[cell for cell in line.strip().split("  ") if cell] for line in text.splitlines() if line.strip()]


def test_an_ae_is_shown_with_its_address_and_where_each_setting_comes_from(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    result = run("show", "dcm4chee-arc/DCM4CHEE")
    assert (result.exit_code, result.stderr) == (0, "")
    cells = [[cell.strip() for cell in row] for row in rows(result.stdout)]
    assert cells[0] == ["dcm4chee-arc (archive)"]
    assert any(row[:2] == ["DCM4CHEE", "localhost:11112"] for row in cells)
    assert ["DCM4CHEE", NAME, "DCM4CHEE", "device"] in cells
    assert any(row[:2] == ["dcmSendPendingCMoveInterval", "PT5S"] for row in cells)
    assert ["Retrieve settings:"] in cells


def test_an_ae_is_shown_with_what_it_can_as_aes_has_it_and_with_its_other_titles(run: Run, site: CliSite) -> None:
    assert run("set", "AE:WORKSTATION", "dicomInstalled=FALSE", "dcmOtherAETitle=WS", "--yes").exit_code == 0
    cells = [[cell.strip() for cell in row] for row in rows(run("show", "AE:WORKSTATION").stdout)]
    listed = json.loads(run("ae", "list", "WORKSTATION", "--json").stdout)["aes"][0]
    counts = listed["capabilities"]
    assert cells[2] == ["AE", "Address", "Capabilities", "Description"]
    assert cells[4][0] == "WORKSTATION (not installed)"
    assert cells[4][1].startswith("localhost:")
    assert cells[4][2] == f"{counts['scp_count']} SCP, {counts['scu_count']} SCU"
    assert cells[5] == ["also WS"]
    (shown,) = json.loads(run("show", "AE:WORKSTATION", "--json").stdout)["aes"]
    assert (shown["capabilities"], shown["other_ae_titles"], shown["installed"]) == (counts, ["WS"], False)


def test_a_base_dn_that_is_not_there_is_told_with_what_the_server_holds(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_BIND_DN", site.slapd.bind_dn)  # by default it follows the base DN
    for command in ("show", "export-ldif"):
        result = run(command, "--base-dn", "dc=example,dc=org")
        assert (result.exit_code, result.stdout, result.stderr) == (
            3,
            "",
            "dcmcfg: dc=example,dc=org: there is no such entry (LDAP result 32)\n"
            "  next: check --base-dn (DCMCFG_BASE_DN); the server has dc=dcm4che,dc=org\n",
        )


def test_the_aes_own_value_is_said_to_be_its_own(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    assert (
        run(
            "set-external-retrieve", "AS_RECEIVED", "--ae", "AS_RECEIVED", "--yes", "--force-unusable-reference"
        ).exit_code
        == 0
    )
    content = json.loads(run("show", "--json").stdout)
    settings = {ae["ae_title"]: ae["settings"][NAME] for ae in content["aes"]}
    assert settings["AS_RECEIVED"] == {"values": ["AS_RECEIVED"], "level": "AE"}
    assert settings["DCM4CHEE"] == {"values": ["DCM4CHEE"], "level": "device"}


def test_what_is_not_set_is_told_with_what_that_means(run: Run, site: CliSite) -> None:
    result = run("show", "dcm4chee-arc/DCM4CHEE")
    assert "(not set: objects go directly to the requester)" in result.stdout


def test_another_device_has_no_retrieve_settings(run: Run, site: CliSite) -> None:
    content = json.loads(run("show", "storescp", "--json").stdout)
    assert content["device"] == "storescp"
    assert content["is_archive"] is False
    assert [ae["ae_title"] for ae in content["aes"]] == ["STORESCP"]
    assert content["aes"][0]["connections"][0]["port"] == 11115
    assert content["aes"][0]["settings"] == {}
    assert "Retrieve settings" not in run("show", "storescp").stdout


@pytest.mark.parametrize(
    ("target", "problem"),
    [("pacs", "the device pacs does not exist"), ("storescp/DCM4CHEE", "the device storescp has no AE DCM4CHEE")],
)
def test_what_is_not_there_is_told(run: Run, site: CliSite, target: str, problem: str) -> None:
    result = run("show", target)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"dcmcfg: {problem}\n")


def test_an_ae_is_named_by_its_title_alone_or_by_a_dn(run: Run, site: CliSite) -> None:
    by_device = run("show", "storescp/STORESCP")
    assert by_device.exit_code == 0
    for target in ("AE:STORESCP", "dicomAETitle=STORESCP,dicomDeviceName=storescp"):
        assert run("show", target).stdout == by_device.stdout
    connection = run("show", "cn=dicom,dicomDeviceName=storescp")
    assert (connection.exit_code, connection.stdout) == (3, "")
    assert connection.stderr == (
        f"dcmcfg: cn=dicom,dicomDeviceName=storescp,{DEVICES}: the entry is neither a device nor an AE\n"
        "  next: to show any entry: dcmcfg get\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("get",),
        ("blame",),
        ("set", "dicomInstalled=FALSE", "--dry-run"),
        ("unset", "dicomDescription", "--dry-run"),
    ],
)
def test_a_device_that_an_ae_title_names_is_noted(run: Run, site: CliSite, command: tuple[str, ...]) -> None:
    note = "note: WORKSTATION is the device workstation here. For the AE with this title, specify AE:WORKSTATION\n"
    result = run(command[0], "WORKSTATION", *command[1:])
    assert (result.exit_code, result.stderr.count(note)) == (0, 1)
    assert note not in run(command[0], "workstation", *command[1:]).stderr


def test_values_neither_steer_the_terminal_nor_tell_secrets_nor_are_markup(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    file = tmp_path / "odd.ldif"
    odd = base64.b64encode("\x1b[31m[bold]red[/bold]\x9b\nline".encode()).decode()
    file.write_text(
        f"dn: dicomAETitle=DCM4CHEE,{ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\n"
        f"dicomDescription:: {odd}\n\n"
        f"dn: dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\n"
        "dicomDescription: see http://joe:geheim@host/\n"
    )
    applied = run("apply", str(file), "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    shown = run("show").stdout
    assert "\x1b" not in applied.stdout + shown
    assert "\x9b" not in applied.stdout + shown
    assert "geheim" not in applied.stdout + shown
    assert r"\x1b[31m[bold]red[/bold]\x9b\x0aline" in shown
