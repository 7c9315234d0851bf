"""Identify a peer from the data that it sends while the association is opened."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.peer_certificate import format_subject, parse_openssl_time


@dataclass(frozen=True)
class TlsSession:
    """The TLS session of a connection: version and cipher suite as named by OpenSSL, and the peer's certificate.

    ``certificate_subject`` has the form ``CN=archive, O=hospital``, ``""`` if there is none.
    """

    version: str
    cipher: str
    certificate_subject: str
    certificate_valid_until: datetime | None


@dataclass(frozen=True)
class PeerIdentity:
    """The implementation of the peer (PS3.7 §D.3.3.2), ``""`` if it does not send it, and the TLS session."""

    implementation_class_uid: str
    implementation_version_name: str
    tls_session: TlsSession | None = None


def identify_peer(association: OpenAssociation) -> PeerIdentity:
    """Return the identity that the peer sent when *association* was opened."""
    acceptance, connection = association.ul_association.acceptance, association.ul_association.connection.connection
    return PeerIdentity(
        acceptance.implementation_class_uid,
        acceptance.implementation_version_name,
        _read_tls_session(connection) if isinstance(connection, ssl.SSLSocket) else None,
    )


def _read_tls_session(socket: ssl.SSLSocket) -> TlsSession | None:
    cipher = socket.cipher()
    certificate = socket.getpeercert() or {}
    return TlsSession(
        socket.version() or "",
        cipher[0] if cipher else "",
        format_subject(certificate.get("subject", ())),  # type: ignore[arg-type] # typeshed has it wider
        parse_openssl_time(certificate.get("notAfter")),
    )
