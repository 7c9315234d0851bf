"""Certificates made for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, until: datetime, *, days: int = 365) -> bytes:
    """A self-signed certificate of the node *name* in DER, valid for *days* up to *until*."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(_key().public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=days))
        .not_valid_after(until)
    )
    return builder.sign(_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
