"""What the archive could not load is refused before it is written, on every changing command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite, undo_files

pytestmark = pytest.mark.real

STORESCP = f"cn=dicom,dicomDeviceName=storescp,{DEVICES}"
LONGTERM = f"cn=dicom,dicomDeviceName=longterm,{DEVICES}"
AE = f"dicomAETitle=STORESCP,dicomDeviceName=storescp,{DEVICES}"
FIX = "Fix: Correct the value. `dcmcfg explain dicomPort` shows the expected format."
WRONG = f"{STORESCP}: dicomPort '70000': a port must be a number from 1 to 65535. {FIX}"
HEAD = "dcmcfg: the plan is refused: unloadable: the archive cannot"
NEXT = "  next: correct dicomPort (dcmcfg explain dicomPort); to apply the plan anyway: --force-unloadable\n"
PORT_FIX = (
    "Fix: On one of the two connections, set another port, set another dcmBindAddress, or set dicomInstalled to FALSE."
)


def port(number: int | str, dn: str = STORESCP) -> str:
    return f"dn: {dn}\nchangetype: modify\nreplace: dicomPort\ndicomPort: {number}\n\n"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def ldif(site: CliSite, text: str) -> None:
    """Change the directory as another client does."""
    path = Path(site.slapd.slapd.folder) / "change.ldif"
    path.write_text(text)
    done = site.slapd.run_client("ldapmodify", "-f", str(path))
    assert done.returncode == 0, done.stderr


def test_a_value_is_refused_by_name_and_written_by_name(run: Run, site: CliSite) -> None:
    before = site.octets()
    arguments = ("set", STORESCP, "dicomPort=70000", "--yes")
    refused = run(*arguments)
    assert (refused.exit_code, refused.stderr) == (3, f"{HEAD} load 1 setting\n    {WRONG}\n{NEXT}")
    assert site.octets() == before
    assert run(*arguments, "--force-dangling-reference").exit_code == 3
    forced = run(*arguments, "--force-unloadable")
    assert (forced.exit_code, forced.stderr) == (
        0,
        f"warning: unloadable: the archive cannot load 1 setting\nwarning: {WRONG}\n",
    )
    assert site.values("dicomPort", STORESCP) == ("70000",)


def test_apply_names_file_and_line(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    first = written(tmp_path / "1.ldif", port(104, LONGTERM))
    second = written(tmp_path / "2.ldif", f"# a comment\n{port(104)}{port(70000)}")
    refused = run("apply", first, second, "--yes")
    assert (refused.exit_code, refused.stderr) == (3, f"{HEAD} load 1 setting\n    {second}:10: {WRONG}\n{NEXT}")
    assert site.octets() == before
    dry = run("apply", first, second, "--dry-run")
    assert (dry.exit_code, dry.stderr) == (
        1,
        "warning: unloadable: the archive cannot load 1 setting; this requires --force-unloadable\n"
        f"warning: {second}:10: {WRONG}\n"
        "dcmcfg: dry run: the plan would be refused without --force-unloadable\n",
    )


def test_apply_names_the_line_as_check_does(run: Run, site: CliSite, tmp_path: Path) -> None:
    lines = run("export-ldif", "--device", "storescp").stdout.splitlines(keepends=True)
    (index,) = (number for number, line in enumerate(lines) if line.startswith("dicomPort: "))
    lines[index] = "dicomPort:\n  70000\n"
    file = written(tmp_path / "entries.ldif", "".join(lines))
    refused = run("apply", file, "--yes")
    assert (refused.exit_code, refused.stderr) == (3, f"{HEAD} load 1 setting\n    {file}:{index + 1}: {WRONG}\n{NEXT}")
    (finding,) = json.loads(run("check", file, "--json").stdout)["findings"]
    assert (finding["file"], finding["line"]) == (file, index + 1)


def test_from_standard_input_the_line_is_that_of_the_record(run: Run, site: CliSite) -> None:
    refused = run("apply", "-", "--yes", input=port(70000))
    assert (refused.exit_code, refused.stderr.splitlines()[1]) == (3, f"    -:1: {WRONG}")


def test_a_record_may_break_what_a_later_one_mends(run: Run, site: CliSite, tmp_path: Path) -> None:
    done = run("apply", written(tmp_path / "x.ldif", port(70000) + port(104)), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert site.values("dicomPort", STORESCP) == ("104",)


def test_json_has_each_finding(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "x.ldif", port(70000))
    refused = json.loads(run("apply", file, "--yes", "--json").stdout)
    assert (refused["error"]["exit_code"], refused["changed"]) == (3, False)
    assert refused["error"]["next_step"] == NEXT.removeprefix("  next: ").rstrip()
    assert json.loads(run("apply", file, "--dry-run", "--json").stdout)["risks"] == [
        {
            "name": "unloadable",
            "message": "the archive cannot load 1 setting",
            "entries": [STORESCP],
            "forced": False,
            "findings": [
                {
                    "severity": "error",
                    "rule": "port",
                    "impact": "unloadable",
                    "dn": STORESCP,
                    "attribute": "dicomPort",
                    "value": "70000",
                    "message": "a port must be a number from 1 to 65535",
                    "file": file,
                    "line": 4,
                    "fix": "Correct the value. `dcmcfg explain dicomPort` shows the expected format.",
                }
            ],
        }
    ]


def test_a_connection_that_an_ae_refers_to_does_not_go(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(tmp_path / "x.ldif", f"dn: {STORESCP}\nchangetype: delete\n")
    refused = run("apply", file, "--yes")
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"{HEAD} load 1 setting\n"
        f"    {file}:1: {AE}: dicomNetworkConnectionReference '{STORESCP}': the entry does not exist. "
        "Fix: Remove the reference, or add the missing entry.\n"
        + NEXT.replace("dicomPort", "dicomNetworkConnectionReference"),
    )
    assert site.octets() == before
    # What dangles may be taken by that name too, as long as there is nothing else.
    assert run("apply", file, "--yes", "--force-dangling-reference").exit_code == 0


def test_undo_and_restore_warn_and_do_it(run: Run, site: CliSite, tmp_path: Path) -> None:
    ldif(site, port(70000))
    wrong, snapshot = site.octets(), str(tmp_path / "site.snapshot.ldif")
    assert run("snapshot", snapshot).exit_code == 0
    warned = f"warning: unloadable: the archive cannot load 1 setting\nwarning: {WRONG}\n"
    for back in (("undo",), ("restore", snapshot)):
        fix_result = run("set", STORESCP, "dicomPort=104", "--yes")
        assert (fix_result.exit_code, fix_result.stderr) == (0, "")
        undo_result = run(*back, "--yes")
        assert (undo_result.exit_code, undo_result.stderr) == (0, warned)
        assert site.octets() == wrong
    dry = run("set", STORESCP, "dicomPort=104", "--yes")
    assert dry.exit_code == 0
    shown = run("restore", snapshot, "--dry-run")
    assert (shown.exit_code, shown.stderr) == (0, warned)
    undo = undo_files()[-1]
    by_file = run("apply", str(undo), "--yes")  # the undo file, as it was printed
    assert (by_file.exit_code, by_file.stderr) == (0, warned.replace(WRONG, f"{undo}:14: {WRONG}"))


def test_an_interrupted_roll_out_is_resumed_with_a_warning(run: Run, site: CliSite, tmp_path: Path) -> None:
    """What kill -9 leaves when the first of two steps was made and the second had not arrived."""
    file = written(tmp_path / "x.ldif", port(104, LONGTERM) + port(70000))
    assert run("apply", file, "--yes", "--force-unloadable").exit_code == 0
    ldif(site, "version: 1\n\n" + undo_files()[-1].read_text().split("\n\n")[1] + "\n")
    (undo_files()[-1].parent / "journal").write_text("planned\nbegins 1 1\nbegins 2 2\nbeg")
    resumed = run("apply", "--resume", "--yes")
    assert (resumed.exit_code, resumed.stderr) == (
        0,
        f"warning: unloadable: the archive cannot load 1 setting\nwarning: {WRONG}\n",
    )
    assert site.values("dicomPort", STORESCP) == ("70000",)


@pytest.mark.parametrize(
    ("arguments", "connection"),
    [
        (("ae", "add", "MORE@127.0.0.1:11112", "--device", "dcm4chee-arc", "--tls"), "dicom-tls-more"),
        (("connection", "add", "dcm4chee-arc/more", "localhost:11112"), "more"),
        (("connection", "set", "dcm4chee-arc/hl7", "localhost:11112"), "hl7"),
        (("set", f"cn=hl7,{ARCHIVE_DN}", "dicomPort=11112"), "hl7"),
    ],
)
def test_two_connections_of_the_archive_do_not_share_a_port(
    run: Run, site: CliSite, arguments: tuple[str, ...], connection: str
) -> None:
    ldif(site, port(11112, f"cn=dicom,{ARCHIVE_DN}"))
    before = site.octets()
    refused = run(*arguments, "--yes")
    assert refused.exit_code == 3
    head, _, rest = refused.stderr.partition("unloadable: because of 1 setting, the archive cannot start again\n")
    assert "unloadable" not in head
    where = rest.partition(" (addresses: ")[2].partition(")")[0]
    assert rest == (
        f"    cn={connection},{ARCHIVE_DN}: dicomPort '11112': the connection dicom also has port 11112 (addresses: "
        f"{where}); port 11113 is unused in the configuration. {PORT_FIX}\n{NEXT}"
    )
    assert site.octets() == before
    other = [text.replace("11112", "11113") for text in arguments]
    assert run(*other, "--yes").exit_code == 0


def test_a_port_that_may_be_taken_is_a_warning(run: Run, site: CliSite) -> None:
    ldif(site, f"dn: cn=dicom,{ARCHIVE_DN}\nchangetype: modify\nreplace: dcmBindAddress\ndcmBindAddress: 127.0.0.1\n\n")
    (number,) = site.values("dicomPort", f"cn=dicom,{ARCHIVE_DN}")
    done = run("connection", "add", "dcm4chee-arc/more", f"pacs.example.org:{number}", "--yes")
    assert (done.exit_code, done.stderr) == (
        0,
        f"warning: cn=more,{ARCHIVE_DN}: dicomPort '{number}': the connection dicom also has port {number} (addresses: "
        "127.0.0.1 and pacs.example.org). dcmcfg does not resolve host names, so the two addresses may be equal. "
        f"{PORT_FIX} (rule: port-possibly-taken)\n",
    )


def test_a_plan_of_many_steps_is_judged(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    many = "".join(
        f"dn: cn=c{number},dicomDeviceName=storescp,{DEVICES}\nchangetype: add\nobjectClass: dicomNetworkConnection\n"
        f"cn: c{number}\ndicomHostname: h{number}\ndicomPort: {1000 + number if number < 249 else 70000}\n\n"
        for number in range(250)
    )
    file = written(tmp_path / "x.ldif", many)
    refused = run("apply", file, "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"{HEAD} load 1 setting\n    {file}:{249 * 7 + 6}: cn=c249,dicomDeviceName=storescp,{DEVICES}: "
        f"dicomPort '70000': a port must be a number from 1 to 65535. {FIX}\n{NEXT}"
    )
    assert site.octets() == before


def test_check_finds_what_a_plan_is_refused_for(run: Run, site: CliSite) -> None:
    assert run("set", f"cn=hl7,{ARCHIVE_DN}", "dcmProtocol=DICOM", "--yes", "--force-unloadable").exit_code == 0
    (number,) = site.values("dicomPort", f"cn=dicom,{ARCHIVE_DN}")
    assert run("connection", "add", "dcm4chee-arc/more", f"localhost:{number}", "--yes").exit_code == 3
    ldif(
        site,
        f"dn: cn=more,{ARCHIVE_DN}\nchangetype: add\nobjectClass: dicomNetworkConnection\ncn: more\n"
        f"dicomHostname: localhost\ndicomPort: {number}\n",
    )
    checked = json.loads(run("check", "--json").stdout)
    general = json.loads(run("check", "--skip", "connection-protocol", "--json").stdout)
    for findings, protocol in ((checked["findings"], "connection-protocol"), (general["findings"], "protocol")):
        kinds = {(each["rule"], each["impact"]) for each in findings}
        assert {each for each in kinds if each[1] in ("unloadable", "stops-next-start")} == {
            (protocol, "unloadable"),
            ("port-taken", "stops-next-start"),
        }
        assert {each["severity"] for each in findings if each["impact"] != "rule"} == {"error"}
