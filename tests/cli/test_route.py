"""``dcmcfg route``: what the archive will do, told from the tree alone."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite
from tests.dicom.dcmtk import LOOPBACK
from tests.ports import free_port

pytestmark = pytest.mark.real
LONGTERM = f"dicomDeviceName=longterm,{DEVICES}"


def test_a_purged_study_comes_back_to_the_archive_and_is_forwarded(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    before = site.octets()
    result = run("route", "--dest", "WORKSTATION", "--state", "purged", "--calling", "VIEWER")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "C-MOVE from VIEWER to DCM4CHEE at localhost:11112, Move Destination WORKSTATION\n\npurged      delivered, if "
        "the prerequisites hold: objects that the external archive sends back to the archive (LONGTERM, configured by "
        "storage fs1, exporter LONGTERM)\n            known to the archive, files deleted\n\n     Message   Sender     "
        "Receiver      Address           Calling AE   Move Destination\n "
        "──────────────────────────────────────────────────────────────────────────────────────\n 1   C-MOVE    "
        "DCM4CHEE   LONGTERM      localhost:11119   VIEWER       DCM4CHEE\n 2   C-STORE   LONGTERM   DCM4CHEE      "
        "localhost:11112   LONGTERM\n 3   C-STORE   DCM4CHEE   WORKSTATION   localhost:11117   DCM4CHEE\n\nRequires    "
        "LONGTERM accepts C-MOVE from VIEWER\nRequires    LONGTERM knows DCM4CHEE at localhost:11112\nRequires    "
        "WORKSTATION accepts C-STORE from DCM4CHEE\nNote        LONGTERM must send VIEWER as Move Originator AE Title "
        "(0000,1030). If LONGTERM does not send this title, add LONGTERM=LONGTERM to dcmCStoreSCUOfCMoveSCP of the "
        "device dcm4chee-arc\n\nLimits      purged: 107 SOP classes not sent, because the destination lists only other "
        "SOP classes as SCP. Not sent: Encapsulated PDF Storage, Encapsulated CDA Storage, Encapsulated STL Storage, "
        "Encapsulated OBJ Storage, Encapsulated MTL Storage and 102 more (--details shows all)\n"
    )
    detailed = run("route", "--dest", "WORKSTATION", "--state", "purged", "--calling", "VIEWER", "--details").stdout
    assert "more (--details" not in detailed
    assert len(detailed.partition("Encapsulated PDF Storage")[2].split(", ")) == 107
    assert site.octets() == before


def test_json_has_the_same(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "STORESCP", "--state", "partial", "--json")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert {
        key: content[key]
        for key in ("calling_ae_title", "archive_ae_title", "device", "destination_ae_title", "delivered", "refusal")
    } == {
        "calling_ae_title": "DCMCFG",
        "archive_ae_title": "DCM4CHEE",
        "device": "dcm4chee-arc",
        "destination_ae_title": "STORESCP",
        "delivered": True,
        "refusal": None,
    }
    (path,) = content["paths"]
    assert (path["state"], path["outcome"], path["external_ae_title"]) == ("partial", "delivered", "LONGTERM")
    assert path["steps"][0] == {
        "message": "C-MOVE",
        "sender_ae_title": "DCM4CHEE",
        "receiver_ae_title": "LONGTERM",
        "calling_ae_title": "DCM4CHEE",
        "called_ae_title": "LONGTERM",
        "address": {"host": "localhost", "port": 11119, "tls": False},
        "destination_ae_title": "STORESCP",
    }
    assert path["prerequisites"][2] == {
        "peer_ae_title": "LONGTERM",
        "kind": "know",
        "ae_title": "STORESCP",
        "service": "C-STORE",
        "address": {"host": "localhost", "port": 11115, "tls": False},
    }
    reencoded = path["capability_limits"]["reencoded_transfer_syntaxes"]
    jpeg = [each for each in reencoded if each["uid"] == "1.2.840.10008.1.2.4.50"]
    assert [each["name"] for each in jpeg] == ["JPEG Baseline (Process 1)"]


def test_a_refusal_is_exit_code_1_with_the_answer_and_the_next_step(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "WORKSTATOIN")
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        (
            "C-MOVE from DCMCFG to DCM4CHEE at localhost:11112, Move Destination WORKSTATOIN\n\n"
            "Refused     for every state of the study\n"
            "Response    A801 Unknown AE: WORKSTATOIN\n"
            "Reason      no AE has the title WORKSTATOIN\n"
            "Next step   Did you mean WORKSTATION, WORKLIST? AE titles are case-sensitive, and blanks are "
            "significant\n"
        ),
        "",
    )


def test_where_the_database_records_nobody_nothing_is_asked(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "STORESCP", "--state", "partial", "--external", "*")
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "C-MOVE from DCMCFG to DCM4CHEE at localhost:11112, Move Destination STORESCP\n"
        "\n"
        "partial     failed: nothing is sent\n"
        "            some files local, others purged\n"
        "Response    A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE\n"
        "Reason      the archive's database has no external archive for the purged objects ('*' means none)\n"
        "Next step   Send the study to this archive again, from a system that has the study\n"
        "\n"
        "Exit code 1 the study is not delivered completely in the state partial\n",
        "",
    )


def test_what_is_on_a_storage_that_is_not_configured_fails_after_an_association(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "STORESCP", "--state", "unconfigured-storage", "--external", "LONGTERM")
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        (
            "C-MOVE from DCMCFG to DCM4CHEE at localhost:11112, Move Destination STORESCP\n\nunconfigured-storage  "
            "unconfigured: nothing is sent\n                      files on a storage that is not in the "
            "configuration\n\n     Message       Sender     Receiver   Address           Calling AE\n "
            "────────────────────────────────────────────────────────────────────\n 1   A-ASSOCIATE   DCM4CHEE   "
            "STORESCP   localhost:11115   DCM4CHEE\n\nResponse              A702 without counters\nReason            "
            "    the files are on a storage that is not in the configuration, and dcmAltCMoveSCP is not set. The "
            "archive requests only purged objects from the external archive, but these objects are not purged\nNext "
            "step             Configure the storage again, or set an alternative C-MOVE SCP that has the study: "
            "dcmcfg set dcm4chee-arc dcmAltCMoveSCP=AET\n\nExit code 1           the study is not delivered "
            "completely in the state unconfigured-storage\n"
        ),
        "",
    )


def test_without_a_state_each_is_told_and_what_is_not_set_up_is_no_fault(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "STORESCP")
    assert result.exit_code == 0
    outcomes = re.findall(
        r"^(local|purged|partial|incomplete|unconfigured-storage|unknown) +([a-z, ]+):", result.stdout, re.MULTILINE
    )
    assert outcomes == [
        ("local", "delivered, if the prerequisites hold"),
        ("purged", "delivered, if the prerequisites hold"),
        ("partial", "delivered, if the prerequisites hold"),
        ("incomplete", "unconfigured"),
        ("unconfigured-storage", "unconfigured"),
        ("unknown", "unconfigured"),
    ]
    unknown = run("route", "--dest", "STORESCP", "--state", "unknown")
    assert unknown.exit_code == 1
    assert unknown.stdout.splitlines()[-1] == "Exit code 1 the study is not delivered completely in the state unknown"


def test_the_last_line_says_which_state_makes_it_a_no(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    result = run("route", "--dest", "STORESCP")
    last = (
        "Exit code 1           the study is not delivered completely in the state partial. To check only one "
        "state of the study, use --state"
    )
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, last)


def test_values_of_the_tree_do_not_steer_the_terminal(run: Run, site: CliSite, tmp_path: Path) -> None:
    change = tmp_path / "change.ldif"
    change.write_text(
        f"dn: cn=dicom,{LONGTERM}\nchangetype: modify\nreplace: dicomHostname\ndicomHostname:: G1szMW1ob3N0\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(change)).returncode == 0
    result = run("route", "--dest", "STORESCP", "--state", "purged")
    assert "\x1b" not in result.stdout
    assert r"\x1b[31mhost:11119" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "Missing option '--dest'"),
        (("--dest", "A" * 17), 2, "not an AE title: the title has 17 characters"),
        (("--dest", "STORESCP", "--state", "gone"), 2, "'gone' is not one of"),
        (
            ("--dest", "STORESCP", "--study", "1.2", "--state", "local"),
            2,
            ("--study and --state cannot be used together: --study finds the state"),
        ),
        (("--dest", "STORESCP", "--connect", "pacs"), 2, "--connect requires --study"),
        (("--dest", "STORESCP", "--study", "1.2", "--connect", "127.0.0.1:1"), 3, "connection refused"),
        (("--dest", "STORESCP", "--ae", "STORESCP"), 3, "the device dcm4chee-arc has no AE STORESCP"),
        (("--dest", "STORESCP", "--external", "A\\B"), 2, "not an AE title: the title contains a backslash"),
        (("--dest", "STORESCP", "--external", "A" * 17), 2, "not an AE title: the title has 17 characters"),
        (("--dest", "STORESCP", "--device", "pacs"), 3, "the device pacs does not exist"),
    ],
)
def test_what_cannot_be_asked_is_told(
    run: Run, site: CliSite, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    result = run("route", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert problem in result.stderr
    assert ARCHIVE_DN not in result.stderr


def test_the_way_is_drawn_into_a_file_or_printed(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "route.svg"
    arguments = ("route", "--dest", "STORESCP", "--state", "local")
    result = run(*arguments, "--svg", str(file), "--mermaid")
    assert result.exit_code == 0
    assert result.stdout.startswith("sequenceDiagram\n  participant p0 as DCMCFG\n")
    printed = run(*arguments, "--svg", "-")
    assert printed.exit_code == 0
    assert printed.stdout == file.read_text()
    assert file.read_text().startswith("<svg ")
    assert run(*arguments, "--svg", "-", "--json").exit_code == 2
    lost = run(*arguments, "--svg", str(tmp_path / "none" / "route.svg"))
    assert (lost.exit_code, lost.stdout) == (3, "")


def test_the_next_step_that_is_told_is_one_that_mends(run: Run, site: CliSite, tmp_path: Path) -> None:
    change = tmp_path / "change.ldif"
    change.write_text(
        f"dn: dicomAETitle=DCM4CHEE,{ARCHIVE_DN}\nchangetype: modify\nreplace: dcmAcceptedMoveDestination\n"
        f"dcmAcceptedMoveDestination: NOBODY\n\n"
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmExternalRetrieveAEDestination\n"
        "dcmExternalRetrieveAEDestination: OLDPACS\n\n"
        f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: FALSE\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(change)).returncode == 0
    fixed = []
    for _ in range(4):
        content = json.loads(run("route", "--dest", "STORESCP", "--state", "partial", "--json").stdout)
        failure = content["refusal"] or next(each for path in content["paths"] for each in path["failures"])
        program, *words = shlex.split(failure["next_step"])
        assert program == "dcmcfg"
        assert run(*words, "--yes", "--no-reload", "--force-archive-device").exit_code == 0, failure
        fixed.append(words[0])
    assert fixed == ["set", "set", "set-external-retrieve", "set"]
    assert run("route", "--dest", "STORESCP", "--state", "partial").exit_code == 0


def test_archive_that_refuses_the_connection_names_the_status_command(run: Run, site: CliSite) -> None:
    result = run("route", "--dest", "STORESCP", "--study", "1.2", "--connect", f"{LOOPBACK}:{free_port()}")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        "\n"
        "  next: check that the peer runs, and check the host and port in --connect; to see whether the archive is "
        "started: dcmcfg status\n"
    )
