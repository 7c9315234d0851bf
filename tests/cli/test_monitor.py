"""``dcmcfg monitor`` on a lab: what each part reports, and what is printed and written."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from dcmcfg.cli import monitor
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.monitoring.state import State
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.lab.running_site import DEVICE, RunningSite
from tests.lint.certificates import certificate
from tests.plugin_output import PluginOutput, read_performance_data, read_plugin_output, read_samples
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

OK, WARNING, CRITICAL, UNKNOWN = State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN
PARTS = ("directory", "nodes", "loaded", "check", "echo", "certificates")
STORESCP = "dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "storage", "archive") as lab:
        yield lab


@pytest.fixture
def lab(running: RunningSite, monkeypatch: pytest.MonkeyPatch) -> RunningSite:
    name_in_environment(running, monkeypatch)
    return running


@pytest.fixture
def run(run: Run) -> Run:
    """Run the program; a check has a time that is long enough on a busy machine."""

    def run_patiently(*arguments: str, **extra: object) -> Result:
        has_own_time = "monitor" not in arguments or "--timeout-s" in arguments
        return run(*arguments, *(() if has_own_time else ("--timeout-s", "60")), **extra)

    return run_patiently


def read(result: Result) -> PluginOutput:
    assert result.stderr == ""
    return read_plugin_output(result.stdout, result.exit_code)


def states(**problems: State) -> dict[str, State]:
    return dict.fromkeys(PARTS, OK) | problems


@pytest.mark.real
def test_a_site_in_order_is_ok_in_every_format(run: Run, lab: RunningSite) -> None:
    result = run("monitor", "--echo", "STORESCP")
    found = read(result)
    assert (found.states, result.exit_code, found.details) == (states(), 0, ())
    assert found.summary == (
        f"DCMCFG OK - {lab.slapd.url}: no problems (directory, nodes, loaded, check, echo, certificates)"
    )
    report = json.loads(run("monitor", "--echo", "STORESCP", "--json").stdout)
    assert (report["site"], report["state"], report["exit_code"]) == (lab.slapd.url, "OK", 0)
    echo = next(each for each in report["parts"] if each["name"] == "echo")
    assert (echo["state"], echo["summary"], echo["details"]) == ("OK", "2 of 2 AEs answered a C-ECHO", [])
    metrics = run("monitor", "--echo", "STORESCP", "--format", "openmetrics").stdout
    samples = read_samples(metrics)
    answered = {
        (each.labels["ae"], each.labels["address"]): each.value
        for each in samples
        if each.name == "dcmcfg_echo_success"
    }
    assert answered == {
        ("DCM4CHEE", f"127.0.0.1:{lab.site.ports.archive}"): 1,
        ("STORESCP", f"127.0.0.1:{lab.site.ports.storage}"): 1,
    }
    assert {each.labels["site"] for each in samples} == {lab.slapd.url}


@pytest.mark.real
def test_the_performance_data_has_units_and_limits(run: Run, lab: RunningSite) -> None:
    found = read(run("monitor", "--warning", "check=2", "--critical", "check=5.5"))
    by_label = {each["label"]: each for each in read_performance_data(found.performance_data)}
    errors = by_label["check_findings:error"]
    assert (errors["value"], errors["unit"], errors["warning"], errors["critical"]) == ("0", "", "2", "5.5")
    assert (by_label["node_response:archive"]["unit"], by_label["run_duration"]["unit"]) == ("s", "s")
    assert (by_label["nodes_not_started"]["warning"], by_label["nodes_not_started"]["critical"]) == (None, "0")


def test_a_wrong_option_is_unknown_and_one_line_is_printed_first(run: Run) -> None:
    for arguments in (
        ("monitor", "--no-such-option"),
        ("monitor", "--only", "nothing"),
        ("monitor", "--only", "drift"),
        ("monitor", "--warning", "nodes"),
        ("monitor", "--timeout-s", "nan"),
        ("monitor", "--profile", "missing"),
        ("--profile", "missing", "monitor"),
        ("--no-such-option", "monitor"),
        ("--profile", "find", "--max", "nothing", "monitor"),
        ("monitor", "--recall-stored"),
        ("monitor", "--recall", "STORESCP", "--recall-study", "no UID"),
        ("monitor", "surplus"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stderr) == (3, ""), arguments
        assert read_plugin_output(result.stdout, 3).summary != "DCMCFG UNKNOWN -", arguments
    for arguments in (("monitor", "--no-such-option", "--json"), ("monitor", "--only", "drift", "--format", "json")):
        result = run(*arguments)
        assert (result.exit_code, json.loads(result.stdout)["error"]["exit_code"]) == (3, 3)


def test_other_commands_keep_their_exit_code_for_a_wrong_option(run: Run) -> None:
    for arguments in (("status", "--bad"), ("--profile", "monitor", "status", "--bad"), ("find", "monitor", "--bad")):
        assert run(*arguments).exit_code == 2, arguments


def test_an_internal_error_is_unknown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("line one\nline | two")

    monkeypatch.setattr(monitor, "check_site", fail)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", PASSWORD)
    result = run("monitor")
    assert (result.exit_code, result.stderr) == (3, "")
    first = result.stdout.splitlines()[0]
    assert first == r"DCMCFG UNKNOWN - internal error (RuntimeError: line one\x0aline \x7c two)"


@pytest.mark.real
def test_a_directory_that_is_away_does_not_hide_the_nodes(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", f"ldap://127.0.0.1:{free_port()}")
    result = run("monitor")
    found = read(result)
    unknown = dict.fromkeys(("loaded", "check", "echo", "certificates"), UNKNOWN)
    assert (found.states, result.exit_code) == (states(directory=CRITICAL, **unknown), 2)
    assert found.summary.endswith(
        "directory: CRITICAL, the directory cannot be read; loaded, check, echo, certificates: UNKNOWN, not checked, "
        "because the directory could not be read"
    )
    assert "connection refused" in found.details[0]


@pytest.mark.real
def test_a_directory_that_hangs_does_not_hide_the_nodes(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DCMCFG_LDAP_URL", f"ldap://127.0.0.1:{silent.getsockname()[1]}")
        result = run("monitor", "--timeout-s", "5")
    found = read(result)
    assert (found.states["directory"], found.states["nodes"], result.exit_code) == (CRITICAL, OK, 2)
    assert {found.states[each] for each in ("loaded", "check", "echo", "certificates")} == {UNKNOWN}


@pytest.mark.real
def test_wrong_credentials_are_unknown(
    run: Run, lab: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "wrong-secret")
    result = run("monitor")
    assert (read(result).states["directory"], read(result).states["nodes"], result.exit_code) == (UNKNOWN, OK, 3)
    assert "wrong-secret" not in result.stdout
    monkeypatch.delenv("DCMCFG_BIND_PASSWORD")
    unlocked = run("monitor")
    assert (read(unlocked).states["directory"], read(unlocked).states["nodes"], unlocked.exit_code) == (UNKNOWN, OK, 3)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", PASSWORD)
    result = run("monitor", "--archive-token-file", str(tmp_path / "missing"))
    found = read(result)
    assert (found.states["nodes"], found.states["check"], result.exit_code) == (UNKNOWN, OK, 3)
    assert any(each.startswith("next: specify --bind-password-file") for each in read(unlocked).details)


@pytest.mark.real
def test_what_could_not_be_asked_is_not_counted_as_in_order(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", f"http://127.0.0.1:{free_port()}/dcm4chee-arc")
    result = run("monitor", "--only", "loaded", "--only", "echo", "--echo", "NOBODY")
    assert read(result).states == {"loaded": UNKNOWN, "echo": UNKNOWN}
    assert "UNKNOWN loaded: 0 of 1 node shows the values of the directory" in result.stdout
    assert "UNKNOWN echo: 1 of 2 AEs answered a C-ECHO" in result.stdout
    assert "node_other_values" not in result.stdout


@pytest.mark.real
def test_an_archive_that_hangs_is_critical_and_does_not_hide_the_directory(run: Run, lab: RunningSite) -> None:
    with lab.standing_still("archive"):
        result = run("monitor", "--timeout-s", "5")
    found = read(result)
    assert (found.states["directory"], found.states["check"], found.states["nodes"]) == (OK, OK, CRITICAL)
    assert (found.states["echo"], found.states["loaded"], result.exit_code) == (CRITICAL, UNKNOWN, 2)


@pytest.mark.real
def test_entries_that_differ_from_the_file_are_named_without_their_values(
    run: Run, lab: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("snapshot", "live.snapshot").exit_code == 0
    assert run("export-ldif", "-o", "live.ldif").exit_code == 0
    only = ("monitor", "--only", "drift", "--against")
    for file in ("live.snapshot", "live.ldif"):
        assert read(run(*only, file)).states == {"drift": OK}
    (description,) = next(each.texts("dicomDescription") for each in lab.slapd.entries() if str(each.dn) == DEVICE) or (
        "",
    )
    lab.put("dicomVendorData", "a secret value", dn=STORESCP)
    lab.put("dicomDescription", "changed", dn=DEVICE)
    try:
        result = run(*only, "live.snapshot")
        assert (read(result).states, result.exit_code) == ({"drift": WARNING}, 1)
        assert read(result).details == (
            f"changed: {DEVICE} (dicomDescription)",
            f"changed: {STORESCP} (dicomVendorData)",
        )
        for form in ("nagios", "openmetrics", "json"):
            assert "a secret value" not in run(*only, "live.snapshot", "--format", form).output
        result = run(*only, "live.snapshot", "--critical", "drift=1")
        assert (read(result).states, result.exit_code) == ({"drift": CRITICAL}, 2)
    finally:
        lab.put("dicomVendorData", dn=STORESCP)
        lab.put("dicomDescription", *filter(None, [description]), dn=DEVICE)
    (tmp_path / "half.ldif").write_text((tmp_path / "live.ldif").read_text()[:2000])
    (tmp_path / "half.snapshot").write_text((tmp_path / "live.snapshot").read_text().rpartition("\n\n")[0] + "\n\n")
    for file, state in (("half.ldif", WARNING), ("half.snapshot", UNKNOWN), ("missing.ldif", UNKNOWN)):
        result = run(*only, file)
        assert (read(result).states, result.exit_code) == ({"drift": state}, state.exit_code), file


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSlapd]:
    """A server whose schema has the class for certificates."""
    slapd = Slapd(
        tmp_path_factory.mktemp("slapd"),
        port=free_port(),
        root_password=PASSWORD,
        extra_global="objectclass ( 2.5.6.21 NAME 'pkiUser' SUP top AUXILIARY MAY userCertificate )",
    )
    slapd.prepare()
    slapd.load_files(list_site_files())
    with slapd:
        yield RunningSlapd(slapd)


@pytest.mark.real
@pytest.mark.parametrize(
    ("days", "options", "state"),
    [
        (60, (), OK),
        (20, (), WARNING),
        (20, ("--critical", "certificates=25"), CRITICAL),
        (20, ("--warning", "certificates=10"), OK),
        (3, (), CRITICAL),
        (-3, ("--warning", "certificates=none", "--critical", "certificates=none"), CRITICAL),
    ],
)
def test_a_certificate_that_expires_soon_is_reported(
    run: Run,
    certified: RunningSlapd,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    days: int,
    options: tuple[str, ...],
    state: State,
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", certified.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", certified.password)
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    octets = base64.b64encode(certificate("node1", ends)).decode()
    file = tmp_path / "certificate.ldif"
    file.write_text(
        f"dn: {STORESCP}\nchangetype: modify\nreplace: objectClass\nobjectClass: dicomDevice\n"
        "objectClass: dcmDevice\nobjectClass: pkiUser\n-\nreplace: userCertificate;binary\n"
        f"userCertificate;binary:: {octets}\n-\n"
    )
    assert certified.run_client("ldapmodify", "-f", str(file)).returncode == 0
    result = run("monitor", "--only", "certificates", *options)
    found = read(result)
    assert (found.states, result.exit_code) == ({"certificates": state}, state.exit_code)
    metrics = run("monitor", "--only", "certificates", *options, "--format", "openmetrics").stdout
    samples = {each.name: each for each in read_samples(metrics)}
    not_after = samples["dcmcfg_certificate_not_after_timestamp_seconds"]
    assert abs(not_after.value - ends.timestamp()) < 2
    assert (not_after.labels["entry"], not_after.labels["subject"]) == (STORESCP, "CN=node1")


@pytest.mark.real
def test_an_ae_with_a_hostile_title_does_not_break_the_output(run: Run, lab: RunningSite) -> None:
    title = "A|B 'x\"=1;2"
    escaped = "".join(f"\\{ord(each):02x}" for each in title)
    lab.modify(
        f"dn: dicomAETitle={escaped},{STORESCP}\nchangetype: add\n"
        f"objectClass: dicomNetworkAE\ndicomAETitle: {title}\ndicomAssociationInitiator: TRUE\n"
        f"dicomAssociationAcceptor: TRUE\ndicomNetworkConnectionReference: cn=dicom,{STORESCP}\n"
    )
    dn = next(str(each.dn) for each in lab.slapd.entries() if title in each.texts("dicomAETitle"))
    try:
        result = run("monitor", "--only", "echo", "--echo", f"storescp/{title}")
        found = read(result)
        assert set(found.states) == {"echo"}
        assert found.performance_data.count("'=") == 4
        metrics = run("monitor", "--only", "echo", "--echo", f"storescp/{title}", "--format", "openmetrics").stdout
        samples = read_samples(metrics)
        assert title in {each.labels.get("ae") for each in samples}
    finally:
        lab.modify(f"dn: {dn}\nchangetype: delete\n")


@pytest.mark.real
def test_the_file_is_written_whole_and_other_accounts_can_read_it(run: Run, lab: RunningSite, tmp_path: Path) -> None:
    folder = tmp_path / "textfile"
    folder.mkdir()
    file = folder / "dcmcfg.prom"
    before = os.umask(0o077)
    try:
        result = run("monitor", "--only", "nodes", "--format", "openmetrics", "-o", str(file))
    finally:
        os.umask(before)
    assert (result.exit_code, result.stdout) == (0, f"DCMCFG OK - {lab.slapd.url}: no problems (nodes)\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    written = file.read_text()
    assert read_samples(written)
    # A failed run leaves the file, whose age then shows that the runs fail.
    assert run("monitor", "--no-such-option", "-o", str(file)).exit_code == 3
    assert file.read_text() == written
    file.chmod(0o640)
    assert run("monitor", "--only", "nodes", "--format", "json", "-o", str(file)).exit_code == 0
    assert (stat.S_IMODE(file.stat().st_mode), json.loads(file.read_text())["state"]) == (0o640, "OK")
    assert [each.name for each in folder.iterdir()] == ["dcmcfg.prom"]
    other = run("monitor", "--only", "nodes", "--format", "openmetrics", "-o", str(folder / "dcmcfg.txt"))
    assert "warning: node_exporter reads only files whose name ends in .prom" in other.stdout
    result = run("monitor", "--only", "nodes", "-o", str(tmp_path / "missing" / "file"))
    assert (result.exit_code, result.stdout.startswith("DCMCFG UNKNOWN - ")) == (3, True)


@pytest.mark.real
def test_an_exposed_password_file_is_a_warning_in_the_long_output(
    run: Run, lab: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o644)
    monkeypatch.delenv("DCMCFG_BIND_PASSWORD")
    result = run("monitor", "--only", "directory", "--bind-password-file", str(file))
    assert (read(result).states, result.exit_code) == ({"directory": OK}, 0)
    assert read(result).details[0].startswith(f"warning: {file}: ")
    assert PASSWORD not in result.stdout


@pytest.mark.real
def test_errors_of_check_are_warnings_and_what_cannot_be_loaded_is_critical(run: Run, lab: RunningSite) -> None:
    only = ("monitor", "--only", "check")
    lab.put("dcmExternalRetrieveAEDestination", "NOWHERE", dn=DEVICE)
    try:
        result = run(*only)
        assert (read(result).states, result.exit_code) == ({"check": WARNING}, 1)
        assert "NOWHERE" in read(result).details[0]
        assert run(*only, "--critical", "check=0").exit_code == 2
        assert run(*only, "--warning", "check=none").exit_code == 0
        lab.put("dcmCStoreSCUOfCMoveSCP", "no pair", dn=DEVICE)
        result = run(*only, "--warning", "check=none")
        assert (read(result).states, result.exit_code) == ({"check": CRITICAL}, 2)
    finally:
        lab.put("dcmCStoreSCUOfCMoveSCP", dn=DEVICE)
        lab.put("dcmExternalRetrieveAEDestination", "DCM4CHEE", dn=DEVICE)
