"""The contents of a file in PEM format (RFC 7468), by its labels.

Kept apart: dcmcfg.dicom and dcmcfg.settings use it and do not import each other.
"""

from __future__ import annotations


def holds_private_key(content: bytes) -> bool:
    """Return whether *content* has a private key in any form (PKCS #8, PKCS #1, SEC 1), encrypted or not."""
    return b"PRIVATE KEY-----" in content


def holds_certificate(content: bytes) -> bool:
    """Return whether *content* has a certificate."""
    return b"-----BEGIN CERTIFICATE-----" in content
