"""Find the certificates in a tree, with the period of validity of each.

Kept apart: the rules of ``check`` and ``monitor`` use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.dn import DN
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import USER_CERTIFICATE

_ATTRIBUTES = (USER_CERTIFICATE.lower(), "cacertificate")


@dataclass(frozen=True)
class Validity:
    """The subject of a certificate (RFC 4514), and the period in which it is valid, in UTC."""

    subject: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, kw_only=True)
class TreeCertificate:
    """A value of ``attribute`` of the entry ``dn``; ``validity`` is None if it is not a readable certificate."""

    dn: DN
    attribute: str
    octet_count: int
    validity: Validity | None


def find_certificates(tree: Tree) -> Iterator[TreeCertificate]:
    """Yield each certificate in *tree*."""
    for entry in tree.index.find_by_attributes(_holds_certificates):
        for attribute in filter(lambda each: _holds_certificates(each.name), entry.attributes):
            for value in attribute.values:
                yield TreeCertificate(
                    dn=entry.dn, attribute=attribute.name, octet_count=len(value), validity=_parse_validity(value)
                )


def _holds_certificates(name: str) -> bool:
    return name.partition(";")[0].lower() in _ATTRIBUTES


def _parse_validity(value: bytes) -> Validity | None:
    from cryptography import x509  # most trees have no certificates, and the library loads slowly

    try:
        certificate = x509.load_der_x509_certificate(value)
        # The library parses these parts only now, so a part that is invalid raises here.
        subject = certificate.subject.rfc4514_string() or "a certificate without a subject"
        return Validity(subject, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except ValueError:
        return None
