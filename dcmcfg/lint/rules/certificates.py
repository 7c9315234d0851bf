"""Certificates in the tree that expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema_names import USER_CERTIFICATE

if TYPE_CHECKING:
    from cryptography import x509

#: An entry, an attribute, the octets, and what they say; None where they cannot be read.
_Certificate = tuple[DN, str, bytes, "x509.Certificate | None"]
_ATTRIBUTES = (USER_CERTIFICATE.lower(), "cacertificate")
#: How long before the end it is reported.
_WARNING_PERIOD = timedelta(days=60)


def _find_certificates(context: LintContext) -> tuple[_Certificate, ...]:
    """Return the certificates in the tree, each parsed once for all rules."""
    return tuple(_iterate_certificates(context))


def _iterate_certificates(context: LintContext) -> Iterator[_Certificate]:
    for entry in context.tree.index.find_by_attributes(_holds_certificates):
        for attribute in filter(lambda each: _holds_certificates(each.name), entry.attributes):
            for value in attribute.values:
                yield entry.dn, attribute.name, value, _parse_certificate(value)


def _holds_certificates(name: str) -> bool:
    return name.partition(";")[0].lower() in _ATTRIBUTES


def _parse_certificate(value: bytes) -> x509.Certificate | None:
    from cryptography import x509  # most trees have no certificates, and the library loads slowly

    try:
        certificate = x509.load_der_x509_certificate(value)
        _parse_completely(certificate)
    except ValueError:
        return None
    return certificate


def _parse_completely(certificate: x509.Certificate) -> None:
    """Raise :class:`ValueError` where a part that is only parsed when asked for is wrong."""
    _format_subject(certificate)
    _format_day(certificate.not_valid_before_utc)
    _format_day(certificate.not_valid_after_utc)


def _format_subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without subject"


def _find_certificate_expired(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in context.compute_once(_find_certificates):
        if certificate is not None and certificate.not_valid_after_utc <= context.now:
            ended = _format_day(certificate.not_valid_after_utc)
            yield Violation(dn, f"{_format_subject(certificate)} expired on {ended}", name)
        elif certificate is not None and certificate.not_valid_before_utc > context.now:
            begins = _format_day(certificate.not_valid_before_utc)
            yield Violation(dn, f"{_format_subject(certificate)} is not valid before {begins}", name)


def _find_certificate_expires(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in context.compute_once(_find_certificates):
        if certificate is not None and context.now < certificate.not_valid_after_utc <= context.now + _WARNING_PERIOD:
            ends = certificate.not_valid_after_utc
            days = (ends - context.now).days
            yield Violation(dn, f"{_format_subject(certificate)} expires on {_format_day(ends)}, in {days} days", name)


def _find_certificate_unreadable(context: LintContext) -> Iterator[Violation]:
    for dn, name, value, certificate in context.compute_once(_find_certificates):
        if certificate is None:
            yield Violation(dn, f"{len(value)} octets that are no X.509 certificate", name)


def _format_day(timestamp: datetime) -> str:
    return f"{timestamp:%Y-%m-%d}"


_REPLACE_COMMAND = "dcmcfg apply FILE"

RULES = (
    LintRule(
        "certificate-expired",
        "error",
        requirement="A certificate in the tree is valid now.",
        reason="TLS connections to or from the node that it stands for fail.",
        fix="Put the new certificate in its place.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expired,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-expires",
        "warning",
        requirement="A certificate in the tree is valid for 60 days more.",
        reason="TLS connections will fail from then on. Key stores in files (dcmKeyStoreURL) are not seen from the "
        "tree.",
        fix="Have it renewed.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expires,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        requirement="A certificate in the tree can be read.",
        reason="The archive cannot use it.",
        fix="Put it in again, in DER.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_unreadable,
        part="formats",
        needs_whole_tree=False,
    ),
)
