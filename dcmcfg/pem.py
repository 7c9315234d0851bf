"""What a file in PEM form (RFC 7468) holds, by the labels in it.

Kept apart: dcmcfg.dicom and dcmcfg.settings use it and do not import each other.
"""

from __future__ import annotations


def holds_private_key(content: bytes) -> bool:
    """Tell whether there is a private key, in any of its forms (PKCS #8, PKCS #1, SEC 1), encrypted or not."""
    return b"PRIVATE KEY-----" in content


def holds_certificate(content: bytes) -> bool:
    """Tell whether there is a certificate."""
    return b"-----BEGIN CERTIFICATE-----" in content
