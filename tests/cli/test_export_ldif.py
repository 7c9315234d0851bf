"""``dcmcfg export-ldif``: stable text, whole or not at all, loadable."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.lab.large_tree import generate_large_ldif
from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.model.export import export_ldif, select_entries
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.connecting import server_of
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real


def entries(text: str) -> list[str]:
    records = read_all([text.encode()], "export")
    assert all(isinstance(record, ContentRecord) for record in records)
    return [str(record.entry.dn) for record in records if isinstance(record, ContentRecord)]


def test_two_exports_are_equal_with_parents_before_children(run: Run, site: CliSite) -> None:
    first, second = run("export-ldif"), run("export-ldif")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    assert first.stdout.startswith("version: 1\n\ndn: dc=dcm4che,dc=org\nobjectClass: ")
    names = entries(first.stdout)
    assert len(names) == len(site.octets())
    seen: set[DN] = set()
    for name in map(DN.parse, names):
        assert not seen or name.parent in seen
        seen.add(name)


def test_secrets_are_left_out_with_a_comment_that_names_the_attribute(run: Run, site: CliSite) -> None:
    (pin,) = site.values("dcmKeyStorePin")
    text = run("export-ldif").stdout
    assert pin not in re.findall(r"^dcmKeyStorePin: (.*)$", text, re.MULTILINE)
    assert "# secret omitted: dcmKeyStorePin\n" in text
    assert "# secret omitted: userPassword\n" in text
    assert "password=" not in text


def test_an_export_without_secrets_has_no_error(run: Run, site: CliSite, tmp_path: Path) -> None:
    set_url = run("set", ARCHIVE_DN, "dcmKeyStoreURL=file:/key.p12", "dcmKeyStoreType=PKCS12", "--yes")
    assert set_url.exit_code == 0, set_url.stderr
    file = tmp_path / "e.ldif"
    file.write_text(run("export-ldif").stdout)
    result = run("check", str(file))
    assert (result.exit_code, "key-store" in result.stdout) == (0, False)


def test_loaded_into_an_empty_server_it_is_the_same_tree(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "all.ldif"
    result = run("export-ldif", "--with-secrets", "-o", str(file))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert loaded_by_ldapadd(tmp_path, file) == site.octets()


def test_the_stock_configuration_survives_export_and_load(run: Run, stock_site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "all.ldif"
    assert run("export-ldif", "--with-secrets", "-o", str(file)).exit_code == 0
    assert loaded_by_ldapadd(tmp_path, file) == stock_site.octets()


def test_slapadd_takes_it_without_the_version_line_only(run: Run, site: CliSite, tmp_path: Path) -> None:
    assert run("export-ldif", "--with-secrets").stdout.startswith("version: 1\n\n")
    plain, versioned = tmp_path / "plain.ldif", tmp_path / "versioned.ldif"
    assert run("export-ldif", "--with-secrets", "--no-version", "-o", str(plain)).exit_code == 0
    assert run("export-ldif", "--with-secrets", "-o", str(versioned)).exit_code == 0
    assert versioned.read_text() == "version: 1\n\n" + plain.read_text()
    server = Slapd(tmp_path / "empty", port=free_port(), root_password=PASSWORD)
    server.prepare()
    assert slapadd(server, versioned) != 0
    assert slapadd(server, plain) == 0
    with server:
        assert CliSite(RunningSlapd(server), site.archive).octets() == site.octets()


def slapadd(server: Slapd, file: Path) -> int:
    """The exit code of slapadd itself; Slapd.load would leave the version line out."""
    program, *rest = server.command
    configuration = rest[rest.index("-f") : rest.index("-f") + 2]
    done = subprocess.run(
        [program, "-T", "add", *configuration, "-l", str(file)], capture_output=True, timeout=30, check=False
    )
    return done.returncode


def loaded_by_ldapadd(folder: Path, file: Path) -> dict[str, dict[str, frozenset[bytes]]]:
    """What a new server holds once ldapadd has loaded *file*; the server starts without any entry."""
    server = Slapd(folder / "empty", port=free_port(), root_password=PASSWORD)
    server.prepare()
    with server:
        running = RunningSlapd(server)
        added = running.run_client("ldapadd", "-f", str(file))
        assert added.returncode == 0, added.stderr
        return CliSite(running, None).octets()  # type: ignore[arg-type] # no archive is asked


def test_one_device_is_that_device_with_what_is_below(run: Run, site: CliSite) -> None:
    result = run("export-ldif", "--device", "storescp")
    names = entries(result.stdout)
    assert names[0] == "dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    assert len(names) > 3
    assert all(name.endswith(names[0]) for name in names)


def test_a_device_from_the_environment_does_not_narrow_the_export(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_DEVICE", "storescp")
    assert len(entries(run("export-ldif").stdout)) == len(site.octets())


def test_an_unknown_device_is_told_and_no_file_is_left(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "none.ldif"
    result = run("export-ldif", "--device", "pacs", "-o", str(file))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("dcmcfg: the device pacs does not exist\n")
    assert list(tmp_path.glob("*none*")) == []


def test_a_read_that_the_server_cut_short_fails_and_leaves_the_file_as_it_was(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    """A DN that is not the root DN is held to the server's limit of 500 entries."""
    file = written(tmp_path / "export.ldif", "yesterday's export\n")
    password = written(tmp_path / "password", "lab-viewer-password")
    password.chmod(0o600)
    result = run(
        *("export-ldif", "-o", str(file), "--bind-dn", READER),
        *("--bind-password-file", str(password)),
    )
    assert result.exit_code == 3
    assert result.stderr.startswith("dcmcfg: dc=dcm4che,dc=org: the server truncated the result (size limit)")
    assert file.read_text() == "yesterday's export\n"
    assert sorted(path.name for path in tmp_path.glob("*export*")) == ["export.ldif"]


#: An entry of the lab's tree that has a password.
READER = f"dcmKeycloakClientID=dcm4chee-arc-ui,{ARCHIVE_DN}"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_that_cannot_be_written_is_told(run: Run, site: CliSite, tmp_path: Path) -> None:
    result = run("export-ldif", "-o", str(tmp_path / "nowhere" / "x.ldif"))
    assert result.exit_code == 3
    assert result.stderr == (
        f"dcmcfg: {tmp_path}/nowhere/x.ldif: the file cannot be written (No such file or directory)\n"
        f"  next: create the folder {tmp_path}/nowhere first, or specify a file in an existing folder\n"
    )


def test_a_whole_export_can_be_kept_readable_for_others(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "x.ldif"
    assert run("export-ldif", "-o", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444
    assert ARCHIVE_DN.replace(",dc=dcm4che,dc=org", "") in file.read_text().replace("\n ", "")


def test_a_pipe_is_written_into_and_not_replaced_by_a_file(run: Run, site: CliSite, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    result = run("export-ldif", "-o", str(pipe))
    assert result.exit_code == 0, result.stderr
    assert pipe.is_fifo()
    reader.join(10)
    assert got[0].startswith("version: 1\n")


def test_a_symbolic_link_stays_one(run: Run, site: CliSite, tmp_path: Path) -> None:
    real, link = tmp_path / "real.ldif", tmp_path / "link.ldif"
    real.write_text("old")
    link.symlink_to(real)
    assert run("export-ldif", "-o", str(link)).exit_code == 0
    assert link.is_symlink()
    assert real.read_text().startswith("version: 1\n")


def test_many_devices_are_exported_as_the_tree_of_them_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """More entries than one page has, read entry by entry and as octets."""
    server = Slapd(tmp_path / "many", port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_ldif(generate_large_ldif(5_100))
    monkeypatch.setenv("DCMCFG_LDAP_URL", server.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", PASSWORD)
    with server:
        for option in ((), ("--with-secrets",)):
            result = run("export-ldif", *option)
            assert (result.exit_code, result.stderr) == (0, "")
            with connect(server_of(RunningSlapd(server))) as directory:
                entries = select_entries(read_tree(directory), None)
            assert len(entries) == 5_100
            assert result.stdout == "".join(export_ldif(entries, with_secrets=bool(option)))


def test_the_stock_configuration_is_exported_as_the_tree_of_it_is(run: Run, stock_site: CliSite) -> None:
    with connect(server_of(stock_site.slapd)) as directory:
        entries = select_entries(read_tree(directory), None)
    assert run("export-ldif").stdout == "".join(export_ldif(entries, with_secrets=False))


def test_without_a_configuration_below_the_base_it_is_told(run: Run, site: CliSite) -> None:
    result = run("export-ldif", "--base-dn", "cn=admin,dc=dcm4che,dc=org")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "there is no" in result.stderr
