"""How the stand-in archive secures its TLS connection, and whom it calls over TLS."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.connectivity.call import CallStage, PeerEndpoint, call_peer
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.dn import DN
from dcmcfg.lab.archive.configuration import Connection, NetworkAE
from dcmcfg.lab.archive.java_exceptions import IncompatibleConnectionException
from dcmcfg.lab.archive.outgoing_connection import select_connection
from dcmcfg.lab.archive.securing import make_client_context, make_server_context
from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import LOOPBACK, Site
from tests.dicom import dcmtk
from tests.lab.running_site import RunningSite
from tests.patience import PATIENT

STOCK = Connection(
    DN.parse("cn=dicom-tls").normalised(),
    LOOPBACK,
    2762,
    installed=True,
    cipher_suites=("TLS_RSA_WITH_AES_128_CBC_SHA", "SSL_RSA_WITH_3DES_EDE_CBC_SHA"),
    tls_versions=("TLSv1.2",),
)
AES_256 = "TLS_RSA_WITH_AES_256_CBC_SHA"


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("lab"), choose_ports())
    make_certificates(site)
    return site


def test_a_stock_connection_offers_what_its_suites_and_version_say_and_wants_a_certificate(certified: Site) -> None:
    context = make_server_context(certified, STOCK)
    assert context is not None
    older = [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert older == ["AES128-SHA"]
    assert context.maximum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_settings_of_the_connection_are_followed(certified: Site) -> None:
    connection = replace(STOCK, tls_versions=("TLSv1.3", "TLSv1.2"), needs_client_certificate=False)
    context = make_server_context(certified, connection)
    assert context is not None
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert context.verify_mode == ssl.CERT_NONE


def test_without_a_suite_or_a_version_that_the_lab_knows_nothing_is_accepted(certified: Site) -> None:
    assert make_server_context(certified, replace(STOCK, cipher_suites=STOCK.cipher_suites[1:])) is None
    assert make_server_context(certified, replace(STOCK, tls_versions=("TLSv1",))) is None


def test_a_call_offers_what_both_connections_have_and_shows_the_archives_certificate(certified: Site) -> None:
    own = replace(STOCK, cipher_suites=(*STOCK.cipher_suites, AES_256), tls_versions=("TLSv1.2", "TLSv1.3"))
    theirs = replace(STOCK, cipher_suites=(AES_256,))
    context = make_client_context(certified, own, theirs)
    assert context is not None
    assert [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"] == ["AES256-SHA"]
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


def ae(title: str, *connections: Connection) -> NetworkAE:
    return NetworkAE(title, installed=True, acceptor=True, connections=connections)


PLAIN = replace(STOCK, port=104, cipher_suites=())


@pytest.mark.parametrize(
    ("theirs", "own", "port"),
    [
        ((PLAIN, STOCK), (STOCK, PLAIN), 104),
        ((STOCK, PLAIN), (PLAIN, STOCK), 2762),
        ((STOCK,), (PLAIN, STOCK), 2762),
        ((replace(STOCK, installed=False), replace(STOCK, port=2763)), (STOCK,), 2763),
        ((STOCK,), (PLAIN,), None),
        ((replace(STOCK, cipher_suites=(AES_256,)),), (STOCK,), None),
        ((replace(STOCK, tls_versions=("TLSv1.3",)),), (STOCK,), None),
        ((replace(STOCK, port=None),), (STOCK,), None),
    ],
)
def test_the_first_pair_of_connections_that_fit_is_the_line(
    certified: Site, theirs: tuple[Connection, ...], own: tuple[Connection, ...], port: int | None
) -> None:
    remote, local = ae("STORESCP", *theirs), ae("DCM4CHEE", *own)
    if port is None:
        with pytest.raises(IncompatibleConnectionException):
            select_connection(certified, remote, local)
        return
    line = select_connection(certified, remote, local)
    assert (line.peer.port, line.local_connection.tls, line.tls is not None) == (port, port != 104, port != 104)


def test_a_lab_without_certificates_calls_nobody_over_tls(tmp_path: Path) -> None:
    with pytest.raises(IncompatibleConnectionException):
        select_connection(Site(tmp_path, choose_ports()), ae("STORESCP", STOCK), ae("DCM4CHEE", STOCK))


@pytest.mark.real
def test_the_archive_answers_on_its_tls_port_who_shows_a_certificate_of_the_lab(bare_site: RunningSite) -> None:
    site = bare_site.site
    make_certificates(site)
    bare_site.start("archive")
    peer = Peer("DCM4CHEE", LOOPBACK, site.ports.archive_tls)
    files = TlsFiles(site.ca_certificate, site.client_certificate, site.client_key)
    verdict = call_peer(PeerEndpoint(peer, tls=True), "ME", PATIENT, files.client_context())
    assert verdict.problem == ""
    assert verdict.tls_session is not None
    assert (verdict.tls_session.version, verdict.tls_session.cipher) == ("TLSv1.2", "AES128-SHA")

    options = ["+tls", str(site.client_key), str(site.client_certificate), "+cf", str(site.ca_certificate)]
    taken = dcmtk.echoscu(peer, options=[*options, "+pa"])  # PS3.15's retired AES profile, that of a stock archive
    assert taken.returncode == 0, taken.stderr
    assert dcmtk.echoscu(peer, options=options).returncode != 0, "BCP 195 has no cipher suite in common with it"

    bare = call_peer(PeerEndpoint(peer, tls=True), "ME", PATIENT, TlsFiles(site.ca_certificate).client_context())
    assert (bare.failed_stage, "--tls-cert" in bare.next_step) == (CallStage.TLS, True)
    plainly = call_peer(PeerEndpoint(peer), "ME", PATIENT, None)
    assert plainly.problem == "no association: the peer uses TLS at this port, but dcmcfg connected without TLS"
    assert bare_site.archive.port != peer.port
    assert call_peer(PeerEndpoint(bare_site.archive), "ME", PATIENT, None).is_success
