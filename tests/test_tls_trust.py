"""What TLS takes and refuses, alike for LDAP, HTTPS and DICOM."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dcmcfg.archive.control import ControlService
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError
from dcmcfg.tls_trust import UnusableCaFile, create_ssl_context
from dcmcfg.well_known_uids import VERIFICATION
from tests.tls_slapd import Files, leaf_files, written

pytestmark = pytest.mark.real

LOOPBACK = "127.0.0.1"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
#: Calls a port over TLS, with a CA file, and with --require-crl or not.
Call = Callable[[int, Path | None, bool], object]


def by_ldap(port: int, ca_file: Path | None, require_crl: bool) -> None:
    url = f"ldaps://{LOOPBACK}:{port}"
    connect(LdapServerSettings(url, DN(()), "cn=a", "secret", ca_file=ca_file, require_crl=require_crl)).close()


def by_https(port: int, ca_file: Path | None, require_crl: bool) -> None:
    ControlService(f"https://{LOOPBACK}:{port}", ca_file=ca_file, require_crl=require_crl).status()


def by_dicom(port: int, ca_file: Path | None, require_crl: bool) -> None:
    context = TlsFiles(ca_file, require_crl=require_crl).client_context()
    with open_association(Peer("A", LOOPBACK, port), "ME", [VERIFICATION], DicomTimeouts(), tls=context):
        pass


@pytest.fixture(params=[by_ldap, by_https, by_dicom])
def call(request: pytest.FixtureRequest) -> Call:
    called: Call = request.param
    return called


@dataclass
class Listener:
    """A port that speaks TLS and nothing above it; what it received after a handshake is kept."""

    port: int
    received: bytes = b""
    handshakes: int = 0


@contextmanager
def tls_listener(shown: Files, *versions: ssl.TLSVersion) -> Iterator[Listener]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    if versions:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = versions
    with socket.create_server((LOOPBACK, 0)) as server:
        listener = Listener(server.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                        listener.handshakes += 1
                        listener.received += secured.recv(1024)

        threading.Thread(target=serve, daemon=True).start()
        yield listener
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def failure_of(call: Call, port: int, ca_file: Path | None, *, require_crl: bool = False) -> str:
    """How the call ended: nobody answers above TLS."""
    with pytest.raises(DcmcfgError) as ended:
        call(port, ca_file, require_crl)
    return str(ended.value)


class Authority:
    """An authority with the files that clients take, and with revocation lists."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder, self.name, self.ca = folder, name, trustme.CA()
        self.key = serialization.load_pem_private_key(self.ca.private_key_pem.bytes(), None)
        self.certificate = x509.load_pem_x509_certificate(self.ca.cert_pem.bytes())

    def file(self, *more: bytes) -> Path:
        """A CA file, with *more* in it."""
        return written(self.folder, f"{self.name}-{len(more)}.pem", self.ca.cert_pem.bytes() + b"".join(more))

    def leaf(self) -> Files:
        return leaf_files(self.folder, f"{self.name}-leaf", self.ca.issue_cert(LOOPBACK))

    def crl(
        self, revoked: Files | None = None, *, since: dt.datetime = NOW - DAY, until: dt.datetime = NOW + DAY
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(since)
            .next_update(until)
        )
        if revoked is not None:
            serial = x509.load_pem_x509_certificate(revoked.certificate.read_bytes()).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build()
            builder = builder.add_revoked_certificate(entry)
        crl = builder.sign(self.key, hashes.SHA256())  # type: ignore[arg-type] # it is one that signs
        return crl.public_bytes(serialization.Encoding.PEM)

    def nameless(self) -> Files:
        """A certificate for 127.0.0.1 by its common name only."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [(NameOID.ORGANIZATION_NAME, "hospital"), (NameOID.COMMON_NAME, LOOPBACK)]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(kind, text) for kind, text in names]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .sign(self.key, hashes.SHA256())  # type: ignore[arg-type] # as above
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Files(
            written(self.folder, "nameless.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            written(self.folder, "nameless.key", private),
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_revocation_lists_in_the_ca_file_are_used(call: Call, authority: Authority) -> None:
    shown = authority.leaf()
    for crl, problem in (
        (authority.crl(shown), "the authority has revoked this certificate"),
        (
            authority.crl(until=NOW - dt.timedelta(hours=1)),
            "the revocation list (CRL) of the certificate's authority has expired",
        ),
        (authority.crl(since=NOW + DAY, until=NOW + 2 * DAY), "of the certificate's authority is not yet valid"),
        (
            Authority(authority.folder, "other").crl(),
            "the CA file contains revocation lists (CRLs), but no CRL of the authority that issued this certificate",
        ),
    ):
        with tls_listener(shown) as listener:
            assert problem in failure_of(call, listener.port, authority.file(crl))
        assert (listener.handshakes, listener.received) == (0, b"")


@pytest.mark.parametrize("with_crl", [True, False])
def test_a_certificate_that_is_not_revoked_is_taken(call: Call, authority: Authority, with_crl: bool) -> None:
    file = authority.file(authority.crl(), b"") if with_crl else authority.file()
    with tls_listener(authority.leaf()) as listener:
        assert "trusted" not in failure_of(call, listener.port, file, require_crl=with_crl)
    assert listener.received


def test_lists_that_are_required_must_be_there(call: Call, authority: Authority) -> None:
    expected = "no revocation list (CRL) in PEM format was found, but --require-crl requires a CRL"
    assert expected in failure_of(call, 1, authority.file(), require_crl=True)
    assert f"the CA certificates of this system cannot be used: {expected}" in failure_of(
        call, 1, None, require_crl=True
    )


def test_a_required_list_is_required_of_each_authority_of_the_chain(authority: Authority, tmp_path: Path) -> None:
    between = Authority(tmp_path, "between")
    between.ca = authority.ca.create_child_ca()
    between.key = serialization.load_pem_private_key(between.ca.private_key_pem.bytes(), None)
    between.certificate = x509.load_pem_x509_certificate(between.ca.cert_pem.bytes())
    file = written(tmp_path, "chain.pem", authority.ca.cert_pem.bytes() + between.crl())
    with tls_listener(between.leaf()) as listener:
        assert "trusted" not in failure_of(by_dicom, listener.port, file)
        assert "no CRL of the authority that issued this certificate" in failure_of(
            by_dicom, listener.port, file, require_crl=True
        )
        file.write_bytes(file.read_bytes() + authority.crl())
        assert "trusted" not in failure_of(by_dicom, listener.port, file, require_crl=True)


def test_a_file_of_revocation_lists_alone_trusts_nobody(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(UnusableCaFile, match="no certificate in PEM format was found"):
        create_ssl_context(written(tmp_path, "crl.pem", authority.crl()))


def test_a_certificate_without_subject_alt_name_is_refused_by_its_name(call: Call, authority: Authority) -> None:
    with tls_listener(authority.nameless()) as listener:
        shown = failure_of(call, listener.port, authority.file())
    assert f"CN={LOOPBACK}, O=hospital has no subjectAltName, so no host name can match" in shown
    is_suggested = "to accept the certificate for any host: --tls-any-host" in shown
    assert is_suggested == (call is by_dicom), "the others have no such option"
    assert listener.received == b""


def test_a_caller_whose_certificate_was_revoked_is_refused(authority: Authority) -> None:
    ours, theirs = authority.leaf(), leaf_files(authority.folder, "caller", authority.ca.issue_cert("caller"))
    for revoked in (theirs, None):
        file = authority.file(authority.crl(revoked))
        receiver = TlsFiles(file, ours.certificate, ours.key).server_context()
        caller = TlsFiles(file, theirs.certificate, theirs.key).client_context()
        assert ("revoked" in handshake(receiver, caller)) == (revoked is not None)
    TlsFiles(None, ours.certificate, ours.key, require_crl=True).server_context()  # which verifies no caller


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    """What the server says of the client's certificate, empty where it takes it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    called = server.wrap_bio(to_server, to_client, server_side=True)
    calling = client.wrap_bio(to_client, to_server, server_hostname=LOOPBACK)
    for _ in range(4):
        with suppress(ssl.SSLWantReadError):
            calling.do_handshake()
        try:
            called.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            return str(error)
    return ""


def test_a_certificate_without_subject_alt_name_is_taken_for_any_host(authority: Authority) -> None:
    context = TlsFiles(authority.file(), check_host=False).client_context()
    with (
        tls_listener(authority.nameless()) as listener,
        socket.create_connection((LOOPBACK, listener.port)) as plain,
        context.wrap_socket(plain, server_hostname=LOOPBACK) as secured,
    ):
        assert secured.version() is not None


@pytest.mark.parametrize("versions", [("TLSv1", "TLSv1"), ("TLSv1_1", "TLSv1_1"), ("TLSv1", "TLSv1_1")])
def test_a_peer_without_tls_1_2_is_told_as_that(call: Call, authority: Authority, versions: tuple[str, str]) -> None:
    lowest, highest = (ssl.TLSVersion[each] for each in versions)
    with tls_listener(authority.leaf(), lowest, highest) as listener:
        shown = failure_of(call, listener.port, authority.file())
    assert "the peer supports only TLS 1.1 or older, which is not secure; dcmcfg requires TLS 1.2 or 1.3" in shown
    assert " — " in shown, "with a next step"
    assert listener.received == b""
