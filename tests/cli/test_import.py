"""``dcmcfg import``: the output, the rejected rows, then the state of the tree."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pynetdicom import evt

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite, undo_files
from tests.dicom.certificates import make_pki
from tests.dicom.dcmtk import LOOPBACK
from tests.dicom.orthanc import orthanc
from tests.dicom.tls_scp import server_context, tls_scp
from tests.echo_scps import UNKNOWN_HOST, echo_scp, silent_listener
from tests.patience import PATIENCE_S
from tests.ports import free_port

pytestmark = pytest.mark.real

REGISTRY = "cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"
GOOD = "title;host;port;description\nWS1;ws1.example.org;104;Reading room\n"
#: The lines of the plan, without the blanks before them.
PLAN = [
    "+ registered AE title WS1 (at once)",
    "+ device ws1 (after the cache time PT5M, or reload)",
    "+ connection ws1/dicom: ws1.example.org:104 (after the cache time PT5M, or reload)",
    '+ AE ws1/WS1: ws1.example.org:104; capabilities: any; "Reading room" (after the cache time PT5M, or reload)',
    "To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written, is written here, and told by its name only."""
    monkeypatch.chdir(tmp_path)


def written(name: str, text: str) -> str:
    Path(name).write_text(text, "utf-8")
    return name


def outcome(text: str) -> list[str]:
    """The lines of *text* that come after the plan."""
    lines = text.splitlines()
    return lines[next(n for n, line in enumerate(lines) if re.match(r"\d+ to add, in ", line)) :]


def test_a_good_row_becomes_what_dcmldap_writes_and_is_undone(run: Run, site: CliSite) -> None:
    before = site.octets()
    file = written("new.csv", GOOD)
    result = run("import", file, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [" ".join(line.split()) for line in result.stdout.splitlines() if line.strip() and "─" not in line]
    assert rows == [
        site.headline,
        *PLAN,
        "Row New AE TLS Role Device",
        "new.csv:2 WS1@ws1.example.org:104 workstation ws1",
        "4 to add, in one transaction",
        "Applied in one transaction.",
        "To revert it: dcmcfg undo 1",
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.",
    ]
    device = f"dicomDeviceName=ws1,{DEVICES}"
    after = site.octets()
    assert {dn: after[dn] for dn in after.keys() - before.keys()} == {
        f"dicomAETitle=WS1,{REGISTRY}": {
            "objectclass": frozenset({b"dicomUniqueAETitle"}),
            "dicomaetitle": frozenset({b"WS1"}),
        },
        device: {
            "objectclass": frozenset({b"dicomDevice", b"dcmDevice"}),
            "dicomdevicename": frozenset({b"ws1"}),
            "dicominstalled": frozenset({b"TRUE"}),
        },
        f"cn=dicom,{device}": {
            "objectclass": frozenset({b"dicomNetworkConnection", b"dcmNetworkConnection"}),
            "cn": frozenset({b"dicom"}),
            "dicomhostname": frozenset({b"ws1.example.org"}),
            "dicomport": frozenset({b"104"}),
        },
        f"dicomAETitle=WS1,{device}": {
            "objectclass": frozenset({b"dicomNetworkAE", b"dcmNetworkAE"}),
            "dicomaetitle": frozenset({b"WS1"}),
            "dicomdescription": frozenset({b"Reading room"}),
            "dicomnetworkconnectionreference": frozenset({f"cn=dicom,{device}".encode()}),
            "dicomassociationinitiator": frozenset({b"TRUE"}),
            "dicomassociationacceptor": frozenset({b"TRUE"}),
        },
    }
    again = run("import", file, "--yes")
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout == (
        f"{site.headline}\n1 entry is unchanged\n"
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert run("undo", "1", "--yes").exit_code == 0
    assert site.octets() == before
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["new.csv"]


BAD = """\
Title,Host,Port,TLS,Role,VLAN
WS1,ws1.example.org,104,,,7
STORESCP,other.example.org,104,,,
STORESCP,localhost,11115,no,,
TOO_LONG_FOR_A_TITLE,a b,0,maybe,viewer,
WS2,,,,,
WS3,ws3.example.org,104,,,
WS3,ws3.example.org,105,,,
"""


def test_bad_rows_are_told_and_written_to_be_mended_and_given_again(run: Run, site: CliSite) -> None:
    result = run("import", written("new.csv", BAD), "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "warning: new.csv: unknown column 'VLAN', ignored.",
        "warning: rejected: new.csv:3: STORESCP: storescp/STORESCP exists and differs: the address of the AE is "
        "localhost:11115, not other.example.org:104 (dcmcfg connection set storescp/dicom other.example.org:104)",
        "warning: rejected: new.csv:5: TOO_LONG_FOR_A_TITLE: title 'TOO_LONG_FOR_A_TITLE' is invalid (not an AE "
        "title: the title has 20 characters); host 'a b' is invalid (not a host name or IP address); port '0' is "
        "invalid "
        "(not a TCP port); tls 'maybe' is invalid (must be yes or no); role 'viewer' is invalid (unknown role; must be "
        "one of workstation, modality, archive)",
        "warning: rejected: new.csv:6: WS2: missing: host, port (optional only for a modality)",
        "warning: rejected: new.csv:7: WS3: this row and new.csv:8 have the same title, but different values",
        "warning: rejected: new.csv:8: WS3: this row and new.csv:7 have the same title, but different values",
    ]
    assert result.stdout.splitlines()[1] == "1 entry is unchanged"
    assert outcome(result.stdout) == [
        "4 to add, in one transaction",
        "Applied in one transaction.",
        "To revert it: dcmcfg undo 1",
        "Rejected: 5. Fix the rejected items in new.rejects.csv",
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.",
    ]
    rejects = Path("new.rejects.csv")
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    text = rejects.read_text()
    assert text.splitlines()[0] == "Title,Host,Port,TLS,Role,VLAN,reason"
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
        "STORESCP",
        "TOO_LONG_FOR_A_TITLE",
        "WS2",
        "WS3",
        "WS3",
    ]
    fixed = (
        text.replace("TOO_LONG_FOR_A_TITLE,a b,0,maybe,viewer", "SHORT,a,1,yes,archive")
        .replace("WS2,,,,", "WS2,ws2,,,Modality")
        .replace("other.example.org,104", "localhost,11115")
        .replace("WS3,ws3.example.org,105", "WS4,ws3.example.org,105")
    )
    rejects.write_text(fixed)
    again = run("import", str(rejects), "--yes")
    assert (again.exit_code, again.stdout.splitlines()[1]) == (0, "1 entry is unchanged")
    assert site.values("dicomAssociationAcceptor", f"dicomAETitle=WS2,dicomDeviceName=ws2,{DEVICES}") == ("FALSE",)
    assert site.values("dicomPrimaryDeviceType", f"dicomDeviceName=short,{DEVICES}") == ("ARCHIVE",)
    assert not Path("new.rejects.rejects.csv").exists()


def test_a_row_with_an_extra_cell_is_rejected_until_the_cell_is_removed(run: Run, site: CliSite) -> None:
    first = run("import", written("new.csv", "title,host,port\nWS1,ws1.example.org,104,extra\n"), "--yes")
    rejects, again = Path("new.rejects.csv"), Path("new.rejects-2.csv")
    assert first.exit_code == 1
    assert rejects.read_text().splitlines()[1].startswith('WS1,ws1.example.org,104,extra,"the row has 4 cells')
    assert run("import", str(rejects), "--yes").exit_code == 1
    assert again.read_text().splitlines()[1].startswith('WS1,ws1.example.org,104,extra,"the row has 5 cells')
    assert run("import", str(again), "--yes").exit_code == 1
    assert Path("new.rejects-3.csv").read_text() == again.read_text()
    again.write_text(again.read_text().replace(",extra", ""))
    assert run("import", str(again), "--yes").exit_code == 0
    assert site.values("dicomPort", f"cn=dicom,dicomDeviceName=ws1,{DEVICES}") == ("104",)


def test_json_tells_what_was_left_out_and_where_it_is(run: Run, site: CliSite) -> None:
    result = run("import", written("new.csv", BAD), "--yes", "--json", "--rejects", "mine")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["changed"], content["rejects_file"]) == (1, True, "mine")
    assert len(content["steps"]) == 4
    assert content["added_aes"] == [
        {
            "location": "new.csv:2",
            "ae_title": "WS1",
            "host": "ws1.example.org",
            "port": 104,
            "tls": False,
            "role": "workstation",
            "device": "ws1",
        }
    ]
    assert content["probe_results"] == []
    assert content["rejected"][2] == {
        "location": "new.csv:6",
        "ae_title": "WS2",
        "reason": "missing: host, port (optional only for a modality)",
    }


def test_what_is_not_carried_out_leaves_nothing_behind(run: Run, site: CliSite) -> None:
    before = site.octets()
    file = written("new.csv", BAD)
    assert run("import", file, "--dry-run").exit_code == 1
    assert run("import", file).exit_code == 1  # nobody to ask
    written("new.rejects.csv", "mine")
    refused = run("import", file, "--yes")
    assert refused.exit_code == 3
    assert "4 to add, in one transaction\n" in refused.stdout, "the plan and the reasons come first"
    assert "rejected: new.csv:" in refused.stderr
    assert refused.stderr.endswith(
        "dcmcfg: new.rejects.csv: the rejects file already exists, and its content differs from the new rejects; "
        "nothing was changed\n"
        "  next: if you have fixed the rows in new.rejects.csv, run the command with this file as FILE. If not, remove "
        "new.rejects.csv, or specify a different file with --rejects\n"
    )
    assert Path("new.rejects.csv").read_text() == "mine"
    assert (site.octets(), undo_files()) == (before, [])


def test_a_corrected_rejects_file_is_not_confused_with_its_own_rejects(run: Run, site: CliSite) -> None:
    first = Path(written("aes.rejects.csv", "title,host,port\nWS1,10.1.2,104\nWS2,10.1.3,104\n"))
    assert run("import", str(first), "--yes").exit_code == 1
    first.write_text(first.read_text().replace("10.1.2", "10.1.2.3"))
    refused = run("import", str(first), "--yes")
    assert refused.exit_code == 3
    assert refused.stderr.endswith(
        "  next: if you have fixed the rows in aes.rejects-2.csv, run the command with this file as FILE. If not, "
        "remove aes.rejects-2.csv, or specify a different file with --rejects\n"
    )


def test_without_an_accepted_row_no_reload_is_suggested(run: Run, site: CliSite) -> None:
    empty = run("import", written("empty.csv", "title,host,port\n"), "--yes")
    assert (empty.exit_code, empty.stdout) == (0, f"{site.headline}\nNo changes.\n")
    rejected = run("import", written("new.csv", "title,host,port\nWS1,10.1.2,104\n"), "--yes")
    assert (rejected.exit_code, rejected.stdout) == (
        1,
        f"{site.headline}\nRejected: 1. Fix the rejected items in new.rejects.csv\nNo changes.\n",
    )


def test_the_same_file_again_is_nothing_to_do_and_its_rejects_stay_as_they_are(run: Run, site: CliSite) -> None:
    file = written("new.csv", BAD)
    assert run("import", file, "--yes").exit_code == 1
    rejects, after = Path("new.rejects.csv"), site.octets()
    before = (rejects.read_bytes(), rejects.stat().st_mtime_ns)
    again = run("import", file, "--yes")
    assert again.exit_code == 1
    assert "Rejected: 5. Fix the rejected items in new.rejects.csv\n" in again.stdout
    assert "No changes." in again.stdout
    assert "rejected: new.csv:" in again.stderr
    assert ((rejects.read_bytes(), rejects.stat().st_mtime_ns), site.octets()) == (before, after)
    rejects.write_text("mended")
    assert run("import", file, "--yes").exit_code == 3
    assert rejects.read_text() == "mended"
    assert run("import", file, "--yes", "--dry-run").exit_code == 1
    assert (
        run("import", written("good.csv", "title,host,port\nWS9,h,104\n"), "--rejects", str(rejects), "--yes").exit_code
        == 0
    )


def test_what_cannot_be_asked_for_is_refused_before_the_server_is_called(run: Run) -> None:
    file = written("new.csv", GOOD)
    for arguments in (
        (file, "--calling", "ME"),
        (file, "--parallel", "2"),
        (file, "--keep-unreachable"),
        (file, "--tls-ca", "ca.pem"),
        (file, "--probe", "--tls-key", "key.pem"),
        (file, "--probe", "--calling", "TOO_LONG_FOR_A_TITLE"),
        ("-", "--input-format", "csv"),
        (file, "--format", "csv", "--dry-run"),
    ):
        assert run("import", *arguments).exit_code == 2
    for name, text in (("x.xls", ""), ("x.csv", "CT1,h,104\n"), ("x.json", "{"), ("none.csv", None)):
        refused = run("import", name if text is None else written(name, text))
        assert (refused.exit_code, refused.stdout) == (3, "")
        assert refused.stderr.startswith(f"dcmcfg: {name}")


ORTHANC = """\
{ // Orthanc
  "RegisteredUsers" : { "admin" : "topsecret" },
  "DicomModalities" : { "ct" : [ "CT1", "ct1.example.org", 104 ], "bad" : [ "CT2", "", 104 ] }
}
"""


def test_an_orthanc_configuration_gives_its_modalities_and_none_of_its_secrets(run: Run, site: CliSite) -> None:
    result = run("import", written("orthanc.json", ORTHANC), "--yes")
    assert result.exit_code == 1
    ae = f"dicomAETitle=CT1,dicomDeviceName=ct1,{DEVICES}"
    assert site.values("dicomDescription", ae) == ("ct",)
    rejects = Path("orthanc.rejects.json").read_text()
    assert "topsecret" not in result.stdout + result.stderr + rejects
    assert rejects.startswith(
        f"// dcmcfg rejects for {site.headline}; fix the rows, then run dcmcfg import with this file\n"
    )
    assert '"bad": ["CT2", "", 104]' in rejects


def test_standard_input_is_read_in_the_form_that_is_said(run: Run, site: CliSite) -> None:
    text = "- {title: WS1, host: ws1, port: 104}\n- {title: WS2}\n"
    result = run("import", "-", "--input-format", "yaml", "--rejects", "left.yaml", "--yes", input=text)
    assert result.exit_code == 1
    assert "rejected: standard input:2: WS2: missing: host" in result.stderr
    assert Path("left.yaml").read_text().endswith("\n- {title: WS2}\n")


def test_hostile_values_reach_no_terminal(run: Run, site: CliSite) -> None:
    text = 'title,host,port,description\n"A\x1b[31m",h,1,\nB,"h\x1b]0;x\x07",1,\nC,h,1,"=cmd|x\x1b[2J"\n'
    result = run("import", written("new.csv", text), "--yes", "--probe")
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout + result.stderr
    assert result.stderr.count("rejected: ") == 3


# ---- with --probe


def test_only_those_that_answer_are_taken(run: Run, site: CliSite) -> None:
    before = site.octets()
    refusing = free_port()
    with echo_scp("CT1", only=True) as port:
        text = (
            f"title,host,port,role\nCT1,{LOOPBACK},{port},\nCT2,{LOOPBACK},{port},\nWS1,{LOOPBACK},{refusing},\n"
            f"WS2,{UNKNOWN_HOST},104,\nMR1,{LOOPBACK},,modality\nSTORESCP,localhost,11115,\n"
        )
        result = run("import", written("new.csv", text), "--probe", "--yes")
    assert result.exit_code == 1
    shown = [line.split(maxsplit=2) for line in result.stdout.split("AEs probed")[0].splitlines() if "new.csv" in line]
    assert [row[:2] for row in shown] == [
        ["new.csv:2", f"CT1@{LOOPBACK}:{port}"],
        ["new.csv:3", f"CT2@{LOOPBACK}:{port}"],
        ["new.csv:4", f"WS1@{LOOPBACK}:{refusing}"],
        ["new.csv:5", f"WS2@{UNKNOWN_HOST}:104"],
    ]
    assert re.fullmatch(r"C-ECHO answered in \d+ ms", shown[0][2])
    assert "\nAEs probed with the calling AE title DCM4CHEE: 4 (1 answered, 3 did not answer)\n" in result.stdout
    assert [line.removeprefix("warning: rejected: ") for line in result.stderr.splitlines()][1:] == [
        f"new.csv:3: CT2: {LOOPBACK}:{port}: the association was rejected permanently by the application: called AE "
        "title not recognised (1/1/7)",
        f"new.csv:4: WS1: {LOOPBACK}:{refusing}: connection refused: nothing listens at this address",
        f"new.csv:5: WS2: {UNKNOWN_HOST}:104: the host name {UNKNOWN_HOST} cannot be resolved "
        "(Name or service not known)",
    ]
    titles = {dn.partition(",")[0] for dn in site.octets().keys() - before.keys() if REGISTRY in dn}
    assert titles == {"dicomAETitle=CT1", "dicomAETitle=MR1"}


def test_the_unreachable_may_be_kept_with_a_warning(run: Run, site: CliSite) -> None:
    port = free_port()
    file = written("new.csv", f"title,host,port\nWS1,{LOOPBACK},{port}\n")
    result = run("import", file, "--probe", "--keep-unreachable", "--calling", "ME", "--yes")
    assert result.exit_code == 0
    assert result.stderr == (
        f"warning: new.csv:2: WS1@{LOOPBACK}:{port}: connection refused: nothing listens at this address.\n"
    )
    assert "AEs probed with the calling AE title ME: 1 (0 answered, 1 did not answer)" in result.stdout
    assert site.values("dicomPort", f"cn=dicom,dicomDeviceName=ws1,{DEVICES}") == (str(port),)


def test_json_has_the_verdicts_and_nothing_but_an_object_on_standard_output(run: Run, site: CliSite) -> None:
    refusing = free_port()
    with echo_scp("X") as port:
        text = f"title,host,port,tls\nWS1,{LOOPBACK},{port},\nWS2,{LOOPBACK},{refusing},\nWS3,{LOOPBACK},{port},yes\n"
        result = run("import", written("new.csv", text), "--probe", "--dry-run", "--json")
    probed = json.loads(result.stdout)["probe_results"]
    assert [isinstance(each.pop("duration_seconds"), float) for each in probed] == [True, False, False]
    assert "tls in the import file" in probed[2].pop("next_step")
    step = "check that the peer runs, and check the host and port in its row"
    nothing = {"problem": None, "failed_stage": None, "tls_session": None}
    assert probed == [
        {"location": "new.csv:2", "peer": f"WS1@{LOOPBACK}:{port}", "tls": False, "success": True, "next_step": None}
        | nothing,
        {"location": "new.csv:3", "peer": f"WS2@{LOOPBACK}:{refusing}", "tls": False, "success": False}
        | {"next_step": step}
        | nothing
        | {"problem": "connection refused: nothing listens at this address", "failed_stage": "tcp"},
        {"location": "new.csv:4", "peer": f"WS3@{LOOPBACK}:{port}", "tls": True, "success": False}
        | nothing
        | {"problem": "no TLS: the peer uses DICOM without TLS at this port", "failed_stage": "tls"},
    ]
    assert "AEs probed with the calling AE title DCM4CHEE: 3 (1 answered, 2 did not answer)" in result.stderr


def test_rows_with_tls_are_called_over_it(run: Run, site: CliSite, tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    with tls_scp(server_context(pki.server, pki.ca)) as wanting, tls_scp(server_context(pki.strange)) as strange:
        text = (
            f"title,host,port,tls\nWS1,{LOOPBACK},{wanting.port},yes\nWS2,{LOOPBACK},{strange.port},yes\n"
            f"WS3,{LOOPBACK},{wanting.port},no\n"
        )
        shown = ("--tls-cert", str(pki.client.certificate), "--tls-key", str(pki.client.key))
        arguments = ("--probe", "--tls-ca", str(pki.ca), *shown, "--yes")
        result = run("import", written("new.csv", text), *arguments)
        failed = run("import", written("more.csv", text), "--probe", "--tls-ca", "/nowhere.pem", "--yes")
    assert result.exit_code == 1
    assert "over TLSv1.3, certificate valid until 3000-01-01\n" in result.stdout
    assert "AEs probed with the calling AE title DCM4CHEE: 3 (1 answered, 2 did not answer)" in result.stdout
    assert [line for line in result.stderr.splitlines() if "rejected: " in line] == [
        f"warning: rejected: new.csv:3: WS2: {LOOPBACK}:{strange.port}: certificate not trusted: dcmcfg does not "
        "trust the certificate authority; nothing was sent",
        (
            f"warning: rejected: new.csv:4: WS3: {LOOPBACK}:{wanting.port}: no association: the peer uses TLS at "
            "this port, but dcmcfg connected without TLS"
        ),
    ]
    assert site.values("dicomPort", f"cn=dicom-tls,dicomDeviceName=ws1,{DEVICES}") == (str(wanting.port),)
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert "/nowhere.pem: the file cannot be used" in failed.stderr


def test_what_builds_on_a_row_that_does_not_answer_stands_by_itself(run: Run, site: CliSite) -> None:
    with echo_scp("X") as port:
        text = f"title,host,port,device\nWS1,{LOOPBACK},{free_port()},shared\nWS2,{LOOPBACK},{port},shared\n"
        assert run("import", written("new.csv", text), "--probe", "--yes").exit_code == 1
    assert f"dicomAETitle=WS2,dicomDeviceName=shared,{DEVICES}" in site.octets()
    assert f"dicomAETitle=WS1,dicomDeviceName=shared,{DEVICES}" not in site.octets()


def test_at_80_columns_the_results_and_next_steps_of_a_probe_are_wrapped(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = f"title,host,port\nWS1,{LOOPBACK},{free_port()}\nWS2,{LOOPBACK},{free_port()}\n"
    probed = run("import", written("new.csv", text), "--probe", "--dry-run").stdout.partition("AEs probed")[0]
    assert "Next step for WS1, WS2: check that the peer runs" in probed
    assert max(map(len, probed.splitlines())) <= 80


def test_a_bar_tells_how_far_it_is_at_a_terminal(site: CliSite) -> None:
    with echo_scp("X") as port:
        rows = "".join(f"WS{number},{LOOPBACK},{port}\n" for number in range(6))
        code, shown = at_terminal(
            ["import", written("new.csv", f"title,host,port\n{rows}"), "--probe", "--dry-run"],
            [],
            term="xterm-256color",
        )
    assert code == 0, shown
    # The bar has the number of peers from the beginning.
    assert set(re.findall(r"\d/(\d+)", shown)) == {"6"}
    assert "AEs probed with the calling AE title DCM4CHEE: 6 (6 answered, 0 did not answer)" in shown


def test_an_interrupted_probe_tells_what_is_known_and_changes_nothing(site: CliSite) -> None:
    before = site.octets()
    answered = threading.Semaphore(0)
    released = [(evt.EVT_RELEASED, lambda _event: answered.release())]
    with silent_listener() as silent, echo_scp("X", handlers=released) as port:
        rows = [f"WS{number},{LOOPBACK},{port}\n" for number in range(3)]
        rows += [f"SLOW{number},{LOOPBACK},{silent}\n" for number in range(3)]
        file = written("new.csv", "title,host,port\n" + "".join(rows))
        arguments = [sys.executable, "-m", "dcmcfg", "import", file, "--probe", "--yes"]
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ, process_group=0
        )
        for _ in range(3):
            assert answered.acquire(timeout=PATIENCE_S)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert stderr == "\ndcmcfg: interrupted; nothing was changed\n"
    assert re.search(r"AEs probed with the calling AE title DCM4CHEE: \d of 6 \(", stdout)
    assert site.octets() == before
    assert not list(Path().glob("*.rejects.csv"))


def test_the_file_that_orthanc_itself_runs_by_is_read_and_orthanc_is_called(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    port = free_port()
    file = written(
        "modalities.json",
        f"""{{ // whom it knows
          "DicomModalities" : {{
            "the_archive" : [ "DCM4CHEE", "localhost", 11112 ],
            "itself" : {{ "AET" : "ORTHANC", "Host" : "{LOOPBACK}", "Port" : {port}, "Manufacturer" : "Generic" }},
          }}
        }}""",
    )
    with orthanc(tmp_path / "orthanc", "ORTHANC", port, {"modalities.json": Path(file).read_text()}):
        stranger = run("import", file, "--probe", "--calling", "STRANGER", "--dry-run")
        known = run("import", file, "--probe", "--yes")
    assert "AEs probed with the calling AE title STRANGER: 1 (0 answered, 1 did not answer)" in stranger.stdout
    assert f"rejected: modalities.json:4: ORTHANC: {LOOPBACK}:{port}: the association was rejected" in stranger.stderr
    assert "calling AE title not recognised" in stranger.stderr
    assert "AEs probed with the calling AE title DCM4CHEE: 1 (1 answered, 0 did not answer)" in known.stdout
    assert site.values("dicomPort", f"cn=dicom,dicomDeviceName=orthanc,{DEVICES}") == (str(port),)


def test_a_file_without_aes_is_told(run: Run, site: CliSite) -> None:
    result = run("import", written("orthanc.json", '{"DicomModalities": {}}'), "--probe", "--yes")
    assert (result.exit_code, result.stderr) == (0, "warning: orthanc.json contains no AEs.\n")
    assert result.stdout.splitlines()[0] == "No new AE to probe"


# ---- aes --csv


def test_what_aes_writes_of_the_stock_configuration_is_nothing_to_do(run: Run, stock_site: CliSite) -> None:
    before = stock_site.octets()
    listed = run("ae", "list", "--csv")
    assert (listed.exit_code, listed.stderr) == (0, "")
    lines = listed.stdout.splitlines()
    assert lines[0] == "title,host,port,tls,description,role,device"
    assert "STORESCP,localhost,11117,no,,workstation,storescp" in lines
    result = run("import", written("all.csv", listed.stdout), "--yes", "--probe")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"No new AE to probe\n{stock_site.headline}\n{len(lines) - 1} entries are unchanged\n"
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert stock_site.octets() == before


def test_ae_list_writes_what_was_imported_and_no_secrets(run: Run, site: CliSite) -> None:
    text = (
        "title,host,port,tls,description,role,device\n"
        'CT1,ct1.example.org,104,yes,"ground floor, left",archive,radiology\n'
        "MR1,mr1.example.org,,no,Zwölf,modality,mr1\n"
    )
    assert run("import", written("new.csv", text), "--yes").exit_code == 0
    assert run("ae", "list", "?R1", "--csv").stdout.splitlines()[1:] == text.splitlines()[2:]
    assert run("ae", "list", "ct1", "--csv").stdout == "\n".join([*text.splitlines()[:2], ""])
    secret = "title,host,port,description\nWS1,ws1,104,http://bob:topsecret@ws1/\n"
    assert run("import", written("secret.csv", secret), "--yes").exit_code == 0
    listed = run("ae", "list", "WS1", "--csv").stdout
    assert listed.splitlines()[1:] == ["WS1,ws1,104,no,,workstation,ws1"]
    assert run("import", written("again.csv", listed), "--yes").stdout.splitlines()[1] == "1 entry is unchanged"
    assert run("ae", "list", "--csv", "--json").exit_code == 2
