"""``dcmcfg verify`` of an archive that is called over TLS."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.settings.profiles import get_profile_path
from tests.cli.at_terminal import at_terminal
from tests.cli.verifying import STUDY, WORKSTATION, Verify, load_verdict, set_values
from tests.dicom import dcmtk
from tests.dicom.certificates import Pki, make_pki
from tests.dicom.dcmtk import Made
from tests.running_slapd import RunningSlapd
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
CONNECTION = "cn=dicom,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def _sent(exchange: MoveExchange) -> MoveResponse:
    return MoveResponse(0, completed=3)


@contextmanager
def _archive(made: Made, pki: Pki, *, wants_certificate: bool = False) -> Iterator[Peer]:
    files = TlsFiles(pki.ca if wants_certificate else None, pki.server.certificate, pki.server.key)
    with scripted_archive(made, _sent, tls=files.server_context()) as peer:
        yield peer


def test_the_report_says_how_the_line_was_secured(verify: Verify, made: Made, pki: Pki) -> None:
    with _archive(made, pki) as archive:
        text = verify(archive, "--tls", "--tls-ca", str(pki.ca)).stdout
        result = verify(archive, "--tls", "--tls-ca", str(pki.ca), "--json")
    assert result.exit_code == 0
    secured = load_verdict(result)["request"]["archive_identity"]["tls_session"]
    assert secured["version"] == "TLSv1.3"
    assert secured["certificate_subject"].startswith("CN=archive, ")
    until = secured["certificate_valid_until"][:10]
    certificate = f"{secured['certificate_subject']}, valid until {until}"
    assert f"\nConnection: TLSv1.3 ({secured['cipher_suite']}), certificate {certificate}\n" in text


def test_a_destination_with_tls_only_receives_over_tls(
    verify: Verify, made: Made, pki: Pki, workstation: Peer, slapd: RunningSlapd, tmp_path: Path
) -> None:
    set_values(slapd, tmp_path, f"cn=dicom,{WORKSTATION}", dicomTLSCipherSuite="TLS_AES_128_GCM_SHA256")
    key, certificate = str(pki.client.key), str(pki.client.certificate)

    def send(exchange: MoveExchange) -> MoveResponse:
        options = ["+tls", key, certificate, "+cf", str(pki.ca)]
        done = dcmtk.storescu(workstation, made.files, calling="DCM4CHEE", options=options)
        assert done.returncode == 0, done.stderr
        return MoveResponse(0, completed=3)

    with scripted_archive(made, send) as archive:
        without = verify(archive, "--receive")
        shown = ("--tls-ca", str(pki.ca), "--tls-cert", str(pki.server.certificate), "--tls-key", str(pki.server.key))
        result = verify(archive, "--receive", *shown, "--json")
    assert without.exit_code == 3
    assert "a TLS server requires a certificate" in without.stderr
    assert (result.exit_code, load_verdict(result)["received"]["finding"]) == (0, "complete")


def test_an_archive_with_tls_only_is_called_over_tls_by_itself(
    verify: Verify, made: Made, pki: Pki, slapd: RunningSlapd, tmp_path: Path
) -> None:
    set_values(slapd, tmp_path, CONNECTION, dicomTLSCipherSuite="TLS_AES_128_GCM_SHA256")
    with _archive(made, pki) as archive:
        result = verify(archive, "--tls-ca", str(pki.ca), "--json")
    assert result.exit_code == 0
    assert load_verdict(result)["notes"][0] == "DCM4CHEE accepts only TLS, so dcmcfg used TLS"


def test_a_client_certificate_that_is_wanted_is_3_with_the_options_that_show_one(
    verify: Verify, made: Made, pki: Pki
) -> None:
    trusting = ("--tls", "--tls-ca", str(pki.ca))
    with _archive(made, pki, wants_certificate=True) as archive:
        refused = verify(archive, *trusting)
        shown = ("--tls-cert", str(pki.client.certificate), "--tls-key", str(pki.client.key))
        taken = verify(archive, *trusting, *shown)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "no association: the peer requires a client certificate" in refused.stderr
    assert "next: specify a certificate that the peer trusts" in refused.stderr
    assert taken.exit_code == 0, taken.output


def test_the_site_s_ca_file_is_trusted_and_nothing_else_is(
    verify: Verify, made: Made, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _archive(made, pki) as archive:
        unknown = verify(archive, "--tls")
        monkeypatch.setenv("DCMCFG_CA_FILE", str(pki.ca))
        assert verify(archive, "--tls").exit_code == 0
        monkeypatch.setenv("DCMCFG_TLS_CA", str(pki.strange_ca))
        assert verify(archive, "--tls").exit_code == 3
        assert verify(archive, "--tls", "--tls-ca", str(pki.ca)).exit_code == 0
    assert unknown.exit_code == 3
    assert (
        "certificate not trusted: dcmcfg does not trust the certificate authority; nothing was sent" in unknown.stderr
    )


def _protected(pki: Pki, folder: Path) -> Path:
    key = folder / "protected.key"
    command = ["/usr/bin/openssl", "pkey", "-in", str(pki.client.key), "-aes256", "-passout", "pass:open sesame"]
    subprocess.run([*command, "-out", str(key)], check=True)
    key.chmod(0o600)
    return key


def test_a_profile_names_certificate_key_and_passphrase(
    verify: Verify, made: Made, pki: Pki, slapd: RunningSlapd, tmp_path: Path
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("open sesame\n")
    passphrase.chmod(0o600)
    password = tmp_path / "password"
    password.write_text(slapd.password)
    password.chmod(0o600)
    profile = get_profile_path("hospital")
    profile.parent.mkdir(parents=True)
    profile.write_text(
        f'tls_ca = "{pki.ca}"\ntls_cert = "{pki.client.certificate}"\ntls_key = "{_protected(pki, tmp_path)}"\n'
        f'tls_key_passphrase_file = "{passphrase}"\n'
        f'ldap_url = "{slapd.url}"\nbind_password_file = "{password}"\n'
    )
    with _archive(made, pki, wants_certificate=True) as archive:
        result = verify(archive, "--tls", "--profile", "hospital")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_passphrase_is_asked_for_at_a_terminal_and_without_one_it_is_3(
    verify: Verify, made: Made, pki: Pki, tmp_path: Path
) -> None:
    key = _protected(pki, tmp_path)
    options = ("--tls", "--tls-ca", str(pki.ca), "--tls-cert", str(pki.client.certificate), "--tls-key", str(key))
    with _archive(made, pki, wants_certificate=True) as archive:
        refused = verify(archive, *options)
        where = ("--connect", f"{archive.host}:{archive.port}", "--no-qido")
        command = ("verify", "--study", STUDY, "--dest", "WORKSTATION", *where, *options)
        code, shown = at_terminal(command, [(f"Passphrase of {key}: ", "open sesame")])
    assert refused.exit_code == 3
    assert "the private key is protected by a passphrase" in refused.stderr
    assert "--tls-key-passphrase-file" in refused.stderr
    assert code == 0, shown
    assert "open sesame" not in shown


def test_a_key_that_others_can_read_is_warned_of(verify: Verify, made: Made, pki: Pki, tmp_path: Path) -> None:
    key = tmp_path / "open.key"
    key.write_bytes(pki.client.key.read_bytes())
    key.chmod(0o644)
    with _archive(made, pki) as archive:
        options = ("--tls", "--tls-ca", str(pki.ca), "--tls-cert", str(pki.client.certificate), "--tls-key", str(key))
        result = verify(archive, *options)
    assert result.exit_code == 0
    assert result.stderr == f"warning: {key}: others can read this private key; to restrict access: chmod 600 {key}\n"


def test_a_certificate_without_its_key_is_told_as_that_and_as_no_open_secret(
    verify: Verify, workstation: Peer, pki: Pki, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(pki.client.certificate.read_bytes())
    certificate.chmod(0o644)
    result = verify(Peer("DCM4CHEE", workstation.host, 1), "--tls", "--tls-cert", str(certificate))
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "",
        f"dcmcfg: {certificate}: the file has no private key in PEM form\n"
        f"  next: specify the file with the private key of {certificate} with --tls-key\n",
    )


def test_a_key_without_its_certificate_is_a_usage_error(
    verify: Verify, workstation: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer("DCM4CHEE", workstation.host, 1)
    result = verify(peer, "--tls-key", os.devnull)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--tls-key requires --tls-cert" in result.stderr
    monkeypatch.setenv("DCMCFG_TLS_KEY", os.devnull)
    result = verify(peer)
    assert result.exit_code == 2
    assert (
        "DCMCFG_TLS_KEY: this setting requires a certificate, but tls_cert is not set in the same place"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--tls-any-host",), "--tls-any-host"),
        (("--tls-ca", os.devnull), "--tls-ca"),
        (("--tls-any-host", "--tls-ca", os.devnull, "--receive"), "--tls-any-host"),
    ],
)
def test_an_option_that_verifies_nothing_in_a_plain_call_is_a_usage_error(
    verify: Verify, workstation: Peer, given: tuple[str, ...], named: str
) -> None:
    result = verify(Peer("DCM4CHEE", workstation.host, 1), *given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{named} requires --tls: without TLS, dcmcfg verifies no certificate" in result.stderr


def test_what_the_site_says_of_tls_holds_where_a_call_is_plain(
    verify: Verify, made: Made, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_TLS_CA", str(pki.ca))
    with scripted_archive(made, _sent) as archive:
        result = verify(archive)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_plain_archive_does_not_speak_tls(verify: Verify, made: Made, pki: Pki) -> None:
    with scripted_archive(made, _sent) as archive:
        result = verify(archive, "--tls", "--tls-ca", str(pki.ca))
    assert result.exit_code == 3
    assert "the peer does not use TLS at this address; nothing was sent" in result.stderr


def test_a_certificate_for_another_host_is_taken_where_that_risk_is_named(verify: Verify, made: Made, pki: Pki) -> None:
    files = TlsFiles(None, pki.elsewhere.certificate, pki.elsewhere.key)
    context: ssl.SSLContext = files.server_context()
    with scripted_archive(made, _sent, tls=context) as archive:
        refused = verify(archive, "--tls", "--tls-ca", str(pki.ca))
        assert verify(archive, "--tls", "--tls-ca", str(pki.ca), "--tls-any-host").exit_code == 0
    assert refused.exit_code == 3
    assert (
        "certificate not trusted: the called host is 127.0.0.1, but the certificate is for archive.invalid; nothing "
        "was sent" in refused.stderr
    )
