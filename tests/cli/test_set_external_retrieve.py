"""``dcmcfg set-external-retrieve``: what is shown, then what the tree holds."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

from dcmcfg.settings.folders import get_state_folder
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite, undo_files
from tests.ports import free_port

pytestmark = pytest.mark.real

PLAN = """\
  ~ device dcm4chee-arc  (reload)
      + dcmExternalRetrieveAEDestination: DCM4CHEE

dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch
 e,dc=org
changetype: modify
add: dcmExternalRetrieveAEDestination
dcmExternalRetrieveAEDestination: DCM4CHEE
-
1 to change, in one change
"""


def lines(text: str) -> list[str]:
    """The lines of *text* without the blanks that fill a table."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_value_is_set_shown_and_loaded(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    (undo,) = undo_files()
    assert lines(result.stdout) == [
        site.headline,
        *lines(PLAN),
        "Applied in one change.",
        "To revert it: dcmcfg undo 1",
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.",
    ]
    assert (result.exit_code, result.stderr) == (0, "")
    assert site.values(NAME) == ("DCM4CHEE",)
    assert [path for _, path, _ in site.archive.requests] == [
        f"/dcm4chee-arc/ctrl/{command}" for command in ("status", "reload", "status")
    ]
    assert stat.S_IMODE(undo.stat().st_mode) == 0o600

    undo_result = run("apply", str(undo), "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    assert site.octets() == before
    assert site.archive.reloads == 2


def test_what_is_so_already_is_nothing_to_do(run: Run, site: CliSite) -> None:
    run("set-external-retrieve", "DCM4CHEE", "--yes")
    site.archive.requests.clear()
    result = run("set-external-retrieve", "DCM4CHEE")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"{site.headline}\n"
        f"unchanged: {ARCHIVE_DN}\n"
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert site.archive.requests == []


def test_to_clear_what_is_not_set_says_so(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "--clear")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"unchanged: {ARCHIVE_DN} ({NAME} is not set)\n" in result.stdout


def test_without_a_terminal_and_yes_the_plan_is_shown_and_nothing_changes(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "DCM4CHEE")
    assert result.exit_code == 1
    assert lines(result.stdout) == [site.headline, *lines(PLAN)]
    assert result.stderr == (
        "dcmcfg: there is no terminal for the confirmation; nothing was changed\n  next: pass --yes to confirm\n"
    )
    assert site.values(NAME) == ()
    assert site.archive.requests == []


def test_a_dry_run_shows_the_plan_and_exits_0(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "DCM4CHEE", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines(result.stdout) == [site.headline, *lines(PLAN)]
    assert site.values(NAME) == ()
    assert site.archive.requests == []


@pytest.mark.parametrize(("answer", "code", "values"), [("y", 0, ("DCM4CHEE",)), ("n", 1, ()), ("", 1, ())])
def test_at_a_terminal_it_asks(site: CliSite, answer: str, code: int, values: tuple[str, ...]) -> None:
    exit_code, seen = at_terminal(["set-external-retrieve", "DCM4CHEE"], [("[y/N]: ", answer)])
    assert exit_code == code, seen
    assert "Apply these changes? [y/N]: " in seen
    assert ("declined; nothing was changed" in seen) == (code == 1)
    assert site.values(NAME) == values


def test_ctrl_c_at_the_question_changes_nothing(site: CliSite) -> None:
    exit_code, seen = at_terminal(["set-external-retrieve", "DCM4CHEE"], [("[y/N]: ", "\x03")])
    assert exit_code == 130, seen
    assert re.search(r"\nApply these changes\? \[y/N\]: (\^C)+\ndcmcfg: interrupted; nothing was changed\n$", seen), (
        seen
    )
    assert site.values(NAME) == ()


@pytest.mark.parametrize(
    ("point", "note", "numbers"),
    [
        ("dcmcfg.rollout.execution.check_unchanged", "nothing was changed", []),
        ("dcmcfg.rollout.record._assign_number", "nothing was changed", []),
        (
            "dcmcfg.rollout.journal.Journal.open_for_writing",
            "some changes might have been made\n  next: to see which changes were made: dcmcfg history",
            ["1"],
        ),
    ],
)
def test_ctrl_c_before_the_record_of_the_change_is_written_changes_nothing(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch, *, point: str, note: str, numbers: list[str]
) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(point, interrupt)
        result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (result.exit_code, result.stderr) == (130, f"\ndcmcfg: interrupted; {note}\n")
    folders = (get_state_folder() / "rollouts").glob("[0-9]*")
    assert [each.name for each in folders] == numbers


def test_an_ae_wins_over_the_device_and_is_cleared_by_itself(run: Run, site: CliSite) -> None:
    run("set-external-retrieve", "DCM4CHEE", "--yes")
    ae = f"dicomAETitle=AS_RECEIVED,{ARCHIVE_DN}"
    result = run("set-external-retrieve", "DCM4CHEE", "--ae", "AS_RECEIVED", "--yes")
    assert result.exit_code == 0, result.stderr
    assert site.values(NAME, ae) == ("DCM4CHEE",)
    assert run("set-external-retrieve", "--clear", "--ae", "AS_RECEIVED", "--yes").exit_code == 0
    assert site.values(NAME, ae) == ()
    assert site.values(NAME) == ("DCM4CHEE",)


def test_the_options_before_the_command_count_too(run: Run, site: CliSite) -> None:
    result = run("--device", "storescp", "set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 3
    assert result.stderr == (
        "dcmcfg: the device storescp is not an archive: the object class dcmArchiveDevice is missing\n"
        "  next: specify the device of the archive with --device\n"
    )


def test_an_unknown_title_names_the_near_misses(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "DCM4CHE", "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "dcmcfg: no AE has the title DCM4CHE; did you mean DCM4CHEE?\n"
        "  next: specify the title of a storage SCP of the archive, or use --force-unknown-ae\n"
    )
    assert site.values(NAME) == ()
    assert run("set-external-retrieve", "DCM4CHE", "--yes", "--force-unknown-ae").exit_code == 0
    assert site.values(NAME) == ("DCM4CHE",)


SET_IT = "Fix: Set dcmExternalRetrieveAEDestination to a storage SCP of the archive."
SET_ANOTHER = (
    "Fix: Set dcmExternalRetrieveAEDestination to another AE of the archive. This AE must have storage SCP "
    "capabilities and dcmObjectStorageID."
)


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        (
            "STORESCP",
            "STORESCP is an AE of the device storescp, so retrieved objects go to storescp, and dcm4chee-arc does not "
            f"forward the objects. {SET_IT}",
        ),
        ("AS_RECEIVED", f"AS_RECEIVED has no storage SCP capability. {SET_ANOTHER}"),
        ("NOBODY", f"no AE has the title NOBODY; storage SCPs of dcm4chee-arc: DCM4CHEE. {SET_IT}"),
    ],
)
def test_an_ae_that_cannot_play_the_role_is_refused_by_name(run: Run, site: CliSite, title: str, reason: str) -> None:
    before = site.octets()
    head = "unusable-reference: 1 setting refers to an AE that is missing or not suitable"
    finding = f"{ARCHIVE_DN}: {NAME} '{title}': {reason}"
    commands = [("set-external-retrieve", title), ("set", "dcm4chee-arc", f"{NAME}={title}")]
    for command in commands[title == "NOBODY" :]:  # set-external-retrieve refuses an unknown title by its own option
        refused = run(*command, "--yes")
        assert (refused.exit_code, refused.stderr) == (
            3,
            f"dcmcfg: the plan is refused: {head}\n    {finding}\n"
            f"  next: correct {NAME} (dcmcfg explain {NAME}); to apply the plan anyway: --force-unusable-reference\n",
        )
        assert site.octets() == before
        dry = run(*command, "--dry-run")
        assert (dry.exit_code, dry.stderr) == (
            1,
            f"warning: {head}; this requires --force-unusable-reference\nwarning: {finding}\n"
            "dcmcfg: dry run: the plan would be refused without --force-unusable-reference\n",
        )
    forced = run(*commands[1], "--yes", "--force-unusable-reference")
    assert (forced.exit_code, forced.stderr) == (0, f"warning: {head}\nwarning: {finding}\n")
    assert site.values(NAME) == (title,)
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").stderr == ""
    undo_result = run("undo", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, f"warning: {head}\nwarning: {finding}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["A" * 17], "not an AE title: the title has 17 characters"),
        (["A\\B"], "not an AE title: the title contains a backslash"),
        ([" "], "not an AE title: the title is empty"),
        ([], "Specify an AE title or --clear"),
        (["DCM4CHEE", "--clear"], "AET and --clear cannot be used together"),
        (["DCM4CHEE", "--ldif", "-", "--json"], "--ldif - and --json both write to standard output"),
    ],
)
def test_usage_errors_exit_2_before_any_server_is_asked(run: Run, arguments: list[str], problem: str) -> None:
    result = run("set-external-retrieve", *arguments, "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert result.exit_code == 2
    assert problem in result.stderr


def test_the_portable_ldif_is_right_in_each_state_of_the_tree(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "set.ldif"
    result = run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--ldif", str(file))
    assert result.exit_code == 0
    assert file.read_text() == (
        "version: 1\n\n"
        "dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch\n e,dc=org\n"
        "changetype: modify\n"
        "replace: dcmExternalRetrieveAEDestination\n"
        "dcmExternalRetrieveAEDestination: DCM4CHEE\n"
        "-\n\n"
    )
    for state in ((), ("AS_RECEIVED",), ("DCM4CHEE",)):
        if state:
            assert run("set-external-retrieve", *state, "--yes", "--force-unusable-reference").exit_code == 0
        taken = site.slapd.run_client("ldapmodify", "-f", str(file))
        assert taken.returncode == 0, taken.stderr
        assert site.values(NAME) == ("DCM4CHEE",)


def test_ldif_to_standard_output_is_all_that_is_there(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "--clear", "--yes", "--ldif", "-")
    assert result.exit_code == 0
    assert result.stdout == (
        "version: 1\n\n"
        "dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch\n e,dc=org\n"
        "changetype: modify\n"
        "replace: dcmExternalRetrieveAEDestination\n"
        "-\n\n"
    )


def test_the_plan_file_is_applied_as_reviewed_or_refused(run: Run, site: CliSite, tmp_path: Path) -> None:
    plan = tmp_path / "plan.ldif"
    assert run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--out", str(plan)).exit_code == 0
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    again = run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--out", str(plan))
    assert again.exit_code == 3
    assert again.stderr == f"dcmcfg: {plan}: the file exists\n  next: specify a new file with --output\n"

    assert run("set-external-retrieve", "AS_RECEIVED", "--yes", "--force-unusable-reference").exit_code == 0
    refused = run("apply", str(plan), "--yes")
    assert refused.exit_code == 3
    change_note = "somebody has changed dcmExternalRetrieveAEDestination (expected none, found 'AS_RECEIVED')"
    assert (
        f"has changed since this change was planned: {change_note}; {site.slapd.bind_dn} changed the entry"
        in refused.stderr
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(plan)).returncode == 122
    assert site.values(NAME) == ("AS_RECEIVED",)

    assert run("set-external-retrieve", "--clear", "--yes").exit_code == 0
    assert run("apply", str(plan), "--yes").exit_code == 0
    assert site.values(NAME) == ("DCM4CHEE",)


def test_an_archive_that_is_away_means_nothing_is_changed(run: Run, site: CliSite) -> None:
    url = f"http://127.0.0.1:{free_port()}/dcm4chee-arc"
    result = run("set-external-retrieve", "DCM4CHEE", "--yes", "--archive-url", url)
    assert result.exit_code == 3
    assert result.stderr == (
        f"dcmcfg: {url}/ctrl/status: Connection refused: no server listens at {urlsplit(url).netloc}\n"
        "  next: Start the archive's server. If the server is already starting, wait some seconds. "
        "If the URL is wrong, set the URL with --archive-url; nothing was changed; "
        "to change the directory without a reload of the archive: --no-reload\n"
    )
    assert site.values(NAME) == ()
    without = run("set-external-retrieve", "DCM4CHEE", "--yes", "--archive-url", url, "--no-reload")
    assert without.exit_code == 0
    assert without.stdout.endswith(f"The archive was not reloaded. To reload it: dcmcfg --archive-url {url} reload\n")
    assert site.values(NAME) == ("DCM4CHEE",)


REFUSED = b'{"errorMessage":"java.lang.IllegalArgumentException: 1g"}'
FORCED = (
    b"java.io.IOException: Unable to start TCPListener on localhost:11112\n\tat a.B.c(D.java:1)\n"
    b"Caused by: java.net.BindException: Address already in use\n\t... 1 more\n"
)


def test_a_reload_that_fails_after_the_change_exits_4_with_the_command_that_finishes(run: Run, site: CliSite) -> None:
    site.archive.by_path["ctrl/reload"] = (409, REFUSED)
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 4
    assert result.stderr == (
        f"dcmcfg: {site.archive.url}/ctrl/reload: The directory was changed. The archive could not load the new "
        "configuration: IllegalArgumentException: "
        "1g (HTTP 409). The archive keeps its previous configuration\n"
        "  next: To list the values that the archive cannot load, run dcmcfg check. Fix these values, then run "
        "dcmcfg reload. The "
        "archive's server.log has the full error. If this change is the cause, revert it: dcmcfg undo 1\n"
    )
    assert site.values(NAME) == ("DCM4CHEE",)
    assert_the_undo_of_an_undo_is_not_advised(run)


def assert_the_undo_of_an_undo_is_not_advised(run: Run) -> None:
    """What the archive cannot load is not the change then: it was in the tree before."""
    undo_result = run("undo", "1", "--yes")
    assert undo_result.exit_code == 4
    assert undo_result.stderr.endswith(
        "\n  next: To list the values that the archive cannot load, run dcmcfg check. Fix these values, then "
        "run dcmcfg reload. The "
        "archive's server.log has the full error\n"
    )


def test_a_listener_that_stays_closed_exits_4_and_says_that_the_change_is_in_force(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened, socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [each.getsockname()[1] for each in (opened, taken)]
        taken.close()
        (tmp_path / "ports.ldif").write_text(
            "".join(
                f"dn: cn={name},{ARCHIVE_DN}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n\n"
                for name, attribute, value in (
                    ("dicom", "dicomPort", ports[0]),
                    ("dicom-tls", "dicomPort", ports[1]),
                    ("hl7", "dicomInstalled", "FALSE"),
                    ("hl7-tls", "dicomInstalled", "FALSE"),
                )
            )
        )
        assert site.slapd.run_client("ldapmodify", "-f", str(tmp_path / "ports.ldif")).returncode == 0
        site.archive.by_path["ctrl/reload"] = (500, FORCED)
        result = run("set-external-retrieve", "DCM4CHEE", "--yes")
        again = run("set-external-retrieve", "AS_RECEIVED", "--yes", "--force-unusable-reference", "--json")
    assert (result.exit_code, "The archive has reloaded" in result.stdout) == (4, False)
    assert result.stderr == (
        f"dcmcfg: {site.archive.url}/ctrl/reload: The directory was changed. The new configuration is in force, but "
        "the archive could not open the listener localhost:11112: IOException: Unable to start TCPListener on "
        "localhost:11112; cause: BindException: Address already in use (HTTP 500; dcmcfg reloaded twice). Until a "
        "reload succeeds, other listeners might be closed too, and the AE cache of the archive still contains old AEs. "
        f"Listeners (TCP connection): dicom (localhost:{ports[0]}): open; "
        f"dicom-tls (localhost:{ports[1]}): closed\n"
        "  next: Find out what else uses port 11112. Check the other connections of the archive (dcmcfg connection "
        "list dcm4chee-arc). Check the other processes on the archive's machine (ss -tlnp 'sport = :11112'). Then run "
        "dcmcfg reload. To revert the change: dcmcfg undo 1. The archive then tries to open the listener again. "
        "This attempt can fail for the same reason\n"
    )
    content = json.loads(again.stdout)
    assert (content["changed"], content["reloaded"], content["error"]["exit_code"]) == (True, False, 4)
    assert content["reload"]["configuration_active"] is True
    assert content["reload"]["closed_listener"] == "localhost:11112"
    apart = {"shares_port": False, "port_in_use_by_other": False}
    assert content["reload"]["listeners"] == [
        {"connection": "dicom", "address": f"localhost:{ports[0]}", "open": True} | apart,
        {"connection": "dicom-tls", "address": f"localhost:{ports[1]}", "open": False} | apart,
    ]


def test_a_listener_that_another_process_has_is_not_shown_as_open(run: Run, site: CliSite, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = ((ARCHIVE_DN, "dicom"), (ARCHIVE_DN.replace("dcm4chee-arc", "storescp"), "dicom"))
        (tmp_path / "port.ldif").write_text(
            "".join(
                f"dn: cn={name},{device}\nchangetype: modify\nreplace: dicomHostname\ndicomHostname: localhost\n-\n"
                f"replace: dicomPort\ndicomPort: {port}\n-\n\n"
                for device, name in taken
            )
        )
        assert site.slapd.run_client("ldapmodify", "-f", str(tmp_path / "port.ldif")).returncode == 0
        site.archive.by_path["ctrl/reload"] = (500, FORCED.replace(b"11112", str(port).encode()))
        result = run("set-external-retrieve", "DCM4CHEE", "--yes")
        again = run("set-external-retrieve", "AS_RECEIVED", "--yes", "--force-unusable-reference", "--json")
    assert result.exit_code == 4
    assert f" dicom (localhost:{port}): port in use by another process or connection; " in result.stderr
    users = f"other connections also use the address localhost:{port}: storescp/dicom"
    assert f". In the directory, {users}\n" in result.stderr
    listeners = {each["connection"]: each for each in json.loads(again.stdout)["reload"]["listeners"]}
    assert (listeners["dicom"]["open"], listeners["dicom"]["port_in_use_by_other"]) == (None, True)


def test_a_listener_that_a_second_reload_opens_is_a_note(run: Run, site: CliSite) -> None:
    site.archive.once["ctrl/reload"] = (500, FORCED)
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (result.exit_code, result.stderr, site.archive.reloads) == (0, "", 2)
    assert result.stdout.endswith(
        "The first reload could not open the listener localhost:11112 (IOException: Unable to start TCPListener on "
        "localhost:11112; cause: BindException: Address already in use). A second reload opened the listener.\n"
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.\n"
    )


def test_with_json_what_was_changed_is_told_with_the_reload_that_failed(run: Run, site: CliSite) -> None:
    done = json.loads(run("set-external-retrieve", "DCM4CHEE", "--yes", "--json").stdout)
    assert run("undo", "--yes").exit_code == 0
    site.archive.by_path["ctrl/reload"] = (409, REFUSED)
    failed = run("set-external-retrieve", "DCM4CHEE", "--yes", "--json")
    assert failed.exit_code == 4
    content = json.loads(failed.stdout)
    assert content.pop("error") == {
        "message": "The directory was changed. The archive could not load the new configuration: "
        "IllegalArgumentException: 1g (HTTP 409). The archive "
        "keeps its previous configuration",
        "exit_code": 4,
        "subject": f"{site.archive.url}/ctrl/reload",
        "next_step": "To list the values that the archive cannot load, run dcmcfg check. Fix these values, then "
        "run dcmcfg reload. "
        "The archive's server.log has the full error. If this change is the cause, revert it: dcmcfg undo 3",
    }
    assert (done.pop("reload")["configuration_active"], content.pop("reload")["configuration_active"]) == (True, False)
    assert [each.pop("nodes")[0]["state"] for each in (done, content)] == ["loaded", "not loaded"]
    assert content == done | {"reloaded": False, "rollout": 3, "undo_file": str(undo_files()[2])}


def test_with_json_what_changes_nothing_is_told_with_the_plan(run: Run, site: CliSite) -> None:
    planned = json.loads(run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--json").stdout)
    result = run("set-external-retrieve", "DCM4CHEE", "--json")
    refused = run("set-external-retrieve", "DCM4CHEE", "--json", "--yes", "--archive-url", "http://127.0.0.1:1/x")
    misspelt = run("set-external-retrieve", "DCM4CHEE", "--json", "--device", "pacs")
    assert (result.exit_code, refused.exit_code, misspelt.exit_code) == (1, 3, 3)
    assert json.loads(result.stdout) == planned | {
        "error": {
            "message": "there is no terminal for the confirmation; nothing was changed",
            "exit_code": 1,
            "subject": "",
            "next_step": "pass --yes to confirm",
        }
    }
    content = json.loads(refused.stdout)
    assert (content["changed"], content["error"]["exit_code"]) == (False, 3)
    assert content["error"]["subject"] == "http://127.0.0.1:1/x/ctrl/status"
    assert json.loads(misspelt.stdout) == {
        "error": {
            "message": "the device pacs does not exist",
            "exit_code": 3,
            "subject": "",
            "next_step": "existing devices: dcm4chee-arc, longterm, storescp, workstation",
        }
    }
    assert site.values(NAME) == ()


def test_a_wrong_password_and_a_missing_server_change_nothing(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "wrong")
    wrong = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (wrong.exit_code, wrong.stdout) == (3, "")
    assert wrong.stderr == (
        f"dcmcfg: {site.slapd.bind_dn} @ {site.slapd.url}: the server refused the bind DN or the password "
        "(LDAP result 49)\n  next: check the bind DN (from default) and the password (from DCMCFG_BIND_PASSWORD)\n"
    )
    url = f"ldap://127.0.0.1:{free_port()}"
    monkeypatch.setenv("DCMCFG_LDAP_URL", url)
    away = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (away.exit_code, away.stdout) == (3, "")
    assert away.stderr == (
        f"dcmcfg: {url}: cannot connect to the LDAP server: connection refused\n"
        "  next: check that the server is running, and check --ldap-url (DCMCFG_LDAP_URL)\n"
    )


def test_an_unknown_device_is_told_with_those_there_are(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "DCM4CHEE", "--yes", "--device", "pacs")
    assert result.exit_code == 3
    assert result.stderr == (
        "dcmcfg: the device pacs does not exist\n  next: existing devices: dcm4chee-arc, longterm, storescp, "
        "workstation\n"
    )


def test_the_result_as_json(run: Run, site: CliSite) -> None:
    result = run("set-external-retrieve", "DCM4CHEE", "--yes", "--json")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert content["changed"] is True
    assert content["reloaded"] is True
    assert content["strategy"] == "in one change"
    assert content["undo_file"] == str(undo_files()[0])
    assert [step["dn"] for step in content["steps"]] == [ARCHIVE_DN]


def test_on_the_stock_configuration_the_value_is_there_already(run: Run, stock_site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE").exit_code == 0
    assert stock_site.values(NAME) == ("DCM4CHEE",)
    assert run("set-external-retrieve", "--clear", "--yes").exit_code == 0
    assert stock_site.values(NAME) == ()
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    assert stock_site.values(NAME) == ("DCM4CHEE",)
    assert os.environ["DCMCFG_LDAP_URL"] == stock_site.slapd.url


def test_commands_to_type_name_the_site_that_the_options_named(run: Run, site: CliSite, tmp_path: Path) -> None:
    password = tmp_path / "pass word"
    password.write_text(site.slapd.password)
    password.chmod(0o600)
    options = ("--ldap-url", site.slapd.url, "--bind-password-file", str(password))
    result = run(*options, "set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 0, result.stderr
    undo_command = f"dcmcfg --ldap-url {site.slapd.url} --bind-password-file '{password}' undo 1"
    assert f"To revert it: {undo_command}\n" in result.stdout


def test_an_archive_that_is_stopped_loads_the_change_and_exits_4(run: Run, site: CliSite) -> None:
    site.archive.by_path["ctrl/status"] = (200, b'{"status":"STOPPED"}')
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (result.exit_code, "The archive has reloaded" in result.stdout) == (4, False)
    assert result.stderr == (
        "warning: The archive is STOPPED: its DICOM and HL7 ports are closed. A reload does not open the ports. To see "
        "how to start the archive: dcmcfg status\n"
        f"dcmcfg: {site.archive.url}: The directory was changed. The archive loaded the new configuration, but the "
        f"archive is STOPPED: its DICOM and HL7 ports are closed\n  next: Start the archive on the Control page of its "
        f"web interface, or run: curl -X POST {site.archive.url}/ctrl/start\n"
    )
    content = json.loads(run("undo", "--yes", "--json").stdout)
    assert (content["changed"], content["error"]["exit_code"]) == (True, 4)
    assert content["reload"]["configuration_active"] is True


def test_a_reader_who_went_away_is_no_answer_of_no(site: CliSite) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "dcmcfg", "set-external-retrieve", "DCM4CHEE", "--dry-run"]
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_on_a_narrow_terminal_the_ldif_is_not_cut(site: CliSite) -> None:
    _, seen = at_terminal(["set-external-retrieve", "DCM4CHEE", "--dry-run"], [], columns=60)
    assert "dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch\n e,dc=org\n" in seen


def test_an_archive_that_went_down_after_the_change_is_no_reason_to_undo(run: Run, site: CliSite) -> None:
    page = b"<html><head><title>Error</title></head><body>404 - Not Found</body></html>"
    site.archive.by_path["ctrl/reload"] = (404, page)
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 4
    assert result.stderr == (
        f"dcmcfg: {site.archive.url}/ctrl/reload: The directory was changed, but the archive did not reload: The "
        "web server has no application at this path (HTTP 404): the path of the URL is wrong, or the archive is not "
        "deployed\n"
        "  next: Check the path of --archive-url: the default is http://HOST:8080/dcm4chee-arc. If the path is "
        "right, deploy "
        "the archive, or wait until the deployment ends. Then run dcmcfg reload\n"
    )
    assert json.loads(run("undo", "--yes", "--json").stdout)["changed"] is True


def test_a_reload_whose_answer_was_lost_is_no_reason_to_undo(run: Run, site: CliSite) -> None:
    site.archive.by_path["ctrl/reload"] = (504, b"")
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 4
    assert result.stderr == (
        f"dcmcfg: {site.archive.url}/ctrl/reload: The directory was changed. dcmcfg sent a reload, but the "
        "archive did not confirm the reload: a "
        "gateway or proxy got no answer from the archive (HTTP 504)\n"
        "  next: Run dcmcfg status, then dcmcfg reload once more: a second reload does no harm\n"
    )
