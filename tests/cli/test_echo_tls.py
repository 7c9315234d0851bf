"""``dcmcfg echo`` of AEs that are called over TLS."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite
from tests.cli.verifying import set_values
from tests.dicom import dcmtk
from tests.dicom.certificates import Pki, make_pki
from tests.dicom.dcmtk import LOOPBACK
from tests.dicom.tls_scp import server_context, tls_scp
from tests.echo_scps import echo_scp

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def trusting(pki: Pki) -> tuple[str, ...]:
    return ("--tls-ca", str(pki.ca))


@pytest.fixture
def addresses(site: CliSite, pki: Pki, tmp_path: Path) -> Iterator[dict[str, int]]:
    """The archive answers with TLS and without, STORESCP with TLS only, and wants a certificate; dcmtk is it."""
    options = ["+tls", str(pki.server.key), str(pki.server.certificate), "+cf", str(pki.ca)]
    with (
        tls_scp(server_context(pki.server)) as secured,
        echo_scp("ARCHIVE") as plain,
        dcmtk.storescp(tmp_path / "in", options=options) as storescp,
    ):
        ports = {
            "cn=dicom,dicomDeviceName=dcm4chee-arc": plain,
            "cn=dicom-tls,dicomDeviceName=dcm4chee-arc": secured.port,
            "cn=dicom,dicomDeviceName=storescp": storescp.port,
        }
        for name, port in ports.items():
            set_values(site.slapd, tmp_path, f"{name},{DEVICES}", dicomHostname=LOOPBACK, dicomPort=str(port))
        suite = "TLS_AES_128_GCM_SHA256"
        set_values(site.slapd, tmp_path, f"cn=dicom,dicomDeviceName=storescp,{DEVICES}", dicomTLSCipherSuite=suite)
        yield {"plain": plain, "tls": secured.port, "storescp": storescp.port}


def cells(text: str, title: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f" {title} "))
    return re.split(r" {3,}", re.sub(r"in \d+ ms", "in N ms", line.strip()))


def test_tls_is_taken_where_it_is_asked_for_or_there_is_nothing_else(
    run: Run, addresses: dict[str, int], pki: Pki, trusting: tuple[str, ...]
) -> None:
    shown = ("--tls-cert", str(pki.client.certificate), "--tls-key", str(pki.client.key))
    by_itself = run("echo", "DCM4CHEE", "STORESCP", *trusting, *shown)
    assert (by_itself.exit_code, by_itself.stderr) == (0, "")
    answered = "C-ECHO answered in N ms"
    assert cells(by_itself.stdout, "DCM4CHEE")[1:] == [
        f"127.0.0.1:{addresses['plain']}",
        "dcm4chee-arc",
        answered,
    ]
    secured = r"over TLSv1\.\d, certificate valid until 3000-01-01"
    address, tls, _, answer = cells(by_itself.stdout, "STORESCP")[1:]
    assert (address, tls) == (f"127.0.0.1:{addresses['storescp']}", "TLS")
    assert re.fullmatch(f"{answered} {secured}", answer)

    result = run("echo", "DCM4CHEE", "--tls", *trusting)
    assert result.exit_code == 0
    address, tls, _, answer = cells(result.stdout, "DCM4CHEE")[1:]
    assert (address, tls) == (f"127.0.0.1:{addresses['tls']}", "TLS")
    assert re.fullmatch(f"{answered} {secured}", answer)


def test_json_tells_the_line_and_where_it_failed(
    run: Run, addresses: dict[str, int], trusting: tuple[str, ...]
) -> None:
    result = run("echo", "DCM4CHEE", "STORESCP", "LONGTERM", "--tls", *trusting, "--json")
    assert result.exit_code == 1
    archive, storescp, longterm = json.loads(result.stdout)["aes"]
    assert (archive["success"], archive["tls"], archive["failed_stage"]) == (True, True, None)
    shown = ["certificate_subject", "certificate_valid_until", "cipher_suite", "version"]
    assert sorted(archive["tls_session"]) == shown
    assert archive["tls_session"]["certificate_subject"].startswith("CN=archive, ")
    assert (storescp["success"], storescp["failed_stage"], storescp["tls_session"]) == (False, "tls", None)
    assert storescp["next_step"].startswith("specify a certificate that the peer trusts")
    assert longterm["success"] is None
    assert longterm["problem"] == "no installed DICOM connection with a port and TLS"


def test_without_a_ca_each_ae_is_told_apart_and_the_next_step_is_said_once(
    run: Run, addresses: dict[str, int], monkeypatch: pytest.MonkeyPatch, pki: Pki
) -> None:
    result = run("echo", "DCM4CHEE", "IOCM_REGULAR_USE", "STORESCP", "--tls")
    assert (result.exit_code, result.stderr) == (1, "")
    unknown = "certificate not trusted: dcmcfg does not trust the certificate authority; nothing was sent"
    for title in ("DCM4CHEE", "IOCM_REGULAR_USE", "STORESCP"):
        assert cells(result.stdout, title)[-1] == unknown
    assert (
        "\nNext step for DCM4CHEE, IOCM_REGULAR_USE, STORESCP: specify the certificate of the peer's certificate "
        "authority with --tls-ca\n" in result.stdout
    )
    monkeypatch.setenv("DCMCFG_TLS_CA", str(pki.ca))
    assert run("echo", "DCM4CHEE", "--tls").exit_code == 0
    monkeypatch.setenv("DCMCFG_TLS_CA", str(pki.strange_ca))
    assert run("echo", "DCM4CHEE", "--tls").exit_code == 1


def test_files_that_cannot_be_used_end_it_before_anybody_is_called(
    run: Run, addresses: dict[str, int], trusting: tuple[str, ...]
) -> None:
    failed = run("echo", "DCM4CHEE", "--tls", "--tls-ca", "/nowhere.pem")
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert "the file cannot be used: it cannot be read" in failed.stderr
    alone = run("echo", "DCM4CHEE", "--tls", *trusting, "--tls-key", os.devnull)
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "--tls-key requires --tls-cert" in alone.stderr
