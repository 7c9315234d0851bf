"""Render a TLS session for ``--json``. Kept apart: ``verify`` uses it and does not load dcmcfg.connectivity."""

from __future__ import annotations

from dcmcfg.dicom.peer_identity import TlsSession


def tls_session_json(session: TlsSession | None) -> dict[str, str | None] | None:
    """Return version, cipher suite, and subject and expiry of the certificate; None for a connection without TLS."""
    if session is None:
        return None
    return {
        "version": session.version,
        "cipher_suite": session.cipher,
        "certificate_subject": session.certificate_subject or None,
        "certificate_valid_until": session.certificate_valid_until.isoformat()
        if session.certificate_valid_until
        else None,
    }
