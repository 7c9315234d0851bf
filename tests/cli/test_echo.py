"""``dcmcfg echo``: who answers at the address that the tree gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite
from tests.dicom.dcmtk import LOOPBACK
from tests.echo_scps import echo_scp
from tests.ports import free_port

pytestmark = pytest.mark.real
PROVES = "A C-ECHO does not prove permission to store or retrieve. To prove a retrieve: dcmcfg verify\n"


@pytest.fixture
def ports(site: CliSite, tmp_path: Path) -> Iterator[dict[str, int]]:
    """LONGTERM answers, STORESCP's port is free, WORKSTATION has TLS in the tree only, the archive's AEs answer."""
    with echo_scp("LONGTERM", only=True) as longterm, echo_scp("ARCHIVE") as archive:
        ports = {"longterm": longterm, "storescp": free_port(), "workstation": longterm, "dcm4chee-arc": archive}
        change = tmp_path / "change.ldif"
        with change.open("w") as file:
            for device, port in ports.items():
                file.write(
                    f"dn: cn=dicom,dicomDeviceName={device},{DEVICES}\nchangetype: modify\nreplace: dicomHostname\n"
                    f"dicomHostname: {LOOPBACK}\n-\nreplace: dicomPort\ndicomPort: {port}\n-\n"
                )
                if device == "workstation":
                    file.write("replace: dicomTLSCipherSuite\ndicomTLSCipherSuite: TLS_AES_128_GCM_SHA256\n-\n")
                file.write("\n")
            file.write(
                f"dn: dicomAETitle=WORKLIST,dicomDeviceName=dcm4chee-arc,{DEVICES}\nchangetype: modify\n"
                "replace: dicomInstalled\ndicomInstalled: FALSE\n"
            )
        done = site.slapd.run_client("ldapmodify", "-f", str(change))
        assert done.returncode == 0, done.stderr
        yield ports


def rows(text: str) -> list[list[str]]:
    """The rows of the table; how long an answer took is a matter of the machine."""
    cells = [re.split(r" {3,}", line.strip()) for line in text.splitlines() if line.startswith(" ") and "─" not in line]
    return [[re.sub(r"in \d+ ms", "in N ms", cell) for cell in row] for row in cells]


def test_named_aes_are_called_in_that_order(run: Run, site: CliSite, ports: dict[str, int]) -> None:
    result = run("echo", "STORESCP", "LONGTERM", "STORESCP")
    assert (result.exit_code, result.stderr) == (1, "")
    assert rows(result.stdout) == [
        ["AE", "Address", "TLS", "Device", "Result"],
        [
            "STORESCP",
            f"127.0.0.1:{ports['storescp']}",
            "storescp",
            "connection refused: nothing listens at this address",
        ],
        ["LONGTERM", f"127.0.0.1:{ports['longterm']}", "longterm", "C-ECHO answered in N ms"],
    ]
    step = (
        "check that the peer runs, and check its host and port in LDAP (dicomHostname, dicomPort); to change the "
        "address: dcmcfg connection set storescp/dicom HOST:PORT"
    )
    assert result.stdout.endswith(
        f"\nNext step for STORESCP: {step}\nCalled as DCM4CHEE: 1 answered, 1 did not\n{PROVES}"
    )
    assert run("echo", "LONGTERM").exit_code == 0


def test_archive_out_of_reach_names_the_status_command(
    run: Run, site: CliSite, ports: dict[str, int], tmp_path: Path
) -> None:
    (tmp_path / "closed.ldif").write_text(
        f"dn: cn=dicom,dicomDeviceName=dcm4chee-arc,{DEVICES}\nchangetype: modify\nreplace: dicomPort\n"
        f"dicomPort: {ports['storescp']}\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(tmp_path / "closed.ldif")).returncode == 0
    result = run("echo", "DCM4CHEE", "STORESCP", "--json")
    assert result.exit_code == 1
    archive, storescp = json.loads(result.stdout)["aes"]
    step = (
        "check that the peer runs, and check its host and port in LDAP (dicomHostname, dicomPort); to change the "
        "address: dcmcfg connection set storescp/dicom HOST:PORT"
    )
    assert storescp["next_step"] == step
    assert archive["next_step"] == (
        f"{step.replace('storescp', 'dcm4chee-arc')}; to see whether the archive is started: dcmcfg status"
    )
    assert "; to see whether the archive is started: dcmcfg status\n" in run("echo", "DCM4CHEE").stdout


def test_at_80_columns_the_result_is_complete(
    run: Run, site: CliSite, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("echo", "--all").stdout
    assert "connection refused: nothing listens at this address" in " ".join(shown.split())
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_all_leaves_out_what_is_not_installed(run: Run, site: CliSite, ports: dict[str, int]) -> None:
    result = run("echo", "--all", "--calling", "ME", "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    content = json.loads(result.stdout)
    assert content["calling_ae_title"] == "ME"
    assert content["limitation"] == PROVES.strip()
    by_title = {each["ae_title"]: each for each in content["aes"]}
    assert [(title, each["success"], each["tls"]) for title, each in by_title.items()] == [
        ("AS_RECEIVED", True, False),
        ("DCM4CHEE", True, False),
        ("IOCM_REGULAR_USE", True, False),
        ("WORKLIST", None, None),
        ("LONGTERM", True, False),
        ("STORESCP", False, False),
        ("WORKSTATION", False, True),
    ]
    assert [each["failed_stage"] for each in by_title.values()] == [*[None] * 5, "tcp", "tls"]
    assert by_title["WORKSTATION"]["problem"] == "no TLS: the peer uses DICOM without TLS at this port"
    assert by_title["WORKSTATION"]["next_step"] == (
        "if the configuration in the directory is wrong: dcmcfg connection set workstation/dicom --no-tls"
    )
    assert by_title["WORKLIST"]["problem"] == "not installed (dicomInstalled)"
    assert by_title["WORKLIST"]["next_step"] == "dcmcfg set dcm4chee-arc/WORKLIST dicomInstalled=TRUE"
    assert by_title["STORESCP"]["duration_seconds"] is None
    assert by_title["LONGTERM"]["duration_seconds"] >= 0


def test_an_ae_that_cannot_be_called_is_a_no_where_it_was_named(run: Run, site: CliSite, ports: dict[str, int]) -> None:
    result = run("echo", "WORKLIST")
    assert result.exit_code == 1
    assert rows(result.stdout)[1] == ["WORKLIST", "dcm4chee-arc", "not called: not installed (dicomInstalled)"]
    step = "Next step for WORKLIST: dcmcfg set dcm4chee-arc/WORKLIST dicomInstalled=TRUE"
    assert result.stdout.endswith(f"\n{step}\nCalled as DCM4CHEE: 0 answered, 1 not called\n")
    there = run("echo", "WORKLIST", "--device", "dcm4chee-arc")
    assert f"\n{step.replace('dcmcfg set', 'dcmcfg --device dcm4chee-arc set')}\nCalled as" in there.stdout
    without = run("echo", "LONGTERM", "--tls")
    plain = "remove --tls, because the AE's connection does not use TLS; if the peer uses TLS at this port: "
    assert f"\nNext step for LONGTERM: {plain}dcmcfg connection set longterm/dicom --tls\n" in without.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "Specify AEs to call, or --all"),
        (("--all", "LONGTERM"), 2, "--all and AET cannot be used together. To call LONGTERM only, omit --all"),
        (("LONGTERM", "--tls-ca", "ca.pem"), 2, "--tls-ca requires --tls: without TLS, dcmcfg verifies no certificate"),
        (("LONGTRM",), 3, "no AE has the title LONGTRM\n  next: did you mean longterm/LONGTERM?\n"),
        (("a\\b",), 2, "not an AE title: the title contains a backslash"),
        (("LONGTERM", "--timeout-s", "0"), 2, "is not in the range"),
        (("LONGTERM", "--device", "longterm", "--calling", ""), 2, "not an AE title: the title is empty"),
    ],
)
def test_what_cannot_be_asked_is_told(
    run: Run, site: CliSite, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    result = run("echo", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert problem in result.stderr


def test_the_matrix_has_a_line_for_each_ae_and_a_column_for_each_title_of_the_archive(
    run: Run, site: CliSite, ports: dict[str, int]
) -> None:
    result = run("echo", "--all", "--matrix")
    assert (result.exit_code, result.stderr) == (1, "")
    titles = ["AS_RECEIVED", "DCM4CHEE", "IOCM_REGULAR_USE"]  # WORKLIST is not installed
    table = rows(result.stdout)
    assert table[0] == ["Called AE", *titles]
    assert {row[0]: row[1:] for row in table[1:]} == {
        **{name: ["ok"] * 3 for name in ("AS_RECEIVED", "DCM4CHEE", "IOCM_REGULAR_USE", "LONGTERM")},
        "WORKLIST": ["not called"] * 3,
        "STORESCP": ["no answer"] * 3,
        "WORKSTATION": ["TLS problem"] * 3,
    }
    assert "STORESCP: connection refused: nothing listens at this address\n" in result.stdout
    assert "Called as 3 AE titles: 4 answered to all titles, 2 to none, 1 not called\n" in result.stdout
    content = json.loads(run("echo", "LONGTERM", "--calling", "A", "--calling", "B", "--json").stdout)
    assert content["calling_ae_titles"] == ["A", "B"]
    (longterm,) = content["aes"]
    assert (longterm["ae_title"], longterm["node"]) == ("LONGTERM", None)
    assert [(each["calling_ae_title"], each["state"], each["success"]) for each in longterm["calls"]] == [
        ("A", "ok", True),
        ("B", "ok", True),
    ]


def test_results_are_reports(run: Run, site: CliSite, ports: dict[str, int]) -> None:
    one = run("echo", "LONGTERM", "STORESCP", "--format", "markdown")
    assert (one.exit_code, one.stdout.splitlines()[0]) == (1, "# Called as DCM4CHEE: 1 answered, 1 did not")
    assert "| `STORESCP` | no answer | connection refused: nothing listens at this address | `127.0.0.1:" in one.stdout
    page = run("echo", "LONGTERM", "--calling", "A", "--calling", "B", "--format", "html")
    assert page.exit_code == 0
    assert '<th scope="col">B</th>' in page.stdout
