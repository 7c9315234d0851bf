"""Associations over TLS, with dcmtk's and pynetdicom's peers."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.peer_identity import TlsSession, identify_peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.dicom.ul.command_set import CommandField
from dcmcfg.errors import DicomError
from dcmcfg.well_known_uids import VERIFICATION
from tests.dicom import dcmtk
from tests.dicom.certificates import Pki, make_pki
from tests.dicom.tls_scp import server_context, tls_scp
from tests.tls_slapd import TOMORROW, YESTERDAY, leaf_files, written

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def _echo(peer: Peer, files: TlsFiles | None, timeouts: DicomTimeouts) -> TlsSession | None:
    context = files.client_context() if files else None
    with open_association(peer, "ME", [VERIFICATION], timeouts, tls=context) as opened:
        response = opened.send(CommandField.C_ECHO, VERIFICATION).wait_for_response(timeouts.dimse)
        assert response is not None
        assert response.status == 0
        return identify_peer(opened).tls_session


def _refused(peer: Peer, files: TlsFiles | None, timeouts: DicomTimeouts) -> DicomError:
    with pytest.raises(DicomError) as error_info:
        _echo(peer, files, timeouts)
    assert error_info.value.subject == str(peer)
    return error_info.value


def test_dcmtk_s_storescp_takes_our_certificate_and_shows_its_own(
    pki: Pki, tmp_path: Path, timeouts: DicomTimeouts
) -> None:
    options = ["+tls", str(pki.server.key), str(pki.server.certificate), "+cf", str(pki.ca)]
    with dcmtk.storescp(tmp_path / "in", options=options) as peer:
        shown = TlsFiles(pki.ca, pki.client.certificate, pki.client.key)
        secured = _echo(peer, shown, timeouts)
        assert secured is not None
        assert secured.version.startswith("TLSv1.")
        assert secured.cipher
        assert secured.certificate_subject.startswith("CN=archive, OU=Testing cert")
        assert secured.certificate_subject.endswith(", O=hospital")
        assert secured.certificate_valid_until is not None
        without = _refused(peer, pki.trusting, timeouts)
    assert "client certificate" in without.message or "our certificate" in without.message, without
    assert "--tls-cert" in without.next_step


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_client_certificate_that_is_wanted_is_asked_for_in_words(
    version: ssl.TLSVersion, pki: Pki, timeouts: DicomTimeouts
) -> None:
    with tls_scp(server_context(pki.server, pki.ca, version=version)) as peer:
        assert _echo(peer, TlsFiles(pki.ca, pki.client.certificate, pki.client.key), timeouts) is not None
        without = _refused(peer, pki.trusting, timeouts)
        strange = _refused(peer, TlsFiles(pki.ca, pki.strange.certificate, pki.strange.key), timeouts)
    words = {
        ssl.TLSVersion.TLSv1_2: "(handshake failure)",
        ssl.TLSVersion.TLSv1_3: "the peer requires a client certificate",
    }
    assert words[version] in without.message
    for error in (without, strange):
        assert error.next_step.startswith("specify a certificate that the peer trusts")
    assert "the peer refused the certificate of dcmcfg (TLS alert: unknown ca)" in strange.message


@pytest.mark.parametrize(
    ("shown", "trusted", "what", "next_step"),
    [
        ("server", "strange_ca", "dcmcfg does not trust the certificate authority", "--tls-ca"),
        ("expired", "ca", f"it expired on {YESTERDAY:%Y-%m-%d}", "check the clock of this machine"),
        ("early", "ca", f"it is not valid before {TOMORROW:%Y-%m-%d}", "check the clock of this machine"),
        (
            "elsewhere",
            "ca",
            "the called host is 127.0.0.1, but the certificate is for archive.invalid",
            "--connect",
        ),
    ],
)
def test_what_is_wrong_with_the_peer_s_certificate_is_told(
    shown: str, trusted: str, what: str, next_step: str, pki: Pki, timeouts: DicomTimeouts
) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with tls_scp(server_context(getattr(pki, shown), pki.ca, version=version)) as peer:
            error = _refused(peer, TlsFiles(getattr(pki, trusted)), timeouts)
        assert error.message == f"certificate not trusted: {what}; nothing was sent"
    assert next_step in error.next_step


def test_any_host_is_taken_only_where_that_is_said_and_any_authority_never(pki: Pki, timeouts: DicomTimeouts) -> None:
    anywhere = replace(pki.trusting, check_host=False)
    with tls_scp(server_context(pki.elsewhere)) as peer:
        assert _echo(peer, anywhere, timeouts) is not None
        assert (
            "dcmcfg does not trust the certificate authority"
            in _refused(peer, replace(anywhere, ca=pki.strange_ca), timeouts).message
        )


def test_a_plain_port_does_not_speak_tls(pki: Pki, tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer:
        error = _refused(peer, pki.trusting, replace(timeouts, connect=1))
    assert ("the peer does not use TLS at this address" in error.message) or (
        "no answer to the TLS handshake" in error.message
    )
    assert "TLS port" in error.next_step


def test_a_tls_port_does_not_speak_plainly_and_tls_is_the_next_step(pki: Pki, timeouts: DicomTimeouts) -> None:
    with tls_scp(server_context(pki.server)) as peer:
        error = _refused(peer, None, timeouts)
    assert "--tls" in error.next_step


def test_what_a_stock_archive_offers_is_taken(pki: Pki, tmp_path: Path, timeouts: DicomTimeouts) -> None:
    authority = trustme.CA()
    stock = leaf_files(tmp_path, "stock", authority.issue_cert(dcmtk.LOOPBACK, key_type=trustme.KeyType.RSA))
    trusting = TlsFiles(written(tmp_path, "ca.pem", authority.cert_pem.bytes()))
    with pytest.raises(DicomError, match="does not belong to the certificate"):
        TlsFiles(None, pki.client.certificate, stock.key).client_context()  # a key of another kind, in passing
    context = server_context(stock, version=ssl.TLSVersion.TLSv1_2)
    assert "AES128-SHA" in [each["name"] for each in context.get_ciphers()], "nor do we refuse such an archive"
    context.set_ciphers("AES128-SHA")  # TLS_RSA_WITH_AES_128_CBC_SHA
    with tls_scp(context) as peer:
        secured = _echo(peer, trusting, timeouts)
    assert secured is not None
    assert (secured.version, secured.cipher) == ("TLSv1.2", "AES128-SHA")


def test_versions_that_have_nothing_in_common_are_named(pki: Pki, timeouts: DicomTimeouts) -> None:
    context = pki.trusting.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        tls_scp(server_context(pki.server, version=ssl.TLSVersion.TLSv1_3)) as peer,
        pytest.raises(DicomError, match=r"the peer supports only TLS 1.1 or older") as error_info,
        open_association(peer, "ME", [VERIFICATION], timeouts, tls=context),
    ):
        pass
    assert "dcmTLSProtocol" in error_info.value.next_step


def _protected(pki: Pki, folder: Path) -> Path:
    openssl = shutil.which("openssl")
    assert openssl
    key = folder / "protected.key"
    command = [openssl, "pkey", "-in", str(pki.client.key), "-aes256", "-passout", "pass:open sesame", "-out", str(key)]
    subprocess.run(command, check=True)
    return key


def test_a_key_with_a_passphrase_is_opened_by_it(pki: Pki, tmp_path: Path) -> None:
    files = TlsFiles(pki.ca, pki.client.certificate, _protected(pki, tmp_path))
    assert replace(files, passphrase=lambda: "open sesame").client_context()
    with pytest.raises(DicomError, match="or the passphrase is wrong"):
        replace(files, passphrase=lambda: "wrong").client_context()
    with pytest.raises(DicomError, match="the private key is protected by a passphrase"):
        files.client_context()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda files, _: replace(files, ca=Path("/nowhere.pem")), "No such file"),
        (lambda files, _: replace(files, ca=files.key), "no certificate in PEM format was found"),
        (lambda files, _: replace(files, certificate=Path("/nowhere.pem")), "No such file"),
        (lambda files, _: replace(files, key=Path("/nowhere.key")), "No such file"),
        (lambda files, pki: replace(files, key=pki.server.key), "does not belong to the certificate"),
        (lambda files, _: replace(files, key=None), "the file has no private key in PEM form"),
        (lambda files, _: replace(files, key=files.ca), "the file has no private key in PEM form"),
        (lambda files, _: replace(files, certificate=files.key), "not a certificate and a private key in PEM form"),
    ],
)
def test_files_that_cannot_be_used_are_named(spoil: Callable[[TlsFiles, Pki], TlsFiles], what: str, pki: Pki) -> None:
    files = TlsFiles(pki.ca, pki.client.certificate, pki.client.key)
    for context in (TlsFiles.client_context, TlsFiles.server_context):
        with pytest.raises(DicomError, match=what) as error_info:
            context(spoil(files, pki))
        assert "--tls-" in error_info.value.next_step
        assert error_info.value.subject


def test_a_server_without_a_certificate_is_refused(pki: Pki) -> None:
    with pytest.raises(DicomError, match="a TLS server requires a certificate"):
        pki.trusting.server_context()
