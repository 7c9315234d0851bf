"""Certificates in the tree that expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema_names import USER_CERTIFICATE

#: How long before the end it is reported.
_WARNING_PERIOD = timedelta(days=60)


def _iterate_certificates(context: LintContext) -> Iterator[tuple[DN, str, bytes, x509.Certificate | None]]:
    """Yield each certificate: entry, attribute, octets, and what they say; None where they cannot be read."""
    for entry in context.tree.sorted_entries():
        for attribute in entry.attributes:
            if attribute.name.partition(";")[0].lower() in (USER_CERTIFICATE.lower(), "cacertificate"):
                for value in attribute.values:
                    try:
                        certificate = x509.load_der_x509_certificate(value)
                        _parse_completely(certificate)
                    except ValueError:
                        yield entry.dn, attribute.name, value, None
                    else:
                        yield entry.dn, attribute.name, value, certificate


def _parse_completely(certificate: x509.Certificate) -> None:
    """Raise :class:`ValueError` where a part that is only parsed when asked for is wrong."""
    _format_subject(certificate)
    _format_day(certificate.not_valid_before_utc)
    _format_day(certificate.not_valid_after_utc)


def _format_subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without subject"


def _find_certificate_expired(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in _iterate_certificates(context):
        if certificate is not None and certificate.not_valid_after_utc <= context.now:
            ended = _format_day(certificate.not_valid_after_utc)
            yield Violation(dn, f"{_format_subject(certificate)} expired on {ended}", name)
        elif certificate is not None and certificate.not_valid_before_utc > context.now:
            begins = _format_day(certificate.not_valid_before_utc)
            yield Violation(dn, f"{_format_subject(certificate)} is not valid before {begins}", name)


def _find_certificate_expires(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in _iterate_certificates(context):
        if certificate is not None and context.now < certificate.not_valid_after_utc <= context.now + _WARNING_PERIOD:
            ends = certificate.not_valid_after_utc
            days = (ends - context.now).days
            yield Violation(dn, f"{_format_subject(certificate)} expires on {_format_day(ends)}, in {days} days", name)


def _find_certificate_unreadable(context: LintContext) -> Iterator[Violation]:
    for dn, name, value, certificate in _iterate_certificates(context):
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
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        requirement="A certificate in the tree can be read.",
        reason="The archive cannot use it.",
        fix="Put it in again, in DER.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_unreadable,
    ),
)
