"""TLS contexts of the archive for incoming and outgoing associations."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import TypeVar

from dcmcfg.lab.archive.configuration import Connection
from dcmcfg.lab.site import Site

#: Java name → OpenSSL name of cipher suites. Other suites in LDAP are not offered.
_SUITES = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
}
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


T = TypeVar("T")


def make_server_context(site: Site, connection: Connection) -> ssl.SSLContext | None:
    """Return the server context for *connection*; None if the lab supports none of its suites or versions.

    Callers must present a certificate of the lab's CA, unless dcmTLSNeedClientAuth is FALSE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not _restrict(context, connection.tls_versions, connection.cipher_suites):
        return None
    _load_certificates(context, site)
    context.verify_mode = ssl.CERT_REQUIRED if connection.needs_client_certificate else ssl.CERT_NONE
    return context


def make_client_context(site: Site, local: Connection, remote: Connection) -> ssl.SSLContext | None:
    """Return the client context for calls from *local* to *remote*, with the common suites and versions.

    None if the lab supports none of them, or in a lab without certificates. The peer must present a certificate of the
    lab's CA. The host name is not checked, because ``dcmTLSEndpointIdentificationAlgorithm`` is not set in a stock
    archive.
    """
    versions = [each for each in local.tls_versions if each in remote.tls_versions]
    suites = [each for each in local.cipher_suites if each in remote.cipher_suites]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not site.tls_folder.exists() or not _restrict(context, versions, suites):
        return None
    _load_certificates(context, site)
    context.check_hostname = False
    return context


def _restrict(context: ssl.SSLContext, versions: Iterable[str], suites: Iterable[str]) -> bool:
    """Restrict *context* to these versions and suites, as far as supported; return whether any remain."""
    known, ciphers = _select_known(versions, _VERSIONS), _select_known(suites, _SUITES)
    # TLS 1.3 has cipher suites of its own, so it needs none of these.
    if not known or not (ciphers or ssl.TLSVersion.TLSv1_3 in known):
        return False
    context.minimum_version, context.maximum_version = min(known), max(known)
    if ciphers:
        context.set_ciphers(":".join(ciphers))
    return True


def _load_certificates(context: ssl.SSLContext, site: Site) -> None:
    """Load the archive's certificate into *context*, and trust the lab's CA."""
    context.load_cert_chain(site.archive_certificate, site.archive_key)
    context.load_verify_locations(site.ca_certificate)


def _select_known(named: Iterable[str], known: Mapping[str, T]) -> list[T]:
    return [known[each] for each in named if each in known]
