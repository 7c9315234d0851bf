"""A throw-away slapd lives in its folder, answers on its port, and dies with whoever started it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.errors import LabError
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.patience import comes_true
from tests.ports import free_port
from tests.running_slapd import RunningSlapd

START_AND_SLEEP = """
import sys, time
from pathlib import Path
from dcmcfg.lab.slapd import Slapd
slapd = Slapd(Path(sys.argv[1]), port=int(sys.argv[2]), root_password="secret")
slapd.prepare()
slapd.start()
print("started", flush=True)
time.sleep(60)
"""


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def new_slapd(folder: Path, **options: str) -> Slapd:
    return Slapd(folder, port=free_port(), root_password='pa"ss\\wo rd#', **options)  # type: ignore[arg-type]  # one literal


@pytest.mark.real
def test_starts_answers_and_stops(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path / "a folder")
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])

    with slapd:
        assert slapd.is_running
        assert slapd.pid is not None
        found = subprocess.run(
            [
                *("/usr/bin/ldapsearch", "-x", "-LLL", "-H", slapd.url, "-D", slapd.root_dn),
                *("-w", slapd.root_password, "-b", slapd.suffix, "dc"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == "dn: dc=dcm4che,dc=org\ndc: dcm4che\n\n"

    assert not slapd.is_running
    assert slapd.pid is None
    assert not listening(slapd.port)


@pytest.mark.real
def test_data_outlives_a_stop(slapd: RunningSlapd) -> None:
    before = slapd.entries()
    slapd.slapd.stop()
    slapd.slapd.prepare()
    slapd.slapd.start()

    assert slapd.entries() == before


@pytest.mark.real
def test_configuration_with_the_password_is_private(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path / "lab")
    slapd.prepare()

    assert (tmp_path / "lab").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "lab" / "slapd.conf").stat().st_mode & 0o777 == 0o600


@pytest.mark.real
def test_transactions_and_assertions_are_offered(empty_slapd: RunningSlapd) -> None:
    root_dse = empty_slapd.run_client("ldapsearch", "-LLL", "-b", "", "-s", "base", "+").stdout

    assert "supportedExtension: 1.3.6.1.1.21.1\n" in root_dse  # transactions, RFC 5805
    assert "supportedControl: 1.3.6.1.1.12\n" in root_dse  # assertion, RFC 4528


@pytest.mark.real
def test_only_the_administrator_reads_more_than_500_entries_or_a_password(slapd: RunningSlapd) -> None:
    assert len(slapd.entries()) > 1_000
    anonymous = subprocess.run(
        ["/usr/bin/ldapsearch", "-x", "-LLL", "-H", slapd.url, "-b", slapd.base_dn],
        capture_output=True,
        text=True,
        check=False,
    )
    assert anonymous.returncode == 4  # sizeLimitExceeded
    assert anonymous.stdout.count("\ndn: ") == 499
    assert "userPassword" not in anonymous.stdout


@pytest.mark.real
def test_ldif_backend_has_no_transactions_to_offer_but_holds_the_tree(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path, database="ldif")
    slapd.prepare()
    slapd.load_files(list_site_files()[:3])
    with slapd:
        assert listening(slapd.port)
    assert (slapd.database_folder / "dc=dcm4che,dc=org.ldif").is_file()


@pytest.mark.real
def test_extra_lines_reach_the_configuration(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path, extra_global="moduleload syncprov", extra_database="overlay syncprov")
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])
    with slapd:
        suffix = subprocess.run(
            ["/usr/bin/ldapsearch", "-x", "-LLL", "-H", slapd.url, "-b", slapd.suffix, "-s", "base", "contextCSN"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert "contextCSN: " in suffix.stdout


@pytest.mark.real
def test_bad_configuration_is_refused_with_slapds_words(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path, extra_database="nonsense here")

    with pytest.raises(LabError, match="unknown directive <nonsense>"):
        slapd.prepare()


@pytest.mark.real
def test_entry_that_the_schema_refuses_is_named(tmp_path: Path) -> None:
    slapd = new_slapd(tmp_path)
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])

    with pytest.raises(LabError, match="dicomDeviceName=x") as failure:
        slapd.load_ldif("dn: dicomDeviceName=x,dc=dcm4che,dc=org\nobjectClass: dicomDevice\ndicomDeviceName: x\n")
    assert "dicomInstalled" in failure.value.message


@pytest.mark.real
def test_entries_are_not_loaded_behind_a_running_server(empty_slapd: RunningSlapd) -> None:
    with pytest.raises(LabError, match="must be stopped"):
        empty_slapd.slapd.load_files(list_site_files())


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"nothing\.ldif: cannot be read"):
        new_slapd(tmp_path).load_files([tmp_path / "nothing.ldif"])


def test_unprepared_slapd_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="not prepared"):
        new_slapd(tmp_path).start()


@pytest.mark.real
def test_taken_port_is_reported_even_if_the_other_server_answers(tmp_path: Path, empty_slapd: RunningSlapd) -> None:
    second = Slapd(tmp_path / "second", port=empty_slapd.slapd.port, root_password="x")
    second.prepare()

    with pytest.raises(LabError, match="Address already in use"):
        second.start()
    assert not second.is_running


def test_missing_slapd_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("dcmcfg.lab.slapd._PROGRAM_FOLDERS", ())

    with pytest.raises(LabError) as failure:
        new_slapd(tmp_path / "lab").prepare()
    assert str(failure.value) == "slapd: is not installed — to install it: apt-get install slapd ldap-utils"
    assert failure.value.exit_code == 3


@pytest.mark.real
def test_killing_whoever_started_it_leaves_nothing_listening(tmp_path: Path) -> None:
    port = free_port()
    starter = subprocess.Popen(
        [sys.executable, "-c", START_AND_SLEEP, str(tmp_path), str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        assert listening(port)
    finally:
        os.kill(starter.pid, signal.SIGKILL)
        starter.communicate()

    assert comes_true(lambda: not listening(port))
