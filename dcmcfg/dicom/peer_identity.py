"""What a peer tells of itself while the association is opened."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.peer_certificate import moment, subject_in_words


@dataclass(frozen=True)
class Secured:
    """The TLS of a connection: version and cipher suite as OpenSSL names them, and the peer's certificate.

    ``subject`` is in the form ``CN=archive, O=hospital``, ``""`` where it has none.
    """

    version: str
    cipher: str
    subject: str
    valid_until: datetime | None


@dataclass(frozen=True)
class Acquainted:
    """The implementation of the peer (PS3.7 §D.3.3.2), ``""`` where it does not say, and how the line is secured."""

    implementation_class_uid: str
    implementation_version_name: str
    secured: Secured | None = None


def acquainted(opened: OpenAssociation) -> Acquainted:
    """Return what the peer told when *opened* was."""
    acceptance, connection = opened.association.acceptance, opened.association.wire.connection
    return Acquainted(
        acceptance.implementation_class_uid,
        acceptance.implementation_version_name,
        _secured(connection) if isinstance(connection, ssl.SSLSocket) else None,
    )


def _secured(socket: ssl.SSLSocket) -> Secured | None:
    cipher = socket.cipher()
    certificate = socket.getpeercert() or {}
    return Secured(
        socket.version() or "",
        cipher[0] if cipher else "",
        subject_in_words(certificate.get("subject", ())),  # type: ignore[arg-type] # typeshed has it wider
        moment(certificate.get("notAfter")),
    )
