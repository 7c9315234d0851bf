"""How far one gets with a peer, by TLS and without, against dcmtk's, Orthanc's and pynetdicom's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from pynetdicom import evt

from dcmcfg.connectivity.call import CallResult, CallStage, PeerEndpoint, call_peer
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from tests.dicom import dcmtk
from tests.dicom.certificates import Pki, make_pki
from tests.dicom.orthanc import orthanc
from tests.dicom.tls_scp import server_context, tls_scp
from tests.echo_scps import echo_scp, silent_listener
from tests.patience import PATIENT
from tests.ports import free_port
from tests.tls_slapd import YESTERDAY

pytestmark = pytest.mark.real
SHORT = replace(PATIENT, connect=0.3, acse=0.3)


@dataclass(frozen=True)
class Peers:
    """Who listens: over TLS and wanting a certificate of ours ``tls`` and ``orthanc``, without TLS ``plain``."""

    pki: Pki
    tls: Peer
    orthanc: Peer
    plain: Peer

    def call(self, peer: Peer, shown: TlsFiles | None = None, *, tls: bool = True) -> CallResult:
        files = shown or TlsFiles(self.pki.ca, self.pki.client.certificate, self.pki.client.key)
        return call_peer(PeerEndpoint(peer, tls), "ME", PATIENT, files.client_context())


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    folder = tmp_path_factory.mktemp("peers")
    pki = make_pki(folder)
    options = ["+tls", str(pki.server.key), str(pki.server.certificate), "+cf", str(pki.ca)]
    configuration = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(pki.server.certificate),
        "DicomTlsPrivateKey": str(pki.server.key),
        "DicomTlsTrustedCertificates": str(pki.ca),
        "DicomModalities": {"me": ["ME", dcmtk.LOOPBACK, 104]},
    }
    with ExitStack() as stack:
        yield Peers(
            pki,
            stack.enter_context(dcmtk.storescp(folder / "tls", options=options)),
            stack.enter_context(orthanc(folder, "ORTHANC", free_port(), {"tls.json": json.dumps(configuration)})),
            stack.enter_context(dcmtk.storescp(folder / "plain")),
        )


@pytest.mark.parametrize("name", ["tls", "orthanc"])
def test_an_echo_over_tls_tells_how_the_line_is_secured(peers: Peers, name: str) -> None:
    verdict = peers.call(getattr(peers, name))
    assert (verdict.problem, verdict.failed_stage, verdict.next_step) == ("", None, "")
    assert verdict.tls_session is not None
    assert verdict.tls_session.version.startswith("TLSv1.")
    assert verdict.tls_session.certificate_subject.startswith("CN=archive, ")


@pytest.mark.parametrize("name", ["tls", "orthanc"])
def test_a_peer_that_wants_a_certificate_of_ours_is_told_as_that(peers: Peers, name: str) -> None:
    verdict = peers.call(getattr(peers, name), peers.pki.trusting)
    assert verdict.failed_stage is CallStage.TLS
    assert verdict.problem.startswith("the peer ")
    assert verdict.next_step.startswith("specify a certificate that the peer trusts")


@pytest.mark.parametrize("name", ["tls", "orthanc"])
def test_a_peer_that_speaks_tls_on_a_plain_connection_is_told_as_that(peers: Peers, name: str) -> None:
    verdict = peers.call(getattr(peers, name), tls=False)
    assert verdict.failed_stage is CallStage.ASSOCIATION
    assert verdict.problem == "no association: the peer uses TLS at this port, but dcmcfg connected without TLS"
    assert "dicomTLSCipherSuite" in verdict.next_step


def test_a_peer_that_speaks_plainly_on_a_tls_connection_is_told_as_that_also_where_it_refuses_us(peers: Peers) -> None:
    with echo_scp("OTHER", only=True) as refusing:
        for peer in (peers.plain, Peer("X", dcmtk.LOOPBACK, refusing)):
            verdict = peers.call(peer)
            assert verdict.failed_stage is CallStage.TLS
            assert verdict.problem == "no TLS: the peer uses DICOM without TLS at this port"
            assert "dicomTLSCipherSuite" in verdict.next_step


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        ("expired", f"it expired on {YESTERDAY:%Y-%m-%d}"),
        ("elsewhere", "the called host is 127.0.0.1, but the certificate is for archive.invalid"),
        ("strange", "dcmcfg does not trust the certificate authority"),
    ],
)
def test_a_certificate_that_is_not_taken_is_told_with_its_reason(peers: Peers, shown: str, problem: str) -> None:
    with tls_scp(server_context(getattr(peers.pki, shown))) as peer:
        verdict = peers.call(peer)
    assert verdict.failed_stage is CallStage.TLS
    assert verdict.problem == f"certificate not trusted: {problem}; nothing was sent"
    assert verdict.next_step


def test_what_keeps_silent_or_is_something_else_is_not_taken_for_dicom_or_tls(peers: Peers) -> None:
    context = peers.pki.trusting.client_context()
    with silent_listener() as silent:
        tls = call_peer(PeerEndpoint(Peer("X", dcmtk.LOOPBACK, silent), tls=True), "ME", SHORT, context)
        plain = call_peer(PeerEndpoint(Peer("X", dcmtk.LOOPBACK, silent)), "ME", SHORT, None)
        nobody = peers.call(Peer("X", dcmtk.LOOPBACK, free_port()))
    assert (tls.failed_stage, tls.problem) == (
        CallStage.TLS,
        "no TLS: no answer to the TLS handshake within 0.3 s",
    )
    assert (plain.failed_stage, plain.problem) == (
        CallStage.ASSOCIATION,
        "no answer to the association request within 0.3 s",
    )
    assert (nobody.failed_stage, nobody.problem) == (
        CallStage.TCP,
        "connection refused: nothing listens at this address",
    )


def test_an_echo_that_is_refused_or_broken_off_within_the_association_is_told_as_that() -> None:
    def refuse(_event: evt.Event) -> int:
        return 0x0122

    def leave(event: evt.Event) -> int:
        event.assoc.abort()
        return 0x0000

    verdicts = []
    for handler in (refuse, leave):
        with echo_scp("X", handlers=[(evt.EVT_C_ECHO, handler)]) as port:
            verdicts.append(call_peer(PeerEndpoint(Peer("X", dcmtk.LOOPBACK, port)), "ME", PATIENT, None))
    assert [verdict.failed_stage for verdict in verdicts] == [CallStage.ECHO, CallStage.ECHO]
    assert [verdict.problem.startswith("C-ECHO") for verdict in verdicts] == [True, True]


def test_a_rejection_is_one_of_the_association_over_tls_too(peers: Peers) -> None:
    with echo_scp("OTHER", only=True, tls=server_context(peers.pki.server)) as port:
        verdict = peers.call(Peer("X", dcmtk.LOOPBACK, port))
    assert verdict.failed_stage is CallStage.ASSOCIATION
    assert "called AE title not recognised" in verdict.problem
