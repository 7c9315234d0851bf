"""Connections of every kind to a real slapd: what is trusted, what is refused, and that nothing is sent before."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from dcmcfg.directory.ldap import connect
from dcmcfg.errors import DirectoryError
from tests.connecting import server_at, server_of
from tests.running_slapd import RunningSlapd
from tests.tls_slapd import (
    PAST,
    TOMORROW,
    YESTERDAY,
    Files,
    ManyFacedSlapd,
    authority_files,
    leaf_files,
    many_faced,
    written,
)

pytestmark = pytest.mark.real

NOBODY: dict[str, Any] = {"bind_dn": "", "password": "", "sasl_external": True}
ADMIN = f"dn:{RunningSlapd.bind_dn}"


@dataclass(frozen=True)
class Pki:
    """An authority that both sides trust, a stranger, and what they signed."""

    folder: Path
    authority: trustme.CA
    stranger: trustme.CA

    @property
    def ca_file(self) -> Path:
        return written(self.folder, "ca.pem", self.authority.cert_pem.bytes())

    @property
    def stranger_file(self) -> Path:
        return written(self.folder, "stranger.pem", self.stranger.cert_pem.bytes())

    def client(self, name: str = "client") -> Files:
        signer = self.authority if name == "client" else self.stranger
        return leaf_files(self.folder, name, signer.issue_cert(common_name="dcmcfg"))

    def server(self, *names: str, **validity: Any) -> Files:
        return leaf_files(self.folder, "server", self.authority.issue_cert(*(names or ("localhost",)), **validity))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"), trustme.CA(), trustme.CA())


Start = Callable[..., ManyFacedSlapd]


@pytest.fixture
def start(tmp_path: Path, site_database: Path) -> Iterator[Start]:
    running: list[ManyFacedSlapd] = []

    def run(*arguments: Any, **options: Any) -> ManyFacedSlapd:
        running.append(many_faced(tmp_path / "slapd", site_database, *arguments, **options))
        running[-1].start()
        return running[-1]

    yield run
    for server in running:
        server.stop()


def who(slapd: ManyFacedSlapd, **changed: Any) -> str:
    with connect(server_of(RunningSlapd(slapd), **changed)) as directory:
        return directory.who_am_i()


def refused(slapd: ManyFacedSlapd, **changed: Any) -> str:
    with pytest.raises(DirectoryError) as refusal:
        who(slapd, **changed)
    assert refusal.value.exit_code == 3
    return str(refusal.value)


def test_every_way_in_leads_in(start: Start, pki: Pki) -> None:
    slapd = start(pki.server("localhost", "127.0.0.1"), pki.ca_file)
    shown = {"client_cert": pki.client().certificate, "client_key": pki.client().key}
    assert who(slapd) == ADMIN
    assert who(slapd, url=slapd.ldapi_url) == ADMIN
    assert who(slapd, url=slapd.ldaps_url, ca_file=pki.ca_file) == ADMIN
    assert who(slapd, url=f"ldaps://127.0.0.1:{slapd.ldaps_port}", ca_file=pki.ca_file) == ADMIN
    assert who(slapd, url=slapd.starttls_url, ca_file=pki.ca_file, starttls=True) == ADMIN
    assert who(slapd, url=slapd.ldaps_url, ca_file=pki.ca_file, **shown) == ADMIN
    assert who(slapd, url=slapd.ldapi_url, **NOBODY) == ADMIN
    assert who(slapd, url=slapd.ldaps_url, ca_file=pki.ca_file, **shown, **NOBODY) == "dn:uid=dcmcfg"
    assert who(slapd, url=slapd.starttls_url, ca_file=pki.ca_file, starttls=True, **shown, **NOBODY) == "dn:uid=dcmcfg"


def test_a_key_may_stand_in_the_certificates_file(start: Start, pki: Pki) -> None:
    slapd = start(pki.server(), pki.ca_file, demand=True)
    client = pki.client()
    both = written(pki.folder, "both.pem", client.certificate.read_bytes() + client.key.read_bytes())
    assert who(slapd, url=slapd.ldaps_url, ca_file=pki.ca_file, client_cert=both, **NOBODY) == "dn:uid=dcmcfg"


def test_anonymous_is_nobody(start: Start) -> None:
    assert who(start(), bind_dn="", password="") == ""


def test_a_connection_that_is_opened_again_is_as_secure(start: Start, pki: Pki) -> None:
    slapd = start(pki.server())
    server = server_of(RunningSlapd(slapd), url=slapd.starttls_url, ca_file=pki.ca_file, starttls=True)
    with connect(server).reopen() as directory:
        assert directory.who_am_i() == ADMIN
    assert slapd.log_file.read_text().count("TLS established") == 2


@pytest.mark.parametrize("kind", ["ldaps", "starttls"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            "no ca",
            "comes from an authority that is not trusted; nothing was sent — specify the CA certificate with --ca-file",
        ),
        (
            "wrong ca",
            "comes from an authority that is not trusted; nothing was sent — specify the CA certificate with --ca-file",
        ),
        ("wrong name", "is for another host name; nothing was sent — use a name that the certificate contains"),
        ("wrong address", "is for another address; nothing was sent — use a name that the certificate contains"),
        ("expired", "has expired; nothing was sent — install a new certificate on the server"),
        ("not yet valid", "is not yet valid; nothing was sent — install a new certificate on the server"),
        ("self-signed", "is self-signed; nothing was sent — if you trust this certificate, specify it"),
    ],
)
def test_a_fault_of_the_servers_certificate_is_refused_before_the_bind(
    start: Start, pki: Pki, kind: str, fault: str, expected: str
) -> None:
    shown = {
        "wrong name": lambda: pki.server("elsewhere.example"),
        "expired": lambda: pki.server(not_before=PAST, not_after=YESTERDAY),
        "not yet valid": lambda: pki.server(not_before=TOMORROW),
        "self-signed": lambda: authority_files(pki.folder, "alone", trustme.CA()),
    }.get(fault, pki.server)()
    ca_file = {"no ca": None, "wrong ca": pki.stranger_file}.get(fault, pki.ca_file)
    slapd = start(shown)
    url = slapd.ldaps_url if kind == "ldaps" else slapd.starttls_url
    if fault == "wrong address":
        url = url.replace("localhost", "127.0.0.1")
    error = refused(slapd, url=url, ca_file=ca_file, starttls=kind == "starttls")
    assert error.startswith(f"{url}: the server's certificate {expected}")
    assert slapd.binds == []


def test_starttls_that_is_not_offered_is_an_error_and_nothing_is_sent(start: Start, pki: Pki) -> None:
    slapd = start()
    assert refused(slapd, url=slapd.starttls_url, starttls=True) == (
        f"{slapd.starttls_url}: the server does not offer StartTLS, and dcmcfg does not send data unencrypted — "
        "use ldaps:// if the server has a TLS port, or enable StartTLS on the server"
    )
    assert slapd.binds == []


def test_a_url_of_the_other_kind_of_port_is_told(start: Start, pki: Pki) -> None:
    slapd = start(pki.server())
    plain_port = f"ldaps://localhost:{slapd.port}"
    assert ("does not use TLS on this port; nothing was sent — use ldaps:// with a TLS port") in refused(
        slapd, url=plain_port
    )
    tls_port = f"ldap://localhost:{slapd.ldaps_port}"
    for starttls, when in ((False, "bind"), (True, "StartTLS")):
        assert refused(slapd, url=tls_port, starttls=starttls) == (
            f"{tls_port}: the server ended the connection after the {when} request — "
            "for a TLS port, use an ldaps:// URL"
        )
    assert slapd.binds == []


@pytest.mark.parametrize("kind", ["ldaps", "starttls"])
@pytest.mark.parametrize("shown", [None, "other"])
def test_a_client_certificate_that_the_server_does_not_take_is_told(
    start: Start, pki: Pki, kind: str, shown: str | None
) -> None:
    slapd = start(pki.server(), pki.ca_file, demand=True)
    url = slapd.ldaps_url if kind == "ldaps" else slapd.starttls_url
    other = pki.client("other")
    files = {"client_cert": other.certificate, "client_key": other.key} if shown else {}
    error = refused(slapd, url=url, ca_file=pki.ca_file, starttls=kind == "starttls", **files)
    assert error.startswith(f"{url}: the server closed the connection during the TLS handshake")
    assert error.endswith("The server might require another client certificate — specify a client certificate "
        "from an authority that the server trusts: --client-cert and --client-key")  # fmt: skip
    assert slapd.binds == []


def test_external_without_anything_to_go_by_is_told(start: Start, pki: Pki) -> None:
    slapd = start(pki.server(), pki.ca_file)
    error = refused(slapd, url=slapd.ldaps_url, ca_file=pki.ca_file, **NOBODY)
    assert error.startswith(
        f"SASL EXTERNAL @ {slapd.ldaps_url}: the server does not support this authentication method"
    )
    assert "use --bind-dn" in error


def test_files_that_cannot_be_used_are_told_before_the_server_is_met(start: Start, pki: Pki, tmp_path: Path) -> None:
    """The server is not even there: the port is closed, and the file is what is told."""
    client = pki.client()
    garbage = written(tmp_path, "garbage", b"no PEM")
    gone = tmp_path / "gone"
    usable: dict[str, Any] = {"client_cert": client.certificate, "client_key": client.key}

    def expected(**files: Any) -> str:
        with pytest.raises(DirectoryError) as refusal:
            connect(server_at(9, **{"starttls": True} | files))
        return str(refusal.value)

    assert expected().startswith("ldap://127.0.0.1:9: cannot connect")
    assert expected(ca_file=gone).startswith(f"{gone}: the file cannot be used: it cannot be read (No such file")
    assert expected(ca_file=gone).endswith("check --ca-file")
    assert expected(ca_file=garbage).startswith(
        f"{garbage}: the file cannot be used: no certificate in PEM format was found"
    )
    assert expected(**usable | {"client_cert": gone}).endswith("(No such file or directory) — check --client-cert")
    assert expected(**usable | {"client_key": tmp_path}).endswith("(Is a directory) — check --client-key")
    assert expected(**usable | {"client_cert": garbage}).startswith(f"{garbage}, {client.key}: not a certificate")
    assert expected(**usable | {"client_key": None}).startswith(f"{client.certificate}: not a certificate and")
    other = pki.client("other")
    assert expected(**usable | {"client_key": other.key}) == (
        f"{other.key}: the private key does not match the certificate — "
        f"specify the key of {client.certificate} with --client-key"
    )


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(pki: Pki, tmp_path: Path) -> None:
    client = pki.client()
    key = serialization.load_pem_private_key(client.key.read_bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    locked = written(tmp_path, "locked", key.private_bytes(*form, serialization.BestAvailableEncryption(b"x")))
    with pytest.raises(DirectoryError, match="dcmcfg supports only private keys without a passphrase"):
        connect(server_at(9, starttls=True, client_cert=client.certificate, client_key=locked))


def test_a_handshake_that_is_never_answered_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        server = server_at(port, url=f"ldaps://127.0.0.1:{port}", receive_timeout_s=1)
        with pytest.raises(DirectoryError, match=r"time-out in the TLS handshake — check that the port is a TLS port"):
            connect(server)


@pytest.mark.parametrize("path", ["gone", "n" * 200])
def test_a_socket_that_is_not_there_is_told(path: str) -> None:
    with pytest.raises(DirectoryError, match=r"cannot connect to the LDAP server: .*--ldap-url"):
        connect(server_at(9, url=f"ldapi://%2F{path}", **NOBODY))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" * 10,
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x03\x02\x01\x01",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x84\xff\xff\xff\xff",
    ],
)
@pytest.mark.parametrize("starttls", [False, True])
def test_what_is_no_ldap_server_is_told_and_gets_no_password_where_tls_was_asked_for(
    answer: bytes, *, starttls: bool
) -> None:
    got: list[bytes] = []

    def serve() -> None:
        with listener.accept()[0] as stream:
            got.append(stream.recv(4096))
            stream.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DirectoryError, match=r"for a TLS port, use an ldaps:// URL"):
            connect(server_at(listener.getsockname()[1], starttls=starttls, receive_timeout_s=5))
        thread.join()
    assert (b"secret" in got[0]) is not starttls
