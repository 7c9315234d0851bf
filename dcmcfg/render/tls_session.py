"""How a line is secured, for ``--json``."""

from __future__ import annotations

from dcmcfg.dicom.peer_identity import Secured


def secured_json(secured: Secured | None) -> dict[str, str | None] | None:
    """Return version, cipher suite and whose certificate it is until when; None for a line without TLS."""
    if secured is None:
        return None
    return {
        "version": secured.version,
        "cipher": secured.cipher,
        "certificate_subject": secured.subject or None,
        "certificate_valid_until": secured.valid_until.isoformat() if secured.valid_until else None,
    }
