"""How the archive secures associations with those who call its TLS connection."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import TypeVar

from dcmcfg.lab.archive.configuration import Connection
from dcmcfg.lab.site import Site

#: Java's names of cipher suites, in those of OpenSSL; what else stands in LDAP is not offered.
_SUITES = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
}
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


T = TypeVar("T")


def server_context(site: Site, connection: Connection) -> ssl.SSLContext | None:
    """Return what accepts at *connection*; None where it has no suite or version that the lab has too.

    Who calls must show a certificate of the lab's authority, unless dcmTLSNeedClientAuth is FALSE.
    """
    versions = _known(connection.tls_versions, _VERSIONS)
    suites = _known(connection.cipher_suites, _SUITES)
    if not versions or not (suites or ssl.TLSVersion.TLSv1_3 in versions):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = min(versions), max(versions)
    if suites:
        context.set_ciphers(":".join(suites))
    context.load_cert_chain(site.archive_certificate, site.archive_key)
    context.load_verify_locations(site.authority)
    context.verify_mode = ssl.CERT_REQUIRED if connection.needs_client_certificate else ssl.CERT_NONE
    return context


def _known(named: Iterable[str], known: Mapping[str, T]) -> list[T]:
    return [known[each] for each in named if each in known]
