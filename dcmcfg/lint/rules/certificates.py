"""Rules for certificates in the tree: validity and format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema_names import USER_CERTIFICATE

#: The time before expiry at which a certificate is reported.
_WARNING_PERIOD = timedelta(days=60)


def _iterate_certificates(context: LintContext) -> Iterator[tuple[DN, str, bytes, x509.Certificate | None]]:
    """Yield each certificate: entry, attribute, octets, and the parsed certificate, or None if it is unreadable."""
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
    """Raise :class:`ValueError` if a part of the certificate that is parsed lazily is invalid."""
    _format_subject(certificate)
    _format_day(certificate.not_valid_before_utc)
    _format_day(certificate.not_valid_after_utc)


def _format_subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without a subject"


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
            yield Violation(dn, f"{len(value)} octets that are not an X.509 certificate", name)


def _format_day(timestamp: datetime) -> str:
    return f"{timestamp:%Y-%m-%d}"


_REPLACE_COMMAND = "dcmcfg apply FILE"

RULES = (
    LintRule(
        "certificate-expired",
        "error",
        requirement="Each certificate in the tree is currently valid.",
        reason="Otherwise TLS connections to or from its node fail.",
        fix="Replace it with the new certificate.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expired,
    ),
    LintRule(
        "certificate-expires",
        "warning",
        requirement="Each certificate in the tree is valid for at least 60 more days.",
        reason="After that date TLS connections fail. The check does not read key store files (dcmKeyStoreURL).",
        fix="Renew the certificate.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expires,
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        requirement="Each certificate in the tree is readable.",
        reason="The archive cannot use an unreadable certificate.",
        fix="Store the certificate again, in DER encoding.",
        fix_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_unreadable,
    ),
)
